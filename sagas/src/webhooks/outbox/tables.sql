-- What stores' programs are still to be told. How far the journal was read for them stands among the checkpoints of processes.
CREATE TABLE reservoir_sagas.webhooks (
    id     uuid    PRIMARY KEY,
    store  text    NOT NULL,
    url    text    NOT NULL,
    events text[]  NOT NULL,
    paused boolean NOT NULL
);

CREATE TABLE reservoir_sagas.deliveries (
    webhook        uuid    NOT NULL,
    position       bigint  NOT NULL,
    rental         uuid    NOT NULL,
    attempts       integer NOT NULL DEFAULT 0,
    first_at_ms    bigint,
    next_at_ms     bigint  NOT NULL DEFAULT 0,
    given_up_at_ms bigint,
    reason         text,
    PRIMARY KEY (webhook, position)
) WITH (fillfactor = 80);

CREATE INDEX deliveries_order ON reservoir_sagas.deliveries (webhook, rental, position) WHERE given_up_at_ms IS NULL;
CREATE INDEX deliveries_due ON reservoir_sagas.deliveries (webhook, next_at_ms) WHERE given_up_at_ms IS NULL;
