//! Measures the local language model as a voice server uses it.
//!
//! `cargo run --release -p providers --features llama --example llama_bench -- MODEL.gguf [THREADS…]`
//! prints one table per number of threads: load, reading speed, time to the first token (cold, next turn, prepared),
//! time to the first clause, writing speed, and several conversations at once.
//! With `--chat SYSTEM_PROMPT_FILE TEMPERATURE` instead of threads it prints a sample conversation.

use std::num::NonZeroU32;
use std::time::{Duration, Instant};

use providers::llm::{LanguageModel, LlmEvent, LlmRequest, Message, Usage};
use providers::local::llama::{Llama, LlamaConfig};

/// Whatever stops the measurement.
type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;

/// What the first clause ends with, as far as a voice is concerned.
const CLAUSE_END: [char; 7] = ['.', ',', '!', '?', ';', ':', '—'];
/// A clause without such an end is spoken after this many words.
const CLAUSE_WORDS: usize = 8;

const INSTRUCTIONS: &str = "You are Antiphon, a friendly voice assistant. You are talking with someone on a call, so \
    answer in one or two short spoken sentences, in plain words.";
const QUESTIONS: [&str; 7] = [
    "Should I get a dog or a cat?",
    "Who would win in a fight, a bear or a shark?",
    "Is it safe to swim in the Seine?",
    "I'd like to speak to customer support.",
    "Hello, my name is John. I would like to check the status of my order, please.",
    "What is two plus three?",
    "What's my name?",
];

#[tokio::main]
async fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let Some((model, rest)) = arguments.split_first() else {
        return Err("usage: llama_bench MODEL.gguf [THREADS…]".into());
    };
    if let [flag, prompt, temperature] = rest
        && flag == "--chat"
    {
        let instructions = std::fs::read_to_string(prompt)?;
        return chat(model, instructions.trim(), temperature.parse()?).await;
    }
    let threads: Result<Vec<NonZeroU32>, _> = rest.iter().map(|count| count.parse()).collect();
    let mut threads = threads?;
    if threads.is_empty() {
        threads.push(LlamaConfig::new(model).threads);
    }
    for count in threads {
        measure(model, count).await?;
    }
    Ok(())
}

/// One answer and when its parts came.
struct Timed {
    text: String,
    first_token: Duration,
    first_clause: Duration,
    total: Duration,
    usage: Usage,
}

impl Timed {
    fn tokens_per_second(&self) -> f64 {
        f64::from(self.usage.completion_tokens.saturating_sub(1)) / (self.total - self.first_token).as_secs_f64()
    }
}

async fn timed(model: &Llama, request: LlmRequest) -> Result<Timed> {
    let started = Instant::now();
    let mut events = model.reply(request);
    let (mut text, mut first_token, mut first_clause) = (String::new(), None, None);
    while let Some(event) = events.recv().await {
        match event {
            LlmEvent::Text(piece) => {
                first_token.get_or_insert_with(|| started.elapsed());
                text.push_str(&piece);
                if text.contains(CLAUSE_END) || text.split(' ').count() > CLAUSE_WORDS {
                    first_clause.get_or_insert_with(|| started.elapsed());
                }
            }
            LlmEvent::ToolCall(_) => {}
            LlmEvent::Done { usage, .. } => {
                let total = started.elapsed();
                let first_token = first_token.unwrap_or(total);
                let first_clause = first_clause.unwrap_or(total);
                return Ok(Timed { text, first_token, first_clause, total, usage });
            }
            LlmEvent::Failed(failure) => return Err(failure.into()),
        }
    }
    Err("the answer ended without a last event".into())
}

fn assistant(text: &str) -> Message {
    Message::Assistant { text: text.to_owned(), calls: Vec::new() }
}

fn request(conversation: &str, messages: &[Message], max_tokens: u32) -> LlmRequest {
    LlmRequest {
        conversation: conversation.to_owned(),
        messages: messages.to_vec(),
        tools: Vec::new(),
        max_tokens,
        temperature: 0.0,
    }
}

async fn measure(path: &str, threads: NonZeroU32) -> Result<()> {
    let started = Instant::now();
    let config = LlamaConfig { threads, threads_batch: threads, ..LlamaConfig::new(path) };
    let model = Llama::load(&config)?;
    println!("{path}, {threads} thread(s)\n  load                        {:>8.2} s", started.elapsed().as_secs_f64());
    reading(&model).await?;
    turns(&model).await?;
    for conversations in [1, 2, 4] {
        parallel(&model, conversations).await?;
    }
    Ok(())
}

async fn reading(model: &Llama) -> Result<()> {
    let words = "The quick brown fox jumps over the lazy dog near the river bank. ".repeat(40);
    let answer = timed(model, request("reading", &[Message::User(words.to_owned())], 1)).await?;
    let speed = f64::from(answer.usage.prompt_tokens) / answer.first_token.as_secs_f64();
    println!("  reading ({} tokens)        {speed:>8.1} tokens/s", answer.usage.prompt_tokens);
    model.release("reading");
    Ok(())
}

async fn turns(model: &Llama) -> Result<()> {
    let mut messages = vec![Message::System(INSTRUCTIONS.to_owned()), Message::User(QUESTIONS[0].to_owned())];
    let cold = timed(model, request("turns", &messages, 60)).await?;
    show("cold", &cold);
    messages.extend([assistant(&cold.text), Message::User(QUESTIONS[1].to_owned())]);
    let warm = timed(model, request("turns", &messages, 60)).await?;
    show("next turn", &warm);
    messages.extend([assistant(&warm.text), Message::User(QUESTIONS[4].to_owned())]);
    model.prepare(request("turns", &messages, 60));
    tokio::time::sleep(Duration::from_secs(4)).await;
    show("next turn, prepared", &timed(model, request("turns", &messages, 60)).await?);
    let fresh = [Message::System(INSTRUCTIONS.to_owned()), Message::User(QUESTIONS[2].to_owned())];
    show("new call, shared prompt", &timed(model, request("fresh", &fresh, 60)).await?);
    model.release("turns");
    model.release("fresh");
    Ok(())
}

fn show(name: &str, answer: &Timed) {
    println!(
        "  {name:<24}  first token {:>5} ms, first clause {:>5} ms, {:>5.1} tokens/s, prompt {} of which cached {}",
        answer.first_token.as_millis(),
        answer.first_clause.as_millis(),
        answer.tokens_per_second(),
        answer.usage.prompt_tokens,
        answer.usage.cached_tokens,
    );
}

async fn parallel(model: &Llama, conversations: usize) -> Result<()> {
    let started = Instant::now();
    let answers = (0..conversations).map(|index| {
        let messages = [Message::System(INSTRUCTIONS.to_owned()), Message::User(QUESTIONS[index].to_owned())];
        timed(model, request(&format!("parallel {index}"), &messages, 40))
    });
    let answers = futures_util::future::try_join_all(answers).await?;
    let written: u32 = answers.iter().map(|answer| answer.usage.completion_tokens).sum();
    let worst = |when: fn(&Timed) -> Duration| answers.iter().map(when).max().unwrap_or_default().as_millis();
    println!(
        "  {conversations} at once                 worst first token {:>5} ms, worst first clause {:>5} ms, {:>5.1} tokens/s in all",
        worst(|answer| answer.first_token),
        worst(|answer| answer.first_clause),
        f64::from(written) / started.elapsed().as_secs_f64(),
    );
    (0..conversations).for_each(|index| model.release(&format!("parallel {index}")));
    Ok(())
}

async fn chat(path: &str, instructions: &str, temperature: f32) -> Result<()> {
    let model = Llama::load(&LlamaConfig { seed: Some(1), ..LlamaConfig::new(path) })?;
    let mut messages = vec![Message::System(instructions.to_owned())];
    for question in QUESTIONS {
        messages.push(Message::User(question.to_owned()));
        let request = LlmRequest { temperature, ..request("chat", &messages, 120) };
        let answer = timed(&model, request).await?;
        let clause = answer.text.find(CLAUSE_END).unwrap_or(answer.text.len());
        let words = answer.text[..clause].split_whitespace().count();
        println!("  U: {question}\n  A: {}  [{words} words to the first stop]", answer.text);
        messages.push(assistant(&answer.text));
    }
    Ok(())
}
