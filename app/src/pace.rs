//! While no command can be let in, connections are read at the pace at which commands are done.
//!
//! To turn somebody away costs a processor's time too. People who ask again at once when they are turned away can ask so often
//! that nothing else is done any more: their next question has to wait in the network for its turn.

use crate::serving::Door;
use std::future::Future;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;
use tokio::io::{AsyncRead, ReadBuf};
use tokio::net::tcp::OwnedReadHalf;
use tokio::sync::{Notify, Semaphore};

const ROUND: Duration = Duration::from_millis(10);
/// That many turns are there in each round, even when nothing is done.
const LEAST: usize = 64;
/// So many turns for each command that was done: one for the next that is let in, the others for who is turned away.
const FOR_EACH_DONE: u64 = 4;

/// The turns of one round after the other. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pace {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    turns: Semaphore,
    /// Somebody has taken a turn, or waits for one.
    taken: Notify,
}

impl Default for Inner {
    fn default() -> Self {
        Self { turns: Semaphore::new(LEAST), taken: Notify::new() }
    }
}

impl Pace {
    /// A turn, if there is one left in this round.
    fn try_turn(&self) -> bool {
        self.inner.taken.notify_one();
        self.inner.turns.try_acquire().map(|turn| turn.forget()).is_ok()
    }

    /// A turn, of this round or of the first that has one left. Who has waited longest is the next.
    pub(crate) async fn turn(self) {
        self.inner.taken.notify_one();
        // The semaphore is never closed.
        if let Ok(turn) = self.inner.turns.acquire().await {
            turn.forget();
        }
    }

    /// Begins one round after the other, for as long as turns are taken.
    pub(crate) async fn keep(self, door: impl Door) {
        let turns = &self.inner.turns;
        loop {
            if turns.available_permits() > 0 {
                self.inner.taken.notified().await;
            }
            let done = door.done();
            tokio::time::sleep(ROUND).await;
            let done = usize::try_from((door.done() - done) * FOR_EACH_DONE).unwrap_or(usize::MAX);
            turns.add_permits(done.max(LEAST).saturating_sub(turns.available_permits()));
        }
    }
}

/// What is read of a connection, at that pace.
pub(crate) struct Paced<D> {
    stream: OwnedReadHalf,
    pace: Pace,
    door: D,
    waiting: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl<D: Door> Paced<D> {
    pub(crate) const fn new(stream: OwnedReadHalf, pace: Pace, door: D) -> Self {
        Self { stream, pace, door, waiting: None }
    }

    /// Ready when something can be read and may be.
    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waiting.is_none() {
            if self.door.has_room() {
                return Poll::Ready(Ok(()));
            }
            // Who has nothing to say needs no turn.
            ready!(self.stream.as_ref().poll_read_ready(context))?;
            if self.pace.try_turn() {
                return Poll::Ready(Ok(()));
            }
        }
        let pace = &self.pace;
        let waiting = self.waiting.get_or_insert_with(|| Box::pin(pace.clone().turn()));
        ready!(waiting.as_mut().poll(context));
        self.waiting = None;
        Poll::Ready(Ok(()))
    }
}

impl<D: Door> AsyncRead for Paced<D> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(self.poll_turn(context))?;
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Method;
    use axum::response::Response;
    use std::future::ready;
    use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::Instant;

    #[derive(Clone, Default)]
    struct Shut(Arc<(AtomicBool, AtomicU64)>);

    impl Door for Shut {
        fn turns_away(&self, _: &Method) -> Option<Response> {
            None
        }

        fn has_room(&self) -> bool {
            self.0.0.load(Ordering::Relaxed)
        }

        fn done(&self) -> u64 {
            self.0.1.load(Ordering::Relaxed)
        }
    }

    async fn turns(pace: &Pace, count: usize) {
        for _ in 0..count {
            pace.clone().turn().await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_round_has_a_few_turns_and_more_when_more_is_done() {
        let (pace, door) = (Pace::default(), Shut::default());
        tokio::spawn(pace.clone().keep(door.clone()));
        let begun = Instant::now();
        turns(&pace, LEAST).await;
        assert_eq!(begun.elapsed(), Duration::ZERO);
        turns(&pace, 1).await;
        let first = begun.elapsed();
        assert!(first >= ROUND && first < 2 * ROUND, "{first:?}");
        door.0.1.fetch_add(100, Ordering::Relaxed);
        turns(&pace, LEAST - 1 + 400).await;
        let second = begun.elapsed();
        assert!(second >= 2 * ROUND && second < 3 * ROUND, "{second:?}");
        turns(&pace, 1).await;
        assert!(begun.elapsed() >= 3 * ROUND);
    }

    #[tokio::test(start_paused = true)]
    async fn turns_that_nobody_takes_do_not_add_up() {
        let (pace, door) = (Pace::default(), Shut::default());
        tokio::spawn(pace.clone().keep(door));
        tokio::time::sleep(100 * ROUND).await;
        let begun = Instant::now();
        turns(&pace, LEAST + 1).await;
        assert!(begun.elapsed() > Duration::ZERO);
    }

    /// Reads what was said, if it may.
    async fn may_read(paced: &mut Paced<Shut>) -> Option<u8> {
        let mut buffer = [0; 8];
        tokio::select! {
            biased;
            read = paced.read(&mut buffer) => (read.unwrap() == 1).then_some(buffer[0]),
            () = ready(()) => None,
        }
    }

    #[tokio::test]
    async fn without_room_what_is_said_waits_for_a_turn_and_silence_takes_none() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut theirs = TcpStream::connect(listener.local_addr().unwrap()).await.unwrap();
        theirs.set_nodelay(true).unwrap();
        let (ours, _) = listener.accept().await.unwrap();
        let (ours, _writing) = ours.into_split();
        let (pace, door) = (Pace::default(), Shut::default());
        let mut paced = Paced::new(ours, pace.clone(), door.clone());
        let mut say = async |paced: &Paced<Shut>, byte| {
            theirs.write_u8(byte).await.unwrap();
            paced.stream.as_ref().readable().await.unwrap();
            // The runtime bounds what is done in one go, too.
            tokio::task::yield_now().await;
        };
        for _ in 0..2 * LEAST {
            assert_eq!(may_read(&mut paced).await, None);
            tokio::task::yield_now().await;
        }
        let mut told = 0;
        say(&paced, told).await;
        while may_read(&mut paced).await == Some(told) {
            told += 1;
            say(&paced, told).await;
        }
        // The kernel may say twice that something is there.
        assert!((LEAST / 2..=LEAST).contains(&usize::from(told)), "{told}");
        tokio::spawn(pace.keep(door.clone()));
        let mut buffer = [0; 8];
        assert_eq!(paced.read(&mut buffer).await.unwrap(), 1);
        assert_eq!(buffer[0], told);
        door.0.0.store(true, Ordering::Relaxed);
        for byte in 0..=u8::MAX {
            say(&paced, byte).await;
            assert_eq!(may_read(&mut paced).await, Some(byte));
        }
    }
}
