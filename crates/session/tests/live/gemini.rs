//! Gemini Live, which can be reached over TLS only.

use std::sync::Arc;

use providers::google::{Live, LiveConfig};
use providers::live::LiveModel;
use providers::remote::{Auth, Deadlines, Endpoint};
use providers::secret::Secret;
use testkit::emulator::{Emulator, Route};

use crate::call::Vendor;
use crate::suite::live_suite;

struct Gemini;

impl Vendor for Gemini {
    const ROUTE: Route = Route::GeminiLive;

    fn model(emulator: &Emulator) -> Arc<dyn LiveModel> {
        let key = Auth::Header { name: "x-goog-api-key", key: Secret::from("key-one".to_owned()) };
        let (base, authority) = (format!("{}/v1beta", emulator.tls_url()), emulator.authority_pem().as_bytes());
        let endpoint = Endpoint::trusting(&base, &key, Deadlines::default(), authority).unwrap();
        Arc::new(Live::new(endpoint, LiveConfig::default()))
    }
}

live_suite!(Gemini);
