//! An item of which there are so many units.

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use uuid::Uuid;

#[derive(Debug, Clone)]
pub(crate) enum InventoryCommand {
    Register { name: String, stock: u64 },
    Hold { rental: Uuid },
    Commit { rental: Uuid },
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum InventoryEvent {
    ItemRegistered { name: String, stock: u64 },
    StockHeld { rental: Uuid },
    StockCommitted { rental: Uuid },
}

#[derive(Debug, Clone, thiserror::Error)]
pub(crate) enum InventoryError {
    #[error("there is no such item")]
    NoSuchItem,
    #[error("it is registered already")]
    Registered,
    #[error("nothing is left")]
    SoldOut,
    #[error("nothing is held for that rental")]
    NotHeld,
}

#[derive(Debug, Default, Serialize, Deserialize)]
pub(crate) struct Inventory {
    is_registered: bool,
    free: u64,
    held: HashSet<Uuid>,
}

impl DomainEvent for InventoryEvent {
    fn event_type(&self) -> String {
        let name = match self {
            Self::ItemRegistered { .. } => "ItemRegistered",
            Self::StockHeld { .. } => "StockHeld",
            Self::StockCommitted { .. } => "StockCommitted",
        };
        name.to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Inventory {
    const TYPE: &'static str = "item";
    type Command = InventoryCommand;
    type Event = InventoryEvent;
    type Error = InventoryError;
    type Services = ();

    async fn handle(
        &mut self,
        command: InventoryCommand,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), InventoryError> {
        use {InventoryCommand as Cmd, InventoryEvent as Evt};
        let event = match command {
            Cmd::Register { .. } if self.is_registered => return Err(InventoryError::Registered),
            Cmd::Register { name, stock } => Evt::ItemRegistered { name, stock },
            _ if !self.is_registered => return Err(InventoryError::NoSuchItem),
            Cmd::Hold { .. } if self.free == 0 => return Err(InventoryError::SoldOut),
            Cmd::Hold { rental } => Evt::StockHeld { rental },
            Cmd::Commit { rental } if !self.held.contains(&rental) => {
                return Err(InventoryError::NotHeld);
            }
            Cmd::Commit { rental } => Evt::StockCommitted { rental },
        };
        sink.write(event, self).await;
        Ok(())
    }

    fn apply(&mut self, event: InventoryEvent) {
        match event {
            InventoryEvent::ItemRegistered { stock, .. } => {
                (self.is_registered, self.free) = (true, stock);
            }
            InventoryEvent::StockHeld { rental } => {
                self.free -= 1;
                self.held.insert(rental);
            }
            InventoryEvent::StockCommitted { rental } => {
                self.held.remove(&rental);
            }
        }
    }
}
