-- Under which fingerprints of requests are made. Whoever may read this schema may read what is personal.
CREATE TABLE reservoir_keys.fingerprint (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    key      bytea   NOT NULL
);

-- In small parts: when a key is destroyed, its part is written anew without it.
CREATE TABLE reservoir_keys.customer_key (
    customer text  PRIMARY KEY,
    key      bytea NOT NULL
) PARTITION BY HASH (customer);

DO $$
BEGIN
    FOR part IN 0..31 LOOP
        EXECUTE format('CREATE TABLE reservoir_keys.customer_key_%s PARTITION OF reservoir_keys.customer_key '
                       'FOR VALUES WITH (MODULUS 32, REMAINDER %s)', part, part);
    END LOOP;
END
$$;

REVOKE ALL ON SCHEMA reservoir_keys FROM PUBLIC;
