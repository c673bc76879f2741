//! Takes connections, as many as may be, and lets none of them hold up the others.

use crate::pace::{Pace, Paced};
use crate::patient::Patient;
use api::FrontDoor;
use axum::Router;
use axum::extract::Request;
use axum::http::Method;
use axum::response::Response;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;
use tokio::io::{AsyncWriteExt, join};
use tokio::net::tcp::OwnedWriteHalf;
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::task::JoinSet;

/// Connections that wait to be taken. With the usual 128, a crowd is not even turned away: it tries again after a second.
const BACKLOG: u32 = 4_096;
/// So many bytes of answers wait in the kernel for a client who does not read them; left to itself it would keep 4 MB of each.
const UNREAD: u32 = 128 << 10;
/// The head of a request has to arrive within this time; a connection that is idle for so long is closed.
const HEAD: Duration = Duration::from_secs(15);
/// Within this time, something of an answer has to be taken.
const READ: Duration = Duration::from_secs(15);
/// After a connection could not be taken (no more file handles), for example.
const BREATH: Duration = Duration::from_millis(20);
/// Told to whoever comes when as many connections as may be are open.
const FULL: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\ncontent-type: application/problem+json\r\nretry-after: 1\r\n\
connection: close\r\ncontent-length: 123\r\n\r\n\
{\"type\":\"/problems/overloaded\",\"title\":\"Too many commands at once\",\"status\":503,\"detail\":\"too many connections are open\"}  ";

/// What is asked before anything is done for a request.
pub(crate) trait Door: Clone + Send + Sync + Unpin + 'static {
    /// The answer for what cannot be let in now.
    fn turns_away(&self, method: &Method) -> Option<Response>;

    /// Whether one more command can be let in.
    fn has_room(&self) -> bool;

    /// How many commands were done until now.
    fn done(&self) -> u64;
}

impl Door for FrontDoor {
    fn turns_away(&self, method: &Method) -> Option<Response> {
        self.turns_away(method)
    }

    fn has_room(&self) -> bool {
        self.has_room()
    }

    fn done(&self) -> u64 {
        self.done()
    }
}

/// Listens, for connections that keep little of what nobody reads.
pub(crate) fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(UNREAD)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Serves until it is told to stop; then takes no more connections, and ends when the requests in flight have ended.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    door: impl Door,
    most_connections: usize,
    mut stopping: watch::Receiver<bool>,
) {
    let places = Arc::new(Semaphore::new(most_connections.min(Semaphore::MAX_PERMITS)));
    let graceful = GracefulShutdown::new();
    let mut http = http1::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(HEAD).writev(false);
    let router = TowerToHyperService::new(router);
    let pace = Pace::default();
    let mut rounds = JoinSet::new();
    rounds.spawn(pace.clone().keep(door.clone()));
    loop {
        let stream = tokio::select! {
            accepted = accept(&listener) => accepted,
            () = told(&mut stopping) => break,
        };
        let Ok(place) = places.clone().try_acquire_owned() else {
            // The next one is not taken before: it waits at the listener.
            pace.clone().turn().await;
            tokio::spawn(turn_away(stream));
            continue;
        };
        // Answers are small and complete: waiting to fill a packet only delays them.
        if let Err(error) = stream.set_nodelay(true) {
            tracing::debug!(%error, "a connection stays with delayed packets");
        }
        let (reading, writing) = stream.into_split();
        let reading = Paced::new(reading, pace.clone(), door.clone());
        let stream = TokioIo::new(join(reading, Patient::new(writing, READ, reset)));
        let (router, door) = (router.clone(), door.clone());
        let service = service_fn(move |request: Request<Incoming>| {
            let turned_away = door.turns_away(request.method());
            answer(router.clone(), turned_away, request)
        });
        let connection = graceful.watch(http.serve_connection(stream, service));
        tokio::spawn(keep(connection, place));
    }
    drop(listener);
    graceful.shutdown().await;
}

async fn accept(listener: &TcpListener) -> TcpStream {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => return stream,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be taken");
                tokio::time::sleep(BREATH).await;
            }
        }
    }
}

async fn answer(
    router: TowerToHyperService<Router>,
    turned_away: Option<Response>,
    request: Request<Incoming>,
) -> Result<Response, Infallible> {
    if let Some(turned_away) = turned_away {
        return Ok(turned_away);
    }
    if request.method().is_safe() {
        // Who asks a hundred questions at once gets one answer at a turn.
        tokio::task::yield_now().await;
    }
    router.call(request).await
}

/// A connection that is closed with something unread at the other side stays with the kernel until that is read.
fn reset(stream: &OwnedWriteHalf) {
    if let Err(error) = stream.as_ref().set_zero_linger() {
        tracing::debug!(%error, "a connection is closed and not reset");
    }
}

/// Waits until it is told to stop. A dropped sender means that the program is ending anyway.
async fn told(stopping: &mut watch::Receiver<bool>) {
    let _ = stopping.wait_for(|stop| *stop).await;
}

async fn keep(connection: impl Future<Output = hyper::Result<()>>, _place: OwnedSemaphorePermit) {
    if let Err(error) = connection.await {
        // The other side is gone or says no HTTP: it cannot be told.
        tracing::debug!(%error, "a connection has ended");
    }
}

async fn turn_away(mut stream: TcpStream) {
    let told = tokio::time::timeout(Duration::from_secs(1), async {
        stream.write_all(FULL).await?;
        stream.shutdown().await?;
        // What is closed with something unread is reset, and the other side might never see the answer.
        tokio::io::copy(&mut stream, &mut tokio::io::sink()).await
    });
    if let Ok(Err(error)) = told.await {
        tracing::debug!(%error, "a connection was turned away without a word");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::StatusCode;
    use axum::response::IntoResponse;
    use axum::routing::get;
    use tokio::io::{AsyncReadExt, Interest};

    #[test]
    fn who_is_turned_away_is_told_in_as_many_bytes_as_are_announced() {
        let text = std::str::from_utf8(FULL).unwrap();
        let (head, body) = text.split_once("\r\n\r\n").unwrap();
        assert!(head.contains(&format!("content-length: {}", body.len())), "{}", body.len());
        let problem: serde_json::Value = serde_json::from_str(body).unwrap();
        assert_eq!(problem["type"], "/problems/overloaded");
    }

    /// Has room, and lets in only who asks.
    #[derive(Clone)]
    struct ForQuestions;

    impl Door for ForQuestions {
        fn turns_away(&self, method: &Method) -> Option<Response> {
            (method == Method::POST).then(|| StatusCode::SERVICE_UNAVAILABLE.into_response())
        }

        fn has_room(&self) -> bool {
            true
        }

        fn done(&self) -> u64 {
            0
        }
    }

    async fn answer(stream: &mut TcpStream) -> String {
        let mut bytes = vec![0; 1_024];
        let read = stream.read(&mut bytes).await.unwrap();
        String::from_utf8_lossy(&bytes[..read]).into_owned()
    }

    #[tokio::test]
    async fn as_many_connections_as_may_be_are_kept_and_one_more_is_told_to_come_back() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (stop, stopping) = watch::channel(false);
        let serving = tokio::spawn(serve(listener, Router::new(), ForQuestions, 1, stopping));
        let mut first = TcpStream::connect(address).await.unwrap();
        first.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
        assert!(answer(&mut first).await.starts_with("HTTP/1.1 404"));
        let mut second = TcpStream::connect(address).await.unwrap();
        assert!(answer(&mut second).await.starts_with("HTTP/1.1 503"));
        drop(first);
        // Its place is free once the server has noticed.
        loop {
            let mut third = TcpStream::connect(address).await.unwrap();
            third.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            if answer(&mut third).await.starts_with("HTTP/1.1 404") {
                break;
            }
        }
        stop.send_replace(true);
        serving.await.unwrap();
    }

    #[tokio::test]
    async fn who_is_turned_away_at_the_front_door_is_answered_and_keeps_the_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stop, stopping) = watch::channel(false);
        tokio::spawn(serve(listener, Router::new(), ForQuestions, 8, stopping));
        let mut stream = TcpStream::connect(address).await.unwrap();
        for _ in 0..2 {
            stream.write_all(b"POST / HTTP/1.1\r\nhost: x\r\ncontent-length: 2\r\n\r\n{}").await.unwrap();
            assert!(answer(&mut stream).await.starts_with("HTTP/1.1 503"));
            stream.write_all(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
            assert!(answer(&mut stream).await.starts_with("HTTP/1.1 404"));
        }
    }

    #[tokio::test]
    async fn the_kernel_keeps_little_for_who_reads_nothing() {
        let listener = listen("127.0.0.1:0".parse().unwrap()).unwrap();
        let _deaf = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        let (taken, _) = listener.accept().await.unwrap();
        let kept = TcpSocket::from_std_stream(taken.into_std().unwrap()).send_buffer_size().unwrap();
        // The kernel counts what it needs itself, too.
        assert!((UNREAD..=2 * UNREAD).contains(&kept), "{kept}");
    }

    #[tokio::test(start_paused = true)]
    async fn who_asks_and_reads_nothing_is_reset() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stop, stopping) = watch::channel(false);
        let router = Router::new().route("/", get(|| async { vec![b'x'; 1 << 20] }));
        tokio::spawn(serve(listener, router, ForQuestions, 8, stopping));
        let mut deaf = TcpStream::connect(address).await.unwrap();
        deaf.write_all(&b"GET / HTTP/1.1\r\nhost: x\r\n\r\n".repeat(64)).await.unwrap();
        while !deaf.ready(Interest::ERROR).await.unwrap().is_error() {}
    }

    #[tokio::test(start_paused = true)]
    async fn a_head_that_never_ends_does_not_hold_its_connection() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (_stop, stopping) = watch::channel(false);
        tokio::spawn(serve(listener, Router::new(), ForQuestions, 8, stopping));
        let mut slow = TcpStream::connect(address).await.unwrap();
        slow.write_all(b"GET / HTTP/1.1\r\nx-slow: ").await.unwrap();
        let mut rest = Vec::new();
        slow.read_to_end(&mut rest).await.unwrap();
        assert!(!String::from_utf8_lossy(&rest).contains("200"));
    }
}
