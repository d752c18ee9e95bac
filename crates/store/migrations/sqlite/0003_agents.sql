-- Agents that were made over the HTTP interface. `profile` is JSON text with the keys of an agent's section in the
-- configuration; what it means is not the store's concern.
CREATE TABLE agents (
    name        TEXT PRIMARY KEY NOT NULL,
    profile     TEXT NOT NULL,
    created_at  TEXT NOT NULL,
    updated_at  TEXT NOT NULL
) STRICT, WITHOUT ROWID;
