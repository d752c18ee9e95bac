-- How long the answer of a turn was heard: first frame to last, in milliseconds.
ALTER TABLE turns ADD COLUMN heard_ms INTEGER CHECK (heard_ms >= 0);

-- The tools that were called for a turn, in order. `heard_before` counts the characters of the turn's `heard_text` that
-- came before the call, so that a conversation which goes on has each call in its place between the words.
CREATE TABLE tool_calls (
    conversation_id  TEXT NOT NULL,
    turn_index       INTEGER NOT NULL,
    call_index       INTEGER NOT NULL CHECK (call_index > 0),
    call_id          TEXT NOT NULL,
    name             TEXT NOT NULL,
    arguments        TEXT NOT NULL,
    status           TEXT NOT NULL CHECK (status IN ('in_progress', 'completed', 'incomplete')),
    result           TEXT,
    heard_before     INTEGER NOT NULL CHECK (heard_before >= 0),
    started_at       TEXT NOT NULL,
    finished_at      TEXT,
    PRIMARY KEY (conversation_id, turn_index, call_index),
    FOREIGN KEY (conversation_id, turn_index) REFERENCES turns (conversation_id, turn_index) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
