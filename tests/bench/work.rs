//! How much processor time processes have used: on a busy machine that says more than the clock does.

use std::fs;
use std::time::Duration;

/// Linux counts in hundredths of a second, on every machine that this runs on.
const TICK: Duration = Duration::from_millis(10);

/// Of a process, with all its threads; nothing where there is no `/proc`.
pub(crate) fn of(id: u32) -> Duration {
    used(id).map_or(Duration::ZERO, |(_, used)| used)
}

/// Of the processes that one has started, the ended ones included.
pub(crate) fn of_children(parent: u32) -> Duration {
    let ids = fs::read_dir("/proc").into_iter().flatten().flatten();
    let ids = ids.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    let alive = ids.filter_map(used).filter(|(of, _)| *of == parent).map(|(_, used)| used).sum::<Duration>();
    alive + ticks(&fields(parent).unwrap_or_default(), &[13, 14])
}

fn used(id: u32) -> Option<(u32, Duration)> {
    let fields = fields(id)?;
    Some((fields.get(1)?.parse().ok()?, ticks(&fields, &[11, 12])))
}

/// What follows the name, which may contain anything.
fn fields(id: u32) -> Option<Vec<String>> {
    let text = fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    Some(text.rsplit(") ").next()?.split(' ').map(str::to_owned).collect())
}

fn ticks(fields: &[String], which: &[usize]) -> Duration {
    let ticks = which.iter().filter_map(|index| fields.get(*index)?.parse::<u32>().ok()).sum::<u32>();
    TICK * ticks
}
