CREATE TABLE IF NOT EXISTS checkpoint (one INTEGER PRIMARY KEY CHECK (one = 1), position INTEGER NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS owner (only_one INTEGER PRIMARY KEY CHECK (only_one = 1), epoch INTEGER NOT NULL) STRICT;

CREATE TABLE IF NOT EXISTS webhook (
    id BLOB PRIMARY KEY,
    store TEXT NOT NULL,
    url TEXT NOT NULL,
    events TEXT NOT NULL,
    paused INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS delivery (
    webhook BLOB NOT NULL,
    position INTEGER NOT NULL,
    rental BLOB NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    first_at_ms INTEGER,
    next_at_ms INTEGER NOT NULL DEFAULT 0,
    given_up_at_ms INTEGER,
    reason TEXT,
    PRIMARY KEY (webhook, position)
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS delivery_order ON delivery (webhook, rental, position) WHERE given_up_at_ms IS NULL;
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (webhook, next_at_ms) WHERE given_up_at_ms IS NULL;
