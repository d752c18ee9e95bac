//! The policies that scenarios name.

use std::time::Duration;

use dialogue::{BargeIn, Endpointing, Fused, IdlePrompt, Initiative, Limit, Line, Policy};

/// The policy of scenarios that name none. Its silences are fixed, so that tuning the default moves no scenario.
pub(crate) fn usual() -> Policy {
    let (min_silence, max_silence) = (Duration::from_millis(200), Duration::from_millis(1_200));
    Policy { endpointing: Endpointing::Fused(Fused { min_silence, max_silence, threshold: 0.2 }), ..Policy::default() }
}

/// The policy of this name.
pub(crate) fn named(name: &str) -> Policy {
    match name {
        "server_vad" => Policy { endpointing: Endpointing::Silence(Duration::from_millis(500)), ..usual() },
        "manual" => Policy { endpointing: Endpointing::Manual, ..usual() },
        "undisturbed" => Policy { barge_in: BargeIn { enabled: false, ..BargeIn::default() }, ..usual() },
        "never_ahead" => Policy { start_ahead: false, ..usual() },
        "short_memory" => Policy { memory_chars: 120, ..usual() },
        "attentive" => with(Initiative {
            greeting: Some(Line { text: "Hello, how can I help?".to_owned(), interruptible: false }),
            idle: Some(IdlePrompt {
                after: Duration::from_secs(10),
                text: "Are you still there?".to_owned(),
                times: 2,
                farewell: "Goodbye.".to_owned(),
            }),
            ..Initiative::default()
        }),
        "limited" => with(Initiative {
            limit: Some(Limit { after: Duration::from_secs(60), farewell: "Our time is up.".to_owned() }),
            ..Initiative::default()
        }),
        other => panic!("no policy is called {other}"),
    }
}

fn with(initiative: Initiative) -> Policy {
    Policy { initiative, ..usual() }
}
