//! From a section to models.

use std::sync::Arc;

use super::config::{GoogleConfig, OpenAiConfig, ProviderConfig};
use crate::google::{self, Cloud, Credentials, CredentialsError, Gemini, Speech};
use crate::live::LiveModel;
use crate::llm::LanguageModel;
use crate::openai::{self, Chat, Realtime, Transcriber};
use crate::remote::{Auth, Deadlines, Endpoint, EndpointError};
use crate::secret::Secret;
use crate::stt::SpeechToText;
use crate::tts::TextToSpeech;

/// Where Gemini is for who has a key.
const GEMINI_API: &str = "https://generativelanguage.googleapis.com/v1beta";
const GOOGLE_KEY: &str = "x-goog-api-key";
/// The rates that Opus takes.
const VOICE_RATES_HZ: [u32; 5] = [8_000, 12_000, 16_000, 24_000, 48_000];

/// A vendor with all that its section only points to.
#[derive(Debug, Clone)]
pub struct Account {
    /// Its section.
    pub config: ProviderConfig,
    /// What stands where the section says that the key is.
    pub key: Option<Secret>,
    /// What is in the file of credentials.
    pub credentials: Option<Secret>,
    /// What is in the file of the certificate authority.
    pub authority: Option<Vec<u8>>,
}

/// A vendor cannot be used as configured.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The address or the key.
    #[error(transparent)]
    Endpoint(#[from] EndpointError),
    /// The credentials.
    #[error(transparent)]
    Credentials(#[from] CredentialsError),
    /// A setting without which it cannot be.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A rate at which nothing can be encoded.
    #[error("use tts.sample_rate_hz = {0}: write 8000, 12000, 16000, 24000 or 48000")]
    SampleRate(u32),
}

impl Account {
    /// Its language model. To be called within a runtime; reaches nobody.
    ///
    /// # Errors
    /// When it cannot be used as configured.
    pub fn llm(&self) -> Result<Arc<dyn LanguageModel>, OpenError> {
        match &self.config {
            ProviderConfig::OpenAi(config) if config.llm.model.is_empty() => Err(OpenError::Missing("llm.model")),
            ProviderConfig::OpenAi(config) => Ok(Arc::new(Chat::new(self.openai(config)?, config.llm.clone()))),
            ProviderConfig::Google(config) => Ok(Arc::new(Gemini::new(self.gemini(config)?, config.llm.clone()))),
        }
    }

    /// Its recogniser, likewise.
    ///
    /// # Errors
    /// When it cannot be used as configured.
    pub fn stt(&self) -> Result<Arc<dyn SpeechToText>, OpenError> {
        match &self.config {
            ProviderConfig::OpenAi(config) => Ok(Arc::new(Transcriber::new(self.openai(config)?, config.stt.clone()))),
            ProviderConfig::Google(config) => {
                let project = config.project.clone().ok_or(OpenError::Missing("project"))?;
                let cloud = self.cloud(config, "speech", &config.stt.location)?;
                Ok(Arc::new(Speech::new(cloud, project, config.stt.clone())))
            }
        }
    }

    /// Its voice, likewise.
    ///
    /// # Errors
    /// When it cannot be used as configured.
    pub fn tts(&self) -> Result<Arc<dyn TextToSpeech>, OpenError> {
        match &self.config {
            ProviderConfig::OpenAi(config) => {
                let rate_hz = config.tts.sample_rate_hz;
                if !VOICE_RATES_HZ.contains(&rate_hz) {
                    return Err(OpenError::SampleRate(rate_hz));
                }
                Ok(Arc::new(openai::Voice::new(self.openai(config)?, config.tts.clone())))
            }
            ProviderConfig::Google(config) => {
                let cloud = self.cloud(config, "texttospeech", &config.tts.location)?;
                Ok(Arc::new(google::Voice::new(cloud, config.tts.clone())))
            }
        }
    }

    /// Its speech-native model, likewise.
    ///
    /// # Errors
    /// When it cannot be used as configured.
    pub fn live(&self) -> Result<Arc<dyn LiveModel>, OpenError> {
        match &self.config {
            ProviderConfig::OpenAi(config) => Ok(Arc::new(Realtime::new(self.openai(config)?, config.live.clone()))),
            ProviderConfig::Google(config) => {
                Ok(Arc::new(google::Live::new(self.gemini(config)?, config.live.clone())))
            }
        }
    }

    fn openai(&self, config: &OpenAiConfig) -> Result<Endpoint, OpenError> {
        let auth = self.key.clone().map_or(Auth::None, Auth::Bearer);
        self.endpoint(&config.base_url, &auth, config.deadlines)
    }

    fn gemini(&self, config: &GoogleConfig) -> Result<Endpoint, OpenError> {
        let own = match &self.key {
            Some(_) => GEMINI_API.to_owned(),
            None => {
                let project =
                    config.project.as_ref().ok_or(OpenError::Missing("api_key_env, or project for Vertex AI,"))?;
                google::vertex_base(project, &config.location)
            }
        };
        self.endpoint(config.base_url.as_ref().unwrap_or(&own), &self.google_auth()?, config.deadlines)
    }

    fn cloud(&self, config: &GoogleConfig, service: &str, location: &str) -> Result<Cloud, OpenError> {
        let own = match location {
            "global" => format!("https://{service}.googleapis.com"),
            location => format!("https://{location}-{service}.googleapis.com"),
        };
        let (base, auth) = (config.grpc_url.as_ref().unwrap_or(&own), self.google_auth()?);
        Ok(match &self.authority {
            None => Cloud::new(base, &auth, config.deadlines)?,
            Some(authority) => Cloud::trusting(base, &auth, config.deadlines, authority)?,
        })
    }

    fn google_auth(&self) -> Result<Auth, OpenError> {
        if let Some(key) = &self.key {
            return Ok(Auth::Header { name: GOOGLE_KEY, key: key.clone() });
        }
        let credentials = match &self.credentials {
            Some(json) => Credentials::from_json(json.reveal())?,
            None => Credentials::of_machine()?,
        };
        Ok(Auth::Source(Arc::new(credentials)))
    }

    fn endpoint(&self, base: &str, auth: &Auth, deadlines: Deadlines) -> Result<Endpoint, OpenError> {
        Ok(match &self.authority {
            None => Endpoint::new(base, auth, deadlines)?,
            Some(authority) => Endpoint::trusting(base, auth, deadlines, authority)?,
        })
    }
}
