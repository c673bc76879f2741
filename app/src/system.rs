//! The composition root: which parts there are, and in which order they start and stop.

use crate::config::Config;
use crate::failure::Failure;
use api::{Keys, Vault};
use axum::serve::ListenerExt;
use domain::dispatch::Dispatch;
use domain::inventory::Item;
use domain::payment::Payment;
use domain::quota::Quota;
use domain::rental::Rental;
use domain::store::Store;
use journal::{Executor, Journal, Subscriptions};
use projections::Views;
use sagas::SimulatedProvider;
use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// In-flight requests get this long to finish when the program is asked to stop.
const DRAIN: Duration = Duration::from_secs(15);
