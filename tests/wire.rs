//! As little HTTP/1.1 as a load generator needs: it shares the machine with what it measures.

use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt, Interest};
use tokio::net::TcpStream;

/// A connection that is kept.
#[derive(Debug)]
pub struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What a load generator looks at of an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Answer {
    /// The status code.
    pub status: u16,
    /// After how many seconds to come back, where that is said.
    pub retry_after_s: Option<u64>,
    length: usize,
}

impl Connection {
    /// To `127.0.0.1:8080`.
    ///
    /// # Errors
    /// When nobody listens there.
    pub async fn open(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(2 << 10) })
    }

    /// Sends bytes that need not be a whole request.
    ///
    /// # Errors
    /// When the connection has ended.
    pub async fn send(&mut self, bytes: &[u8]) -> Result<()> {
        self.stream.write_all(bytes).await
    }

    /// Waits, without reading anything, until the other side has given the connection up.
    pub async fn is_reset(&self) {
        // What has come makes it ready to be read; only an error or the end tells that it is over.
        while self.stream.ready(Interest::ERROR).await.is_ok_and(|ready| !ready.is_error()) {}
    }

    /// Sends a request that was built before, and reads the answer up to its last byte.
    ///
    /// # Errors
    /// When the connection ends before.
    pub async fn exchange(&mut self, request: &[u8]) -> Result<Answer> {
        self.send(request).await?;
        self.answer().await
    }

    /// Reads an answer up to its last byte.
    ///
    /// # Errors
    /// When the connection ends before.
    pub async fn answer(&mut self) -> Result<Answer> {
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let answer = read_head(&self.buffer[..head])?;
                let whole = head + 4 + answer.length;
                while self.buffer.len() < whole {
                    if self.stream.read_buf(&mut self.buffer).await? == 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                return Ok(answer);
            }
        }
    }
}

fn read_head(head: &[u8]) -> Result<Answer> {
    let invalid = || Error::from(ErrorKind::InvalidData);
    let text = std::str::from_utf8(head).map_err(|_| invalid())?;
    let status = text.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(invalid)?;
    let mut answer = Answer { status, retry_after_s: None, length: 0 };
    for (name, value) in text.lines().filter_map(|line| line.split_once(':')) {
        if name.eq_ignore_ascii_case("content-length") {
            answer.length = value.trim().parse().map_err(|_| invalid())?;
        } else if name.eq_ignore_ascii_case("retry-after") {
            answer.retry_after_s = value.trim().parse().ok();
        }
    }
    Ok(answer)
}

/// A request as it goes over the wire.
#[must_use]
pub fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}

/// A question as it goes over the wire.
#[must_use]
pub fn get(path: &str, token: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\r\n").into_bytes()
}
