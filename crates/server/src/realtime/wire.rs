//! Server events as JSON.

use serde::Serialize;

use super::transport::Transport;
use crate::wire::Turn;

/// A server event with its id.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Envelope {
    /// Unique within the conversation.
    pub event_id: String,
    /// The event.
    #[serde(flatten)]
    pub event: ServerEvent,
}

/// What the server says to a client.
#[derive(Debug, Clone, Serialize)]
#[serde(tag = "type")]
pub(crate) enum ServerEvent {
    /// The first message.
    #[serde(rename = "session.created")]
    SessionCreated {
        /// The session as it is.
        session: Session,
    },
    /// The answer to `session.update`.
    #[serde(rename = "session.updated")]
    SessionUpdated {
        /// The session as it is.
        session: Session,
    },
    /// The caller began to speak.
    #[serde(rename = "input_audio_buffer.speech_started")]
    SpeechStarted {
        /// Milliseconds since the session began.
        audio_start_ms: u64,
        /// The caller's words to come.
        item_id: String,
    },
    /// The caller's turn is over.
    #[serde(rename = "input_audio_buffer.speech_stopped")]
    SpeechStopped {
        /// Milliseconds since the session began.
        audio_end_ms: u64,
        /// The caller's words.
        item_id: String,
    },
    /// The turn's audio is fixed.
    #[serde(rename = "input_audio_buffer.committed")]
    Committed {
        /// The caller's words.
        item_id: String,
        /// What was said before.
        previous_item_id: Option<String>,
    },
    /// The running transcript; replaces the last one.
    #[serde(rename = "antiphon.input_transcription.partial")]
    TranscriptionPartial {
        /// The caller's words.
        item_id: String,
        /// As far as they were understood.
        transcript: String,
    },
    /// The final transcript.
    #[serde(rename = "conversation.item.input_audio_transcription.completed")]
    TranscriptionCompleted {
        /// The caller's words.
        item_id: String,
        /// Always 0.
        content_index: u32,
        /// The words.
        transcript: String,
    },
    /// An answer begins.
    #[serde(rename = "response.created")]
    ResponseCreated {
        /// The answer.
        response: Response,
    },
    /// The next words of the answer, as their sentence starts to play.
    #[serde(rename = "response.output_audio_transcript.delta")]
    TranscriptDelta {
        /// The answer.
        response_id: String,
        /// Its words.
        item_id: String,
        /// Always 0.
        output_index: u32,
        /// Always 0.
        content_index: u32,
        /// The next words; all deltas joined are the words that were spoken.
        delta: String,
    },
    /// All words of the answer.
    #[serde(rename = "response.output_audio_transcript.done")]
    TranscriptDone {
        /// The answer.
        response_id: String,
        /// Its words.
        item_id: String,
        /// Always 0.
        output_index: u32,
        /// Always 0.
        content_index: u32,
        /// The words that were or would have been spoken.
        transcript: String,
    },
    /// The voice begins.
    #[serde(rename = "output_audio_buffer.started")]
    VoiceStarted {
        /// The answer.
        response_id: String,
    },
    /// The voice is over.
    #[serde(rename = "output_audio_buffer.stopped")]
    VoiceStopped {
        /// The answer.
        response_id: String,
    },
    /// The voice was cut.
    #[serde(rename = "output_audio_buffer.cleared")]
    VoiceCleared {
        /// The answer.
        response_id: String,
    },
    /// After an interruption: what was heard.
    #[serde(rename = "conversation.item.truncated")]
    ItemTruncated {
        /// The answer's words.
        item_id: String,
        /// Always 0.
        content_index: u32,
        /// Milliseconds of the answer that were played.
        audio_end_ms: u32,
        /// The words that were heard.
        transcript: String,
    },
    /// The answer is over.
    #[serde(rename = "response.done")]
    ResponseDone {
        /// The answer.
        response: Response,
    },
    /// The agent's state changed.
    #[serde(rename = "antiphon.state")]
    StateChanged {
        /// The state.
        state: State,
    },
    /// The voice fell silent to learn whether the caller takes the floor.
    #[serde(rename = "antiphon.response.held")]
    ReplyHeld {
        /// The answer.
        response_id: String,
    },
    /// The caller did not take the floor: the voice goes on where it stopped.
    #[serde(rename = "antiphon.response.resumed")]
    ReplyResumed {
        /// The answer.
        response_id: String,
    },
    /// The agent calls a tool.
    #[serde(rename = "antiphon.tool.called")]
    ToolCalled {
        /// The answer.
        response_id: String,
        /// The call.
        call_id: String,
        /// The tool.
        name: String,
        /// JSON text.
        arguments: String,
    },
    /// A tool gave its result.
    #[serde(rename = "antiphon.tool.returned")]
    ToolReturned {
        /// The answer that called it.
        response_id: String,
        /// The call.
        call_id: String,
        /// What the model is told.
        output: String,
    },
    /// Another agent answers from here on.
    #[serde(rename = "antiphon.agent")]
    AgentChanged {
        /// Its name.
        agent: String,
    },
    /// A turn is over.
    #[serde(rename = "antiphon.turn")]
    TurnOver {
        /// Texts and timings.
        turn: Turn,
    },
    /// How the network treats the call so far.
    #[serde(rename = "antiphon.transport.stats")]
    TransportStats(Transport),
    /// Something went wrong; the call goes on.
    #[serde(rename = "error")]
    Error {
        /// What.
        error: ErrorDetails,
    },
}

/// What the agent is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum State {
    /// Waiting for the caller, or hearing them.
    Listening,
    /// Preparing an answer.
    Thinking,
    /// Speaking.
    Speaking,
}

/// An answer.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Response {
    /// The answer's id.
    pub id: String,
    /// Always `realtime.response`.
    pub object: &'static str,
    /// How far it came.
    pub status: ResponseStatus,
    /// The message that was spoken, once it is over.
    pub output: Vec<OutputItem>,
}

/// How far an answer came.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum ResponseStatus {
    /// It is under way.
    InProgress,
    /// It was heard to its end.
    Completed,
    /// The caller interrupted.
    Cancelled,
    /// There was none.
    Failed,
}

/// A spoken message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OutputItem {
    /// The message's id.
    pub id: String,
    /// Always `message`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// Always `assistant`.
    pub role: &'static str,
    /// `completed` or `incomplete`.
    pub status: &'static str,
    /// Its words.
    pub content: Vec<OutputContent>,
}

/// The words of a spoken message.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct OutputContent {
    /// Always `output_audio`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// What was heard.
    pub transcript: String,
}

/// An error's particulars.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct ErrorDetails {
    /// `invalid_request_error` or `server_error`.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// For programs.
    pub code: &'static str,
    /// For people.
    pub message: String,
    /// The field that is wrong.
    pub param: Option<String>,
    /// The client's event that is wrong.
    pub event_id: Option<String>,
}

/// What differs from one session to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionInfo {
    /// What answers: `antiphon`, or `antiphon-echo`.
    pub model: &'static str,
    /// The system prompt.
    pub instructions: String,
    /// The voice's name; none is the default voice.
    pub voice: Option<String>,
    /// The most tokens of an answer.
    pub max_output_tokens: u32,
}

/// A session, as OpenAI Realtime GA shows it.
#[derive(Debug, Clone, Serialize)]
pub(crate) struct Session {
    id: String,
    object: &'static str,
    #[serde(rename = "type")]
    kind: &'static str,
    model: &'static str,
    output_modalities: [&'static str; 1],
    instructions: String,
    audio: SessionAudio,
    tools: [(); 0],
    tool_choice: &'static str,
    max_output_tokens: u32,
}

#[derive(Debug, Clone, Serialize)]
struct SessionAudio {
    input: SessionInput,
    output: SessionOutput,
}

#[derive(Debug, Clone, Serialize)]
struct SessionInput {
    turn_detection: TurnDetection,
}

#[derive(Debug, Clone, Serialize)]
struct TurnDetection {
    #[serde(rename = "type")]
    kind: &'static str,
    eagerness: &'static str,
    create_response: bool,
    interrupt_response: bool,
}

#[derive(Debug, Clone, Serialize)]
struct SessionOutput {
    voice: String,
}

impl Session {
    /// The session of a conversation.
    pub(crate) fn new(id: &str, info: &SessionInfo) -> Self {
        let turn_detection =
            TurnDetection { kind: "semantic_vad", eagerness: "auto", create_response: true, interrupt_response: true };
        Self {
            id: id.to_owned(),
            object: "realtime.session",
            kind: "realtime",
            model: info.model,
            output_modalities: ["audio"],
            instructions: info.instructions.clone(),
            audio: SessionAudio {
                input: SessionInput { turn_detection },
                output: SessionOutput { voice: info.voice.clone().unwrap_or_else(|| "default".to_owned()) },
            },
            tools: [],
            tool_choice: "none",
            max_output_tokens: info.max_output_tokens,
        }
    }
}
