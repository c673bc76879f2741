//! `make drills` and `make chaos`: the load pictures of the old systems and worse, on loopback and within bounds. Prints a
//! table for each drill, and fails when money, stock or a rental is not where it belongs; never for a time.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a drill that cannot go on says so by panicking")]
#![allow(clippy::print_stdout, reason = "it prints tables")]

mod audit;
mod books;
mod chaos;
mod crowd;
mod curious;
mod fleet;
mod outage;
mod overload;
mod process;
mod report;
mod slow;
mod steady;
mod users;

use harness::Seed;
use report::Report;
use std::process::ExitCode;

const USAGE: &str = "drills [--short] [--negative-control] [--sagas N] [--kills N] [steady|outage|overload|slow|curious|chaos|processes|rolling|rush]…";
/// What is drilled where nothing is named; chaos has to be.
const USUAL: [&str; 5] = ["steady", "outage", "overload", "slow", "curious"];

/// What the program is told.
pub(crate) struct Options {
    /// What a pipeline can afford: it shows that everything holds, not how fast it is.
    pub(crate) short: bool,
    /// Whether the provider forgets what it has done: then the drill has to find it out.
    pub(crate) negative_control: bool,
    pub(crate) sagas: Option<usize>,
    pub(crate) kills: Option<usize>,
    drills: Vec<String>,
    seed: Seed,
}

impl Options {
    fn read() -> Self {
        let seed = Seed::printed("drills");
        let (mut drills, mut short, mut negative_control, mut sagas, mut kills) = (vec![], false, false, None, None);
        let mut arguments = std::env::args().skip(1);
        while let Some(argument) = arguments.next() {
            let mut number = || Some(arguments.next().and_then(|text| text.parse().ok()).expect(USAGE));
            match argument.as_str() {
                "--short" => short = true,
                "--negative-control" => negative_control = true,
                "--sagas" => sagas = number(),
                "--kills" => kills = number(),
                "curious" | "steady" | "outage" | "overload" | "slow" | "chaos" | "processes" | "rolling" | "rush" => {
                    drills.push(argument)
                }
                _ => panic!("{USAGE}"),
            }
        }
        if drills.is_empty() {
            drills = USUAL.map(str::to_owned).to_vec();
        }
        Self { short, negative_control, sagas, kills, drills, seed }
    }

    /// For what is left to chance.
    pub(crate) fn seed(&self) -> u64 {
        self.seed.clone().below(u64::MAX)
    }

    /// The same as a source.
    pub(crate) fn chance(&self) -> Seed {
        self.seed.clone()
    }
}

fn main() -> ExitCode {
    let options = Options::read();
    let workers =
        |count| tokio::runtime::Builder::new_multi_thread().worker_threads(count).enable_all().build().unwrap();
    let runtime = workers(2);
    let mut all_hold = true;
    for drill in &options.drills {
        let reports: Vec<Report> = match drill.as_str() {
            "steady" => vec![runtime.block_on(steady::run(&options))],
            "outage" => outage::Kind::ALL.map(|kind| runtime.block_on(outage::run(&options, kind))).into(),
            "overload" => overload::Kind::ALL.map(|kind| workers(1).block_on(overload::run(&options, kind))).into(),
            "curious" => vec![runtime.block_on(curious::run(&options))],
            "slow" => vec![runtime.block_on(slow::run(&options))],
            "chaos" => vec![runtime.block_on(chaos::run(&options))],
            "processes" => fleet::Fault::ALL.map(|fault| runtime.block_on(fleet::away(&options, fault))).into(),
            "rolling" => vec![runtime.block_on(fleet::rolling(&options))],
            "rush" => vec![runtime.block_on(fleet::rush(&options))],
            other => panic!("{other}: {USAGE}"),
        };
        for report in reports {
            all_hold &= report.print();
        }
    }
    let load = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    println!("\nload average at the end: {}", load.trim_end());
    if all_hold { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
