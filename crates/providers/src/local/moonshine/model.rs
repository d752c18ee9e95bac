//! Moonshine's two networks: the encoder reads a segment of audio, the decoder writes one token after the other.

use std::borrow::Cow;
use std::path::Path;

use ort::memory::Allocator;
use ort::session::{Session, SessionInputValue, SessionOutputs};
use ort::value::{DynValue, Tensor, TensorRef};

use super::tokens::Vocabulary;
use crate::local::runtime::{self, LoadError, Runtime};
use crate::stt::SAMPLE_RATE_HZ;

const START_TOKEN: i64 = 1;
const END_TOKEN: i64 = 2;
/// Faster than anyone talks; a decoder that writes more is repeating itself. Moonshine's own limit.
const TOKENS_PER_SECOND: f32 = 6.5;
/// The tiny model's attention heads, and the size of one.
const HEADS: usize = 8;
const HEAD_SIZE: usize = 36;
/// The shortest segment that the encoder's convolutions take, with some room.
const SHORTEST_SAMPLES: usize = 4_000;

/// Both networks and the vocabulary.
pub(super) struct Model {
    encoder: Session,
    decoder: Session,
    caches: Vec<Cache>,
    vocabulary: Vocabulary,
}

/// One tensor that the decoder hands from step to step.
struct Cache {
    input: String,
    output: String,
    /// Attention over the audio: made by the first step and kept.
    over_audio: bool,
}

impl Model {
    pub(super) fn load(runtime: &Runtime, dir: &Path) -> Result<Self, LoadError> {
        let path = dir.join("tokenizer.bin");
        let vocabulary = Vocabulary::parse(&runtime::read(&path)?)
            .ok_or_else(|| LoadError::corrupt(&path, &"a piece reaches past the end of the file"))?;
        let encoder = runtime.session(&dir.join("encoder_model.ort"))?;
        let decoder = runtime.session(&dir.join("decoder_model_merged.ort"))?;
        let names = decoder.inputs().iter().map(|input| input.name());
        let caches = names
            .filter(|name| name.starts_with("past_key_values"))
            .map(|name| Cache {
                input: name.to_owned(),
                output: name.replace("past_key_values", "present"),
                over_audio: name.contains("encoder"),
            })
            .collect();
        Ok(Self { encoder, decoder, caches, vocabulary })
    }

    /// The words in `audio`; none when `keep_going`, asked before each token, said no.
    pub(super) fn transcribe(
        &mut self,
        audio: &[f32],
        keep_going: &mut dyn FnMut() -> bool,
    ) -> ort::Result<Option<String>> {
        let mut samples = Cow::Borrowed(audio);
        if samples.len() < SHORTEST_SAMPLES {
            samples.to_mut().resize(SHORTEST_SAMPLES, 0.0);
        }
        let mask = vec![1_i64; samples.len()];
        let hidden = self.encode(&samples, &mask)?;
        let limit = (samples.len() as f32 / SAMPLE_RATE_HZ as f32 * TOKENS_PER_SECOND) as usize + 2;
        let mut cache = self.empty_cache()?;
        let mut tokens = Vec::with_capacity(limit);
        let mut last = START_TOKEN;
        while tokens.len() < limit {
            if !keep_going() {
                return Ok(None);
            }
            last = self.step(last, tokens.is_empty(), &hidden, &mask, &mut cache)?;
            if last == END_TOKEN {
                break;
            }
            tokens.push(last);
        }
        Ok(Some(self.vocabulary.decode(&tokens)))
    }

    fn encode(&mut self, samples: &[f32], mask: &[i64]) -> ort::Result<DynValue> {
        let shape = [1, samples.len()];
        let mut outputs = self.encoder.run(ort::inputs![
            "input_values" => TensorRef::from_array_view((shape, samples))?,
            "attention_mask" => TensorRef::from_array_view((shape, mask))?,
        ])?;
        take(&mut outputs, "last_hidden_state")
    }

    fn empty_cache(&self) -> ort::Result<Vec<DynValue>> {
        let empty = |_| Ok(Tensor::<f32>::new(&Allocator::default(), [1, HEADS, 0, HEAD_SIZE])?.into_dyn());
        self.caches.iter().map(empty).collect()
    }

    /// Writes the token after `last` and carries the cache on.
    fn step(
        &mut self,
        last: i64,
        first: bool,
        hidden: &DynValue,
        mask: &[i64],
        cache: &mut [DynValue],
    ) -> ort::Result<i64> {
        let (ids, with_cache) = ([last], [!first]);
        let mut inputs: Vec<(Cow<'_, str>, SessionInputValue<'_>)> = ort::inputs![
            "input_ids" => TensorRef::from_array_view(([1_usize, 1], &ids[..]))?,
            "encoder_hidden_states" => hidden,
            "encoder_attention_mask" => TensorRef::from_array_view(([1, mask.len()], mask))?,
            "use_cache_branch" => TensorRef::from_array_view(([1_usize], &with_cache[..]))?,
        ];
        for (names, value) in self.caches.iter().zip(&*cache) {
            inputs.push((Cow::Borrowed(names.input.as_str()), SessionInputValue::from(value)));
        }
        let mut outputs = self.decoder.run(inputs)?;
        let logits = take(&mut outputs, "logits")?;
        for (names, value) in self.caches.iter().zip(cache) {
            if first || !names.over_audio {
                *value = take(&mut outputs, &names.output)?;
            }
        }
        likeliest(logits.try_extract_tensor::<f32>()?.1)
    }
}

fn take(outputs: &mut SessionOutputs<'_>, name: &str) -> ort::Result<DynValue> {
    outputs.remove(name).ok_or_else(|| ort::Error::new(format!("the model has no output {name}")))
}

/// The token with the highest score; `logits` holds one row, for the one token that went in.
fn likeliest(logits: &[f32]) -> ort::Result<i64> {
    let best = logits.iter().enumerate().max_by(|(_, a), (_, b)| a.total_cmp(b));
    best.and_then(|(index, _)| i64::try_from(index).ok()).ok_or_else(|| ort::Error::new("the decoder wrote nothing"))
}
