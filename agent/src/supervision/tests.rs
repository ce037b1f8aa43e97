use std::collections::BTreeMap;

use freehand_tools::gate::{Approval, ApprovalRequest, Approver};
use proptest::prelude::*;

use super::*;
use crate::event::{Cost, Event, Listener};
use crate::outside::Stop;
use crate::trajectory::sample::clicking;
use crate::trajectory::{Exit, FORMAT, Header};

fn header() -> Header {
    Header {
        format: FORMAT,
        task: "Save it".into(),
        until: None,
        model: "script".into(),
        dialect: "tools".into(),
        policy: "supervised".into(),
        policy_digest: String::new(),
        display: "virtual".into(),
        started_ms: 0,
    }
}

fn hub() -> Hub {
    let hub = Hub::new("s", Steering::default());
    hub.event(Event::Started { header: header() });
    hub
}

fn piece(text: &str) -> Event {
    Event::Piece { step: 1, text: text.into() }
}

#[test]
fn what_is_thought_and_what_is_said_stay_apart() {
    let hub = hub();
    let thought = |text: &str| Event::Thought { step: 1, text: text.into() };
    for event in [thought("hm"), piece("no"), Event::Discarded { step: 1 }] {
        hub.event(event);
    }
    let step = |hub: &Hub| hub.state().steps[0].clone();
    assert_eq!((step(&hub).thought, step(&hub).said), (None, String::new()));
    for event in [thought("hm, "), thought("yes"), piece("o"), piece("k")] {
        hub.event(event);
    }
    assert_eq!((step(&hub).thought.as_deref(), step(&hub).said.as_str()), (Some("hm, yes"), "ok"));
    let (thought, cost) = (Some("hm, yes".to_owned()), Cost::default());
    hub.event(Event::Proposed { step: 1, thought, unread: None, cost });
    assert_eq!((step(&hub).thought.as_deref(), step(&hub).said.as_str()), (Some("hm, yes"), "ok"));
}

#[test]
fn what_choices_cost_is_summed_up() {
    let hub = hub();
    let cost = Cost { read: 900, reused: 850, written: 0, ms: 120.0 };
    (0..2).for_each(|_| hub.event(Event::Chose { step: 1, cost }));
    hub.event(Event::Chose { step: 2, cost });
    let steps = hub.state().steps;
    let twice = Cost { read: 1800, reused: 1700, written: 0, ms: 240.0 };
    assert_eq!((steps[0].choices, steps[1].choices), (Some(twice), Some(cost)));
}

/// What a view makes of what it is told.
#[derive(Default)]
struct View {
    state: State,
    seen: u64,
    numbers: Vec<u64>,
}

impl View {
    fn take(&mut self, message: ToView) {
        match message {
            ToView::State { number, state, .. } => (self.state, self.seen) = (state, number),
            ToView::Resumed { number, .. } => assert_eq!(number, self.seen),
            ToView::Event(numbered) => {
                assert_eq!(numbered.number, self.seen + 1);
                self.seen = numbered.number;
                self.numbers.push(numbered.number);
                self.state.take(&numbered.event);
            }
            ToView::Reply(_) | ToView::Refused { .. } => panic!("{message:?}"),
        }
    }

    async fn catch_up(&mut self, updates: &mut Updates, hub: &Hub) {
        while self.state != hub.state() {
            self.take(updates.next().await);
        }
    }
}

#[tokio::test]
async fn whoever_comes_back_gets_what_is_missing_and_nothing_twice() {
    let hub = hub();
    let mut view = View::default();
    let mut updates = hub.join(None);
    hub.event(piece("a"));
    view.catch_up(&mut updates, &hub).await;
    drop(updates);
    hub.event(piece("b"));
    let mut updates = hub.join(Some(("s", view.seen)));
    hub.event(piece("c"));
    view.catch_up(&mut updates, &hub).await;
    assert_eq!(view.numbers, [2, 3, 4]);
    assert_eq!(view.state.steps[0].said, "abc");
    // Numbers of another session mean nothing.
    let first = hub.join(Some(("old", 2))).next().await;
    assert!(matches!(first, ToView::State { number: 4, .. }), "{first:?}");
    let first = hub.join(Some(("s", 99))).next().await;
    assert!(matches!(first, ToView::State { number: 4, .. }), "{first:?}");
}

#[tokio::test]
async fn whoever_falls_behind_gets_the_state() {
    let hub = hub();
    let mut view = View::default();
    let mut updates = hub.join(None);
    view.take(updates.next().await);
    for _ in 0..10_000 {
        hub.event(piece("x"));
    }
    view.catch_up(&mut updates, &hub).await;
    assert_eq!(view.state.steps[0].said.len(), 10_000);
    assert!(view.numbers.is_empty(), "{:?}", view.numbers.len());
}

#[tokio::test]
async fn the_first_answer_counts_and_a_later_one_is_told() {
    let hub = hub();
    let asking = hub.clone();
    let asked = tokio::spawn(async move { Asked::through(asking).question("Which?").await });
    let mut updates = hub.join(None);
    let question = loop {
        updates.next().await;
        if let Some(question) = hub.state().question {
            break question.number;
        }
    };
    let yes = Command::Approve { question, extent: Extent::Once };
    assert!(hub.command(yes, "a").unwrap_err().contains("no answer"));
    let tell = |text: &str| Command::Tell { question, text: text.into() };
    assert_eq!(hub.command(tell("this"), "a"), Ok(()));
    assert_eq!(hub.command(tell("that"), "b").unwrap_err(), "the question was answered already, by a");
    assert_eq!(asked.await.unwrap().as_deref(), Some("this"));
    assert_eq!(hub.state().question, None);
    let other = Command::Tell { question: 9, text: String::new() };
    assert_eq!(hub.command(other, "b").unwrap_err(), "there is no such question");
}

#[tokio::test]
async fn a_question_is_withdrawn_when_the_run_stops_or_the_person_takes_over() {
    for takes_over in [false, true] {
        let hub = hub();
        let stop = Stop::default();
        hub.stops(stop.clone());
        let asking = hub.clone();
        let asked = tokio::spawn(async move { asking.ask(Subject::Words { text: "?".into() }).await });
        while hub.state().question.is_none() {
            tokio::task::yield_now().await;
        }
        let command = if takes_over { Command::TakeOver } else { Command::Stop };
        hub.command(command, "a").unwrap();
        assert_eq!(asked.await.unwrap(), Answer::Withdrawn);
        assert_eq!(hub.state().question, None);
        assert_eq!(stop.is_stopped(), !takes_over);
        let late = Command::Deny { question: 1, reason: String::new() };
        assert_eq!(hub.command(late, "b").unwrap_err(), "the question was withdrawn");
    }
}

#[tokio::test]
async fn no_is_an_answer_with_a_reason() {
    let hub = hub();
    let asked = Asked::through(hub.clone());
    let action = clicking(1).actions.remove(0).action.unwrap();
    let request = ApprovalRequest { action, reasons: Vec::new(), scope: None, note: None };
    let answering = async {
        while hub.state().question.is_none() {
            tokio::task::yield_now().await;
        }
        hub.command(Command::Deny { question: 1, reason: " not here ".into() }, "a").unwrap();
    };
    let (approval, ()) = tokio::join!(asked.ask(&request), answering);
    assert_eq!(approval, Approval::no("not here"));
}

#[test]
fn commands_that_make_no_sense_say_why() {
    let hub = Hub::new("s", Steering::default());
    let refused = |command| hub.command(command, "a").unwrap_err();
    assert!(refused(Command::Pause).contains("no task"));
    assert!(refused(Command::Stop).contains("no task"));
    assert!(refused(Command::Say { text: "x".into() }).contains("begin one"));
    assert!(refused(Command::GiveBack).contains("not taken over"));
    assert!(refused(Command::Start { task: "x".into() }).contains("freehand console"));
    hub.event(Event::Started { header: header() });
    assert!(refused(Command::Start { task: "x".into() }).contains("under way"));
    assert!(refused(Command::Say { text: "  ".into() }).contains("nothing"));
    hub.command(Command::Pause, "a").unwrap();
    hub.command(Command::TakeOver, "a").unwrap();
    assert!(refused(Command::Resume).contains("back first"));
    hub.command(Command::GiveBack, "a").unwrap();
    assert_eq!(hub.steering().pace(), Pace::Paused);
    hub.event(Event::Ended { exit: Exit::Interrupted, steps: 1 });
    assert_eq!((hub.steering().pace(), hub.state().pace), (Pace::Going, Pace::Going));
}

#[test]
fn messages_read_as_they_are_documented() {
    for (text, expected) in [
        (
            r#"{"message":"join","protocol":1,"session":"s","after":7}"#,
            FromView::Join { protocol: 1, session: Some("s".into()), after: 7 },
        ),
        (
            r#"{"message":"do","id":3,"what":{"command":"deny","question":1,"reason":"no"}}"#,
            FromView::Do { id: 3, what: Command::Deny { question: 1, reason: "no".into() } },
        ),
        (
            r#"{"message":"do","id":4,"what":{"command":"take_over"}}"#,
            FromView::Do { id: 4, what: Command::TakeOver },
        ),
    ] {
        assert_eq!(serde_json::from_str::<FromView>(text).unwrap(), expected, "{text}");
    }
    for text in [r#"{"message":"do","id":1,"what":{"command":"deny"}}"#, r#"{"message":"x"}"#, "[]"] {
        assert!(serde_json::from_str::<FromView>(text).is_err(), "{text}");
    }
}

proptest! {
    /// However often a view leaves and comes back, it ends with the state that the hub has.
    #[test]
    fn every_view_sees_one_truth(leaves in prop::collection::vec(any::<(u8, bool)>(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let hub = hub();
            let mut view = View::default();
            let mut updates = hub.join(None);
            let mut told = BTreeMap::new();
            for (count, leave) in leaves {
                for i in 0..count {
                    hub.event(piece(&i.to_string()));
                }
                view.catch_up(&mut updates, &hub).await;
                if leave {
                    updates = hub.join(Some(("s", view.seen)));
                }
                *told.entry(leave).or_insert(0) += 1;
            }
            view.catch_up(&mut updates, &hub).await;
            assert_eq!(view.state, hub.state());
        });
    }
}
