-- Stages of processes, and up to where everything is handled. Both can be thrown away together with the checkpoints of the
-- subscriptions: then the journal is folded again from its first event.
CREATE TABLE reservoir_sagas.stages (
    process        text   NOT NULL,
    id             uuid   NOT NULL,
    position       bigint NOT NULL,
    correlation_id text   NOT NULL,
    event_id       uuid   NOT NULL,
    stage          text   NOT NULL,
    due_at_us      bigint,
    PRIMARY KEY (process, id)
) WITH (fillfactor = 80);

CREATE INDEX stages_due ON reservoir_sagas.stages (process) WHERE due_at_us IS NOT NULL;

CREATE TABLE reservoir_sagas.checkpoints (
    process  text   PRIMARY KEY,
    position bigint NOT NULL,
    epoch    bigint NOT NULL
) WITH (fillfactor = 50);
