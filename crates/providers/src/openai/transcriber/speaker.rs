//! One speaker's utterances: what is uploaded, and when.

use std::collections::VecDeque;
use std::pin::Pin;

use tokio::sync::mpsc;

use super::upload::Uploader;
use crate::Failure;
use crate::stt::{FailureEvent, SAMPLE_RATE_HZ, SttEvent, SttInput};

/// The longest utterance; of a longer one its end counts. Vendors take 25 MB, which is 13 minutes.
const MAX_SAMPLES: usize = 600 * SAMPLE_RATE_HZ as usize;

type Upload = Pin<Box<dyn Future<Output = Result<String, Failure>> + Send>>;

pub(super) struct Speaker {
    uploader: Uploader,
    events: mpsc::Sender<SttEvent>,
    /// Ended utterances whose words are awaited, oldest first, then the one that is being spoken.
    utterances: VecDeque<Utterance>,
    /// The upload that is under way: of all of the first utterance.
    upload: Option<Upload>,
}

/// All audio between two commits, and who waits for its words.
#[derive(Debug, Default)]
struct Utterance {
    samples: Vec<f32>,
    /// The words of all samples.
    known: Option<String>,
    /// The last pause that waits for the words.
    pause: Option<u32>,
    is_committed: bool,
}

impl Utterance {
    /// The words of all that was said, if they are known. Silence has none.
    fn words(&self) -> Option<&str> {
        if self.samples.is_empty() {
            return Some("");
        }
        self.known.as_deref()
    }

    fn waits(&self) -> bool {
        self.pause.is_some() || self.is_committed
    }
}

impl Speaker {
    pub(super) fn new(uploader: Uploader, events: mpsc::Sender<SttEvent>) -> Self {
        Self { uploader, events, utterances: VecDeque::from([Utterance::default()]), upload: None }
    }

    /// Serves until the speaker is gone or nobody listens.
    pub(super) async fn run(mut self, mut inputs: mpsc::Receiver<SttInput>) {
        loop {
            tokio::select! {
                biased;
                () = self.events.closed() => return,
                input = inputs.recv() => match input {
                    Some(input) => self.take(input),
                    None => return,
                },
                words = uploaded(&mut self.upload) => self.uploaded(words).await,
            }
            self.answer().await;
        }
    }

    fn take(&mut self, input: SttInput) {
        let is_first = self.utterances.len() == 1;
        let Some(current) = self.utterances.back_mut() else { return };
        match input {
            SttInput::Audio(samples) => {
                // The speaker went on: nobody wants the words up to here any more.
                current.pause = None;
                current.known = None;
                current.samples.extend_from_slice(&samples);
                let excess = current.samples.len().saturating_sub(MAX_SAMPLES);
                current.samples.drain(..excess);
                if is_first {
                    self.upload = None;
                }
            }
            SttInput::Pause(mark) => current.pause = Some(mark),
            SttInput::Commit => {
                current.is_committed = true;
                self.utterances.push_back(Utterance::default());
            }
            SttInput::Reset => {
                *current = Utterance::default();
                if is_first {
                    self.upload = None;
                }
            }
        }
    }

    async fn uploaded(&mut self, words: Result<String, Failure>) {
        self.upload = None;
        let Some(first) = self.utterances.front_mut() else { return };
        match words {
            Ok(words) => first.known = Some(words),
            Err(failure) => {
                first.pause = None;
                if first.is_committed {
                    self.utterances.pop_front();
                }
                self.tell(SttEvent::Failed(FailureEvent(failure))).await;
            }
        }
    }

    /// Tells whoever waits what is known, and uploads what is not.
    async fn answer(&mut self) {
        while let Some(first) = self.utterances.front_mut() {
            if !first.waits() {
                return;
            }
            let Some(words) = first.words().map(str::to_owned) else {
                if self.upload.is_none() {
                    let upload = self.uploader.clone().words(first.samples.clone(), self.events.clone());
                    self.upload = Some(Box::pin(upload));
                }
                return;
            };
            let (pause, is_committed) = (first.pause.take(), first.is_committed);
            if is_committed {
                self.utterances.pop_front();
            }
            if let Some(mark) = pause {
                self.tell(SttEvent::Partial { text: words.clone(), settled: Some(mark) }).await;
            }
            if is_committed {
                self.tell(SttEvent::Final { text: words }).await;
            }
        }
    }

    async fn tell(&mut self, event: SttEvent) {
        // Nobody may listen any more, which ends `run`.
        let _ = self.events.send(event).await;
    }
}

/// Waits for ever while there is no upload. Cancel safe.
async fn uploaded(upload: &mut Option<Upload>) -> Result<String, Failure> {
    match upload {
        Some(upload) => upload.await,
        None => std::future::pending().await,
    }
}
