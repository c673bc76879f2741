-- What every process of a database signs tokens with.
CREATE TABLE reservoir_keys.signing (
    only_row   boolean     PRIMARY KEY DEFAULT true CHECK (only_row),
    secret     bytea       NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
