//! What the sections of vendors only point to: keys in the environment, and files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use providers::secret::Secret;
use providers::vendors::{Account, ProviderConfig};

/// A key or a file that is not where its section says.
#[derive(Debug, Clone, thiserror::Error)]
pub enum AccountError {
    /// The environment lacks it.
    #[error("find the key of provider `{provider}`: the environment variable {variable} is not set")]
    Variable {
        /// Whose.
        provider: String,
        /// Which.
        variable: String,
    },
    /// Both are named.
    #[error("find the key of provider `{provider}`: set api_key_env or api_key_file, not both")]
    Both {
        /// Whose.
        provider: String,
    },
    /// It cannot be read.
    #[error("read {key} = {} of provider `{provider}`: {source}", path.display())]
    File {
        /// Whose.
        provider: String,
        /// Which setting.
        key: &'static str,
        /// The file.
        path: PathBuf,
        /// Why.
        source: Arc<std::io::Error>,
    },
}

/// Gathers all that a vendor's section points to.
///
/// # Errors
/// When something is not there.
pub(crate) fn account(name: &str, config: &ProviderConfig) -> Result<Account, AccountError> {
    let read = |key: &'static str, path: Option<&PathBuf>| path.map(|path| read(name, key, path)).transpose();
    let place = config.key();
    let key = match (&place.env, read("api_key_file", place.file.as_ref())?) {
        (Some(_), Some(_)) => return Err(AccountError::Both { provider: name.to_owned() }),
        (Some(variable), None) => Some(from_environment(name, variable)?),
        (None, Some(text)) => Some(Secret::from(text.trim().to_owned())),
        (None, None) => None,
    };
    Ok(Account {
        key,
        credentials: read("credentials_file", config.credentials_file())?.map(Secret::from),
        authority: read("ca_file", config.ca_file())?.map(String::into_bytes),
        config: config.clone(),
    })
}

fn from_environment(provider: &str, variable: &str) -> Result<Secret, AccountError> {
    #[allow(clippy::disallowed_methods, reason = "this is where the configuration reads the environment")]
    let value = std::env::var(variable).ok().filter(|value| !value.trim().is_empty());
    let missing = || AccountError::Variable { provider: provider.to_owned(), variable: variable.to_owned() };
    value.map(|value| Secret::from(value.trim().to_owned())).ok_or_else(missing)
}

fn read(provider: &str, key: &'static str, path: &Path) -> Result<String, AccountError> {
    let failed = |source| {
        let (provider, path, source) = (provider.to_owned(), path.to_owned(), Arc::new(source));
        AccountError::File { provider, key, path, source }
    };
    std::fs::read_to_string(path).map_err(failed)
}
