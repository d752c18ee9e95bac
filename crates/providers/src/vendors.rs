//! The `[providers.NAME]` sections: which vendors there are, and how they become models.
//!
//! A section says where a vendor is and who we are to it; its parts `llm`, `stt` and `tts` say which models. Nothing is
//! reached before a call wants it.

mod account;
mod config;
mod prices;

pub use account::{Account, OpenError};
pub use config::{GoogleConfig, KeyConfig, OpenAiConfig, ProviderConfig};
pub use prices::{PriceList, Prices};
