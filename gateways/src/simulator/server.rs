//! Listens, within bounds, and goes away when the script says so.

use super::book::Book;
use super::desk::Desk;
use super::ledger::{Ledger, LedgerError};
use super::routes;
use super::script::{OutageKind, Script};
use super::sender::Sender;
use crate::Secret;
use domain::Instant;
use hyper::Uri;
use hyper::http::uri::InvalidUri;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::task::JoinHandle;

const MOST_CONNECTIONS: usize = 1_024;
const MOST_HEADER_BYTES: usize = 16 << 10;
const BACKLOG: u32 = 1_024;
/// Within this, a request's head has to arrive; and between two requests no more time may pass.
const HEAD: Duration = Duration::from_secs(30);
/// Time for a port that somebody has taken for a moment.
const BIND_AGAIN: Duration = Duration::from_millis(20);

/// What a simulated provider is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where it listens: on loopback, since it asks nobody who they are.
    pub listen: SocketAddr,
    /// Where its books are; in memory where nothing is said.
    pub ledger: Option<PathBuf>,
    /// How it behaves.
    pub script: Script,
    /// Where it sends webhooks; `PUT /webhook-url` changes it.
    pub webhook_url: Option<String>,
    /// What it signs webhooks with; without it, it sends none.
    pub webhook_secret: Option<Secret>,
    /// Whether it takes every request for a new one: the negative control of experiments.
    pub ignore_keys: bool,
}

/// Why it cannot begin, or go on.
#[derive(Debug, thiserror::Error)]
pub enum SimulatorError {
    /// It would be reachable from elsewhere.
    #[error("a simulated provider listens on loopback only, and {0} is not")]
    NotLoopback(SocketAddr),
    /// It cannot listen.
    #[error("cannot listen on {address}")]
    Listen {
        /// Where.
        address: SocketAddr,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The address for webhooks is none.
    #[error("webhooks cannot be sent there")]
    WebhookUrl(#[from] InvalidUri),
    /// The books cannot be kept.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

/// What every connection works with.
#[derive(Debug)]
pub(super) struct House {
    pub(super) desk: Arc<Desk>,
    playing: watch::Sender<Playing>,
    questions: AtomicU64,
}

/// The script, and since when.
#[derive(Debug, Clone)]
struct Playing {
    script: Arc<Script>,
    begun: Instant,
    /// The connection that brought it, which outlives the outage it asked for.
    by: u64,
}

impl House {
    pub(super) fn script(&self) -> Arc<Script> {
        self.playing.borrow().script.clone()
    }

    pub(super) fn play(&self, script: Script, by: u64) {
        self.playing.send_replace(Playing::new(script, by));
    }

    /// Counts the questions for the truth: asked again, one is not answered as late as the last time.
    pub(super) fn next_question(&self) -> u64 {
        self.questions.fetch_add(1, Ordering::Relaxed)
    }

    /// Until when requests are not answered, if they are not.
    pub(super) fn hanging(&self) -> Option<Duration> {
        self.playing.borrow().away(OutageKind::Hang)
    }

    /// Waits until this connection is to be cut.
    async fn cut(&self, connection: u64) {
        let mut playing = self.playing.subscribe();
        let refused = |playing: &Playing| playing.by != connection && playing.away(OutageKind::Refuse).is_some();
        // The sender lives as long as the house.
        let _ = playing.wait_for(refused).await;
    }
}

impl Playing {
    fn new(script: Script, by: u64) -> Self {
        Self { script: Arc::new(script), begun: chrono::Utc::now(), by }
    }

    fn away(&self, wanted: OutageKind) -> Option<Duration> {
        let (kind, until) = self.script.away_until(self.begun)?;
        let left = (until - chrono::Utc::now()).to_std().ok()?;
        (kind == wanted).then_some(left)
    }
}

/// A simulated provider that runs.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    run: JoinHandle<Result<(), SimulatorError>>,
}

impl Simulator {
    /// Opens the books and listens.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn start(settings: Settings) -> Result<Self, SimulatorError> {
        let Settings { listen, ledger, script, webhook_url, webhook_secret, ignore_keys } = settings;
        if !listen.ip().is_loopback() {
            return Err(SimulatorError::NotLoopback(listen));
        }
        let url = webhook_url.map(|url| url.parse::<Uri>()).transpose()?;
        let sender = webhook_secret.map(|secret| Sender::new(url, secret));
        let (ledger, entries) = match ledger {
            Some(path) => Ledger::open(&path)?,
            None => (Ledger::in_memory(), vec![]),
        };
        let failed = |source| SimulatorError::Listen { address: listen, source };
        let listener = bind(listen).await?.listen(BACKLOG).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        let desk = Arc::new(Desk::new(Book::new(entries, ignore_keys), ledger, sender));
        let house = Arc::new(House {
            desk,
            playing: watch::Sender::new(Playing::new(script, 0)),
            questions: AtomicU64::new(0),
        });
        let stop = watch::Sender::new(false);
        let run = tokio::spawn(serve(listener, address, house, stop.subscribe()));
        Ok(Self { address, stop, run })
    }

    /// Where it listens.
    #[must_use]
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Waits until it ends by itself: when its books cannot be kept.
    ///
    /// # Errors
    /// Why it has ended.
    pub async fn ended(&mut self) -> Result<(), SimulatorError> {
        (&mut self.run).await.unwrap_or(Err(LedgerError::Stopped.into()))
    }

    /// Stops listening. What is under way is cut off, as if the machine had failed.
    pub async fn stop(self) {
        self.stop.send_replace(true);
        let _ = self.run.await;
    }
}

async fn serve(
    mut listener: TcpListener,
    address: SocketAddr,
    house: Arc<House>,
    mut stop: watch::Receiver<bool>,
) -> Result<(), SimulatorError> {
    let places = Arc::new(Semaphore::new(MOST_CONNECTIONS));
    let mut playing = house.playing.subscribe();
    let mut connections = tokio::task::JoinSet::new();
    let mut number = 0;
    loop {
        let away = playing.borrow_and_update().away(OutageKind::Refuse);
        if let Some(left) = away {
            drop(listener);
            let closed = bind(address).await?;
            tokio::select! {
                () = tokio::time::sleep(left) => {}
                _ = stop.changed() => return Ok(()),
            }
            listener = closed.listen(BACKLOG).map_err(|source| SimulatorError::Listen { address, source })?;
        }
        let accepted = async {
            // The semaphore is never closed.
            let place = places.clone().acquire_owned().await.ok();
            (listener.accept().await, place)
        };
        tokio::select! {
            (accepted, place) = accepted => match accepted {
                Ok((stream, _)) => {
                    number += 1;
                    let (house, id) = (house.clone(), number);
                    connections.spawn(async move {
                        converse(stream, house, id).await;
                        drop(place);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "a connection was not accepted");
                    tokio::time::sleep(BIND_AGAIN).await;
                }
            },
            // Those that have ended are let go of.
            Some(_) = connections.join_next() => {}
            _ = playing.changed() => {}
            () = house.desk.ledger().stopped() => return Err(LedgerError::Stopped.into()),
            _ = stop.changed() => break,
        }
    }
    connections.shutdown().await;
    Ok(())
}

/// A socket that has the port and refuses connections until it listens.
async fn bind(address: SocketAddr) -> Result<TcpSocket, SimulatorError> {
    let mut tries = 0;
    loop {
        let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() };
        let bound = socket.and_then(|socket| {
            socket.set_reuseaddr(true)?;
            socket.bind(address)?;
            Ok(socket)
        });
        match bound {
            Ok(socket) => return Ok(socket),
            Err(source) if tries == 100 => return Err(SimulatorError::Listen { address, source }),
            Err(_) => tries += 1,
        }
        tokio::time::sleep(BIND_AGAIN).await;
    }
}

async fn converse(stream: TcpStream, house: Arc<House>, id: u64) {
    if let Err(error) = stream.set_nodelay(true) {
        tracing::debug!(%error, "a connection stays with delayed packets");
    }
    let service = service_fn(|request| routes::answer(house.clone(), id, request));
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(MOST_HEADER_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        ended = connection => {
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection has ended");
            }
        }
        () = house.cut(id) => {}
    }
}
