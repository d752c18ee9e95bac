//! The figures of one strategy as lines of a table.

use crate::corpus::{Case, Kind};
use crate::run::Outcome;

/// Prints the half that was tuned on and the half that is reported.
pub(crate) fn print(name: &str, outcomes: &[(&Case, Outcome)]) {
    println!("\n{name}");
    for (half, tuned_on) in [("tuned on", true), ("reported", false)] {
        let of = |kinds: &[Kind]| -> Vec<&(&Case, Outcome)> {
            outcomes.iter().filter(|(case, _)| case.tuned_on == tuned_on && kinds.contains(&case.kind)).collect()
        };
        let beside = |is: fn(&Kind) -> bool| -> Vec<&(&Case, Outcome)> {
            outcomes.iter().filter(|(case, _)| case.tuned_on == tuned_on && is(&case.kind)).collect()
        };
        let echoes = beside(|kind| matches!(kind, Kind::Echo(_)));
        let over_echo = beside(|kind| matches!(kind, Kind::InterruptionBeside(_)));
        let turns = of(&[Kind::Whole, Kind::Paused, Kind::Noisy]);
        let cut = turns.iter().filter(|(_, outcome)| outcome.cut_offs > 0).count();
        let missed = turns.iter().filter(|(_, outcome)| outcome.delay_ms.is_none()).count();
        let delays = sorted(turns.iter().filter_map(|(_, outcome)| outcome.delay_ms));
        let answered = sorted(turns.iter().filter_map(|(_, outcome)| outcome.voice_to_voice_ms));
        println!(
            "  {half}: {} turns; cut off {} ({:.1} %); missed {}; delay p50 {:.0} p95 {:.0} ms; voice to voice p50 {:.0} ms",
            turns.len(),
            cut,
            100.0 * cut as f64 / turns.len().max(1) as f64,
            missed,
            quantile(&delays, 0.5),
            quantile(&delays, 0.95),
            quantile(&answered, 0.5),
        );
        let hits: u64 = turns.iter().map(|(_, outcome)| outcome.counters.ahead_hits).sum();
        let misses: u64 = turns.iter().map(|(_, outcome)| outcome.counters.ahead_misses).sum();
        let saved: f64 = turns.iter().map(|(_, outcome)| outcome.counters.ahead_saved.as_secs_f64() * 1_000.0).sum();
        let per_hit = saved / hits.max(1) as f64;
        println!("    started ahead: {hits} used, {misses} thrown away, {per_hit:.0} ms saved by each used");
        overlap(&of(&[Kind::Assent]), &of(&[Kind::Interruption]), &echoes, &over_echo);
        let readings = of(&[Kind::Reading]);
        let borders: usize = readings.iter().map(|(_, outcome)| outcome.cut_offs).sum();
        println!("    {} readings: {borders} sentence borders or pauses taken for the end", readings.len());
        list(
            &turns
                .into_iter()
                .filter(|(_, outcome)| outcome.cut_offs > 0 || outcome.delay_ms.is_none())
                .collect::<Vec<_>>(),
        );
        list(
            &of(&[Kind::Assent])
                .into_iter()
                .chain(echoes)
                .filter(|(_, outcome)| outcome.interrupted)
                .collect::<Vec<_>>(),
        );
        list(
            &of(&[Kind::Interruption])
                .into_iter()
                .chain(over_echo)
                .filter(|(_, outcome)| !outcome.interrupted)
                .collect::<Vec<_>>(),
        );
    }
}

type Cases<'a> = &'a [&'a (&'a Case, Outcome)];

fn overlap(assents: Cases<'_>, real: Cases<'_>, echoes: Cases<'_>, over_echo: Cases<'_>) {
    let interrupted = |cases: &[&(&Case, Outcome)]| cases.iter().filter(|(_, outcome)| outcome.interrupted).count();
    let silenced = sorted(real.iter().filter_map(|(_, outcome)| outcome.silenced_ms));
    println!(
        "    over the agent: {} of {} assents interrupted; {} of {} interruptions missed, silence after p50 {:.0} p95 {:.0} ms; {} of {} echoes interrupted ({} holds, {} turns of echo); {} of {} interruptions beside a loudspeaker missed",
        interrupted(assents),
        assents.len(),
        real.len() - interrupted(real),
        real.len(),
        quantile(&silenced, 0.5),
        quantile(&silenced, 0.95),
        interrupted(echoes),
        echoes.len(),
        echoes.iter().map(|(_, outcome)| outcome.holds).sum::<usize>(),
        echoes.iter().map(|(_, outcome)| outcome.extra_turns).sum::<usize>(),
        over_echo.len() - interrupted(over_echo),
        over_echo.len(),
    );
}

/// What went wrong, by name.
fn list(cases: &[&(&Case, Outcome)]) {
    if std::env::var_os("TURNS_BENCH_LIST").is_none() {
        return;
    }
    for (case, outcome) in cases {
        let Outcome { cut_offs, delay_ms, words, .. } = outcome;
        println!("      {}: cut off {cut_offs} times, delay {delay_ms:?}: {}", case.name, words.join(" / "));
    }
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

fn quantile(sorted: &[f64], q: f64) -> f64 {
    let last = sorted.len().saturating_sub(1);
    sorted.get((last as f64 * q).round() as usize).copied().unwrap_or(f64::NAN)
}
