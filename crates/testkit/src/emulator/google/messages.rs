//! What a recogniser sends, as Google's messages.

use std::time::Duration;

use google_apis::speech::streaming_recognize_response::SpeechEventType;
use google_apis::speech::{
    RecognitionResponseMetadata, SpeechRecognitionAlternative, SpeechRecognitionResult, StreamingRecognitionResult,
    StreamingRecognizeResponse, WordInfo,
};

use super::setup::Wants;
use crate::emulator::duration;
use crate::emulator::ear::Utterance;

/// The stability of words that will not change, and of the last one, which may.
const SETTLED: f32 = 0.9;
const UNSETTLED: f32 = 0.01;
const CONFIDENCE: f32 = 0.94;

pub(super) fn activity(kind: SpeechEventType, at_ms: u32) -> StreamingRecognizeResponse {
    StreamingRecognizeResponse {
        speech_event_type: kind.into(),
        speech_event_offset: Some(span(at_ms)),
        metadata: metadata(None),
        ..StreamingRecognizeResponse::default()
    }
}

/// Two results, to be read one after the other: the words that stand, and the last one.
pub(super) fn interim(text: &str, at_ms: u32, wants: &Wants) -> StreamingRecognizeResponse {
    let (settled, last) = text.rsplit_once(' ').unwrap_or(("", text));
    // The space belongs to the tail.
    let tail = if settled.is_empty() { last.to_owned() } else { format!(" {last}") };
    let parts = [(settled.to_owned(), SETTLED), (tail, UNSETTLED)];
    let results = parts.into_iter().filter(|(text, _)| !text.is_empty()).map(|(transcript, stability)| {
        let alternative = SpeechRecognitionAlternative { transcript, ..SpeechRecognitionAlternative::default() };
        StreamingRecognitionResult {
            alternatives: vec![alternative],
            stability,
            result_end_offset: Some(span(at_ms)),
            language_code: wants.language.clone(),
            ..StreamingRecognitionResult::default()
        }
    });
    StreamingRecognizeResponse {
        results: results.collect(),
        metadata: metadata(None),
        ..StreamingRecognizeResponse::default()
    }
}

pub(super) fn last(utterance: &Utterance, billed_ms: u32, wants: &Wants) -> StreamingRecognizeResponse {
    let result = StreamingRecognitionResult {
        alternatives: vec![alternative(utterance, wants.word_times)],
        is_final: true,
        result_end_offset: Some(span(utterance.ended_ms)),
        language_code: wants.language.clone(),
        ..StreamingRecognitionResult::default()
    };
    StreamingRecognizeResponse {
        results: vec![result],
        metadata: metadata(Some(billed_ms)),
        ..StreamingRecognizeResponse::default()
    }
}

/// One result of a whole recording.
pub(super) fn whole(utterance: &Utterance, language: &str, word_times: bool) -> SpeechRecognitionResult {
    SpeechRecognitionResult {
        alternatives: vec![alternative(utterance, word_times)],
        result_end_offset: Some(span(utterance.ended_ms)),
        language_code: language.to_owned(),
        ..SpeechRecognitionResult::default()
    }
}

/// Google bills whole seconds.
pub(super) fn metadata(billed_ms: Option<u32>) -> Option<RecognitionResponseMetadata> {
    Some(RecognitionResponseMetadata {
        request_id: "emulator".to_owned(),
        total_billed_duration: billed_ms.map(|ms| span(ms.div_ceil(1_000) * 1_000)),
        ..RecognitionResponseMetadata::default()
    })
}

fn alternative(utterance: &Utterance, word_times: bool) -> SpeechRecognitionAlternative {
    let words = utterance.words.iter().filter(|_| word_times).map(|word| WordInfo {
        start_offset: Some(span(word.began_ms)),
        end_offset: Some(span(word.ended_ms)),
        word: word.text.clone(),
        ..WordInfo::default()
    });
    SpeechRecognitionAlternative { transcript: utterance.text(), confidence: CONFIDENCE, words: words.collect() }
}

fn span(ms: u32) -> google_apis::Duration {
    duration(Duration::from_millis(u64::from(ms)))
}
