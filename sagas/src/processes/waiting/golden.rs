//! Every pair of stage and event that acts, on one screen.

use super::{Event, Stage};
use expect_test::expect;
use std::fmt::Write;

#[test]
fn every_pair_that_acts() {
    let events = [
        Event::StockAwaited,
        Event::WaitingEnded,
        Event::StockHeld,
        Event::StockReleased,
        Event::StockReturned,
        Event::StockAdjusted,
    ];
    let mut table = String::new();
    for stage in [Stage::Nobody, Stage::Line(1), Stage::Line(2)] {
        for event in events {
            let (next, commands) = stage.react(event);
            if next != stage || !commands.is_empty() {
                let orders: String = commands.iter().map(|command| format!(" ! {command:?}")).collect();
                writeln!(table, "{stage:?} + {event:?} -> {next:?}{orders}").unwrap();
            }
        }
    }
    expect![[r#"
        Nobody + StockAwaited -> Line(1)
        Line(1) + StockAwaited -> Line(2)
        Line(1) + WaitingEnded -> Nobody
        Line(1) + StockHeld -> Nobody
        Line(1) + StockReleased -> Line(1) ! ServeTheFirst
        Line(1) + StockReturned -> Line(1) ! ServeTheFirst
        Line(1) + StockAdjusted -> Line(1) ! ServeTheFirst
        Line(2) + StockAwaited -> Line(3)
        Line(2) + WaitingEnded -> Line(1) ! ServeTheFirst
        Line(2) + StockHeld -> Line(1) ! ServeTheFirst
        Line(2) + StockReleased -> Line(2) ! ServeTheFirst
        Line(2) + StockReturned -> Line(2) ! ServeTheFirst
        Line(2) + StockAdjusted -> Line(2) ! ServeTheFirst
    "#]]
    .assert_eq(&table);
}
