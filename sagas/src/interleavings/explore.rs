//! Every state that can be reached, each once; and how.

use super::moves::{Move, Next};
use super::provider::Call;
use super::world::{State, World};
use journal::Shared;
use std::collections::{BTreeMap, HashMap};
use std::fmt::Write;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

/// What was found where nothing is wrong.
pub(super) struct Found {
    states: usize,
    steps: usize,
    /// Where nothing happens by itself any more, by how it ended.
    ends: BTreeMap<String, usize>,
}

impl std::fmt::Display for Found {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(f, "{} states, {} steps", self.states, self.steps)?;
        self.ends.iter().try_for_each(|(end, count)| writeln!(f, "{count:>6} {end}"))
    }
}

#[derive(Default)]
struct Explored {
    states: Vec<State>,
    /// By hash; where two states share one, the next is the second's.
    numbers: HashMap<u64, u32>,
    /// From which state, by what.
    ways: Vec<Option<(u32, Move)>>,
    /// Steps that happen by themselves, against their direction.
    back: Vec<Vec<u32>>,
}

impl Explored {
    fn number(&mut self, state: State, way: Option<(u32, Move)>) -> u32 {
        let next = u32::try_from(self.states.len()).unwrap();
        let mut hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(&state);
        loop {
            let number = *self.numbers.entry(hash).or_insert(next);
            if number == next {
                self.states.push(state);
                self.ways.push(way);
                self.back.push(vec![]);
                return number;
            }
            if self.states[number as usize] == state {
                return number;
            }
            hash = hash.wrapping_add(1);
        }
    }
}

/// Looks at everything that can happen.
///
/// # Errors
/// The shortest story of something that must not be.
pub(super) fn explore(world: &World) -> Result<Found, String> {
    let mut explored = Explored::default();
    let mut ends = BTreeMap::new();
    let mut open: Vec<u32> = vec![];
    let mut steps = 0;
    explored.number(world.begin(), None);
    let mut at = 0;
    while let Some(state) = explored.states.get(at as usize).cloned() {
        let fail = |explored: &Explored, what: &str| Err(format!("{what}\n{}", story(world, explored, at)));
        if let Err(what) = world.always(&state) {
            return fail(&explored, &what);
        }
        let mut is_end = true;
        for Next { by, state: next, .. } in world.next(&state) {
            steps += 1;
            let number = explored.number(next, Some((at, by)));
            if by.is_certain() {
                is_end = false;
                explored.back[number as usize].push(at);
            }
        }
        if is_end {
            match world.judge(&state) {
                Ok(end) => *ends.entry(end).or_default() += 1,
                Err(what) => return fail(&explored, &what),
            }
            open.push(at);
        }
        at += 1;
    }
    match never_ending(&explored, open) {
        Some(state) => Err(format!("it never ends\n{}", story(world, &explored, state))),
        None => Ok(Found { states: explored.states.len(), steps, ends }),
    }
}

/// A state from which no end can be reached without people.
fn never_ending(explored: &Explored, mut open: Vec<u32>) -> Option<u32> {
    let mut ends = vec![false; explored.states.len()];
    while let Some(state) = open.pop() {
        if !std::mem::replace(&mut ends[state as usize], true) {
            open.extend(&explored.back[state as usize]);
        }
    }
    ends.iter().position(|ends| !ends).map(|state| u32::try_from(state).unwrap())
}

/// How a state was reached: who did what, and what happened.
fn story(world: &World, explored: &Explored, mut at: u32) -> String {
    let mut ways = vec![];
    while let Some((from, by)) = explored.ways[at as usize] {
        ways.push((from, by));
        at = from;
    }
    let mut story = String::new();
    for (from, by) in ways.into_iter().rev() {
        let state = &explored.states[from as usize];
        let next = world.next(state).into_iter().find(|next| next.by == by).unwrap();
        let board = world.table.board();
        let events = next.events.iter().map(|event| board.known.get::<Shared>(*event).event_type.to_string());
        let events: Vec<_> = events.collect();
        drop(board);
        let events = if events.is_empty() { String::new() } else { format!(" => {}", events.join(", ")) };
        writeln!(story, "  {}{events}", told(world, state, by)).unwrap();
    }
    story
}

fn told(world: &World, state: &State, by: Move) -> String {
    let process = |index: usize| (world.actors[index].name(), &state.actors[index]);
    match by {
        Move::Take(index) => {
            let (name, actor) = process(index);
            let event = world.table.board().known.get::<Shared>(actor.log[actor.handled]);
            format!("{name} takes up {}", event.event_type)
        }
        Move::Step(index, call) => {
            let (name, actor) = process(index);
            let command = world.actors[index].written(&world.table.board(), actor);
            let call = if call == Call::Away { String::new() } else { format!(", the provider {call:?}") };
            format!("{name}: {}{call}", word(&command))
        }
        Move::Fire(index) => format!("{}: a deadline is due", process(index).0),
        Move::Crash(index, handled) => format!("{} crashes and goes on after {handled} events", process(index).0),
        Move::TheDeadlinePasses => "the deadline of the hold passes".to_owned(),
        Move::TheProviderIsDone(charge) => format!("the provider is done: {charge:?}"),
        Move::Cancel(by) => format!("{by:?} cancels"),
        Move::TheOtherGivesUp => "who has it gives it up".to_owned(),
        Move::Accept => "Customer accepts".to_owned(),
        Move::Decline => "Customer declines".to_owned(),
        Move::Prepare => "Store prepares".to_owned(),
        Move::HandOver => "Store hands over".to_owned(),
    }
}

/// The first word of what is written.
pub(super) fn word(written: &str) -> &str {
    written.split(|letter: char| !letter.is_ascii_alphanumeric()).next().unwrap_or_default()
}
