//! The hash chain: each event's hash covers its content and the hash before it.

use crate::recorded::Recorded;

/// The hash before the first event.
pub(crate) const GENESIS: [u8; 32] = [0; 32];

/// Computes hashes with one buffer that is used again.
#[derive(Default)]
pub(crate) struct Chain {
    buffer: Vec<u8>,
}

impl Chain {
    /// The hash of `event` after `previous`. Texts are preceded by their length, so that no two contents look alike.
    pub(crate) fn next(&mut self, previous: &[u8; 32], event: &Recorded) -> [u8; 32] {
        let buffer = &mut self.buffer;
        buffer.clear();
        buffer.extend_from_slice(previous);
        buffer.extend_from_slice(&event.position.to_le_bytes());
        buffer.extend_from_slice(&event.revision.to_le_bytes());
        buffer.extend_from_slice(&event.version.to_le_bytes());
        buffer.extend_from_slice(&event.recorded_at.timestamp_micros().to_le_bytes());
        buffer.extend_from_slice(event.event_id.as_bytes());
        buffer.extend_from_slice(event.command_id.as_bytes());
        match event.causation_id {
            Some(id) => {
                buffer.push(1);
                buffer.extend_from_slice(id.as_bytes());
            }
            None => buffer.push(0),
        }
        for text in [&*event.stream, &event.event_type, &event.correlation_id, &event.actor, &event.payload] {
            buffer.extend_from_slice(&(text.len() as u64).to_le_bytes());
            buffer.extend_from_slice(text.as_bytes());
        }
        *blake3::hash(buffer).as_bytes()
    }
}
