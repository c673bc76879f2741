//! Outgoing webhooks: signed, and never sent inside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::WebhookId;
use gateways::webhooks::{Inner, NotATarget, Resolver, Resolving, WebhookCourier};
use gateways::{Secret, verify};
use sagas::webhooks::{Carried, Courier, Parcel};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use uuid::Uuid;

/// A web server that answers everybody the same, and keeps what it was sent.
#[derive(Clone, Default)]
struct Listener {
    connections: Arc<AtomicUsize>,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Listener {
    async fn on(address: &str, answer: &'static str) -> (SocketAddr, Self) {
        let (socket, listener) = (TcpListener::bind(address).await.unwrap(), Self::default());
        let (local, kept) = (socket.local_addr().unwrap(), listener.clone());
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = socket.accept().await {
                kept.connections.fetch_add(1, Ordering::AcqRel);
                let kept = kept.clone();
                tokio::spawn(async move {
                    let mut read = vec![0; 65_536];
                    let length = stream.read(&mut read).await.unwrap_or_default();
                    kept.requests.lock().unwrap().push(String::from_utf8_lossy(&read[..length]).into_owned());
                    let _ = stream.write_all(answer.as_bytes()).await;
                });
            }
        });
        (local, listener)
    }

    fn connections(&self) -> usize {
        self.connections.load(Ordering::Acquire)
    }
}

/// Answers what it is told, one answer after the other, the last one again and again.
#[derive(Clone)]
struct Fake {
    answers: Vec<Vec<IpAddr>>,
    asked: Arc<AtomicUsize>,
}

impl Fake {
    fn new(answers: &[&[&str]]) -> Self {
        let addresses = |texts: &&[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        Self { answers: answers.iter().map(addresses).collect(), asked: Arc::default() }
    }
}

impl Resolver for Fake {
    fn resolve(&self, _: String) -> Resolving {
        let asked = self.asked.fetch_add(1, Ordering::AcqRel);
        let answer = self.answers[asked.min(self.answers.len() - 1)].clone();
        Box::pin(async move { Ok(answer) })
    }
}

fn secret() -> Secret {
    Secret::new("whsec_of_a_test").unwrap()
}

fn courier(inner: Inner, resolver: impl Resolver) -> WebhookCourier {
    WebhookCourier::new(Arc::new(|_| Some(secret())), inner, Arc::new(resolver))
}

fn parcel(url: &str) -> Parcel {
    Parcel {
        webhook: WebhookId(Uuid::from_u128(1)),
        url: url.to_owned(),
        event: Uuid::from_u128(2),
        position: 42,
        body: r#"{"type":"RentalConfirmed"}"#.to_owned(),
    }
}

const OK: &str = "HTTP/1.1 204 No Content\r\n\r\n";

#[tokio::test]
async fn an_event_is_signed_and_named_and_taken() {
    let (address, listener) = Listener::on("127.0.0.1:0", OK).await;
    let courier = courier(Inner::Allowed, Fake::new(&[&[]]));
    assert_eq!(courier.carry(parcel(&format!("http://{address}/told?by=us#part"))).await, Carried::Taken);
    let request = listener.requests.lock().unwrap()[0].clone();
    let (head, body) = request.split_once("\r\n\r\n").unwrap();
    assert!(head.starts_with("POST /told?by=us HTTP/1.1\r\n"), "{head}");
    let header = |name: &str| {
        let line = head.lines().find_map(|line| line.strip_prefix(&format!("{name}: ")));
        line.unwrap_or_else(|| panic!("no {name}: {head}"))
    };
    assert_eq!(header("reservoir-event-id"), Uuid::from_u128(2).to_string());
    assert_eq!(header("reservoir-position"), "42");
    verify(&secret(), header("reservoir-signature"), body.as_bytes(), chrono::Utc::now()).unwrap();
}

#[tokio::test]
async fn what_is_answered_is_what_has_become_of_it_and_no_answer_leads_elsewhere() {
    let refused = |reason: &str| Carried::Refused { reason: reason.to_owned() };
    let (elsewhere, listener) = Listener::on("127.0.0.1:0", OK).await;
    let location: &'static str =
        Box::leak(format!("HTTP/1.1 307 Go\r\nLocation: http://{elsewhere}/\r\nContent-Length: 0\r\n\r\n").into());
    for (answer, expected) in [
        ("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}", Carried::Taken),
        ("HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n", Carried::Gone),
        ("HTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n", refused("it answered 500")),
        ("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", refused("it answered 404")),
        ("SSH-2.0-OpenSSH_9.6\r\n", refused("no answer")),
        (location, refused("it answered 307")),
        // Longer than anybody would read, and cut off.
        ("HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\nabc", Carried::Taken),
    ] {
        let (address, _) = Listener::on("127.0.0.1:0", answer).await;
        let courier = courier(Inner::Allowed, Fake::new(&[&[]]));
        let carried = courier.carry(parcel(&format!("http://{address}/"))).await;
        assert_eq!(carried, expected, "{answer}");
    }
    assert_eq!(listener.connections(), 0);
}

#[tokio::test]
async fn no_notation_of_an_inner_address_makes_a_connection() {
    let (address, listener) = Listener::on("127.0.0.1:0", OK).await;
    let courier = courier(Inner::Refused, gateways::webhooks::SystemResolver);
    let port = address.port();
    for host in [
        "127.0.0.1",
        "127.0.0.1.",
        "127.1",
        "127.0.1",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "017700000001",
        "0x7f.1",
        "127.0.0.01",
        "１２７.0.0.1",
        "127。0。0。1",
        "%31%32%37.0.0.1",
        "0",
        "0.0.0.0",
        "0x0",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "ip6-localhost",
        "[::1]",
        "[::]",
        "[0:0:0:0:0:0:0:1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "[::127.0.0.1]",
        "[64:ff9b::127.0.0.1]",
        "[2002:7f00:1::]",
        "[2001:0:7f00:1::]",
        "[fe80::1]",
        "169.254.169.254",
        "0xa9fea9fe",
        "10.0.0.1",
        "192.168.0.1",
        "100.64.0.1",
        "224.0.0.1",
        "255.255.255.255",
    ] {
        let carried = courier.carry(parcel(&format!("http://{host}:{port}/"))).await;
        assert!(matches!(carried, Carried::Refused { .. }), "{host}: {carried:?}");
    }
    assert_eq!(listener.connections(), 0);
}

#[tokio::test]
async fn no_name_that_leads_inside_makes_a_connection() {
    let (address, listener) = Listener::on("127.0.0.1:0", OK).await;
    for addresses in [
        &["127.0.0.1"][..],
        &["::1"],
        &["::ffff:127.0.0.1"],
        &["10.1.2.3"],
        // One of them is one too many, wherever it stands.
        &["8.8.8.8", "127.0.0.1"],
        &["127.0.0.1", "8.8.8.8"],
    ] {
        let resolver = Fake::new(&[addresses]);
        let courier = courier(Inner::Refused, resolver.clone());
        for scheme in ["http", "https"] {
            let url = format!("{scheme}://told.example.org:{}/", address.port());
            let expected = Carried::Refused { reason: "it leads to an inner network".to_owned() };
            assert_eq!(courier.carry(parcel(&url)).await, expected, "{scheme} {addresses:?}");
        }
        assert_eq!(resolver.asked.load(Ordering::Acquire), 2);
    }
    assert_eq!(listener.connections(), 0);
}

#[tokio::test]
async fn a_name_is_resolved_once_and_what_was_looked_at_is_connected_to() {
    let (first, looked_at) = Listener::on("127.0.0.1:0", OK).await;
    let second = SocketAddr::new(Ipv4Addr::new(127, 0, 0, 2).into(), first.port());
    let (_, moved_to) = Listener::on(&second.to_string(), OK).await;
    let resolver = Fake::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let courier = courier(Inner::Allowed, resolver.clone());
    let url = format!("http://told.example.org:{}/", first.port());
    assert_eq!(courier.carry(parcel(&url)).await, Carried::Taken);
    assert_eq!(resolver.asked.load(Ordering::Acquire), 1);
    assert_eq!((looked_at.connections(), moved_to.connections()), (1, 0));
}

#[test]
fn only_web_servers_are_told_and_nobody_with_a_password() {
    for (url, expected) in [
        ("https://told.example.org/a?b=c", Ok(())),
        ("http://told.example.org:8080", Ok(())),
        ("https://8.8.8.8:8443/", Ok(())),
        ("https://xn--9t4b11yi5a.example/", Ok(())),
        ("ftp://told.example.org/", Err(NotATarget::Scheme)),
        ("file:///etc/passwd", Err(NotATarget::Scheme)),
        ("javascript:alert(1)", Err(NotATarget::Scheme)),
        ("https://user@told.example.org/", Err(NotATarget::Credentials)),
        ("https://user:password@told.example.org/", Err(NotATarget::Credentials)),
        ("https://:password@told.example.org/", Err(NotATarget::Credentials)),
        ("http://told.example.org:22/", Err(NotATarget::Port)),
        ("http://told.example.org:25/", Err(NotATarget::Port)),
        ("https://told.example.org:1023/", Err(NotATarget::Port)),
        ("https://127.0.0.1/", Err(NotATarget::Inner)),
        ("https://[::ffff:8.8.8.8]/", Err(NotATarget::Inner)),
        ("https://", Err(NotATarget::Unreadable)),
        ("told.example.org", Err(NotATarget::Unreadable)),
        ("", Err(NotATarget::Unreadable)),
    ] {
        assert_eq!(WebhookCourier::check(url, Inner::Refused), expected, "{url}");
    }
    let long = format!("https://told.example.org/{}", "a".repeat(2_048));
    assert_eq!(WebhookCourier::check(&long, Inner::Refused), Err(NotATarget::Unreadable));
    assert_eq!(WebhookCourier::check("http://127.0.0.1:8080/", Inner::Allowed), Ok(()));
}
