//! What stands between `<` and `>`, or between `&` and `;`.

/// Elements of HTML and of speech markup that models write. Anything else in angle brackets is a placeholder: words.
const ELEMENTS: [&str; 74] = [
    "a",
    "abbr",
    "article",
    "audio",
    "b",
    "big",
    "blockquote",
    "body",
    "br",
    "break",
    "button",
    "caption",
    "center",
    "cite",
    "code",
    "dd",
    "del",
    "details",
    "div",
    "dl",
    "dt",
    "em",
    "emphasis",
    "figcaption",
    "figure",
    "font",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "head",
    "header",
    "hr",
    "html",
    "i",
    "iframe",
    "img",
    "ins",
    "kbd",
    "li",
    "main",
    "mark",
    "nav",
    "ol",
    "p",
    "phoneme",
    "pre",
    "prosody",
    "q",
    "s",
    "say-as",
    "section",
    "small",
    "span",
    "speak",
    "strike",
    "strong",
    "sub",
    "summary",
    "sup",
    "svg",
    "table",
    "tbody",
    "td",
    "th",
    "thead",
    "tr",
    "u",
    "ul",
    "video",
    "voice",
];
/// Elements that stand on lines of their own.
const BLOCKS: [&str; 25] = [
    "article",
    "blockquote",
    "br",
    "dd",
    "details",
    "div",
    "dl",
    "dt",
    "figure",
    "footer",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "hr",
    "li",
    "ol",
    "p",
    "section",
    "table",
    "tr",
    "ul",
];
const ENTITIES: [(&str, char); 14] = [
    ("amp", '&'),
    ("apos", '\''),
    ("deg", '°'),
    ("euro", '€'),
    ("gt", '>'),
    ("hellip", '…'),
    ("lt", '<'),
    ("mdash", '—'),
    ("nbsp", ' '),
    ("ndash", '–'),
    ("pound", '£'),
    ("quot", '"'),
    ("rsquo", '’'),
    ("times", '×'),
];

/// What a pair of angle brackets is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tag {
    /// Marks words of a line.
    Inline,
    /// Begins or ends a line.
    Block,
    /// Holds an address or a placeholder, which is said.
    Words,
    /// None at all: two signs that happen to stand in one line.
    Signs,
}

/// Whether an opening bracket followed by `first` can be the start of a tag; else it means "less than".
pub(super) fn may_open(first: char) -> bool {
    first.is_ascii_alphabetic() || matches!(first, '/' | '!' | '?')
}

/// `inside` is what stands between the brackets.
pub(super) fn kind(inside: &str) -> Tag {
    if inside.starts_with(['!', '?']) {
        return Tag::Inline;
    }
    let inside = inside.trim_matches(['/', ' ']);
    let (name, attributes) = inside.split_once(char::is_whitespace).unwrap_or((inside, ""));
    let name = name.to_ascii_lowercase();
    let name = name.as_str();
    if ELEMENTS.contains(&name) && !(attributes.is_empty() || attributes.contains('=')) {
        Tag::Signs
    } else if BLOCKS.contains(&name) {
        Tag::Block
    } else if ELEMENTS.contains(&name) {
        Tag::Inline
    } else {
        Tag::Words
    }
}

/// The character that `&name;` stands for.
pub(super) fn entity(name: &str) -> Option<char> {
    if let Some(number) = name.strip_prefix('#') {
        let code = match number.strip_prefix(['x', 'X']) {
            Some(hex) => u32::from_str_radix(hex, 16),
            None => number.parse(),
        };
        return code.ok().and_then(char::from_u32);
    }
    ENTITIES.iter().find(|(entity, _)| *entity == name).map(|(_, c)| *c)
}
