//! Every pair of stage and event that acts, on one screen.

use super::{Event, Stage};
use domain::policy::{Action, By, Step};
use expect_test::expect;
use std::fmt::Write;

fn steps(prepare: Option<By>, hand_over: By) -> Event {
    let prepare = prepare.map(|by| Step { action: Action::Prepare, by });
    let hand_over = Step { action: Action::HandOver, by: hand_over };
    Event::DispatchRequested { steps: prepare.into_iter().chain([hand_over]).collect() }
}

fn name(event: &Event) -> String {
    match event {
        Event::DispatchRequested { steps } => {
            let steps: Vec<_> = steps.iter().map(|step| format!("{:?} by {:?}", step.action, step.by)).collect();
            format!("DispatchRequested({})", steps.join(", "))
        }
        other => format!("{other:?}"),
    }
}

#[test]
fn every_pair_that_acts() {
    let stages = [
        Stage::Idle,
        Stage::Preparing { then_hand_over: false },
        Stage::Preparing { then_hand_over: true },
        Stage::AwaitingPrepared,
        Stage::HandingOver,
    ];
    let events = [
        Event::RentalConfirmed,
        steps(Some(By::Staff), By::Staff),
        steps(Some(By::Staff), By::Engine),
        steps(Some(By::Engine), By::Staff),
        steps(Some(By::Engine), By::Engine),
        steps(None, By::Engine),
        Event::DispatchPrepared,
        Event::DispatchHandedOver,
        Event::DispatchCancelled,
        Event::StoreOpened,
    ];
    let mut table = String::new();
    for stage in stages {
        for event in &events {
            let (next, commands) = stage.react(event);
            if next == stage && commands.is_empty() {
                continue;
            }
            let orders: Vec<_> = commands.iter().map(|command| format!("{command:?}")).collect();
            let orders = if orders.is_empty() { String::new() } else { format!(" ! {}", orders.join(", ")) };
            writeln!(table, "{stage:?} + {} -> {next:?}{orders}", name(event)).unwrap();
        }
    }
    expect![[r#"
        Idle + RentalConfirmed -> Idle ! RequestDispatch
        Idle + DispatchRequested(Prepare by Staff, HandOver by Engine) -> AwaitingPrepared
        Idle + DispatchRequested(Prepare by Engine, HandOver by Staff) -> Preparing { then_hand_over: false } ! Prepare
        Idle + DispatchRequested(Prepare by Engine, HandOver by Engine) -> Preparing { then_hand_over: true } ! Prepare
        Idle + DispatchRequested(HandOver by Engine) -> HandingOver ! HandOver
        Idle + DispatchPrepared -> Idle ! MarkPrepared
        Idle + DispatchHandedOver -> Idle ! MarkHandedOver
        Preparing { then_hand_over: false } + RentalConfirmed -> Preparing { then_hand_over: false } ! RequestDispatch
        Preparing { then_hand_over: false } + DispatchPrepared -> Idle ! MarkPrepared
        Preparing { then_hand_over: false } + DispatchHandedOver -> Idle ! MarkHandedOver
        Preparing { then_hand_over: false } + DispatchCancelled -> Idle
        Preparing { then_hand_over: false } + StoreOpened -> Preparing { then_hand_over: false } ! Prepare
        Preparing { then_hand_over: true } + RentalConfirmed -> Preparing { then_hand_over: true } ! RequestDispatch
        Preparing { then_hand_over: true } + DispatchPrepared -> HandingOver ! MarkPrepared, HandOver
        Preparing { then_hand_over: true } + DispatchHandedOver -> Idle ! MarkHandedOver
        Preparing { then_hand_over: true } + DispatchCancelled -> Idle
        Preparing { then_hand_over: true } + StoreOpened -> Preparing { then_hand_over: true } ! Prepare
        AwaitingPrepared + RentalConfirmed -> AwaitingPrepared ! RequestDispatch
        AwaitingPrepared + DispatchPrepared -> HandingOver ! MarkPrepared, HandOver
        AwaitingPrepared + DispatchHandedOver -> Idle ! MarkHandedOver
        AwaitingPrepared + DispatchCancelled -> Idle
        HandingOver + RentalConfirmed -> HandingOver ! RequestDispatch
        HandingOver + DispatchHandedOver -> Idle ! MarkHandedOver
        HandingOver + DispatchCancelled -> Idle
        HandingOver + StoreOpened -> HandingOver ! HandOver
    "#]]
    .assert_eq(&table);
}
