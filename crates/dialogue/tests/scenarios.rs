//! Every file in `scenarios/` is a conversation with the actions it must cause. To accept a changed one after reading
//! the difference, run with `UPDATE_SCENARIOS=1`.
// Test code may stop at the first surprise.
#![allow(clippy::unwrap_used, clippy::panic)]

mod language;
mod settings;

use std::fs;
use std::path::Path;

#[test]
fn scenarios_play_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
    let mut played = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let written = fs::read_to_string(&path).unwrap();
        let rendered = language::play(&written);
        if option_env!("UPDATE_SCENARIOS").is_some() {
            fs::write(&path, &rendered).unwrap();
        } else {
            assert_eq!(rendered, written, "{} plays otherwise than written", path.display());
        }
        played += 1;
    }
    assert!(played >= 12, "only {played} scenarios were found");
}
