//! The handlers over a real journal and real views. What a saga would do, the house does by itself.

mod answers;
mod callers;
mod freshness;
mod house;
mod keeping;
mod outcomes;
mod repeats;
mod routes;
mod webhooks;
