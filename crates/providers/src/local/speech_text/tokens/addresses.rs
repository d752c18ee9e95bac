//! E-mail and web addresses, files, tags and handles.

use super::signs::in_pieces;

/// E-mail and web addresses.
pub(super) fn address(word: &str) -> Option<String> {
    let bare = word.strip_prefix("https://").or_else(|| word.strip_prefix("http://"));
    let has_scheme = bare.is_some();
    let bare = bare.unwrap_or(word);
    let bare = bare.strip_prefix("www.").unwrap_or(bare);
    let is_mail = bare.split_once('@').is_some_and(|(user, host)| !user.is_empty() && host.contains('.'));
    if !has_scheme && !is_mail && !word.starts_with("www.") {
        return None;
    }
    let bare = bare.split(['?', '#']).next().unwrap_or(bare).trim_end_matches('/');
    let mut said = String::new();
    for c in bare.chars() {
        match c {
            '.' => said.push_str(" dot "),
            '/' => said.push_str(" slash "),
            '@' => said.push_str(" at "),
            '-' => said.push_str(" dash "),
            '_' => said.push_str(" underscore "),
            ':' => said.push_str(" colon "),
            c if c.is_alphanumeric() => said.push(c),
            _ => said.push(' '),
        }
    }
    let said = said.split_whitespace().map(in_pieces).collect::<Vec<_>>();
    Some(said.join(" "))
}

/// `main.rs`, `Node.js`, `report_final.pdf`: a word with an ending.
pub(super) fn file(word: &str) -> Option<String> {
    let (name, ending) = word.rsplit_once('.')?;
    let short = (1..=5).contains(&ending.len()) && ending.starts_with(|c: char| c.is_ascii_lowercase());
    let is_name = name.len() > 1 && name.starts_with(char::is_alphanumeric) && name.contains(char::is_alphabetic);
    let is_ending = short && ending.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
    if !is_name || !is_ending {
        return None;
    }
    let name: Vec<String> = name.split('.').map(in_pieces).collect();
    Some(format!("{} dot {}", name.join(" dot "), spelled(ending)))
}

/// `#rust`.
pub(super) fn hashtag(word: &str) -> Option<String> {
    let tag = word.strip_prefix('#').filter(|tag| tag.starts_with(char::is_alphabetic))?;
    Some(format!("hashtag {}", in_pieces(tag)))
}

/// An ending as people say it: letter by letter, unless it can be spoken.
fn spelled(ending: &str) -> String {
    let speakable = ending.contains(['a', 'e', 'i', 'o', 'u']) && ending.len() > 2;
    if speakable || ending.contains(|c: char| c.is_ascii_digit()) {
        return in_pieces(ending);
    }
    let letters: Vec<String> = ending.chars().map(|c| c.to_ascii_uppercase().to_string()).collect();
    letters.join(" ")
}
