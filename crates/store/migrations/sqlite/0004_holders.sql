-- Who holds a conversation, and when they were last heard of: another process may go on with it when its own has died, and
-- what nobody holds any more is ended. Times are the database's own clock.
ALTER TABLE conversations ADD COLUMN holder TEXT;
ALTER TABLE conversations ADD COLUMN alive_at TEXT;
