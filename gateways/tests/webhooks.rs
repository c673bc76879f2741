//! Outgoing webhooks: signed, and never sent inside.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use domain::WebhookId;
use gateways::webhooks::{Allowed, NotATarget, Resolver, Resolving, WebhookCourier};
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

fn courier(allowed: &[SocketAddr], resolver: impl Resolver) -> WebhookCourier {
    WebhookCourier::new(Arc::new(|_| Some(secret())), allowed.iter().copied().collect(), Arc::new(resolver))
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
    let courier = courier(&[address], Fake::new(&[&[]]));
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
        let courier = courier(&[address], Fake::new(&[&[]]));
        let carried = courier.carry(parcel(&format!("http://{address}/"))).await;
        assert_eq!(carried, expected, "{answer}");
    }
    assert_eq!(listener.connections(), 0);
}

/// Everything that is this machine's loopback, in every notation; and the rest of what is not the outside world.
const HOSTS: &[&str] = &[
    "127.0.0.1",
    "127.0.0.1.",
    "127.0.0.2",
    "127.1",
    "127.0.1",
    "2130706433",
    "2130706433.",
    "0x7f000001",
    "0x7F000001",
    "0x7f.0.0.1",
    "0x7f.0x0.0x0.0x1",
    "0177.0.0.1",
    "0177.0.0.01",
    "017700000001",
    "0x7f.1",
    "127.0.0.01",
    "１２７.0.0.1",
    "①②⑦.0.0.1",
    "127。0。0。1",
    "%31%32%37.0.0.1",
    "127.0.0.1%2e",
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
    "[::ffff:0:127.0.0.1]",
    "[64:ff9b::127.0.0.1]",
    "[64:ff9b:1::127.0.0.1]",
    "[2002:7f00:1::]",
    "[2002:a00:1::1]",
    "[2001:0:7f00:1::]",
    "[fe80::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[ff02::1]",
    "[2001:db8::1]",
    "169.254.169.254",
    "0xa9fea9fe",
    "169.254.43518",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.254",
    "192.168.0.1",
    "100.64.0.1",
    "198.18.0.1",
    "198.19.255.254",
    "192.0.0.1",
    "192.0.2.1",
    "198.51.100.1",
    "203.0.113.1",
    "192.88.99.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
];

#[tokio::test]
async fn no_notation_of_an_inner_address_makes_a_connection() {
    let (address, listener) = Listener::on("127.0.0.1:0", OK).await;
    let elsewhere = SocketAddr::new(address.ip(), address.port() ^ 1);
    let port = address.port();
    // With another port allowed, nothing is different.
    for allowed in [&[][..], &[elsewhere]] {
        let courier = courier(allowed, gateways::webhooks::SystemResolver);
        for host in HOSTS {
            for scheme in ["http", "https"] {
                let carried = courier.carry(parcel(&format!("{scheme}://{host}:{port}/"))).await;
                assert!(matches!(carried, Carried::Refused { .. }), "{scheme}://{host}: {carried:?}");
            }
        }
        for url in [
            format!("http://127.0.0.1:{port}@told.example.org/"),
            format!("https://told.example.org@127.0.0.1:{port}/"),
            format!("https://told.example.org:443@127.0.0.1:{port}/"),
            format!("https://told.example.org\\@127.0.0.1:{port}/"),
            format!("https://127.0.0.1:{port}\\@told.example.org/"),
            format!("https://127.0.0.1:{port}#@told.example.org/"),
            format!("https://127.0.0.1:{port}?@told.example.org/"),
            format!("https:127.0.0.1:{port}/"),
            format!("https:\\\\127.0.0.1:{port}/"),
            format!("ht\ntps://127.0.\t0.1:{port}/"),
            format!("  https://127.0.0.1:{port}/"),
            format!("//127.0.0.1:{port}/"),
        ] {
            let carried = courier.carry(parcel(&url)).await;
            assert!(matches!(carried, Carried::Refused { .. }), "{url}: {carried:?}");
        }
    }
    assert_eq!(listener.connections(), 0);
    // It does count.
    let courier = courier(&[address], gateways::webhooks::SystemResolver);
    assert_eq!(courier.carry(parcel(&format!("http://0x7f.1:{port}/"))).await, Carried::Taken);
    assert_eq!(listener.connections(), 1);
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
        let courier = courier(&[], resolver.clone());
        let url = format!("https://told.example.org:{}/", address.port());
        let expected = Carried::Refused { reason: "it leads to an inner network".to_owned() };
        assert_eq!(courier.carry(parcel(&url)).await, expected, "{addresses:?}");
        assert_eq!(resolver.asked.load(Ordering::Acquire), 1);
    }
    assert_eq!(listener.connections(), 0);
}

/// The first address stands for one in the outside world: it may be connected to, and the second may not.
#[tokio::test]
async fn a_name_that_moves_inside_after_it_was_looked_at_is_not_followed() {
    let (first, looked_at) = Listener::on("127.0.0.1:0", OK).await;
    let second = SocketAddr::new(Ipv4Addr::new(127, 0, 0, 2).into(), first.port());
    let (_, moved_to) = Listener::on(&second.to_string(), OK).await;
    let resolver = Fake::new(&[&["127.0.0.1"], &["127.0.0.2"]]);
    let courier = courier(&[first], resolver.clone());
    let parcel = parcel(&format!("https://told.example.org:{}/", first.port()));
    // It does not speak TLS, and so is told nothing; but it is the one that was connected to, and nobody was asked a second time.
    assert_eq!(courier.carry(parcel.clone()).await, Carried::Refused { reason: "no connection".to_owned() });
    assert_eq!(resolver.asked.load(Ordering::Acquire), 1);
    assert_eq!((looked_at.connections(), moved_to.connections()), (1, 0));
    assert!(!looked_at.requests.lock().unwrap().iter().any(|sent| sent.contains("RentalConfirmed")));

    let refused = Carried::Refused { reason: "it leads to an inner network".to_owned() };
    assert_eq!(courier.carry(parcel).await, refused);
    assert_eq!(resolver.asked.load(Ordering::Acquire), 2);
    assert_eq!((looked_at.connections(), moved_to.connections()), (1, 0));
}

#[test]
fn only_web_servers_are_told_and_nobody_with_a_password() {
    for (url, expected) in [
        ("https://told.example.org/a?b=c", Ok(())),
        ("https://told.example.org:8080", Ok(())),
        ("http://told.example.org/", Err(NotATarget::Scheme)),
        ("http://8.8.8.8:8080/", Err(NotATarget::Scheme)),
        ("https://8.8.8.8:8443/", Ok(())),
        ("https://xn--9t4b11yi5a.example/", Ok(())),
        ("ftp://told.example.org/", Err(NotATarget::Scheme)),
        ("file:///etc/passwd", Err(NotATarget::Scheme)),
        ("javascript:alert(1)", Err(NotATarget::Scheme)),
        ("https://user@told.example.org/", Err(NotATarget::Credentials)),
        ("https://user:password@told.example.org/", Err(NotATarget::Credentials)),
        ("https://:password@told.example.org/", Err(NotATarget::Credentials)),
        ("https://told.example.org:22/", Err(NotATarget::Port)),
        ("https://told.example.org:25/", Err(NotATarget::Port)),
        ("https://told.example.org:1023/", Err(NotATarget::Port)),
        ("https://127.0.0.1/", Err(NotATarget::Inner)),
        ("https://[::ffff:8.8.8.8]/", Err(NotATarget::Inner)),
        ("https://", Err(NotATarget::Unreadable)),
        ("told.example.org", Err(NotATarget::Unreadable)),
        ("", Err(NotATarget::Unreadable)),
    ] {
        assert_eq!(WebhookCourier::check(url, &Allowed::default()), expected, "{url}");
    }
    let long = format!("https://told.example.org/{}", "a".repeat(2_048));
    assert_eq!(WebhookCourier::check(&long, &Allowed::default()), Err(NotATarget::Unreadable));
    let allowed: Allowed = ["127.0.0.1:80", "[::1]:9000"].map(|address| address.parse().unwrap()).into_iter().collect();
    for (url, expected) in [
        ("http://127.0.0.1/", Ok(())),
        ("http://[::1]:9000/", Ok(())),
        ("https://[::1]:9000/", Ok(())),
        ("https://127.0.0.1/", Err(NotATarget::Inner)),
        ("http://127.0.0.1:9000/", Err(NotATarget::Scheme)),
        ("http://user@127.0.0.1/", Err(NotATarget::Credentials)),
        ("http://localhost/", Err(NotATarget::Scheme)),
    ] {
        assert_eq!(WebhookCourier::check(url, &allowed), expected, "{url}");
    }
}
