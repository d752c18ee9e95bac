//! The command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use providers::secret::Secret;

/// A real-time voice-AI server: speak to it, and it answers.
#[derive(Debug, Parser)]
#[command(name = "antiphon", version, about, arg_required_else_help = true)]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// What `antiphon` does.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Serve calls, the web app and the HTTP interface.
    Serve(ServeArgs),
    /// Hold callers' transports only; orchestrators answer them over the bus (bus.url = "kafka://host:9092").
    Media(ConfigArgs),
    /// Hold conversations only, for media servers on the bus (bus.url = "kafka://host:9092").
    Orchestrator(ServeArgs),
    /// Call a server: speak WAV files, print what was said and how long it took, save the reply.
    Call(CallArgs),
    /// See, fetch and check the model files.
    Models(ModelsArgs),
    /// Check the configuration and the model files without serving.
    Check(ConfigArgs),
    /// Play the tape of a conversation (log.tape_dir) through the engine again, and compare what it does.
    Replay(ReplayArgs),
}

/// Where the settings are.
#[derive(Debug, Clone, Default, Args)]
pub struct ConfigArgs {
    /// The configuration file; without it antiphon.toml is read if there is one.
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

/// `antiphon serve`.
#[derive(Debug, Args)]
pub struct ServeArgs {
    /// Where the settings are.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// Who answers calls.
    #[arg(long, value_enum, default_value_t = AgentKind::Local)]
    pub agent: AgentKind,
}

/// Who answers calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum AgentKind {
    /// The models on this machine.
    Local,
    /// Plays back what it hears; needs no model.
    Echo,
}

/// `antiphon call`.
#[derive(Debug, Clone, Args)]
pub struct CallArgs {
    /// What to say: WAV files, one turn each.
    #[arg(required = true, value_name = "FILE.wav")]
    pub files: Vec<PathBuf>,
    /// The server.
    #[arg(long, default_value = "http://127.0.0.1:8080")]
    pub url: String,
    /// A bearer token, for servers (or proxies before them) that want one.
    #[arg(long, env = "ANTIPHON_TOKEN", hide_env_values = true, value_parser = secret)]
    pub token: Option<Secret>,
    /// Where the reply goes.
    #[arg(long, default_value = "reply.wav", value_name = "FILE.wav")]
    pub out: PathBuf,
    /// Print one JSON object instead of text.
    #[arg(long)]
    pub json: bool,
    /// Say the files this many times over, in one call.
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub repeat: u32,
    /// Call through /v1/realtime/calls (one connection both ways) instead of WHIP and WHEP.
    #[arg(long)]
    pub two_way: bool,
}

/// `antiphon replay`.
#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The tape.
    #[arg(value_name = "FILE.jsonl")]
    pub file: PathBuf,
}

/// `antiphon models`.
#[derive(Debug, Args)]
pub struct ModelsArgs {
    /// Where the settings are.
    #[command(flatten)]
    pub config: ConfigArgs,
    /// What to do with them.
    #[command(subcommand)]
    pub command: ModelsCommand,
}

/// What `antiphon models` does.
#[derive(Debug, Subcommand)]
pub enum ModelsCommand {
    /// Show every pack: its size, licence, and whether it is here.
    List,
    /// Fetch what is missing.
    Pull {
        /// These packs; without any and without --profile, all that the configured profile needs.
        packs: Vec<String>,
        /// All that this profile needs.
        #[arg(long, value_enum)]
        profile: Option<PullProfile>,
    },
    /// Read every file that is here and compare it with its hash.
    Verify,
}

/// The profiles that can be fetched for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum PullProfile {
    /// The small language model.
    Fast,
    /// The better one.
    Good,
}

/// Any text may be a secret.
fn secret(text: &str) -> Result<Secret, std::convert::Infallible> {
    Ok(Secret::from(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::Cli;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
