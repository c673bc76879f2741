-- What subscriptions remember, and who works for each of them.
CREATE TABLE subscriptions (
    name            text        PRIMARY KEY,
    -- The lease under which somebody reads: its own, or that of a group. Null while nobody ever has.
    lease           text,
    checkpoint      bigint      NOT NULL DEFAULT 0,
    -- What the owner said last; the checkpoint is what counts.
    position        bigint      NOT NULL DEFAULT 0,
    paused          boolean     NOT NULL DEFAULT false,
    note            text,
    rebuild_wanted  bigint      NOT NULL DEFAULT 0,
    rebuild_done    bigint      NOT NULL DEFAULT 0,
    rebuild_outcome text,
    -- The lease of this name: whose it is, how often it has been given, and when it is anybody's again by this server's clock.
    owner           text,
    epoch           bigint      NOT NULL DEFAULT 0,
    since           timestamptz,
    until           timestamptz,
    -- The epoch belongs to a key, so that giving the lease away waits for whoever has looked at it FOR KEY SHARE, and nothing else does.
    UNIQUE (name, epoch)
) WITH (fillfactor = 50);

CREATE TABLE subscription_attempts (
    subscription text    NOT NULL,
    position     bigint  NOT NULL,
    attempts     integer NOT NULL,
    PRIMARY KEY (subscription, position)
);

CREATE TABLE subscription_parked (
    subscription text        NOT NULL,
    sequence     text        NOT NULL,
    position     bigint      NOT NULL,
    event_type   text        NOT NULL,
    attempts     integer     NOT NULL,
    reason       text        NOT NULL,
    parked_at    timestamptz NOT NULL,
    PRIMARY KEY (subscription, sequence)
);

-- What an administrator wants tried again. The owner notes the epoch in which it took the request up, and the request is gone when
-- the sequence is parked again or not any more: one whose owner died in between is taken up by the next.
CREATE TABLE subscription_retries (
    subscription text   NOT NULL,
    sequence     text   NOT NULL,
    taken        bigint,
    PRIMARY KEY (subscription, sequence),
    FOREIGN KEY (subscription, sequence) REFERENCES subscription_parked ON DELETE CASCADE
);
