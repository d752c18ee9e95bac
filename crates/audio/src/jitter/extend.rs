//! Counters that wrap, made ones that do not.

/// Extends a counter of `BITS` bits to 64 by taking each value as the one nearest to the greatest seen.
#[derive(Debug, Default)]
pub(super) struct Extender<const BITS: u32> {
    greatest: Option<u64>,
    /// What is added to values, modulo the span, since the counter began anew.
    bias: u64,
}

impl<const BITS: u32> Extender<BITS> {
    const SPAN: u64 = 1 << BITS;

    pub(super) fn extend(&mut self, value: u64) -> u64 {
        // The first value starts one span up, so that what was sent just before it stays above zero.
        let greatest = self.greatest.unwrap_or(Self::SPAN + value);
        let ahead = value.wrapping_add(self.bias).wrapping_sub(greatest) & (Self::SPAN - 1);
        let extended =
            if ahead < Self::SPAN / 2 { greatest + ahead } else { (greatest + ahead).saturating_sub(Self::SPAN) };
        self.greatest = Some(greatest.max(extended));
        extended
    }

    /// The counter goes on from any `value`, which stands for `extended`.
    pub(super) fn restart(&mut self, value: u64, extended: u64) {
        self.bias = extended.wrapping_sub(value) & (Self::SPAN - 1);
        self.greatest = Some(extended);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapping_goes_on_counting_and_old_values_stay_behind() {
        let mut extender = Extender::<16>::default();
        let first = extender.extend(65_534);
        assert_eq!(extender.extend(65_535), first + 1);
        assert_eq!(extender.extend(1), first + 3);
        assert_eq!(extender.extend(0), first + 2);
        assert_eq!(extender.extend(65_533), first - 1);
        assert_eq!(extender.extend(2), first + 4);
    }

    #[test]
    fn values_before_the_first_do_not_fall_below_zero() {
        let mut extender = Extender::<16>::default();
        let first = extender.extend(0);
        assert_eq!(extender.extend(65_535), first - 1);
    }

    #[test]
    fn a_counter_that_begins_anew_goes_on_where_it_is_told_to() {
        let mut extender = Extender::<16>::default();
        let first = extender.extend(30_000);
        extender.restart(65_534, first + 1);
        assert_eq!(extender.extend(65_534), first + 1);
        assert_eq!(extender.extend(1), first + 4);
        assert_eq!(extender.extend(65_535), first + 2);
    }
}
