//! Values by number. A state is a row of numbers, so that a million of them can be told apart quickly.

use std::any::{Any, type_name};
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

/// The number of a value.
pub(super) type Id = u32;

type Value = Arc<dyn Any + Send + Sync>;

/// Every value that any state has had, each once.
#[derive(Default)]
pub(super) struct Known {
    ids: HashMap<String, Id>,
    values: Vec<Value>,
}

impl Known {
    /// The number of a value that is told apart by how it is written.
    pub(super) fn id<T: Debug + Any + Send + Sync>(&mut self, value: T) -> Id {
        let text = format!("{value:?}");
        self.id_of(&text, value)
    }

    /// The number of a value that is told apart by a text.
    pub(super) fn id_of<T: Any + Send + Sync>(&mut self, text: &str, value: T) -> Id {
        let next = Id::try_from(self.values.len()).unwrap();
        let id = *self.ids.entry(format!("{} {text}", type_name::<T>())).or_insert(next);
        if id == next {
            self.values.push(Arc::new(value));
        }
        id
    }

    /// The number of the value that is told apart by a text, if there is one.
    pub(super) fn find<T>(&self, text: &str) -> Option<Id> {
        self.ids.get(&format!("{} {text}", type_name::<T>())).copied()
    }

    /// The value of that number.
    pub(super) fn get<T: Any + Send + Sync>(&self, id: Id) -> Arc<T> {
        self.values[id as usize].clone().downcast().unwrap()
    }
}
