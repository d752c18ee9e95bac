-- Conversations and their turns. Moments are RFC 3339 text in UTC with milliseconds, so that they sort and read well;
-- spans are microseconds. Conversation ids are UUIDv7: their order is the order of time.
CREATE TABLE conversations (
    id          TEXT PRIMARY KEY NOT NULL,
    created_at  TEXT NOT NULL,
    ended_at    TEXT,
    end_reason  TEXT CHECK (end_reason IN ('hangup', 'agent_hangup', 'connection_lost', 'server_stopped', 'failed')),
    CHECK ((ended_at IS NULL) = (end_reason IS NULL))
) STRICT, WITHOUT ROWID;

CREATE INDEX conversations_active ON conversations (id) WHERE ended_at IS NULL;

CREATE TABLE turns (
    conversation_id     TEXT NOT NULL REFERENCES conversations (id) ON DELETE CASCADE,
    turn_index          INTEGER NOT NULL CHECK (turn_index > 0),
    status              TEXT NOT NULL CHECK (status IN ('in_progress', 'completed', 'interrupted', 'failed')),
    started_at          TEXT NOT NULL,
    user_text           TEXT NOT NULL,
    agent_text          TEXT NOT NULL,
    heard_text          TEXT NOT NULL,
    voice_to_voice_us   INTEGER,
    endpoint_us         INTEGER,
    stt_us              INTEGER,
    llm_first_token_us  INTEGER,
    first_clause_us     INTEGER,
    tts_us              INTEGER,
    playout_us          INTEGER,
    PRIMARY KEY (conversation_id, turn_index)
) STRICT, WITHOUT ROWID;
