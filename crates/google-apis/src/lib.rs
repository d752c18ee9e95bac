//! Google's Speech-to-Text v2 and Text-to-Speech v1 as generated gRPC code: messages and clients, with feature
//! `server` the server traits too.
//!
//! Nothing here is written by hand. `protos/` holds Google's public files as they are (googleapis, Apache-2.0);
//! `build.rs` compiles them. A crate of its own, so that this is done once for the product and its emulator.

pub use generated::google::cloud::{speech::v2 as speech, texttospeech::v1 as text_to_speech};
pub use generated::google::{longrunning, rpc};
/// How Google writes a span of time.
pub use prost_types::Duration;

/// The compiled protos, a serialized `FileDescriptorSet`, to compare with those that others have.
#[cfg(feature = "server")]
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Google's packages, nested as their names are.
#[allow(
    missing_docs,
    unreachable_pub,
    unused_qualifications,
    clippy::all,
    clippy::too_many_lines,
    clippy::wildcard_imports,
    rustdoc::all,
    reason = "generated from files that are not ours"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/google_apis.rs"));
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use prost::Message as _;

    use crate::speech::StreamingRecognizeRequest;
    use crate::speech::streaming_recognize_request::StreamingRequest;

    #[test]
    fn audio_and_recognizer_have_the_field_numbers_that_google_gave_them() {
        let audio = StreamingRequest::Audio(Bytes::from_static(&[7, 8]));
        let request = StreamingRecognizeRequest { recognizer: "r".to_owned(), streaming_request: Some(audio) };
        let (recognizer, audio) = (3 << 3 | 2, 5 << 3 | 2);
        assert_eq!(request.encode_to_vec(), [recognizer, 1, b'r', audio, 2, 7, 8]);
    }
}
