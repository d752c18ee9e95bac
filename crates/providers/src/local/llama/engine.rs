//! The thread that owns the cache: takes commands, shares out steps, and runs them.
//!
//! One loop: take the commands that came, drop answers nobody waits for, start waiting ones, run one step. A step is
//! one call of llama.cpp with tokens of several conversations; it takes a few tens of milliseconds and cannot be
//! interrupted. What is evaluated stays in the cache, also after a cancellation.

use std::collections::VecDeque;

use llama_cpp_2::context::LlamaContext;
use llama_cpp_2::context::kv_cache::KvCacheConversionError;
use llama_cpp_2::llama_batch::{BatchAddError, LlamaBatch};
use llama_cpp_2::model::LlamaModel;
use llama_cpp_2::token::LlamaToken;
use tokio::sync::mpsc::{self, error::TryRecvError};

use super::answer::{Answer, Progress, Style};
use super::calls::CallWatch;
use super::command::{Command, Reply};
use super::prompt::{Extent, Limits, Prompt, PromptError, Prompter};
use super::schedule::{Load, share_out};
use super::slots::{self, Reuse, Slot};
use super::work::Work;
use super::{LlamaConfig, replace};
use crate::llm::LlmRequest;
use crate::{Failure, Remedy};

/// Replies waiting for a slot; at a second or two each, more would wait longer than a caller does.
const MAX_WAITING: usize = 16;
/// What a slot contributed to a step.
struct Part {
    slot: usize,
    tokens: Vec<LlamaToken>,
    /// Where in the batch its output is, if it has one.
    output: Option<i32>,
}

/// The engine's state. Slots and work have the same length.
pub(super) struct Engine<'model> {
    model: &'model LlamaModel,
    context: LlamaContext<'model>,
    batch: LlamaBatch<'static>,
    prompter: Prompter<'model>,
    slots: Vec<Slot>,
    work: Vec<Work>,
    waiting: VecDeque<Reply>,
    /// Requests so far; the clock of slot use.
    requests: u64,
    context_tokens: usize,
    seed: Option<u32>,
}

impl<'model> Engine<'model> {
    pub(super) fn new(
        model: &'model LlamaModel,
        context: LlamaContext<'model>,
        config: &LlamaConfig,
    ) -> Result<Self, PromptError> {
        let conversations = config.max_conversations.get() as usize;
        Ok(Self {
            model,
            batch: LlamaBatch::new(context.n_batch() as usize, 1),
            context,
            prompter: Prompter::new(model)?,
            slots: std::iter::repeat_with(Slot::default).take(conversations).collect(),
            work: std::iter::repeat_with(|| Work::Idle).take(conversations).collect(),
            waiting: VecDeque::new(),
            requests: 0,
            context_tokens: config.context_tokens.get() as usize,
            seed: config.seed,
        })
    }

    /// Works until all senders are gone.
    pub(super) fn run(mut self, mut commands: mpsc::Receiver<Command>) {
        loop {
            if self.is_idle() {
                match commands.blocking_recv() {
                    Some(command) => self.take(command),
                    None => return,
                }
            }
            loop {
                match commands.try_recv() {
                    Ok(command) => self.take(command),
                    Err(TryRecvError::Empty) => break,
                    Err(TryRecvError::Disconnected) => return,
                }
            }
            self.drop_cancelled();
            self.start_waiting();
            self.step();
        }
    }

    fn is_idle(&self) -> bool {
        self.waiting.is_empty() && self.work.iter().all(|work| matches!(work, Work::Idle))
    }

    fn take(&mut self, command: Command) {
        match command {
            Command::Reply(reply) => self.take_reply(reply),
            Command::Prepare(request) => self.take_prepare(&request),
            Command::Release(conversation) => self.take_release(&conversation),
        }
    }

    /// A conversation has one live answer, so a new request ends what its older ones still do.
    fn take_reply(&mut self, reply: Reply) {
        self.supersede(&reply.request.conversation);
        self.start_waiting();
        if self.waiting.len() < MAX_WAITING {
            self.waiting.push_back(reply);
        } else {
            reply.fail(replace("all conversations of the model are busy"));
        }
    }

    fn supersede(&mut self, conversation: &str) {
        let failure = || Failure { remedy: Remedy::GiveUp, ..replace("a newer request took its place") };
        if let Some(slot) = self.slot_of(conversation)
            && let Work::Answering(answer) = self.stop(slot)
        {
            answer.fail(failure());
        }
        let (old, others): (VecDeque<Reply>, _) =
            self.waiting.drain(..).partition(|waiting| waiting.request.conversation == conversation);
        self.waiting = others;
        old.into_iter().for_each(|reply| reply.fail(failure()));
    }

    fn slot_of(&self, conversation: &str) -> Option<usize> {
        self.slots.iter().position(|slot| slot.conversation.as_deref() == Some(conversation))
    }

    /// Ends what a slot does; its tokens stay.
    fn stop(&mut self, slot: usize) -> Work {
        std::mem::replace(&mut self.work[slot], Work::Idle)
    }

    /// A preparation never takes a slot that works for others, nor disturbs an answer to the same conversation.
    fn take_prepare(&mut self, request: &LlmRequest) {
        self.drop_cancelled();
        if let Some(own) = self.slot_of(&request.conversation) {
            if matches!(self.work[own], Work::Answering(_)) {
                return;
            }
            self.stop(own);
        }
        let idle: Vec<bool> = self.work.iter().map(|work| matches!(work, Work::Idle)).collect();
        match self.occupy(request, Extent::Prepare, |slot| !idle[slot]) {
            Ok(Some((slot, prompt))) => self.work[slot] = Work::Preparing(prompt.tokens),
            Ok(None) => {}
            Err(error) => tracing::warn!(%error, "preparation failed"),
        }
    }

    /// The caller's words do not outlive the call; the instructions stay for the next one.
    fn take_release(&mut self, conversation: &str) {
        self.waiting.retain(|reply| reply.request.conversation != conversation);
        let Some(index) = self.slot_of(conversation) else { return };
        self.stop(index);
        self.slots[index].conversation = None;
        self.slots[index].dropped = 0;
        self.truncate(index, self.slots[index].instructions);
    }

    fn drop_cancelled(&mut self) {
        for work in &mut self.work {
            if matches!(work, Work::Answering(answer) if answer.is_cancelled()) {
                *work = Work::Idle;
            }
        }
        self.waiting.retain(|reply| !reply.events.is_closed());
    }

    fn start_waiting(&mut self) {
        for reply in std::mem::take(&mut self.waiting) {
            if let Some(reply) = self.start(reply) {
                self.waiting.push_back(reply);
            }
        }
    }

    /// Starts an answer, or gives the reply back when all slots are answering.
    fn start(&mut self, reply: Reply) -> Option<Reply> {
        let answering: Vec<bool> = self.work.iter().map(|work| matches!(work, Work::Answering(_))).collect();
        if answering.iter().all(|busy| *busy) {
            return Some(reply);
        }
        match self.occupy(&reply.request, Extent::Reply, |slot| answering[slot]) {
            Ok(Some((slot, prompt))) => {
                let cached = self.slots[slot].tokens.len();
                let room = self.context_tokens.saturating_sub(prompt.tokens.len()).max(1);
                let max_tokens = reply.request.max_tokens.min(u32::try_from(room).unwrap_or(u32::MAX));
                let style =
                    Style { temperature: reply.request.temperature, seed: self.seed, vocabulary: self.model.n_vocab() };
                let calls = (!reply.request.tools.is_empty()).then(CallWatch::default);
                let answer = Answer::new(prompt.tokens, cached, max_tokens, &style, reply.events).watching(calls);
                self.work[slot] = Work::Answering(Box::new(answer));
                None
            }
            Ok(None) => Some(reply),
            Err(error) => {
                reply.fail(replace(error.to_string()));
                None
            }
        }
    }

    /// Gives the conversation a slot that holds as much of its prompt as can be had without evaluating.
    fn occupy(
        &mut self,
        request: &LlmRequest,
        extent: Extent,
        busy: impl Fn(usize) -> bool,
    ) -> Result<Option<(usize, Prompt)>, PromptError> {
        let conversation = request.conversation.as_str();
        let dropped = self.slot_of(conversation).map_or(0, |own| self.slots[own].dropped);
        let answer = (request.max_tokens as usize).min(self.context_tokens / 2);
        let limits = Limits { tokens: self.context_tokens - answer, dropped };
        let prompt = self.prompter.prompt(request, extent, limits)?;
        let Some(index) = slots::choose(&self.slots, busy, conversation, &prompt.tokens) else {
            return Ok(None);
        };
        self.stop(index);
        let reuse = slots::reuse(&self.slots, index, &prompt.tokens);
        if let Err(error) = self.apply(index, reuse) {
            tracing::warn!(%error, "cache could not be reused");
            self.truncate(index, 0);
        }
        self.requests += 1;
        let slot = &mut self.slots[index];
        slot.conversation = Some(conversation.to_owned());
        slot.instructions = prompt.instructions;
        slot.dropped = prompt.dropped;
        slot.last_used = self.requests;
        Ok(Some((index, prompt)))
    }

    fn apply(&mut self, index: usize, reuse: Reuse) -> Result<(), KvCacheConversionError> {
        if let Some((donor, tokens)) = reuse.copy {
            self.truncate(index, 0);
            self.context.kv_cache_seq_cp(sequence(donor), sequence(index), Some(0), Some(position(tokens)))?;
            self.slots[index].tokens = self.slots[donor].tokens[..tokens].to_vec();
            self.slots[index].shared = tokens;
            self.slots[donor].shared = self.slots[donor].shared.max(tokens);
        }
        if let Some((from, to)) = reuse.gap {
            let (start, end) = (position(from), position(to));
            self.context.kv_cache_seq_rm(sequence(index), Some(start), Some(end))?;
            let distance = i32::try_from(to - from).unwrap_or(i32::MAX);
            self.context.kv_cache_seq_add(sequence(index), Some(end), None, -distance)?;
            self.slots[index].tokens.drain(from..to);
            self.slots[index].shared = self.slots[index].shared.min(from);
        }
        self.truncate(index, reuse.kept);
        Ok(())
    }

    /// Removes from a slot all but its first tokens. Some caches can only be emptied; then it is.
    fn truncate(&mut self, index: usize, tokens: usize) {
        let slot = &mut self.slots[index];
        let removed = self.context.kv_cache_seq_rm(sequence(index), Some(position(tokens)), None);
        let tokens = match removed {
            Ok(()) => tokens,
            Err(_) => {
                // Removing a whole sequence always succeeds.
                let _ = self.context.kv_cache_seq_rm(sequence(index), None, None);
                0
            }
        };
        slot.tokens.truncate(tokens);
        slot.shared = slot.shared.min(tokens);
    }

    fn step(&mut self) {
        let parts = match self.fill_batch() {
            Ok(parts) if parts.is_empty() => return,
            Ok(parts) => parts,
            Err(error) => return self.fail_all(&error.to_string()),
        };
        match self.context.decode(&mut self.batch) {
            Ok(()) => parts.into_iter().for_each(|part| self.finish_part(part)),
            Err(error) => self.fail_all(&error.to_string()),
        }
    }

    fn fill_batch(&mut self) -> Result<Vec<Part>, BatchAddError> {
        let loads: Vec<Load> = self.work.iter().zip(&self.slots).map(|(work, slot)| work.load(slot)).collect();
        self.batch.clear();
        let mut parts = Vec::new();
        for (slot, share) in share_out(&loads).into_iter().enumerate() {
            if share == 0 {
                continue;
            }
            let start = self.slots[slot].tokens.len();
            let tokens = self.work[slot].tokens(start, share);
            let wants_output = self.work[slot].wants_output(start + share);
            for (offset, token) in tokens.iter().enumerate() {
                let output = wants_output && offset + 1 == tokens.len();
                let place = i32::try_from(start + offset).unwrap_or(i32::MAX);
                self.batch.add(*token, place, &[sequence(slot)], output)?;
            }
            let output = wants_output.then(|| self.batch.n_tokens() - 1);
            parts.push(Part { slot, tokens, output });
        }
        Ok(parts)
    }

    fn finish_part(&mut self, part: Part) {
        let slot = &mut self.slots[part.slot];
        slot.tokens.extend(part.tokens);
        let over = match &mut self.work[part.slot] {
            Work::Idle => true,
            Work::Preparing(prompt) => slot.tokens.len() >= prompt.len(),
            Work::Answering(answer) => part
                .output
                .is_some_and(|output| answer.advance(&self.context, &self.model.vocab(), output) == Progress::Over),
        };
        if over {
            self.stop(part.slot);
        }
    }

    /// llama.cpp leaves open what the cache holds after a failed step, so all slots begin anew.
    fn fail_all(&mut self, reason: &str) {
        tracing::warn!(reason, "language model step failed");
        for index in 0..self.slots.len() {
            if let Work::Answering(answer) = self.stop(index) {
                answer.fail(replace(reason));
            }
            self.truncate(index, 0);
        }
    }
}

/// A slot's sequence in the cache. There are few slots.
fn sequence(slot: usize) -> i32 {
    i32::try_from(slot).unwrap_or(i32::MAX)
}

/// A position in a sequence, which is below the context's size.
fn position(tokens: usize) -> u32 {
    u32::try_from(tokens).unwrap_or(u32::MAX)
}
