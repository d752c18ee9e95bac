//! Who we are to a vendor.

use std::sync::Arc;

use async_trait::async_trait;
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};

use crate::secret::Secret;

/// Who we are to a vendor.
#[derive(Debug, Clone)]
pub enum Auth {
    /// Nobody in particular.
    None,
    /// `Authorization: Bearer`.
    Bearer(Secret),
    /// A key in a header of its own.
    Header {
        /// The header.
        name: &'static str,
        /// The key.
        key: Secret,
    },
    /// Headers that change with time, such as tokens.
    Source(Arc<dyn AuthSource>),
}

/// Knows the headers that say who we are, at any time.
#[async_trait]
pub trait AuthSource: std::fmt::Debug + Send + Sync + 'static {
    /// The headers to send now, marked as sensitive.
    ///
    /// # Errors
    /// When there are none to be had; the cause must not hold any secret. Cancel safe.
    async fn headers(&self) -> Result<HeaderMap, String>;
}

/// Who we are, ready to be sent.
#[derive(Debug, Clone)]
pub(crate) enum Identity {
    Headers(HeaderMap),
    Source(Arc<dyn AuthSource>),
}

/// A key holds what no header may.
#[derive(Debug)]
pub(crate) struct InvalidKey;

impl Identity {
    pub(crate) fn new(auth: &Auth) -> Result<Self, InvalidKey> {
        let (name, value) = match auth {
            Auth::None => return Ok(Self::Headers(HeaderMap::new())),
            Auth::Source(source) => return Ok(Self::Source(Arc::clone(source))),
            Auth::Bearer(key) => ("authorization", format!("Bearer {}", key.reveal())),
            Auth::Header { name, key } => (*name, key.reveal().to_owned()),
        };
        let mut value = HeaderValue::try_from(value).map_err(|_| InvalidKey)?;
        // Keeps it out of whatever prints headers.
        value.set_sensitive(true);
        Ok(Self::Headers(HeaderMap::from_iter([(HeaderName::from_static(name), value)])))
    }

    pub(crate) fn is_secret(&self) -> bool {
        match self {
            Self::Headers(headers) => !headers.is_empty(),
            Self::Source(_) => true,
        }
    }

    /// The headers to send now; the error is why there are none. Cancel safe.
    pub(crate) async fn headers(&self) -> Result<HeaderMap, String> {
        match self {
            Self::Headers(headers) => Ok(headers.clone()),
            Self::Source(source) => source.headers().await,
        }
    }
}
