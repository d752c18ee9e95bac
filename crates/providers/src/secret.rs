//! Keys and tokens: a type that cannot print.

use serde::Deserialize;

/// Something that only its owner and its addressee may know.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(transparent)]
pub struct Secret(String);

impl Secret {
    /// For the addressee.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::Secret;

    #[test]
    fn it_does_not_print() {
        let secret = Secret::from("open sesame".to_owned());
        assert!(!format!("{secret:?}").contains("sesame"));
        assert_eq!(secret.reveal(), "open sesame");
    }
}
