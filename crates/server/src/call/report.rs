//! What `antiphon call` prints.

use std::path::Path;

use serde::Serialize;

use super::ear;
use super::talk::{Held, Spoken};
use crate::wire::{StagesMs, TurnStatus};

/// A conversation to be printed.
pub(super) struct Report<'a> {
    pub(super) conversation: &'a Held,
    pub(super) reply_wav: &'a Path,
}

#[derive(Serialize)]
struct ReportJson<'a> {
    conversation_id: &'a str,
    turns: Vec<TurnJson<'a>>,
    median_voice_to_voice_ms: Option<u64>,
    reply_wav: String,
}

#[derive(Serialize)]
struct TurnJson<'a> {
    user_text: &'a str,
    agent_text: &'a str,
    heard_text: &'a str,
    /// At the caller: last speech sent to first voice received.
    voice_to_voice_ms: Option<u64>,
    server_voice_to_voice_ms: Option<u64>,
    stages_ms: Option<StagesMs>,
    heard_ms: Option<u64>,
}

impl Report<'_> {
    pub(super) fn print_json(&self) {
        let report = ReportJson {
            conversation_id: &self.conversation.id,
            turns: self.conversation.turns.iter().map(turn_json).collect(),
            median_voice_to_voice_ms: median(self.caller_ms()),
            reply_wav: self.reply_wav.display().to_string(),
        };
        match serde_json::to_string_pretty(&report) {
            Ok(json) => println!("{json}"),
            Err(cause) => eprintln!("antiphon: failed to print the report: {cause}"),
        }
    }

    pub(super) fn print_text(&self) {
        println!("Conversation {}", self.conversation.id);
        for spoken in &self.conversation.turns {
            print_turn(spoken);
        }
        if self.conversation.turns.len() > 1 {
            self.print_medians();
        }
        let seconds = self.conversation.reply.len() as f64 / f64::from(ear::RATE_HZ);
        println!("\n{} ({seconds:.1} s)", self.reply_wav.display());
    }

    fn print_medians(&self) {
        println!("\nMedian of {} turns", self.conversation.turns.len());
        let stages: Vec<_> = self.conversation.turns.iter().filter_map(|spoken| spoken.turn.stages_ms).collect();
        for (index, (name, _)) in stages.first().map(StagesMs::named).into_iter().flatten().enumerate() {
            print_ms(name, median(stages.iter().map(|stages| stages.named()[index].1).collect()));
        }
        let server = self.conversation.turns.iter().filter_map(|spoken| spoken.turn.voice_to_voice_ms).collect();
        print_ms("voice to voice, server", median(server));
        print_ms("voice to voice, caller", median(self.caller_ms()));
    }

    fn caller_ms(&self) -> Vec<u64> {
        self.conversation.turns.iter().filter_map(|spoken| spoken.voice_to_voice_ms).collect()
    }
}

fn turn_json(spoken: &Spoken) -> TurnJson<'_> {
    TurnJson {
        user_text: &spoken.turn.user_text,
        agent_text: &spoken.turn.agent_text,
        heard_text: &spoken.turn.heard_text,
        voice_to_voice_ms: spoken.voice_to_voice_ms,
        server_voice_to_voice_ms: spoken.turn.voice_to_voice_ms,
        stages_ms: spoken.turn.stages_ms,
        heard_ms: spoken.turn.heard_ms,
    }
}

fn print_turn(spoken: &Spoken) {
    let turn = &spoken.turn;
    let cut = if turn.status == TurnStatus::Interrupted { " (interrupted)" } else { "" };
    println!("\nYou:       {}", turn.user_text);
    println!("Antiphon:  {}{cut}", turn.heard_text);
    let Some(stages) = &turn.stages_ms else { return };
    for (name, ms) in stages.named() {
        print_ms(name, Some(ms));
    }
    print_ms("voice to voice, server", turn.voice_to_voice_ms);
    print_ms("voice to voice, caller", spoken.voice_to_voice_ms);
    print_ms("heard", turn.heard_ms);
}

fn print_ms(name: &str, ms: Option<u64>) {
    let figure = ms.map_or_else(|| "–".to_owned(), |ms| ms.to_string());
    println!("  {:<24}{figure:>6} ms", name.replace('_', " "));
}

fn median(mut figures: Vec<u64>) -> Option<u64> {
    figures.sort_unstable();
    let middle = figures.len() / 2;
    match figures.len() {
        0 => None,
        odd if odd % 2 == 1 => Some(figures[middle]),
        _ => Some(figures[middle - 1].midpoint(figures[middle])),
    }
}

#[cfg(test)]
mod tests {
    use super::median;

    #[test]
    fn the_median_is_in_the_middle() {
        assert_eq!(median(vec![]), None);
        assert_eq!(median(vec![9, 1, 5]), Some(5));
        assert_eq!(median(vec![9, 1, 5, 7]), Some(6));
    }
}
