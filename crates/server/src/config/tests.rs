//! The sample file, and every way to get a setting wrong.

use super::load::load_only;
use super::{Config, ConfigError, LogFormat, Profile};

const EXAMPLE: &str = include_str!("../../../../antiphon.example.toml");

#[test]
fn the_sample_file_loads_and_holds_the_defaults() {
    let sample = load_only(EXAMPLE).expect("the sample is right");
    let defaults = Config::default();
    assert_eq!(sample.server, defaults.server);
    assert_eq!(sample.agent, defaults.agent);
    assert_eq!(sample.resilience, defaults.resilience);
    assert_eq!(sample.bus, defaults.bus);
    assert_eq!(sample.log, defaults.log);
    assert_eq!(sample.models.profile, defaults.models.profile);
}

#[test]
fn the_sample_file_names_every_key() {
    // The keys of `[agents]` and `[providers]` are names, and `[[ice_servers]]` is a list, without defaults.
    let without_keys = ["agents", "providers", "ice_servers"];
    for section in allowed("").into_iter().filter(|section| !without_keys.contains(&section.as_str())) {
        for key in allowed(&section) {
            let path = format!("{section}.{key}");
            let table: toml::Table = EXAMPLE.parse().expect("the sample is TOML");
            assert!(
                table.get(&section).is_some_and(|section| section.get(&key).is_some())
                    || EXAMPLE.contains(&format!("# {key} = "))
                    || EXAMPLE.contains(&format!("# [{path}")),
                "antiphon.example.toml lacks {path}"
            );
        }
    }
}

/// The keys of a section, as the error for an unknown one lists them.
fn allowed(section: &str) -> Vec<String> {
    let toml = if section.is_empty() { "zzz = 1".to_owned() } else { format!("[{section}]\nzzz = 1") };
    match load_only(&toml) {
        Err(ConfigError::UnknownKey { allowed, .. }) => allowed.split(", ").map(str::to_owned).collect(),
        other => panic!("{section}: expected an unknown key, got {other:?}"),
    }
}

#[test]
fn what_is_wrong_is_said_in_one_sentence() {
    let cases = [
        ("[server]\nlissten = \"x\"", "unknown key server.lissten;", "listen, drain"),
        ("[sever]\nlisten = \"x\"", "unknown key sever;", "server, media, store"),
        ("[server]\nlisten = \"localhost\"", "server.listen", "invalid socket address"),
        ("[server]\nshutdown_grace = 5", "server.shutdown_grace", "expected a duration"),
        ("[server]\nshutdown_grace = \"5 parsecs\"", "server.shutdown_grace", "parsecs"),
        ("[models]\nprofile = \"best\"", "models.profile", "good"),
        ("[models]\nthreads = 0", "models.threads", "1 or more"),
        ("[server]\norchestrators = [\"orchestrator:8001\"]", "server.orchestrators", "http://orchestrator:8001"),
        ("[server]\norchestrators = [\"http://a:1/v1\"]", "server.orchestrators", "nothing else"),
        ("[[ice_servers]]\nurls = [\"http://stun\"]", "ice_servers.urls", "stun:stun.example.org:3478"),
        ("[[ice_servers]]\nurls = [\"turn:t:3478\"]", "turn:t:3478", "secret_env or secret_file"),
        ("[[ice_servers]]\nurls = [\"turn:t\"]\nsecret_env = \"A\"\nsecret_file = \"b\"", "turn:t", "not both"),
        ("[media]\nice = \"none\"", "media.ice", "lite"),
        ("[bus]\nurl = \"kafka://localhost\"", "bus.url", "kafka://host:9092"),
        ("[bus]\nurl = \"amqp://localhost:1\"", "bus.url", "local:"),
        ("[store]\nurl = \"postgres://localhost/db\"", "store.url", "sqlite://"),
        ("[log]\nlevel = \"loud,=\"", "log.level", "debug"),
        ("[agent]\ntemperature = \"hot\"", "agent.temperature", "hot"),
        ("[agents.default]\ngreeting = \"Hi.\"", "[agents.default]", "choose another name"),
        ("[agent.turn_taking]\ncompleteness_threshold = 7.0", "completeness_threshold", "between 0 and 1"),
        ("[tools.webhook.x]\nurl = \"http://10.0.0.1/\"", "webhook `x`", "allow_private"),
        ("[providers.x]\nkind = \"acme\"", "providers.x", "openai"),
        ("[providers.x]\nkind = \"openai\"\napi_key = \"k\"", "api_key", "api_key_env"),
        ("[providers.x]\nkind = \"google\"\nllm = { modell = \"m\" }", "modell", "thinking_level"),
        ("[agent]\nllm = 7", "agent.llm", "a name or a list of names"),
        ("[server\nlisten = 1", "TOML", "line 1"),
    ];
    for (toml, names, says) in cases {
        let message = load_only(toml).expect_err(toml).to_string();
        assert!(message.contains(names) && message.contains(says), "{toml}: {message}");
        assert!(!message.contains('\n'), "{toml}: {message}");
    }
}

#[test]
fn values_are_read() {
    let config = load_only(
        "[server]\nlisten = \"[::1]:9\"\nshutdown_grace = \"1500ms\"\n[models]\nprofile = \"good\"\n[log]\nformat = \"json\"",
    )
    .expect("all is right");
    assert_eq!(config.server.listen.map(|address| address.port()), Some(9));
    assert_eq!(config.server.shutdown_grace.as_millis(), 1_500);
    assert_eq!((config.models.profile, config.log.format), (Profile::Good, LogFormat::Json));
}
