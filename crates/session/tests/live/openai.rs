//! OpenAI Realtime.

use std::sync::Arc;

use providers::live::LiveModel;
use providers::openai::{Realtime, RealtimeConfig};
use providers::remote::{Auth, Deadlines, Endpoint};
use providers::secret::Secret;
use testkit::emulator::{Emulator, Route};

use crate::call::Vendor;
use crate::suite::live_suite;

struct OpenAi;

impl Vendor for OpenAi {
    const ROUTE: Route = Route::OpenAiRealtime;

    fn model(emulator: &Emulator) -> Arc<dyn LiveModel> {
        let key = Auth::Bearer(Secret::from("key-one".to_owned()));
        let endpoint = Endpoint::new(&emulator.openai_url(), &key, Deadlines::default()).unwrap();
        Arc::new(Realtime::new(endpoint, RealtimeConfig::default()))
    }
}

live_suite!(OpenAi);
