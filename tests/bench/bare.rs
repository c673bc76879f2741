//! The bare limit: the same HTTP server and the same journal, one append of so many
//! events a request, nothing in between. Run as a process of its own, as the program is.

use crate::load::Requests;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::routing::post;
use harness::wire;
use journal::postgres::PostgresAddress;
use journal::{Append, Context, Expected, Journal, NewEvent};
use serde_json::json;
use std::ffi::OsStr;
use std::process::Stdio;
use std::sync::Arc;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};
use uuid::Uuid;

/// The first argument that makes this program the server.
pub(crate) const SUBCOMMAND: &str = "serve-bare-limit";

/// The server, in a process that ends with this value.
pub(crate) struct Server {
    address: String,
    child: Child,
    _directory: TempDir,
}

impl Server {
    /// On PostgreSQL, or else on a file.
    pub(crate) async fn start(database: Option<&str>, events: usize) -> Self {
        let directory = tempfile::tempdir().expect("room for temporary files");
        let mut command = Command::new(std::env::current_exe().expect("this program has a path"));
        let place = database.map_or(directory.path().as_os_str(), OsStr::new);
        command
            .arg(SUBCOMMAND)
            .arg(place)
            .arg(events.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .kill_on_drop(true);
        let mut child = command.spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = lines.next_line().await.expect("it can be read").expect("it says where it listens");
        Self { address, child, _directory: directory }
    }

    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id().expect("it is running")
    }

    #[expect(clippy::unused_self, reason = "there are requests only for a server that is there")]
    pub(crate) fn requests(&self) -> Requests {
        // As large as a booking and its token.
        let body = json!({ "item": Uuid::nil(), "from": "2026-07-01", "to": "2026-07-04" }).to_string();
        vec![wire::post("/append", &"t".repeat(250), &body)].into()
    }
}

/// Serves until it is killed.
pub(crate) fn serve() {
    let place = std::env::args().nth(2).expect("a directory or a database");
    let events = std::env::args().nth(3).and_then(|events| events.parse().ok()).expect("how many events");
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let journal = match place.parse::<PostgresAddress>() {
            Ok(database) => Journal::connect(&database).await.expect("an empty database"),
            Err(_) => Journal::open(place.as_ref()).expect("an empty directory"),
        };
        let app = Router::new().route("/append", post(append)).with_state((journal, events));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        println!("{}", listener.local_addr().unwrap());
        axum::serve(listener, app).await.expect("it serves");
    });
}

type Answer = (StatusCode, [(header::HeaderName, &'static str); 1], String);

async fn append(State((journal, events)): State<(Journal, usize)>, body: Bytes) -> Answer {
    let id = Uuid::now_v7();
    let event = |_| NewEvent {
        id: Uuid::now_v7(),
        event_type: "Appended".to_owned(),
        version: 1,
        payload: String::from_utf8(body.to_vec()).unwrap_or_default(),
        decoded: None,
    };
    let context = Context {
        command_id: id,
        correlation_id: id.to_string().into(),
        causation_id: None,
        actor: Arc::from("customer:bench"),
        seen_revision: None,
        fence: None,
    };
    let stream = format!("bare-{id}").into();
    let append = Append {
        stream,
        expected: Expected::Revision(0),
        events: (0..events).map(event).collect(),
        context,
        basis: None,
    };
    let json = [(header::CONTENT_TYPE, "application/json")];
    match journal.append(append).await {
        Ok(appended) => (StatusCode::CREATED, json, json!({ "id": id, "position": appended.position }).to_string()),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, json, error.to_string()),
    }
}
