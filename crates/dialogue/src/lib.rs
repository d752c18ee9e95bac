//! The turn-taking engine: (time, event) in, actions out. No IO, no clock, no audio.
