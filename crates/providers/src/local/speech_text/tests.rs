//! How written forms are said: the specification.

use super::{LONG_CHARS, clauses, speakable};

/// Numbers, times, addresses and marks, as most replies hold them.
const PLAIN: &[(&str, &str)] = &[
    ("I have 3 cats.", "I have three cats."),
    ("It costs 1,250 in all.", "It costs one thousand two hundred fifty in all."),
    ("Pi is 3.14, roughly.", "Pi is three point one four, roughly."),
    ("The 1st, 2nd and 23rd.", "The first, second and twenty third."),
    ("In 1984 and 2026.", "In nineteen eighty four and twenty twenty six."),
    ("The 1990s were fun.", "The nineteen nineties were fun."),
    ("Up 12.5% today!", "Up twelve point five percent today!"),
    ("It is $9.99 now.", "It is nine dollars and ninety nine cents now."),
    ("It is $1.", "It is one dollar."),
    ("About $3 million a year", "About three million dollars a year"),
    ("€20 or £5.50?", "twenty euros or five pounds and fifty pence?"),
    ("A $5k budget", "A five thousand dollar budget"),
    ("Meet at 3:30 pm.", "Meet at three thirty P M."),
    ("At 10:05 or 7:00, ok?", "At ten oh five or seven o'clock, ok?"),
    ("Open 9am-5pm", "Open nine A M to five P M"),
    ("Call 555-0123 now", "Call five five five, zero one two three now"),
    ("Call (555) 867-5309.", "Call five five five, eight six seven, five three zero nine."),
    ("+1-800-555-0199", "plus one, eight zero zero, five five five, zero one nine nine"),
    ("221B Baker St.", "two twenty one B Baker street"),
    ("Mr. and Mrs. Smith met Dr. Who", "mister and missus Smith met doctor Who"),
    ("St. Louis", "saint Louis"),
    ("Fruit, e.g. apples, etc.", "Fruit, for example apples, et cetera."),
    ("Tom & Jerry", "Tom and Jerry"),
    ("2 + 2 = 4", "two plus two equals four"),
    ("5 x 3, 6 * 7", "five x three, six times seven"),
    ("Write to ann@example.com today", "Write to ann at example dot com today"),
    ("See https://www.example.org/docs/start.", "See example dot org slash docs slash start."),
    ("It is 20°C or -5 degrees", "It is twenty degrees celsius or minus five degrees"),
    ("Run 5km at 10 km/h", "Run five kilometers at ten kilometers per hour"),
    ("8GB of RAM", "eight gigabytes of RAM"),
    ("Pages 5-10", "Pages five to ten"),
    ("1/2 cup and 3/4 cup", "one half cup and three quarters cup"),
    ("Open 24/7", "Open twenty four seven"),
    ("and/or", "and or"),
    ("Version 1.2.3 is out", "Version one point two point three is out"),
    ("Room #12", "Room number twelve"),
    ("On 2026-11-22 we", "On november twenty second, twenty twenty six we"),
    ("**Bold** and `code` and _this_", "Bold and code and this"),
    ("snake_case", "snake case"),
    ("COVID-19", "COVID nineteen"),
    ("a well-known 20-year-old", "a well-known twenty year old"),
    ("agent 007", "agent zero zero seven"),
    ("3D and 4K and H2O", "three D and four K and H two O"),
    ("Wait... what?!", "Wait... what?!"),
    ("don’t “stop”", "don't stop"),
    ("Yes 👍🎉", "Yes"),
    ("❤️", ""),
    ("...", "..."),
    ("", ""),
];
/// Dates, ranges, signs and money.
const COUNTED: &[(&str, &str)] = &[
    // Dates
    ("Due Nov 22, 2026.", "Due november twenty second, twenty twenty six."),
    ("On Nov. 22 we", "On november twenty second we"),
    ("March 3rd, or 22 November 2026", "march third, or november twenty second, twenty twenty six"),
    ("I may 5 times, in Nov 2026", "I may five times, in november twenty twenty six"),
    (
        "22/11/2026 or 11/22/2026",
        "november twenty second, twenty twenty six or november twenty second, twenty twenty six",
    ),
    ("22.11.2026, 3/4/26", "november twenty second, twenty twenty six, march fourth, twenty twenty six"),
    ("Q3 2026 was good", "Q three twenty twenty six was good"),
    ("the mid-2020s, 1990–95", "the mid twenty twenties, nineteen ninety to ninety five"),
    // Ranges, ratios, signs
    ("3–5 pm", "three to five P M"),
    ("10-15 % or 20–30 km", "ten to fifteen percent or twenty to thirty kilometers"),
    ("a 16:9 screen, 27\" wide", "a sixteen to nine screen, twenty seven inch wide"),
    ("10 - 3 = 7", "ten minus three equals seven"),
    (
        "±5, ≤ 10, ≥5, a ≠ b → c",
        "plus or minus five, less than or equal to ten, greater than or equal to five, a not equal to b to c",
    ),
    ("~5 km or ~20", "about five kilometers or about twenty"),
    ("½ cup, 1½ cups, 2 ½ cups", "one half cup, one and a half cups, two and a half cups"),
    ("x² + 10^6, 10^-3, e^x", "x squared plus ten to the sixth, ten to the power of minus three, e to the power of x"),
    // Money
    ("10,000,000 people", "ten million people"),
    (
        "$1.2bn, €2.5m, $1.2 bn",
        "one point two billion dollars, two point five million euros, one point two billion dollars",
    ),
    ("It cost $5k in all, $-5, -$5", "It cost five thousand dollars in all, minus five dollars, minus five dollars"),
    ("€3,50 or 20 €", "three euros and fifty cents or twenty euros"),
    ("1.234,50 €", "one thousand two hundred thirty four euros and fifty cents"),
    ("USD 40 or 1 EUR", "forty dollars or one euro"),
    ("₹500, ¥1000, C$2", "five hundred rupees, one thousand yen, two canadian dollars"),
    ("$5-10, $1-2 million", "five to ten dollars, one to two million dollars"),
];
/// Names, measures, telephones and lists.
const NAMED: &[(&str, &str)] = &[
    // Names
    ("Henry VIII and Louis XIV's court", "Henry the eighth and Louis the fourteenth's court"),
    ("Chapter IV of World War II. Then I", "Chapter four of World War two. Then I"),
    ("No. 5 won. No. I say", "number five won. No. I say"),
    ("A vs. B, approx. 5", "A versus B, approximately five"),
    ("At 9 a.m. we meet", "At nine A M we meet"),
    ("The U.S. Senate, J. R. R. Tolkien", "The U S Senate, J R R Tolkien"),
    ("main.rs, README.md or report_final.pdf", "main dot R S, README dot M D or report final dot P D F"),
    ("C++, C#, #rust, @ann", "C plus plus, C sharp, hashtag rust, at ann"),
    // Measures
    ("He is 5'10\" or 6' tall", "He is five foot ten or six feet tall"),
    ("98.6°F, 60 mph", "ninety eight point six degrees fahrenheit, sixty miles per hour"),
    ("3 kWh, 12 oz, 100 m²", "three kilowatt hours, twelve ounces, one hundred square meters"),
    ("5 g of 5G", "five grams of five G"),
    // Telephones
    ("+44 20 7946 0958 now", "plus four four, two zero, seven nine four six, zero nine five eight now"),
    ("06 12 34 56 78", "zero six, one two, three four, five six, seven eight"),
    ("+49 (0)30 1234567", "plus four nine, zero three zero, one two three four five six seven"),
    // Lists
    ("1. First thing", "one, First thing"),
    ("1st-class", "first class"),
];

/// Each written form that a reply may hold, and how it is said.
#[test]
fn written_forms_are_said() {
    for (written, said) in [PLAIN, COUNTED, NAMED].concat() {
        assert_eq!(speakable(written), said, "{written:?}");
    }
}

#[test]
fn no_text_breaks_it() {
    for text in ["$", "%%", "1:", ":30", "$$5", "1-", "--", "5/0", "#", "@", "a@", "://", "9".repeat(60).as_str()] {
        assert!(!speakable(text).contains(|c: char| c.is_ascii_digit()), "{text:?}");
    }
}

#[test]
fn long_sentences_are_cut_at_their_clauses() {
    let long = "this part goes on for a good while without an end, ".repeat(5);
    let cut = clauses(&format!("Short one. {long} done. ... Last?"));
    assert_eq!(cut.first().map(String::as_str), Some("Short one."));
    assert_eq!(cut.last().map(String::as_str), Some("Last?"));
    assert!(cut.len() > 3 && cut.iter().all(|clause| clause.len() <= LONG_CHARS), "{cut:?}");
}

/// Signs and scraps that forms are made of, and characters of any kind.
const SCRAPS: [&str; 44] = [
    "$", "€", "%", "°", "'", "\"", "-", "–", ".", ",", ":", "/", "#", "@", "+", "^", "~", "(", ")", "½", "²", "±", "×",
    " ", "0", "1", "9", "22", "2026", "Nov", "May", "am", "km", "VIII", "Henry", "No.", "USD", "bn", "st", "x", "é",
    "字", "٣", "\u{301}",
];

#[test]
fn no_text_at_all_breaks_it() {
    let mut state = 1_u64;
    let mut below = |limit: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % limit
    };
    for _ in 0..60_000 {
        let mut text = String::new();
        for _ in 0..below(12) {
            match below(8) {
                0 => text.extend(u32::try_from(below(0x11_0000)).ok().and_then(char::from_u32)),
                _ => text.push_str(SCRAPS[below(SCRAPS.len())]),
            }
        }
        let said = speakable(&text);
        assert!(!said.contains(|c: char| c.is_ascii_digit() || "$%^#@°½".contains(c)), "{text:?}: {said:?}");
        assert!(clauses(&said).iter().all(|clause| clause.chars().any(char::is_alphabetic)));
    }
}
