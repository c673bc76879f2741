//! Empty on purpose: see `docs/decisions/0014-an-empty-sqlx-sqlite.md`.
