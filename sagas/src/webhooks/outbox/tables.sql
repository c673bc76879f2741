-- What stores' programs are still to be told. How far the journal was read for them stands among the checkpoints of processes.
CREATE TABLE reservoir_sagas.webhooks (
    id     uuid    PRIMARY KEY,
    store  text    NOT NULL,
    url    text    NOT NULL,
    events text[]  NOT NULL,
    paused boolean NOT NULL
);

-- Only what waits stands here: so the database need not guess how much of it does, and looks for a rental's earlier events by the key,
-- also before it has counted anything.
CREATE TABLE reservoir_sagas.deliveries (
    webhook     uuid    NOT NULL,
    rental      uuid    NOT NULL,
    position    bigint  NOT NULL,
    attempts    integer NOT NULL DEFAULT 0,
    first_at_ms bigint,
    next_at_ms  bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (webhook, rental, position)
) WITH (fillfactor = 80);

CREATE INDEX deliveries_in_order ON reservoir_sagas.deliveries (webhook, position);
CREATE INDEX deliveries_due ON reservoir_sagas.deliveries (next_at_ms, webhook);

CREATE TABLE reservoir_sagas.given_up (
    webhook  uuid    NOT NULL,
    position bigint  NOT NULL,
    rental   uuid    NOT NULL,
    attempts integer NOT NULL,
    reason   text    NOT NULL,
    at_ms    bigint  NOT NULL,
    PRIMARY KEY (webhook, position)
);
