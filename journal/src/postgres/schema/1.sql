-- The tables of postgres-es 0.5, so that its repository reads our streams, with our columns behind its own.
-- Stream `rental-<id>` is aggregate_type `rental`, aggregate_id `<id>`; its revision is the sequence.
CREATE TABLE events (
    aggregate_type text                         NOT NULL,
    aggregate_id   text                         NOT NULL,
    sequence       bigint CHECK (sequence >= 0) NOT NULL,
    event_type     text                         NOT NULL,
    event_version  text                         NOT NULL,
    payload        json                         NOT NULL,
    metadata       json                         NOT NULL,
    position       bigint                       NOT NULL,
    event_id       uuid                         NOT NULL,
    correlation_id text                         NOT NULL,
    causation_id   uuid,
    command_id     uuid                         NOT NULL,
    actor          text                         NOT NULL,
    recorded_at    timestamptz                  NOT NULL,
    hash           bytea                        NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
);

CREATE UNIQUE INDEX events_by_position ON events (position);

-- Where the journal ends. Whoever appends moves this row in the same transaction, so that positions are gapless and in the
-- order of commits. Raising the fence makes whatever a lost connection has left behind fail.
CREATE TABLE journal_head (
    only_row    boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    position    bigint      NOT NULL,
    hash        bytea       NOT NULL,
    recorded_at timestamptz NOT NULL,
    fence       bigint      NOT NULL
) WITH (fillfactor = 10);

INSERT INTO journal_head (position, hash, recorded_at, fence)
VALUES (0, decode(repeat('00', 32), 'hex'), to_timestamp(0), 0);

-- Nothing is ever changed or deleted; the triggers say so to every client. An insert does not run them.
CREATE FUNCTION journal_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the journal is append-only';
END
$$;

CREATE TRIGGER events_are_never_changed BEFORE UPDATE OR DELETE ON events
    FOR EACH ROW EXECUTE FUNCTION journal_is_append_only();

CREATE TRIGGER events_are_never_dropped BEFORE TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION journal_is_append_only();
