//! Markdown and HTML become plain text, one character at a time: no voice reads marks aloud, no transcript keeps them.
//!
//! Text is handed on as early as its meaning is certain: emphasis waits for one character, a link's words not at all.
//! What looks like markup and turns out to be none is said as it was written. `state` names what is being waited for,
//! `lines` reads the marks at the start of a line, `fence` leaves code out.

mod fence;
mod lines;
mod state;

use fence::Fence;
use state::State;

use super::plain::Plain;
use super::tags::{self, Tag};

/// Marks that are never handed on, whatever the text does with them.
const NEVER_SAID: [char; 5] = ['*', '`', '[', ']', '|'];
/// More than this is no tag, entity, link target or label.
const TAG_CHARS: usize = 400;
const ENTITY_CHARS: usize = 8;
const TARGET_BYTES: usize = 2_000;
const LABEL_BYTES: usize = 120;

/// The marks of one text.
#[derive(Debug, Clone, Default)]
pub(super) struct Markup {
    state: State,
    plain: Plain,
    /// The `|` of a table: a comma, if another cell follows.
    cell_due: bool,
    /// How many digits the line begins with, while it has nothing else.
    number: Option<usize>,
    code_left_out: bool,
}

impl Markup {
    /// Takes a character; puts the plain text that has become certain in the place of `plain`.
    pub(super) fn push(&mut self, c: char, plain: &mut String) {
        self.step(c);
        self.plain.take_into(plain);
    }

    /// The text is over; what was waited for will not come. The next text begins a new line.
    pub(super) fn finish(&mut self, plain: &mut String) {
        self.step('\n');
        self.code_left_out |= matches!(self.state, State::Fence(_));
        self.end_line();
        self.plain.take_into(plain);
    }

    /// True if there was code, which is not read aloud.
    pub(super) fn has_left_code_out(&self) -> bool {
        self.code_left_out
    }

    fn step(&mut self, c: char) {
        if c == '\r' {
            return;
        }
        match std::mem::replace(&mut self.state, State::Text) {
            State::LineStart { marks } => self.line_start(marks, c),
            State::Text => self.text(c),
            State::Run { mark, count } if c == mark => self.state = State::Run { mark, count: count + 1 },
            State::Run { mark, count } => self.end_run(mark, count, c),
            State::Bang => self.after_bang(c),
            State::Opened => self.after_bracket(c),
            State::Footnote if c == ']' => {}
            State::Footnote if c != '\n' => self.state = State::Footnote,
            State::Footnote => self.end_line(),
            State::Label { text } => self.label(text, c),
            State::Labelled { text } => self.after_label(text, c),
            State::Definition { label, target } => self.definition(label, target, c),
            State::Closed => self.after_link(c),
            State::Target { text, depth } => self.target(text, depth, c),
            State::Tag { text } => self.tag(text, c),
            State::Entity { text } => self.entity(text, c),
            State::Escape => self.escaped(c),
            State::Fence(fence) => self.fence(fence, c),
        }
    }

    fn text(&mut self, c: char) {
        match c {
            '\n' => self.end_line(),
            '*' | '_' | '~' | '`' | '#' => self.state = State::Run { mark: c, count: 1 },
            '!' => self.state = State::Bang,
            '[' => self.state = State::Opened,
            ']' => self.state = State::Closed,
            '<' => self.state = State::Tag { text: String::new() },
            '&' => self.state = State::Entity { text: String::new() },
            '\\' => self.state = State::Escape,
            '|' => self.cell_due = true,
            // A numbered item reads alike, however its number is written.
            ')' | '\u{20e3}' if self.number.is_some_and(|digits| digits > 0) => self.write('.'),
            c => self.write(c),
        }
    }

    fn write(&mut self, c: char) {
        if NEVER_SAID.contains(&c) {
            return;
        }
        if !c.is_whitespace() {
            if std::mem::take(&mut self.cell_due) {
                self.plain.comma();
            }
            // Years and the like begin a line too, so a list counts to 999.
            let invisible = super::plain::is_invisible(c);
            self.number = self.number.filter(|digits| *digits < 3 && (c.is_ascii_digit() || invisible));
            self.number = self.number.map(|digits| digits + usize::from(!invisible));
        } else {
            self.number = None;
        }
        self.plain.put(c);
    }

    fn write_all(&mut self, text: &str) {
        text.chars().for_each(|c| self.write(c));
    }

    /// Reads on from something that was no markup after all.
    fn replay(&mut self, text: &str) {
        text.chars().for_each(|c| self.step(c));
    }

    fn end_line(&mut self) {
        self.plain.put('\n');
        (self.cell_due, self.number) = (false, None);
        self.state = State::default();
    }

    /// A run of marks is over: emphasis is dropped, a sign between words or numbers is kept.
    fn end_run(&mut self, mark: char, count: usize, next: char) {
        let before = self.plain.last();
        let spaced = before == ' ' && next.is_whitespace() && next != '\n';
        let inside = before.is_alphanumeric() && next.is_alphanumeric();
        let address = self.plain.in_address();
        match mark {
            '`' if count >= 3 => return self.open_fence(mark, count, next),
            '~' if count >= 3 && before == '\n' => return self.open_fence(mark, count, next),
            '*' if count == 1 && (spaced || (before.is_ascii_digit() && next.is_ascii_digit())) => self.write('×'),
            '_' if inside || address => (0..count).for_each(|_| self.write('_')),
            '~' if count == 1 && (address || next.is_alphanumeric()) => self.write('~'),
            '#' if count == 1 && (before.is_alphanumeric() || next.is_alphanumeric() || address) => self.write('#'),
            _ => {}
        }
        self.step(next);
    }

    fn after_bang(&mut self, c: char) {
        if c != '[' {
            self.write('!');
        }
        self.step(c);
    }

    fn after_bracket(&mut self, c: char) {
        if c == '^' {
            self.state = State::Footnote;
            return;
        }
        if self.plain.last().is_alphanumeric() {
            self.write(' ');
        }
        self.step(c);
    }

    fn after_link(&mut self, c: char) {
        if c == '(' {
            self.state = State::Target { text: String::new(), depth: 0 };
            return;
        }
        if c.is_alphanumeric() && self.plain.last().is_alphanumeric() {
            self.write(' ');
        }
        self.step(c);
    }

    /// Reads what a link points to, with its title, and says nothing of it.
    fn target(&mut self, mut text: String, depth: usize, c: char) {
        let titled = text.contains(['"', '\'']);
        let no_target = (text.ends_with(' ') && !titled && !matches!(c, '"' | '\'' | '(' | ')' | ' '))
            || matches!(c, '\n' | '[' | ']')
            || text.len() > TARGET_BYTES;
        if no_target {
            self.write('(');
            self.replay(&text);
            return self.step(c);
        }
        let depth = match c {
            ')' if depth == 0 => return,
            ')' => depth - 1,
            '(' => depth + 1,
            _ => depth,
        };
        text.push(c);
        self.state = State::Target { text, depth };
    }

    fn tag(&mut self, mut text: String, c: char) {
        let is_comment = text.starts_with("!--");
        if c == '>' && !text.is_empty() && (!is_comment || text.ends_with("--")) {
            match tags::kind(&text) {
                Tag::Inline => {}
                Tag::Block => self.end_line(),
                Tag::Words => self.replay(&text),
                Tag::Signs => {
                    self.write('<');
                    self.replay(&text);
                    self.step(c);
                }
            }
        } else if matches!(c, '<' | '\n') || text.len() >= TAG_CHARS || (text.is_empty() && !tags::may_open(c)) {
            self.write('<');
            self.replay(&text);
            self.step(c);
        } else {
            text.push(c);
            self.state = State::Tag { text };
        }
    }

    fn entity(&mut self, mut text: String, c: char) {
        if c == ';' && !text.is_empty() {
            match tags::entity(&text) {
                Some(c) => self.write(c),
                None => self.write_all(&format!("&{text};")),
            }
        } else if text.len() < ENTITY_CHARS && (c.is_ascii_alphanumeric() || (c == '#' && text.is_empty())) {
            text.push(c);
            self.state = State::Entity { text };
        } else {
            self.write_all(&format!("&{text}"));
            self.step(c);
        }
    }

    fn escaped(&mut self, c: char) {
        if c.is_ascii_punctuation() {
            return self.write(c);
        }
        self.write('\\');
        self.step(c);
    }

    fn open_fence(&mut self, mark: char, count: usize, next: char) {
        self.state = State::Fence(Fence::new(mark, count));
        self.step(next);
    }

    fn fence(&mut self, mut fence: Fence, c: char) {
        match fence.step(c) {
            fence::Step::Inside => self.state = State::Fence(fence),
            fence::Step::Skipping => {
                // What introduced the code is said now.
                self.end_line();
                self.code_left_out = true;
                self.state = State::Fence(fence);
            }
            fence::Step::Closed => self.end_line(),
            fence::Step::Inline(code) => {
                self.replay(&code);
                self.step(c);
            }
        }
    }
}
