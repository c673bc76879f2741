-- The journal. Nothing in it is ever changed or deleted; the triggers say so to every client.
CREATE TABLE IF NOT EXISTS event (
    position       INTEGER PRIMARY KEY,
    stream         TEXT    NOT NULL,
    revision       INTEGER NOT NULL,
    type           TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    payload        TEXT    NOT NULL,
    recorded_at_us INTEGER NOT NULL,
    event_id       BLOB    NOT NULL,
    correlation_id TEXT    NOT NULL,
    causation_id   BLOB,
    command_id     BLOB    NOT NULL,
    actor          TEXT    NOT NULL,
    hash           BLOB    NOT NULL
) STRICT;

CREATE UNIQUE INDEX IF NOT EXISTS event_by_stream ON event (stream, revision);

CREATE TRIGGER IF NOT EXISTS event_is_never_changed BEFORE UPDATE ON event
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;

CREATE TRIGGER IF NOT EXISTS event_is_never_deleted BEFORE DELETE ON event
BEGIN
    SELECT RAISE(ABORT, 'the journal is append-only');
END;
