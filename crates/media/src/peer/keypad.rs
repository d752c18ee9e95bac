//! Keys of a telephone's keypad, as they travel beside the voice (RFC 4733).

use std::time::Duration;

use str0m::media::TelephoneEvent;

/// Keys by their event code (RFC 4733, section 3.2).
const KEYS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', '*', '#', 'A', 'B', 'C', 'D'];
/// How long our own caller presses a key. RFC 4733 asks for 40 ms at least.
const PRESSED: Duration = Duration::from_millis(100);
/// How loud our own caller's tone is, in -dBm0.
const VOLUME: u8 = 10;

/// Turns the reports of one sender into keys: each press is reported many times, all with the RTP time of its begin.
#[derive(Debug, Default)]
pub(super) struct Keypad {
    latest: Option<(u64, u8)>,
}

impl Keypad {
    /// The key that a report tells of; none for further reports of the same press, and for events that are no keys.
    pub(super) fn report(&mut self, event: u8, rtp_time: u64) -> Option<char> {
        let key = *KEYS.get(usize::from(event))?;
        let press = Some((rtp_time, event));
        if self.latest == press {
            return None;
        }
        self.latest = press;
        Some(key)
    }
}

/// The whole press of a key, for the stack to send; none for what is no key.
pub(super) fn press(key: char) -> Option<TelephoneEvent> {
    let event = u8::try_from(KEYS.iter().position(|known| *known == key)?).ok()?;
    Some(TelephoneEvent { event, end: true, volume: VOLUME, duration: PRESSED })
}

#[cfg(test)]
mod tests {
    use super::Keypad;

    #[test]
    fn a_press_counts_once_however_often_it_is_reported() {
        let mut keypad = Keypad::default();
        let reports = [(5, 100), (5, 100), (5, 100), (5, 9_000), (11, 20_000), (11, 20_000), (16, 30_000)];
        let keys: Vec<char> = reports.iter().filter_map(|(event, at)| keypad.report(*event, *at)).collect();
        assert_eq!(keys, ['5', '5', '#']);
    }
}
