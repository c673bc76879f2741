//! The handlers over a real journal and real views. What a saga would do, the house does by itself.

mod answers;
mod callers;
mod door;
mod freshness;
mod house;
mod keeping;
mod kiosks;
mod messages;
mod outcomes;
mod repeats;
mod reviews;
mod routes;
mod webhooks;
