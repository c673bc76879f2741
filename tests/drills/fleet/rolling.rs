//! Two API processes behind HAProxy are restarted one after the other while a hundred users book: none of them notices.

use super::{Fleet, Roles};
use crate::Options;
use crate::audit::Audit;
use crate::books;
use crate::report::{Report, seconds};
use crate::users::{self, Answer};
use harness::eventually;
use std::net::TcpListener;
use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixStream;
use tokio::process::{Child, Command};

const USERS: usize = 100;
const ROLES: [Roles; 3] = [("api-1", "api"), ("api-2", "api"), ("rest", "sagas,projections")];
/// Longer than the gateway takes to see that a process is on its way out.
const DRAIN_MS: u64 = 1_500;

/// HAProxy in front of two processes.
struct Gateway {
    port: u16,
    directory: TempDir,
    _child: Child,
}

pub(crate) async fn run(options: &Options) -> Report {
    let mut report = Report::new("rolling: two API processes behind HAProxy are restarted in turn, 100 users");
    let rounds = if options.short { 1 } else { 3 };
    let ports: Vec<u16> = (0..3).map(|_| free_port()).collect();
    let listen = |port: u16| {
        ["--listen", &format!("127.0.0.1:{port}"), "--drain-ms", &DRAIN_MS.to_string()].map(str::to_owned).to_vec()
    };
    let mut fleet = Fleet::start(&ROLES, &[("api-1", listen(ports[0])), ("api-2", listen(ports[1]))]).await;
    let item = fleet.found().await;
    let gateway = Gateway::start(ports[2], [ports[0], ports[1]]).await;
    let client = fleet.client("api-1").at(format!("http://127.0.0.1:{}", gateway.port));
    (0..USERS).for_each(|user| drop(client.data().token(&users::principal(user))));
    let (begun, stop) = (Instant::now(), tokio::sync::watch::Sender::new(false));
    let booking = tokio::spawn(users::book_until(client.clone(), item, USERS, begun, stop.subscribe()));
    for _ in 0..rounds {
        for api in ["api-1", "api-2"] {
            tokio::time::sleep(Duration::from_secs(2)).await;
            let code = fleet.stop(api).await;
            report.holds(&format!("`{api}` drains and ends well"), code == Some(0), format!("{code:?}"));
            fleet.restart(api).await;
            eventually("the gateway sees it again", async || gateway.sees_both().await.then_some(())).await;
        }
    }
    tokio::time::sleep(Duration::from_secs(2)).await;
    stop.send_replace(true);
    let answers: Vec<Answer> = booking.await.expect("they have booked");
    let confirmed = users::count(&answers, 201);
    report.row("restarts", rounds * 2);
    report.row("time", seconds(begun.elapsed()));
    report.row("bookings", answers.len());
    report.row("confirmed (201)", confirmed);
    let longest = answers.iter().map(|answer| answer.took).max().unwrap_or_default();
    report.row("longest wait", seconds(longest));
    let mut failed: Vec<_> = answers.iter().filter_map(|answer| answer.otherwise.as_deref()).collect();
    failed.sort_unstable();
    failed.dedup();
    report.holds(
        "no request has failed",
        confirmed == answers.len(),
        format!("{} have: {failed:?} …", answers.len() - confirmed),
    );
    let mut audit = Audit::default();
    books::at_rest(&client, &mut audit, Duration::from_secs(120)).await;
    report.holds("a rental for each answer", audit.rentals() == answers.len(), audit.rentals());
    let client = fleet.client("api-1");
    fleet.judge(&client, &audit, &mut report).await;
    report
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("an address").port()
}

impl Gateway {
    async fn start(port: u16, [first, second]: [u16; 2]) -> Self {
        let directory = tempfile::Builder::new().prefix("reservoir-gateway-").tempdir().expect("a temporary directory");
        let socket = directory.path().join("stats.sock");
        let configuration = format!(
            "global\n  stats socket {}\n\
             defaults\n  mode http\n  timeout connect 2s\n  timeout client 60s\n  timeout server 60s\n  timeout check 5s\n  option redispatch\n\
             frontend all\n  bind 127.0.0.1:{port}\n  default_backend api\n\
             backend api\n  balance leastconn\n  option httpchk GET /health/ready\n  http-check expect status 200\n  retries 3\n\
             \x20 default-server check inter 200ms fall 1 rise 1\n\
             \x20 server api-1 127.0.0.1:{first}\n  server api-2 127.0.0.1:{second}\n",
            socket.display()
        );
        let file = directory.path().join("haproxy.cfg");
        std::fs::write(&file, configuration).expect("a file");
        let mut command = Command::new(haproxy());
        command.arg("-db").arg("-f").arg(&file).stdout(Stdio::null()).stderr(Stdio::null()).kill_on_drop(true);
        let gateway = Self { port, directory, _child: command.spawn().expect("HAProxy is installed by tests/run") };
        eventually("the gateway sees both", async || gateway.sees_both().await.then_some(())).await;
        gateway
    }

    /// Whether both processes are in use.
    async fn sees_both(&self) -> bool {
        let Ok(mut socket) = UnixStream::connect(self.directory.path().join("stats.sock")).await else { return false };
        let mut text = String::new();
        let asked = async {
            socket.write_all(b"show stat\n").await?;
            socket.read_to_string(&mut text).await
        };
        asked.await.is_ok()
            && ["api,api-1,", "api,api-2,"]
                .iter()
                .all(|name| text.lines().any(|line| line.starts_with(name) && line.contains(",UP,")))
    }
}

fn haproxy() -> PathBuf {
    let packaged = PathBuf::from("/usr/sbin/haproxy");
    if packaged.is_file() { packaged } else { PathBuf::from("haproxy") }
}
