//! The tables of keys in a database: what signs tokens, and what seals personal texts.

use journal::postgres::Tables;

pub(crate) const TABLES: Tables =
    Tables { schema: "reservoir_keys", steps: &[include_str!("shared.sql"), include_str!("personal.sql")] };
