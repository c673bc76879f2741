//! Texts that come again and again are kept once.

use std::collections::HashMap;
use std::sync::Arc;

/// Different texts (types, actors) that are kept once.
const INTERNED: usize = 4_096;

/// Keeps one copy of texts that come again and again.
#[derive(Default)]
pub(crate) struct Interner {
    texts: HashMap<Box<str>, Arc<str>>,
    last_correlation: Option<Arc<str>>,
}

impl Interner {
    pub(crate) fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return known.clone();
        }
        if self.texts.len() >= INTERNED {
            self.texts.clear();
        }
        let new: Arc<str> = text.into();
        self.texts.insert(text.into(), new.clone());
        new
    }

    /// Events of one conversation stand together, so the last text is worth a look.
    pub(crate) fn correlation(&mut self, text: &str) -> Arc<str> {
        match &self.last_correlation {
            Some(last) if **last == *text => last.clone(),
            _ => self.last_correlation.insert(text.into()).clone(),
        }
    }
}
