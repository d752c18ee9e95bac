//! Times the local voice models on this machine, one after the other. "cpu" is the processor time of the whole process
//! for one run, which other work on the machine hardly changes; the other figures are medians of the clock.
//! `cargo run --release -p providers --features onnx --example models_bench -- MODELS_DIR SPEECH.wav...`

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use providers::local::hibari::Hibari;
use providers::local::moonshine::Moonshine;
use providers::local::runtime::Runtime;
use providers::local::silero::Silero;
use providers::local::smart_turn::SmartTurn;
use providers::stt::{SpeechToText, SttEvent, SttInput, SttOptions};
use providers::tts::{SpeechRequest, TextToSpeech, TtsEvent};
use providers::turn::TurnDetector;
use providers::vad::{VoiceActivity, WINDOW_SAMPLES};

type Outcome<T> = Result<T, Box<dyn std::error::Error>>;

const SENTENCES: [&str; 3] = [
    "Sure, one moment.",
    "Your table for four is booked for seven thirty tomorrow evening.",
    "The order number 4521 costs $39.90, ships on the 23rd, and should reach you by the end of next week.",
];

#[tokio::main(flavor = "current_thread")]
async fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let dir = arguments.next().ok_or("usage: models_bench MODELS_DIR SPEECH.wav...")?;
    let clips: Vec<PathBuf> = arguments.collect();
    let started = Instant::now();
    let runtime = Runtime::load(&dir.join(Runtime::FILE))?;
    let silero = Silero::load(&runtime, &dir.join(Silero::FILE))?;
    let smart_turn = SmartTurn::load(&runtime, &dir.join(SmartTurn::FILE))?;
    let moonshine = Moonshine::load(&runtime, &dir.join(Moonshine::DIR))?;
    let hibari = Hibari::load(&runtime, &dir.join(Hibari::DIR))?;
    println!("load      all models {:.0} ms", ms(started.elapsed()));
    voice_activity(&silero, 1).await?;
    voice_activity(&silero, 30).await?;
    turn(&smart_turn).await?;
    for clip in &clips {
        transcribe(&moonshine, clip).await?;
    }
    for sentence in SENTENCES {
        speak(&hibari, sentence).await?;
    }
    Ok(())
}

/// `streams` speakers at once, 10 s each.
async fn voice_activity(silero: &Silero, streams: usize) -> Outcome<()> {
    const WINDOWS: usize = 312;
    let mut open: Vec<_> = (0..streams).map(|_| silero.open()).collect();
    let (started, cpu) = (Instant::now(), Cpu::now());
    for window in 0..WINDOWS {
        let mut audio = Box::new([0.0; WINDOW_SAMPLES]);
        for (i, sample) in audio.iter_mut().enumerate() {
            *sample = 0.2 * ((window * WINDOW_SAMPLES + i) as f32 * 0.07).sin();
        }
        for stream in &open {
            stream.windows.send(audio.clone()).await?;
        }
        for stream in &mut open {
            stream.probabilities.recv().await.ok_or("the detector ended")?;
        }
    }
    let count = (WINDOWS * streams) as f64;
    let (each, cpu) = (ms(started.elapsed()) / count, cpu.used_ms() / count);
    println!("vad       {streams:2} streams: {each:.3} ms a window, cpu {cpu:.3} ms");
    Ok(())
}

async fn turn(model: &SmartTurn) -> Outcome<()> {
    for seconds in [1, 3, 8] {
        let utterance: Vec<f32> = (0..seconds * 16_000).map(|i| 0.2 * (i as f32 * 0.07).sin()).collect();
        let (mut times, cpu) = (Vec::new(), Cpu::now());
        for _ in 0..10 {
            let started = Instant::now();
            model.score(utterance.clone()).await?;
            times.push(started.elapsed());
        }
        println!("turn      {seconds} s: {:.1} ms, cpu {:.1} ms", ms(median(times)), cpu.used_ms() / 10.0);
    }
    Ok(())
}

async fn transcribe(model: &Moonshine, clip: &Path) -> Outcome<()> {
    let samples = read(clip)?;
    let seconds = samples.len() as f64 / 16_000.0;
    let samples: Arc<[f32]> = samples.into();
    let (mut times, cpu) = (Vec::new(), Cpu::now());
    let mut text = String::new();
    for _ in 0..5 {
        let mut stream = model.open(SttOptions::default());
        stream.input.send(SttInput::Audio(samples.clone())).await?;
        let started = Instant::now();
        stream.input.send(SttInput::Commit).await?;
        loop {
            match stream.events.recv().await.ok_or("the recogniser ended")? {
                SttEvent::Final { text: words } => break text = words,
                SttEvent::Partial { .. } => {}
                SttEvent::Failed(failure) => return Err(failure.0.into()),
            }
        }
        times.push(started.elapsed());
    }
    let (time, cpu) = (ms(median(times)), cpu.used_ms() / 5.0);
    println!(
        "stt       {seconds:.1} s: {time:.0} ms, cpu {cpu:.0} ms ({:.3} of real time) | {text}",
        cpu / 1e3 / seconds
    );
    Ok(())
}

async fn speak(model: &Hibari, text: &str) -> Outcome<()> {
    let (mut first, mut total, mut samples, cpu) = (Vec::new(), Vec::new(), 0, Cpu::now());
    for _ in 0..5 {
        let started = Instant::now();
        let mut events = model.speak(SpeechRequest { text: text.to_owned(), voice: None, speed: 1.0 });
        let mut heard = None;
        samples = 0;
        loop {
            match events.recv().await.ok_or("the voice ended")? {
                TtsEvent::Audio(piece) => {
                    samples += piece.len();
                    heard.get_or_insert_with(|| started.elapsed());
                }
                TtsEvent::Done => break,
                TtsEvent::Failed(failure) => return Err(failure.into()),
            }
        }
        first.push(heard.ok_or("no audio")?);
        total.push(started.elapsed());
    }
    let seconds = samples as f64 / f64::from(model.sample_rate_hz());
    let (first, total, cpu) = (ms(median(first)), ms(median(total)), cpu.used_ms() / 5.0);
    println!("tts       {seconds:.1} s: first {first:.0} ms, all {total:.0} ms, cpu {cpu:.0} ms | {text}");
    Ok(())
}

fn read(path: &Path) -> Outcome<Vec<f32>> {
    let mut wav = hound::WavReader::open(path)?;
    if wav.spec().sample_rate != 16_000 || wav.spec().channels != 1 {
        return Err(format!("{}: not mono at 16 kHz", path.display()).into());
    }
    Ok(wav.samples::<i16>().map(|sample| Ok(f32::from(sample?) / 32_768.0)).collect::<Result<_, hound::Error>>()?)
}

/// The processor time that this process had used at a moment.
struct Cpu(f64);

impl Cpu {
    fn now() -> Self {
        // Fields 14 and 15 of the line, counted behind the name in brackets: hundredths of a second.
        let line = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
        let fields = line.rsplit_once(')').map_or("", |(_, fields)| fields);
        let ticks = fields.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok());
        Self(ticks.sum::<f64>() * 10.0)
    }

    fn used_ms(&self) -> f64 {
        Self::now().0 - self.0
    }
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn ms(time: Duration) -> f64 {
    time.as_secs_f64() * 1e3
}
