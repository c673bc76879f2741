//! A server that keeps what it was sent and answers as it was told, and a request by hand.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]
#![allow(dead_code, reason = "each test uses a part of this")]

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::header::{CONTENT_TYPE, HeaderMap};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::client::legacy::Client;
use hyper_util::rt::{TokioExecutor, TokioIo};
use std::convert::Infallible;
use std::sync::{Arc, Mutex};
use tokio::net::TcpListener;
use tokio::sync::watch;

/// What came in.
#[derive(Debug, Clone)]
pub(crate) struct Received {
    /// `POST /v1/…`
    pub(crate) line: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// What to say to it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Says {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(&'static str, &'static str)>,
    pub(crate) body: String,
}

impl Says {
    pub(crate) fn json(status: u16, body: impl Into<String>) -> Self {
        Self { status, headers: vec![], body: body.into() }
    }
}

/// The server.
pub(crate) struct Recorder {
    pub(crate) address: String,
    received: Arc<Mutex<Vec<Received>>>,
    count: watch::Receiver<usize>,
}

impl Recorder {
    /// Answers the nth request, from 0, as the function says.
    pub(crate) async fn start(answer: impl Fn(usize, &Received) -> Says + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (received, answer) = (Arc::new(Mutex::new(Vec::new())), Arc::new(answer));
        let (counted, count) = watch::channel(0);
        let counted = Arc::new(counted);
        let kept = received.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, answer, counted) = (kept.clone(), answer.clone(), counted.clone());
                let service = service_fn(move |request: Request<hyper::body::Incoming>| {
                    let (kept, answer, counted) = (kept.clone(), answer.clone(), counted.clone());
                    async move {
                        let line = format!("{} {}", request.method(), request.uri());
                        let headers = request.headers().clone();
                        let body = request.into_body().collect().await.unwrap().to_bytes();
                        let one = Received { line, headers, body: String::from_utf8(body.to_vec()).unwrap() };
                        let says = {
                            let mut kept = kept.lock().unwrap();
                            kept.push(one.clone());
                            answer(kept.len() - 1, &one)
                        };
                        counted.send_modify(|count| *count += 1);
                        let mut response = Response::builder().status(says.status);
                        for (name, value) in says.headers {
                            response = response.header(name, value);
                        }
                        Ok::<_, Infallible>(response.body(Full::new(Bytes::from(says.body))).unwrap())
                    }
                });
                tokio::spawn(async move {
                    hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service).await
                });
            }
        });
        Self { address, received, count }
    }

    /// Waits until so many requests have come, and gives them all.
    pub(crate) async fn received(&self, least: usize) -> Vec<Received> {
        self.count.clone().wait_for(|count| *count >= least).await.unwrap();
        self.received.lock().unwrap().clone()
    }
}

/// One request by hand; the status and the body of the answer.
pub(crate) async fn ask(
    method: &str,
    url: String,
    headers: &[(&str, &str)],
    body: &str,
) -> Result<(u16, String), String> {
    let mut request = Request::builder().method(method).uri(url).header(CONTENT_TYPE, "application/json");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let client = Client::builder(TokioExecutor::new()).build_http();
    let response = client.request(request.body(Full::new(Bytes::from(body.to_owned()))).unwrap()).await;
    let response = response.map_err(|error| format!("{error:?}"))?;
    let status = response.status().as_u16();
    let body = response.into_body().collect().await.map_err(|error| error.to_string())?.to_bytes();
    Ok((status, String::from_utf8(body.to_vec()).unwrap()))
}
