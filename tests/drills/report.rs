//! What a drill has found: a table for people, and conditions that have to hold.

use std::fmt::Display;
use std::time::Duration;

/// One drill's table. A condition that does not hold makes the program fail; no time ever does.
pub(crate) struct Report {
    drill: &'static str,
    rows: Vec<(String, String)>,
    broken: Vec<String>,
}

impl Report {
    pub(crate) const fn new(drill: &'static str) -> Self {
        Self { drill, rows: Vec::new(), broken: Vec::new() }
    }

    /// Something that was measured.
    pub(crate) fn row(&mut self, what: impl Display, value: impl Display) {
        self.rows.push((what.to_string(), value.to_string()));
    }

    /// A condition.
    pub(crate) fn holds(&mut self, what: &str, holds: bool, otherwise: impl Display) {
        self.row(what, if holds { "holds" } else { "**BROKEN**" });
        if !holds {
            self.broken.push(format!("{what}: {otherwise}"));
        }
    }

    /// The condition that there is none of something.
    pub(crate) fn none(&mut self, what: &str, found: &[String]) {
        self.row(what, if found.is_empty() { "0".to_owned() } else { format!("**{}**", found.len()) });
        self.broken.extend(found.iter().map(|one| format!("{what}: {one}")));
    }

    /// Prints the table; answers whether every condition holds.
    pub(crate) fn print(&self) -> bool {
        println!("\n| {} | |\n|---|---|", self.drill);
        for (what, value) in &self.rows {
            println!("| {what} | {value} |");
        }
        for broken in &self.broken {
            println!("\n{}: {broken}", self.drill);
        }
        self.broken.is_empty()
    }
}

/// `97.3 %`
pub(crate) fn share(part: usize, whole: usize) -> String {
    let per_mille = part * 1_000 / whole.max(1);
    format!("{}.{} %", per_mille / 10, per_mille % 10)
}

/// `0.62 s`
pub(crate) fn seconds(duration: Duration) -> String {
    format!("{}.{:02} s", duration.as_secs(), duration.subsec_millis() / 10)
}

/// The value that so many per thousand of sorted values do not exceed.
pub(crate) fn per_mille<T: Copy + Default>(sorted: &[T], per_mille: usize) -> T {
    sorted.get(sorted.len().saturating_sub(1) * per_mille / 1_000).copied().unwrap_or_default()
}
