//! ICE credentials in SDP texts (RFC 8839, section 5.4).

use super::section::{Section, push_line};

/// What one ICE session of a peer is known by: new ones begin a new session (RFC 8839, section 4.4.1.1.1).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
}

impl Credentials {
    /// Those of a section, else of the session; or what is wrong with them.
    pub(super) fn of(session: &Section<'_>, section: &Section<'_>) -> Result<Self, String> {
        let read = |attribute| {
            let value: Option<&str> = section.value(attribute).or(session.value(attribute));
            value.map(str::to_owned).ok_or_else(|| format!("a={attribute}: is missing"))
        };
        let credentials = Self { ufrag: read("ice-ufrag")?, pwd: read("ice-pwd")? };
        credentials.check()?;
        Ok(credentials)
    }

    fn check(&self) -> Result<(), String> {
        let is_sound = |text: &str, least: usize| {
            let are_ice_chars = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'));
            (least..=256).contains(&text.len()) && are_ice_chars
        };
        if !is_sound(&self.ufrag, 4) {
            return Err("a=ice-ufrag: needs 4 to 256 letters, digits, + and /".into());
        }
        if !is_sound(&self.pwd, 22) {
            return Err("a=ice-pwd: needs 22 to 256 letters, digits, + and /".into());
        }
        Ok(())
    }

    /// The text with these credentials in place of its own, and without the candidates that belonged to those.
    pub(crate) fn put_into(&self, text: &str) -> String {
        let mut renewed = String::with_capacity(text.len());
        for line in text.lines() {
            if line.starts_with("a=ice-ufrag:") {
                push_line(&mut renewed, &format!("a=ice-ufrag:{}", self.ufrag));
            } else if line.starts_with("a=ice-pwd:") {
                push_line(&mut renewed, &format!("a=ice-pwd:{}", self.pwd));
            } else if !line.starts_with("a=candidate:") && line != "a=end-of-candidates" {
                push_line(&mut renewed, line);
            }
        }
        renewed
    }
}

impl std::fmt::Debug for Credentials {
    /// The password lets anybody take a call over, so it is not printed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Credentials").field("ufrag", &self.ufrag).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_replace_others_and_their_candidates() {
        let credentials = Credentials { ufrag: "new+".into(), pwd: "n".repeat(22) };
        let text = "v=0\r\na=ice-ufrag:old\r\na=ice-pwd:secret\r\nm=audio 9 X 0\r\na=candidate:1 1 udp 1 ::1 9 typ host\r\n\
            a=end-of-candidates\r\na=mid:0\r\n";
        let wanted = format!("v=0\r\na=ice-ufrag:new+\r\na=ice-pwd:{}\r\nm=audio 9 X 0\r\na=mid:0\r\n", "n".repeat(22));
        assert_eq!(credentials.put_into(text), wanted);
        assert!(!format!("{credentials:?}").contains("nn"), "the password is not printed");
    }
}
