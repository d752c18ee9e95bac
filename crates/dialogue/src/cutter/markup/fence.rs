//! Fenced code: nobody can follow it by ear, so it is left out.

/// A longer first line is no code within a sentence.
const INLINE_BYTES: usize = 200;

/// An open fence.
#[derive(Debug, Clone)]
pub(super) struct Fence {
    mark: char,
    count: usize,
    place: Place,
    /// Marks of this line, or of this place of the first line, that may close the fence.
    run: usize,
}

#[derive(Debug, Clone)]
enum Place {
    /// Behind the opening marks: the name of the language, or code between marks of one line.
    FirstLine(String),
    /// At the start of a line of code.
    LineStart,
    Code,
}

/// What a character did.
#[derive(Debug)]
pub(super) enum Step {
    Inside,
    /// It is a block of code, and will be skipped.
    Skipping,
    Closed,
    /// It was code of one line, which is said, as other code within a sentence.
    Inline(String),
}

impl Fence {
    pub(super) fn new(mark: char, count: usize) -> Self {
        Self { mark, count, place: Place::FirstLine(String::new()), run: 0 }
    }

    /// The character behind the closing marks tells that they are over: [`Step::Inline`] and it is yet to be read.
    pub(super) fn step(&mut self, c: char) -> Step {
        if let Place::FirstLine(code) = &mut self.place {
            if self.run >= self.count && c != self.mark {
                return Step::Inline(std::mem::take(code));
            }
            if c == '\n' {
                (self.place, self.run) = (Place::LineStart, 0);
                return Step::Skipping;
            }
            if c == self.mark {
                self.run += 1;
            } else {
                self.run = 0;
                if code.len() < INLINE_BYTES {
                    code.push(c);
                }
            }
            return Step::Inside;
        }
        self.line(c)
    }

    fn line(&mut self, c: char) -> Step {
        let closes = self.run >= self.count;
        match c {
            '\n' if closes => return Step::Closed,
            '\n' => (self.place, self.run) = (Place::LineStart, 0),
            c if c == self.mark && matches!(self.place, Place::LineStart) => self.run += 1,
            c if c.is_whitespace() => {}
            _ => (self.place, self.run) = (Place::Code, 0),
        }
        Step::Inside
    }
}
