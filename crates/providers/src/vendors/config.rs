//! What can be set for a vendor.

use std::path::PathBuf;

use serde::Deserialize;

use super::PriceList;
use crate::remote::Deadlines;
use crate::{google, openai};

/// A vendor, by the interface that it speaks.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum ProviderConfig {
    /// OpenAI, and every server that speaks its interface.
    OpenAi(Box<OpenAiConfig>),
    /// Google.
    Google(Box<GoogleConfig>),
}

impl ProviderConfig {
    /// Where its key is.
    pub fn key(&self) -> &KeyConfig {
        match self {
            Self::OpenAi(config) => &config.key,
            Self::Google(config) => &config.key,
        }
    }

    /// What it asks for its work.
    pub fn prices(&self) -> &PriceList {
        match self {
            Self::OpenAi(config) => &config.prices,
            Self::Google(config) => &config.prices,
        }
    }

    /// The file of the certificate authority that signed its certificate; none for the usual ones.
    pub fn ca_file(&self) -> Option<&PathBuf> {
        match self {
            Self::OpenAi(config) => config.ca_file.as_ref(),
            Self::Google(config) => config.ca_file.as_ref(),
        }
    }

    /// The file of Google's credentials, if it names one.
    pub fn credentials_file(&self) -> Option<&PathBuf> {
        match self {
            Self::OpenAi(_) => None,
            Self::Google(config) => config.credentials_file.as_ref(),
        }
    }
}

/// Where a key is. It stands in no configuration file, which is copied and shown too easily.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeyConfig {
    /// The environment variable that holds it.
    pub env: Option<String>,
    /// The file that holds it and nothing else.
    pub file: Option<PathBuf>,
}

/// A server that speaks OpenAI's interface.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "OpenAiSection")]
pub struct OpenAiConfig {
    /// Where it is.
    pub base_url: String,
    /// Its key; none for servers that want none.
    pub key: KeyConfig,
    /// Who signed its certificate.
    pub ca_file: Option<PathBuf>,
    /// How long it may take.
    pub deadlines: Deadlines,
    /// Its language model.
    pub llm: openai::ChatConfig,
    /// Its recogniser.
    pub stt: openai::TranscriberConfig,
    /// Its voice.
    pub tts: openai::VoiceConfig,
    /// Its speech-native model.
    pub live: openai::RealtimeConfig,
    /// What it asks for its work.
    pub prices: PriceList,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct OpenAiSection {
    base_url: String,
    api_key_env: Option<String>,
    api_key_file: Option<PathBuf>,
    ca_file: Option<PathBuf>,
    deadlines: Deadlines,
    llm: openai::ChatConfig,
    stt: openai::TranscriberConfig,
    tts: openai::VoiceConfig,
    live: openai::RealtimeConfig,
    prices: PriceList,
}

impl Default for OpenAiSection {
    fn default() -> Self {
        Self {
            base_url: "https://api.openai.com/v1".to_owned(),
            api_key_env: None,
            api_key_file: None,
            ca_file: None,
            deadlines: Deadlines::default(),
            llm: openai::ChatConfig::default(),
            stt: openai::TranscriberConfig::default(),
            tts: openai::VoiceConfig::default(),
            live: openai::RealtimeConfig::default(),
            prices: PriceList::default(),
        }
    }
}

impl From<OpenAiSection> for OpenAiConfig {
    fn from(section: OpenAiSection) -> Self {
        Self {
            base_url: section.base_url,
            key: KeyConfig { env: section.api_key_env, file: section.api_key_file },
            ca_file: section.ca_file,
            deadlines: section.deadlines,
            llm: section.llm,
            stt: section.stt,
            tts: section.tts,
            live: section.live,
            prices: section.prices,
        }
    }
}

/// Google: Gemini by a key or through Vertex AI, Speech-to-Text and Text-to-Speech.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(from = "GoogleSection")]
pub struct GoogleConfig {
    /// An API key. With one, Gemini is reached through the Gemini API.
    pub key: KeyConfig,
    /// Credentials in place of the machine's own.
    pub credentials_file: Option<PathBuf>,
    /// The project that is billed: for Vertex AI and for Speech-to-Text.
    pub project: Option<String>,
    /// Where Vertex AI is to serve.
    pub location: String,
    /// Where Gemini is, in place of Google's own address: up to the version.
    pub base_url: Option<String>,
    /// Where Speech-to-Text and Text-to-Speech are, in place of Google's own addresses.
    pub grpc_url: Option<String>,
    /// Who signed the certificates of those.
    pub ca_file: Option<PathBuf>,
    /// How long it may take.
    pub deadlines: Deadlines,
    /// Its language model.
    pub llm: google::GeminiConfig,
    /// Its recogniser.
    pub stt: google::SpeechConfig,
    /// Its voice.
    pub tts: google::VoiceConfig,
    /// Its speech-native model.
    pub live: google::LiveConfig,
    /// What it asks for its work.
    pub prices: PriceList,
}

#[derive(Deserialize)]
#[serde(default, deny_unknown_fields)]
struct GoogleSection {
    api_key_env: Option<String>,
    api_key_file: Option<PathBuf>,
    credentials_file: Option<PathBuf>,
    project: Option<String>,
    location: String,
    base_url: Option<String>,
    grpc_url: Option<String>,
    ca_file: Option<PathBuf>,
    deadlines: Deadlines,
    llm: google::GeminiConfig,
    stt: google::SpeechConfig,
    tts: google::VoiceConfig,
    live: google::LiveConfig,
    prices: PriceList,
}

impl Default for GoogleSection {
    fn default() -> Self {
        Self {
            api_key_env: None,
            api_key_file: None,
            credentials_file: None,
            project: None,
            location: "global".to_owned(),
            base_url: None,
            grpc_url: None,
            ca_file: None,
            deadlines: Deadlines::default(),
            llm: google::GeminiConfig::default(),
            stt: google::SpeechConfig::default(),
            tts: google::VoiceConfig::default(),
            live: google::LiveConfig::default(),
            prices: PriceList::default(),
        }
    }
}

impl From<GoogleSection> for GoogleConfig {
    fn from(section: GoogleSection) -> Self {
        Self {
            key: KeyConfig { env: section.api_key_env, file: section.api_key_file },
            credentials_file: section.credentials_file,
            project: section.project,
            location: section.location,
            base_url: section.base_url,
            grpc_url: section.grpc_url,
            ca_file: section.ca_file,
            deadlines: section.deadlines,
            llm: section.llm,
            stt: section.stt,
            tts: section.tts,
            live: section.live,
            prices: section.prices,
        }
    }
}
