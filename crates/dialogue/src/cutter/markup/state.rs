//! What the reader of markup waits for.

use super::fence::Fence;

/// Where the reader stands.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// Nothing of the line has come but marks.
    LineStart { marks: String },
    /// Within a line.
    Text,
    /// The same mark again and again.
    Run { mark: char, count: usize },
    /// A `!` that may open a picture.
    Bang,
    /// A `[`.
    Opened,
    /// Behind `[^`, up to `]`.
    Footnote,
    /// Behind a `[` that begins a line: a link, a box to tick, or the definition of a link.
    Label { text: String },
    /// Behind the `]` of such a label.
    Labelled { text: String },
    /// Behind the `:` of such a label: an address if it is a definition.
    Definition { label: String, target: String },
    /// A `]` that may end a link's words.
    Closed,
    /// Behind `](`.
    Target { text: String, depth: usize },
    /// Behind `<`.
    Tag { text: String },
    /// Behind `&`.
    Entity { text: String },
    /// Behind a backslash.
    Escape,
    /// In a block of code.
    Fence(Fence),
}

impl Default for State {
    fn default() -> Self {
        Self::LineStart { marks: String::new() }
    }
}
