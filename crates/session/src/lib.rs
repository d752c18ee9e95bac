//! One task per conversation: drives a dialogue and performs its actions.
