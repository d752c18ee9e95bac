//! What is cut where, and what is never said.

use proptest::prelude::*;

use super::{SentenceCutter, plain, plain_text};

fn cut(text: &str) -> Vec<String> {
    // One character at a time is how a slow model writes, and the hardest case.
    let mut cutter = SentenceCutter::default();
    let mut pieces: Vec<String> = text.chars().flat_map(|c| cutter.push(&c.to_string())).collect();
    pieces.extend(cutter.finish());
    pieces
}

#[test]
fn the_first_clause_comes_early_and_later_sentences_stay_whole() {
    assert_eq!(
        cut("Dogs are great company, but they need walks. Cats are calmer, and they sleep a lot."),
        ["Dogs are great company,", "but they need walks.", "Cats are calmer, and they sleep a lot."]
    );
}

#[test]
fn the_first_piece_may_end_where_a_speaker_breathes() {
    assert_eq!(
        cut("The cat is generally healthier and more independent. It sleeps a lot and eats a lot."),
        ["The cat is generally healthier", "and more independent.", "It sleeps a lot and eats a lot."]
    );
    assert_eq!(cut("I am sorry and sad."), ["I am sorry and sad."]);
}

#[test]
fn a_very_short_opening_is_not_chopped_off() {
    assert_eq!(cut("Well, that depends. Yes."), ["Well, that depends.", "Yes."]);
}

#[test]
fn numbers_times_and_abbreviations_stay_whole() {
    assert_eq!(cut("Dr. Smith paid 3.50 by 10:30 today. Good."), ["Dr. Smith paid 3.50 by 10:30 today.", "Good."]);
    assert_eq!(cut("It was J. R. Tolkien who wrote it."), ["It was J. R. Tolkien who wrote it."]);
}

#[test]
fn lists_are_cut_at_lines_and_marks_alone_are_dropped() {
    assert_eq!(cut("1. First thing\n2. Second thing\n***\n"), ["1. First thing", "2. Second thing"]);
}

#[test]
fn a_long_opening_without_marks_is_cut_at_a_word() {
    let pieces = cut(&"word ".repeat(40));
    assert_eq!(pieces[0].split(' ').count(), 14);
}

#[test]
fn nothing_is_lost_or_said_twice() {
    let text = "Yes! I think so: \"Go.\" he said (twice.) and then… silence? No — never; e.g. today.";
    assert_eq!(cut(text).join(" "), text);
}

#[test]
fn pieces_are_bounded_whatever_comes() {
    assert!(cut(&"ab ".repeat(2_000)).iter().all(|piece| piece.chars().count() <= 281));
}

#[test]
fn a_full_stop_does_not_always_end_a_sentence() {
    for text in [
        // English
        "See p. 5 and Fig. 3 of vol. 2, approx. ten pages.",
        "It opens at 9 a.m. on Nov. 22 at the U.S. embassy.",
        "Apples, pears etc. are fine, i.e. most fruit.",
        "She moved to St. Louis with Mrs. Jones vs. Mr. O'Neil Jr. in 1999.",
        "The office opens at 9 a.m. Monday and closes at 5 p.m. Friday.",
        "Call again at 5 p.m. Eastern or 2 p.m. Pacific on the 3rd.",
        "It was Apple Inc. CEO Tim Cook who lives at 5 Oak Ave. South.",
        "The train leaves at 7 p.m. March the second.",
        // German
        "Das kostet 3 Mio. Euro und dauert bis 200 v. Chr. Rom stand.",
        "Il aime les fruits, par ex. les pommes, p. ex. hier, c.-à-d. tout.",
        "Prendo la frutta, per es. le mele.",
        "Das kostet z. B. ca. 3,50 Euro, d. h. fast nichts.",
        "Wir treffen uns am 3. Mai bzw. am 22. November um 10.30 Uhr.",
        "Heute ist der 1. April, nicht der 2. davon.",
        "Fragen Sie Hr. Dr. Meier usw. oder Fr. Schulz, z.B. heute.",
        // French, Spanish, Italian, Portuguese, Dutch
        "Mme. Dupont et M. Martin arrivent, cf. p. 12, etc. demain.",
        "La Sra. López y el Sr. Gómez viven en EE.UU. desde 1990.",
        "Il sig. Rossi e la dott.ssa Bianchi, ecc. sono qui.",
        "A Dra. Silva e o Sr. Costa chegam na pág. 5, p.ex. hoje.",
        "Dhr. Jansen woont bijv. in Utrecht, d.w.z. dichtbij, enz. dus.",
        // What is written with dots
        "Write to a.b@example.co.uk or see https://docs.rs/x/1.2.3/index.html?a=b.c today.",
        "Version 1.2.3 of main.rs costs 1.234,50 or 3.5 at 192.168.0.1 tonight.",
    ] {
        let pieces = cut(&format!("Yes. {text} Next one."));
        let whole = pieces[1..pieces.len() - 1].join(" ");
        assert_eq!(whole, text);
        assert_eq!(pieces.len(), 3, "{pieces:?}");
    }
}

#[test]
fn shortened_words_end_sentences_where_a_new_one_begins() {
    for (text, pieces) in [
        ("Yes. We open at 9 a.m. Come early.", vec!["Yes.", "We open at 9 a.m.", "Come early."]),
        ("Yes. Milk, eggs, etc. That is all.", vec!["Yes.", "Milk, eggs, etc.", "That is all."]),
        (
            "Yes. It closes at 5 p.m. My friend works there.",
            vec!["Yes.", "It closes at 5 p.m.", "My friend works there."],
        ),
        ("Yes. Monday at 5 p.m. It’s fine.", vec!["Yes.", "Monday at 5 p.m.", "It’s fine."]),
        ("Yes. She works at Acme Inc. They pay well.", vec!["Yes.", "She works at Acme Inc.", "They pay well."]),
        ("No. I think not.", vec!["No.", "I think not."]),
        ("Ja. Ich bin 22. Und du?", vec!["Ja.", "Ich bin 22.", "Und du?"]),
        ("Ja. Milch, Eier usw. Mehr nicht.", vec!["Ja.", "Milch, Eier usw.", "Mehr nicht."]),
        ("Yes. It is No. 5. It won.", vec!["Yes.", "It is No. 5.", "It won."]),
        ("Yes. Henry VIII. was a king.", vec!["Yes.", "Henry VIII. was a king."]),
        ("Yes. It was Henry VIII. He was a king.", vec!["Yes.", "It was Henry VIII.", "He was a king."]),
        ("So am I. You too.", vec!["So am I.", "You too."]),
    ] {
        assert_eq!(cut(text), pieces);
    }
}

#[test]
fn sentences_of_other_scripts_and_marks_are_cut() {
    for (text, pieces) in [
        ("好的。今天天气很好，我们去公园吧！你想去吗？", vec!["好的。", "今天天气很好，我们去公园吧！", "你想去吗？"]),
        ("今天天气真的很好，我们去公园吧。", vec!["今天天气真的很好，", "我们去公园吧。"]),
        ("「はい。」彼は言いました。そうです。", vec!["「はい。」", "彼は言いました。", "そうです。"]),
        ("你好!我是小明。", vec!["你好!", "我是小明。"]),
        ("नमस्ते। आप कैसे हैं? मैं ठीक हूँ।", vec!["नमस्ते।", "आप कैसे हैं?", "मैं ठीक हूँ।"]),
        ("مرحبا. كيف حالك؟ أنا بخير.", vec!["مرحبا.", "كيف حالك؟", "أنا بخير."]),
        ("¡Hola! ¿Cómo estás? Bien.", vec!["¡Hola!", "¿Cómo estás?", "Bien."]),
        ("Oui. « Bonjour ! » dit-il. Bien.", vec!["Oui.", "« Bonjour ! »", "dit-il.", "Bien."]),
        ("Oui. Bonjour ! Ça va ? Bien.", vec!["Oui.", "Bonjour !", "Ça va ?", "Bien."]),
        ("Ja. „Komm.“ Er kam.", vec!["Ja.", "„Komm.“ Er kam."]),
        ("Yes. \"Go!\" (He left.) Done…  Well.", vec!["Yes.", "\"Go!\"", "(He left.)", "Done…", "Well."]),
    ] {
        assert_eq!(cut(text), pieces);
    }
}

#[test]
fn an_opening_without_spaces_is_not_endless() {
    let text = "これはとても長い文章ですがまだまだ続いていてどこにも切れ目がありませんので困ります";
    let pieces = cut(text);
    assert_eq!(pieces.concat(), text);
    assert!(pieces.len() > 1, "{pieces:?}");
    assert!(cut(&"字".repeat(2_000)).iter().all(|piece| piece.chars().count() <= 280));
    assert!(cut(&"x".repeat(5_000)).iter().all(|piece| piece.chars().count() <= 560));
}

/// Each mark that a model may write, and what is left of it.
#[test]
fn markup_is_never_spoken() {
    for (written, said) in [
        ("# Title\n\nHello **there**, *you* __two__ and _all_.", "Title|Hello there, you two and all."),
        ("***Both*** ~~gone~~ `code` ``x``", "Both gone code x"),
        ("See [the docs](https://example.com/a_(b) \"Title\") now.", "See the docs now."),
        ("See [**the** docs][1] and ![a cat](cat.png).", "See the docs 1 and a cat."),
        ("[![badge](https://a.b/c.svg)](https://a.b) ok", "badge ok"),
        ("A note[^1] here.\n\n[^1]: The note.\n[1]: https://example.com \"T\"\n", "A note here.|The note."),
        ("[Note]: this is kept", "Note: this is kept"),
        ("- one\n* two\n+ three\n• four\n  - five", "one|two|three|four|five"),
        ("- [ ] open\n- [x] done\n[link](x) first", "open|done|link first"),
        ("1. one\n2) two\n10) ten\n3️⃣ three", "1. one|2. two|10. ten|3. three"),
        ("> quoted\n> > twice\n>5 and >=6", "quoted|twice|>5 and >=6"),
        ("one\n---\n***\n___\n* * *\n=====\ntwo", "one|two"),
        ("| Name | Age |\n|:-----|---:|\n| Ann | 30 |\n| Bob | -4 |", "Name, Age|Ann, 30|Bob, -4"),
        ("Name | Age\n--- | ---\nAnn | 30", "Name, Age|Ann, 30"),
        ("<p>Hello <b>you</b>,<br/>come &amp; see &lt;me&gt; &#39;now&#39;</p>", "Hello you,|come & see <me> 'now'"),
        ("<https://example.com/a_b> and <your name>", "https://example.com/a_b and your name"),
        ("5 < 6 and a<b and 7 > 3 <3", "5 < 6 and a<b and 7 > 3 <3"),
        ("5 * 6 and 5*6 and snake_case and array[0].x", "5 × 6 and 5×6 and snake_case and array 0.x"),
        ("C# and F#, #1 and #rust ## Closed ##", "C# and F#, #1 and #rust Closed"),
        ("~5 km \\*really\\* AT&T R&D; C:\\Users", "~5 km really AT&T R&D; C:\\Users"),
        ("Use it:\n```rust\nlet x = 1; // no.\n```\nDone.", "Use it:|Done."),
        ("Use ```ls -l``` here", "Use ls -l here"),
        ("~~~\n# not a title\n```\n~~~\nAfter", "After"),
        ("So: ```python\nprint()", "So:"),
        ("```\nonly code\n```", "I have left the code out."),
        ("Great 🎉! Yes 👍🏽 👨‍👩‍👧 🇩🇪 ❤️ ok ✅", "Great!|Yes ok"),
        ("✅ First\n🔹 Second\n1️⃣ Third", "First|Second|1. Third"),
        ("🏴󠁧󠁢󠁥󠁮󠁧󠁿 #️⃣ *️⃣ ©️ ™ ☎️ ⌚ ⭐ done", "done"),
        ("🎉🎉 ***", ""),
        ("क्‍ष is a letter", "क्‍ष is a letter"),
        ("soft\u{ad}ly\u{200b} \u{7}now", "softly now"),
        ("open ** and [unclosed](see the rest. And more", "open and unclosed(see the rest.|And more"),
        ("[unclosed label\nnext", "unclosed label|next"),
    ] {
        // Behind a first piece, so that no clause is cut off.
        let pieces = if said.starts_with("I have left") { cut(written) } else { cut(&format!("Yes.\n{written}")) };
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).filter(|piece| *piece != "Yes.").collect();
        assert_eq!(pieces.join("|"), said, "{written:?}");
    }
}

#[test]
fn lines_that_are_said_whole_lose_their_marks_too() {
    assert_eq!(plain_text("**One** moment 🎉, please.\nI am _at_ it."), "One moment, please. I am at it.");
}

/// Words and marks as people write them, and nothing that is markup.
fn plain_words() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "Hello",
        "you",
        "Dr.",
        "etc.",
        "z.B.",
        "9",
        "3.5",
        "10:30",
        "a.m.",
        "22.",
        "Mai",
        "Nov.",
        "I",
        "don't",
        "well-known",
        "https://a.b/c_d?e=f#g",
        "ann@b.org",
        "(yes)",
        "«oui»",
        "¿qué?",
        "¡no!",
        "好的。",
        "我很好，谢谢",
        "आप",
        "हूँ।",
        "كيف؟",
        "U.S.",
        "no.",
        "and",
        "because",
        "$5",
        "50%",
        "C#",
        "é",
        "snake_case",
        "x",
        "…so",
        "\"Go!\"",
        "—",
    ]);
    let gap =
        prop::sample::select(vec![" ", " ", " ", ", ", ". ", "! ", "? ", "; ", ": ", "… ", "... ", "  ", "\n", "\t"]);
    prop::collection::vec((word, gap), 0..60)
        .prop_map(|parts| parts.into_iter().flat_map(|(word, gap)| [word, gap]).collect())
}

/// Anything, with many marks in it.
fn any_text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        prop::sample::select(vec![
            "*",
            "**",
            "_",
            "__",
            "~~",
            "~",
            "`",
            "```",
            "~~~",
            "[",
            "]",
            "](",
            "(",
            ")",
            "![",
            "|",
            "#",
            "## ",
            "> ",
            "- ",
            "---",
            "\n",
            "\r\n",
            " ",
            "<",
            ">",
            "<b>",
            "</p>",
            "<br/>",
            "&",
            "&amp;",
            "&#42;",
            "&#128512;",
            "\\",
            "^",
            "[^1]",
            "[x] ",
            ":",
            "1.",
            "2) ",
            "🎉",
            "👨‍👩‍👧",
            "🇩🇪",
            "1️⃣",
            "❤️",
            "👍🏽",
            ". ",
            "! ",
            "word",
            " and ",
            "。",
            "字",
            "22. ",
        ])
        .prop_map(str::to_owned),
        any::<String>(),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

/// The pieces of `text` when it comes in chunks of these lengths.
fn cut_in_chunks(text: &str, lengths: &[usize]) -> Vec<String> {
    let mut cutter = SentenceCutter::default();
    let chars: Vec<char> = text.chars().collect();
    let mut rest = chars.as_slice();
    let mut pieces = Vec::new();
    for length in lengths.iter().cycle().take(chars.len()) {
        let (chunk, after) = rest.split_at((*length).min(rest.len()));
        pieces.extend(cutter.push(&chunk.iter().collect::<String>()));
        rest = after;
    }
    pieces.extend(cutter.finish());
    pieces
}

fn without_spaces(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn chunks_do_not_matter(text in any_text(), lengths in prop::collection::vec(1_usize..40, 1..8)) {
        prop_assert_eq!(cut_in_chunks(&text, &lengths), cut(&text));
    }

    #[test]
    fn nothing_plain_is_lost_or_said_twice(text in plain_words()) {
        let pieces = cut(&text);
        let joined = pieces.join(" ");
        // A mark that stands alone is a pause between pieces at most.
        let bare = |text: &str| without_spaces(text).replace(|c: char| !c.is_alphanumeric() && c != '_', "");
        prop_assert_eq!(bare(&joined), bare(&text));
        for word in text.split_whitespace().filter(|word| word.contains("://") || word.contains('@')) {
            prop_assert!(pieces.iter().any(|piece| piece.contains(word.trim_end_matches(['.', ',']))), "{}", word);
        }
        if !text.contains(['—', '…', '。']) && !text.contains("..") {
            prop_assert_eq!(without_spaces(&joined), without_spaces(&text));
        }
    }

    #[test]
    fn no_mark_and_no_picture_is_ever_spoken(text in any_text()) {
        for piece in cut(&text).into_iter().chain([plain_text(&text)]) {
            prop_assert!(!piece.contains(['*', '`', '[', ']', '|', '\n']), "{}", piece);
            // A backslash asks for the mark itself.
            let escaped = text.contains('\\');
            prop_assert!(escaped || !["~~", "<b>", "&amp;"].iter().any(|mark| piece.contains(mark)), "{}", piece);
            prop_assert!(!piece.chars().any(|c| plain::is_picture(c) || plain::is_invisible(c)), "{}", piece);
        }
    }

    #[test]
    fn pieces_stay_bounded_and_can_be_said(text in any_text()) {
        for piece in cut(&text.repeat(20)) {
            prop_assert!(piece.chars().count() <= 561 && piece.chars().any(char::is_alphanumeric));
        }
    }
}
