//! The companding of telephone lines (ITU-T G.711): a sample in one byte, by the mu-law or the A-law.

/// The loudest sample that the mu-law knows, before its bias is added.
const MU_CLIP: i32 = 32_635;
const MU_BIAS: i32 = 132;

pub(super) fn to_mu_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0x80 } else { 0 };
    let magnitude = i32::from(sample).abs().min(MU_CLIP) + MU_BIAS;
    let exponent = magnitude.ilog2() as i32 - 7;
    let mantissa = (magnitude >> (exponent + 3)) & 0x0F;
    !((sign | exponent << 4 | mantissa) as u8)
}

pub(super) fn from_mu_law(byte: u8) -> i16 {
    let byte = !byte;
    let (exponent, mantissa) = (i32::from(byte >> 4 & 7), i32::from(byte & 0x0F));
    let magnitude = (((mantissa << 3) + MU_BIAS) << exponent) - MU_BIAS;
    (if byte & 0x80 != 0 { -magnitude } else { magnitude }) as i16
}

pub(super) fn to_a_law(sample: i16) -> u8 {
    let sign = if sample < 0 { 0 } else { 0x80 };
    let magnitude = if sample < 0 { !i32::from(sample) } else { i32::from(sample) } >> 4;
    let code = if magnitude < 16 {
        magnitude
    } else {
        let exponent = magnitude.ilog2() as i32 - 3;
        exponent << 4 | (magnitude >> (exponent - 1) & 0x0F)
    };
    (sign | code) as u8 ^ 0x55
}

pub(super) fn from_a_law(byte: u8) -> i16 {
    let byte = byte ^ 0x55;
    let (exponent, mantissa) = (i32::from(byte >> 4 & 7), i32::from(byte & 0x0F));
    let magnitude = if exponent == 0 { (mantissa << 4) + 8 } else { ((mantissa << 4) + 0x108) << (exponent - 1) };
    (if byte & 0x80 != 0 { magnitude } else { -magnitude }) as i16
}

#[cfg(test)]
mod tests {
    use super::{from_a_law, from_mu_law, to_a_law, to_mu_law};

    #[test]
    fn every_code_survives_the_way_there_and_back() {
        for byte in 0..=u8::MAX {
            assert_eq!(to_a_law(from_a_law(byte)), byte, "A-law {byte:#x}");
            // The mu-law has two zeros; the positive one comes back.
            let expected = if byte == 0x7F { 0xFF } else { byte };
            assert_eq!(to_mu_law(from_mu_law(byte)), expected, "mu-law {byte:#x}");
        }
    }

    #[test]
    fn samples_come_back_within_a_step() {
        for sample in (i16::MIN..=i16::MAX).step_by(97) {
            let step = (i32::from(sample).abs() / 16).max(16);
            let near = |back: i16| (i32::from(back) - i32::from(sample)).abs() <= step;
            assert!(near(from_mu_law(to_mu_law(sample))) && near(from_a_law(to_a_law(sample))), "{sample}");
        }
    }
}
