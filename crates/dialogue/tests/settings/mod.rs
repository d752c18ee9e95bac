//! The policies that scenarios name.

use std::time::Duration;

use dialogue::{BargeIn, Endpointing, IdlePrompt, Initiative, Limit, Line, Policy};

/// The policy of this name.
pub(crate) fn named(name: &str) -> Policy {
    match name {
        "server_vad" => Policy { endpointing: Endpointing::Silence(Duration::from_millis(500)), ..Policy::default() },
        "manual" => Policy { endpointing: Endpointing::Manual, ..Policy::default() },
        "undisturbed" => Policy { barge_in: BargeIn { enabled: false, ..BargeIn::default() }, ..Policy::default() },
        "never_ahead" => Policy { start_ahead: false, ..Policy::default() },
        "short_memory" => Policy { memory_chars: 120, ..Policy::default() },
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
    Policy { initiative, ..Policy::default() }
}
