//! As little HTTP/1.1 as a load generator needs: it shares the machine with what it measures.

use std::io::{Error, ErrorKind, Result};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// A connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    /// To `127.0.0.1:8080`.
    pub(crate) async fn open(host: &str) -> Result<Self> {
        let stream = TcpStream::connect(host).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(8 << 10) })
    }

    /// Sends a request that was built before, and reads the answer up to its last byte. Answers the status code.
    pub(crate) async fn exchange(&mut self, request: &[u8]) -> Result<u16> {
        self.stream.write_all(request).await?;
        self.buffer.clear();
        loop {
            if self.stream.read_buf(&mut self.buffer).await? == 0 {
                return Err(ErrorKind::UnexpectedEof.into());
            }
            if let Some(head) = self.buffer.windows(4).position(|window| window == b"\r\n\r\n") {
                let (status, length) = read_head(&self.buffer[..head])?;
                let whole = head + 4 + length;
                while self.buffer.len() < whole {
                    if self.stream.read_buf(&mut self.buffer).await? == 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                }
                return Ok(status);
            }
        }
    }
}

fn read_head(head: &[u8]) -> Result<(u16, usize)> {
    let invalid = || Error::from(ErrorKind::InvalidData);
    let text = std::str::from_utf8(head).map_err(|_| invalid())?;
    let status = text.get(9..12).and_then(|status| status.parse().ok()).ok_or_else(invalid)?;
    let length = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        name.eq_ignore_ascii_case("content-length").then(|| value.trim().parse().ok())?
    });
    Ok((status, length.unwrap_or(0)))
}

/// A request as it goes over the wire.
pub(crate) fn post(path: &str, token: &str, body: &str) -> Vec<u8> {
    format!(
        "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {token}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    )
    .into_bytes()
}
