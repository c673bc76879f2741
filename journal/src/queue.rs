//! What waits for the writer, whichever back end it writes to.

use crate::append::{Append, AppendError, Appended};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use tokio::sync::{mpsc, oneshot};

/// Commands that may wait for the writer. Beyond that, callers wait before they decide anything.
pub(crate) const QUEUE: usize = 16_384;
/// Events that one transaction may carry: enough to share an fsync, few enough to answer soon.
const BATCH_EVENTS: usize = 4_096;
/// Bytes of payload that one transaction may carry.
const BATCH_BYTES: usize = 8 << 20;

/// What the writer takes from its queue.
#[expect(clippy::large_enum_variant, reason = "almost all are appends, and a box would cost each of them")]
pub(crate) enum Request {
    Append(Waiting),
    /// Write what came before, let the journal go, then answer.
    Close(oneshot::Sender<()>),
}

/// An append and whoever waits for it.
pub(crate) struct Waiting {
    pub(crate) append: Append,
    pub(crate) answer: oneshot::Sender<Result<Appended, AppendError>>,
    pub(crate) fate: Fate,
}

/// Whether an append has become durable yet; shared by the writer and the state that was decided on it.
#[derive(Clone, Default)]
pub(crate) struct Fate(Arc<AtomicU8>);

impl Fate {
    const DURABLE: u8 = 1;

    pub(crate) fn set_durable(&self) {
        self.0.store(Self::DURABLE, Ordering::Release);
    }

    pub(crate) fn is_durable(&self) -> bool {
        self.0.load(Ordering::Acquire) == Self::DURABLE
    }
}

/// A place in the writer's queue, taken before a lock is: sending with it never waits.
pub(crate) struct Place(pub(crate) mpsc::OwnedPermit<Request>);

impl Place {
    pub(crate) fn send(self, append: Append, fate: Fate) -> oneshot::Receiver<Result<Appended, AppendError>> {
        let (answer, receiver) = oneshot::channel();
        self.0.send(Request::Append(Waiting { append, answer, fate }));
        receiver
    }
}

/// Takes what is waiting, up to the size of a batch.
pub(crate) fn gather(
    first: Request,
    requests: &mut mpsc::Receiver<Request>,
    closing: &mut Option<oneshot::Sender<()>>,
) -> Vec<Waiting> {
    let (mut batch, mut events, mut bytes) = (Vec::new(), 0, 0);
    let mut next = Some(first);
    while let Some(request) = next {
        match request {
            Request::Append(waiting) => {
                events += waiting.append.events.len();
                bytes += waiting.append.events.iter().map(|event| event.payload.len()).sum::<usize>();
                batch.push(waiting);
            }
            Request::Close(done) => {
                *closing = Some(done);
                break;
            }
        }
        if events >= BATCH_EVENTS || bytes >= BATCH_BYTES || batch.len() >= BATCH_EVENTS {
            break;
        }
        next = requests.try_recv().ok();
    }
    batch
}
