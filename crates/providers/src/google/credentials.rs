//! Who we are to Google: a service account's file, or the application default credentials of the machine.

use async_trait::async_trait;
use google_cloud_auth::build_errors::Error as BuildError;
use google_cloud_auth::credentials::{
    Builder, CacheableResource, Credentials as Inner, external_account, impersonated, service_account, user_account,
};
use reqwest::header::HeaderMap;
use serde_json::Value;

use crate::remote::AuthSource;

/// All that is asked for; what an account may do is decided where the account is kept.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";

/// Credentials that fetch tokens and renew them in time. What they print holds no secret.
#[derive(Debug, Clone)]
pub struct Credentials(Inner);

/// Credentials that cannot be used. Each message follows "failed to".
#[derive(Debug, thiserror::Error)]
pub enum CredentialsError {
    /// A file that holds none.
    #[error("read the credentials: they are no JSON object with a type")]
    NotCredentials,
    /// A kind that is not known.
    #[error(
        "read the credentials: their type is none of service_account, authorized_user, external_account and impersonated_service_account"
    )]
    UnknownKind,
    /// They lack something.
    #[error("use the credentials: {0}")]
    Build(#[from] BuildError),
}

impl Credentials {
    /// The machine's own: what `GOOGLE_APPLICATION_CREDENTIALS` names, what `gcloud auth application-default login`
    /// left, or the metadata server of Google's cloud. To be called within a runtime.
    ///
    /// # Errors
    /// When a file is named and cannot be used.
    pub fn of_machine() -> Result<Self, CredentialsError> {
        Ok(Self(Builder::default().with_scopes([SCOPE]).build()?))
    }

    /// Those of a file, given what is in it. To be called within a runtime.
    ///
    /// # Errors
    /// When it holds no credentials.
    pub fn from_json(json: &str) -> Result<Self, CredentialsError> {
        let json: Value = serde_json::from_str(json).map_err(|_| CredentialsError::NotCredentials)?;
        let kind = json.get("type").and_then(Value::as_str).ok_or(CredentialsError::NotCredentials)?.to_owned();
        Ok(Self(match kind.as_str() {
            "service_account" => {
                let scopes = service_account::AccessSpecifier::from_scopes([SCOPE]);
                service_account::Builder::new(json).with_access_specifier(scopes).build()?
            }
            "authorized_user" => user_account::Builder::new(json).with_scopes([SCOPE]).build()?,
            "external_account" => external_account::Builder::new(json).with_scopes([SCOPE]).build()?,
            "impersonated_service_account" => impersonated::Builder::new(json).with_scopes([SCOPE]).build()?,
            _ => return Err(CredentialsError::UnknownKind),
        }))
    }
}

#[async_trait]
impl AuthSource for Credentials {
    async fn headers(&self) -> Result<HeaderMap, String> {
        match self.0.headers(http::Extensions::new()).await {
            Ok(CacheableResource::New { data, .. }) => Ok(data),
            Ok(CacheableResource::NotModified) => Err("the credentials say that nothing changed".to_owned()),
            Err(error) => Err(error.to_string()),
        }
    }
}
