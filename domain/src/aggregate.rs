//! What all aggregates have in common: a decision is made whole before anything of it is written.

/// Makes a type with `decide` and `fold` an aggregate.
macro_rules! aggregate {
    ($aggregate:ident, $stream:literal, $command:ty => $event:ty | $error:ty) => {
        impl cqrs_es::Aggregate for $aggregate {
            const TYPE: &'static str = $stream;
            type Command = $command;
            type Event = $event;
            type Error = $error;
            type Services = ();

            async fn handle(
                &mut self,
                command: $command,
                _services: &(),
                sink: &cqrs_es::event_sink::EventSink<Self>,
            ) -> Result<(), $error> {
                // The sink applies at once, so a refusal after the first event would leave a trace.
                for event in self.decide(command)? {
                    sink.write(event, self).await;
                }
                Ok(())
            }

            fn apply(&mut self, event: $event) {
                self.fold(event);
            }
        }
    };
}

pub(crate) use aggregate;

/// Whether a text has between 1 and `most` characters and is not blank.
pub(crate) fn fits(text: &str, most: usize) -> bool {
    !text.trim().is_empty() && text.chars().count() <= most
}
