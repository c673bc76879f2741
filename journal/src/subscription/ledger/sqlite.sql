-- What durable subscriptions remember. Losing it repeats work and loses nothing; parked sequences are the exception, and
-- they are written before the checkpoint moves past them.
CREATE TABLE IF NOT EXISTS subscription (
    name       TEXT    PRIMARY KEY,
    checkpoint INTEGER NOT NULL DEFAULT 0,
    paused     INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS attempt (
    subscription TEXT    NOT NULL,
    position     INTEGER NOT NULL,
    attempts     INTEGER NOT NULL,
    PRIMARY KEY (subscription, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE IF NOT EXISTS parked (
    subscription TEXT    NOT NULL,
    sequence     TEXT    NOT NULL,
    position     INTEGER NOT NULL,
    event_type   TEXT    NOT NULL,
    attempts     INTEGER NOT NULL,
    reason       TEXT    NOT NULL,
    parked_at_us INTEGER NOT NULL,
    PRIMARY KEY (subscription, sequence)
) STRICT, WITHOUT ROWID;
