//! A wire to the database that can be cut at the worst moments.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UnixStream};

/// What goes wrong next, once.
#[derive(Clone, Copy, PartialEq)]
#[repr(u8)]
pub enum Cut {
    Nothing = 0,
    /// The next request does not arrive.
    BeforeTheRequest = 1,
    /// The next request arrives and is done, and its answer is lost.
    BeforeTheAnswer = 2,
}

pub struct Wire {
    pub port: u16,
    next: Arc<AtomicU8>,
}

impl Wire {
    pub async fn to(socket: PathBuf) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let next = Arc::new(AtomicU8::new(Cut::Nothing as u8));
        let cuts = next.clone();
        tokio::spawn(async move {
            while let Ok((client, _)) = listener.accept().await {
                let Ok(server) = UnixStream::connect(&socket).await else { continue };
                tokio::spawn(carry(client, server, cuts.clone()));
            }
        });
        Self { port, next }
    }

    pub fn cut(&self, cut: Cut) {
        self.next.store(cut as u8, Ordering::SeqCst);
    }

    pub fn is_cut(&self) -> bool {
        self.next.load(Ordering::SeqCst) == Cut::Nothing as u8
    }
}

/// Only what carries an insert is worth cutting: the statement's values, and the answer to them.
async fn carry(mut client: TcpStream, mut server: UnixStream, cuts: Arc<AtomicU8>) {
    let (mut from_client, mut from_server) = (vec![0; 65_536], vec![0; 65_536]);
    let mut deaf = false;
    loop {
        tokio::select! {
            read = client.read(&mut from_client) => {
                let Ok(read @ 1..) = read else { return };
                let is_append = from_client[..read].windows(6).any(|part| part == b"marked");
                if is_append {
                    let cut = cuts.swap(Cut::Nothing as u8, Ordering::SeqCst);
                    if cut == Cut::BeforeTheRequest as u8 {
                        return;
                    }
                    deaf = cut == Cut::BeforeTheAnswer as u8;
                }
                if server.write_all(&from_client[..read]).await.is_err() {
                    return;
                }
            }
            read = server.read(&mut from_server) => {
                let Ok(read @ 1..) = read else { return };
                if deaf || client.write_all(&from_server[..read]).await.is_err() {
                    return;
                }
            }
        }
    }
}
