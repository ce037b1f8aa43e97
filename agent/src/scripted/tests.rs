//! How a script gives way to the person who watches it.

use freehand_tools::action::Action;
use freehand_tools::desktop::simulated::Simulated;
use freehand_tools::gate::{Decision, Evaluation, Policy};
use freehand_tools::geometry::Size;
use serde_json::json;

use super::*;
use crate::supervision::{Asked, Command, Extent, Hub, Pace, Steering, Watched};
use crate::trajectory::{FORMAT, Header, Intervention};

/// Says the same of everything.
#[derive(Debug)]
struct Always(Decision);

impl Policy for Always {
    fn evaluate(&self, _: &Action) -> Evaluation {
        Evaluation::by(self.0, "test", "it is a test")
    }
}

fn hub(watched: Watched) -> Hub {
    let hub = Hub::new("s", Steering::watching(watched));
    let header = Header {
        format: FORMAT,
        task: "Press it".into(),
        until: None,
        model: String::new(),
        dialect: String::new(),
        policy: "test".into(),
        policy_digest: String::new(),
        display: "simulated".into(),
        started_ms: 0,
    };
    hub.event(Event::Started { header });
    hub
}

/// Has a script press `OK` while the person does `meanwhile`; what came of the press.
async fn pressing(hub: &Hub, decision: Decision, meanwhile: impl Future<Output = ()>) -> Outcome {
    pressing_beside(Presence::default(), hub, decision, meanwhile).await
}

/// The same beside a person who may use mouse and keyboard.
async fn pressing_beside(
    person: Presence,
    hub: &Hub,
    decision: Decision,
    meanwhile: impl Future<Output = ()>,
) -> Outcome {
    let mut desktop = Simulated::new(Size::new(640, 480)).window("Form", "form", |w| {
        w.label("Name").textbox("Name").button("OK");
    });
    let mut gate = Gate::new(vec![Box::new(Always(decision))], Box::new(Asked::through(hub.clone())));
    let stop = Stop::default();
    hub.stops(stop.clone());
    let mut hands = Scripted {
        desktop: &mut desktop,
        toolbox: &Toolbox::default(),
        gate: &mut gate,
        recorder: &mut Recorder::off(),
        listener: hub,
        stop,
        person: person.steered_by(hub.steering().clone()),
    };
    let call = ToolCall::new("click", json!({ "target": "OK" }));
    let (done, ()) = tokio::join!(hands.act(&call, Duration::ZERO, |_| Ok(call.clone())), meanwhile);
    match done {
        Ok(done) => done.judged.outcome,
        Err(halt) => Outcome::failed(format!("{halt:?}")),
    }
}

async fn until(hub: &Hub, holds: impl Fn(&crate::supervision::State) -> bool) {
    while !holds(&hub.state()) {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn tell(hub: &Hub, command: Command) {
    hub.command(command, "the test").unwrap();
}

/// Long enough for what does not wait to have been done.
async fn a_while() {
    tokio::time::sleep(Duration::from_millis(300)).await;
}

#[tokio::test]
async fn it_stands_still_while_it_is_held() {
    let hub = hub(Watched::default());
    tell(&hub, Command::Pause);
    let outcome = pressing(&hub, Decision::Allow, async {
        until(&hub, |state| state.waiting == Some(Wait::Resume)).await;
        a_while().await;
        assert!(hub.state().steps.iter().all(|step| step.actions.is_empty()), "{:?}", hub.state());
        tell(&hub, Command::Resume);
    });
    assert!(outcome.await.is_done());
    assert_eq!(hub.state().waiting, None);
}

#[tokio::test]
async fn who_takes_over_is_asked_anew_and_has_not_said_no() {
    let hub = hub(Watched::default());
    let outcome = pressing(&hub, Decision::Ask, async {
        until(&hub, |state| state.question.is_some()).await;
        tell(&hub, Command::TakeOver);
        until(&hub, |state| state.waiting == Some(Wait::GiveBack)).await;
        assert_eq!(hub.state().question, None);
        tell(&hub, Command::GiveBack);
        until(&hub, |state| state.question.is_some()).await;
        let question = hub.state().question.unwrap().number;
        tell(&hub, Command::Approve { question, extent: Extent::Once });
    });
    assert!(outcome.await.is_done());
}

#[tokio::test]
async fn at_a_watched_place_it_waits_until_somebody_looks() {
    let hub = hub(Watched::new(&["form".into()], &[]));
    let outcome = pressing(&hub, Decision::Allow, async {
        until(&hub, |state| state.waiting == Some(Wait::Presence { place: "form".into() })).await;
        a_while().await;
        assert!(hub.state().waiting.is_some());
        tell(&hub, Command::Look);
    });
    assert!(outcome.await.is_done());
}

#[tokio::test]
async fn one_that_is_stopped_while_it_waits_is_interrupted() {
    let hub = hub(Watched::default());
    tell(&hub, Command::Pause);
    let outcome = pressing(&hub, Decision::Allow, async {
        until(&hub, |state| state.waiting.is_some()).await;
        tell(&hub, Command::Stop);
    });
    assert_eq!(outcome.await, Outcome::failed("Exit(Interrupted)"));
}

#[tokio::test]
async fn it_waits_while_mouse_or_keyboard_are_in_use() {
    let hub = hub(Watched::default());
    let (hand, seen) = tokio::sync::watch::channel(Some(Instant::now()));
    let outcome = pressing_beside(Presence::told_by(seen), &hub, Decision::Allow, async {
        a_while().await;
        assert!(hub.state().steps.iter().all(|step| step.actions.is_empty()), "{:?}", hub.state());
        hand.send_replace(Instant::now().checked_sub(Duration::from_secs(5)));
    });
    assert!(outcome.await.is_done());
}

#[tokio::test]
async fn another_program_is_held_between_its_calls() {
    let hub = hub(Watched::default());
    let mut desktop = Simulated::new(Size::new(640, 480)).window("Form", "form", |w| {
        w.label("Name").textbox("Name").button("OK");
    });
    let mut gate =
        Gate::new(vec![Box::new(Always(Decision::Allow))], Box::new(Asked::through(hub.clone())));
    let mut calls = Scripted {
        desktop: &mut desktop,
        toolbox: &Toolbox::default(),
        gate: &mut gate,
        recorder: &mut Recorder::off(),
        listener: &hub,
        stop: Stop::default(),
        person: Presence::default().steered_by(hub.steering().clone()),
    };
    let press = ToolCall::new("click", json!({ "target": "OK" }));
    // Nothing is under way, so whoever takes over has the desktop as soon as somebody rests for it.
    hub.command(Command::TakeOver, "a").unwrap();
    let meanwhile = async {
        until(&hub, |_| hub.is_handed_over()).await;
        hub.command(Command::GiveBack, "a").unwrap();
    };
    let (rested, ()) = tokio::join!(calls.rest(), meanwhile);
    rested.unwrap();
    let served = calls.serve(&press).await.unwrap();
    assert!(served.done.judged.outcome.is_done() && served.now.is_some(), "{served:?}");
    assert_eq!(calls.heard(), [Intervention::TookOver]);
    assert!(calls.heard().is_empty());
    // One step is one call.
    hub.command(Command::Step, "a").unwrap();
    calls.show().await.unwrap();
    assert_eq!(hub.state().pace, Pace::Paused);
    // A call that is not waited for any more leaves nothing behind that looks as if it went on.
    assert!(tokio::time::timeout(Duration::from_millis(50), calls.serve(&press)).await.is_err());
    let state = hub.state();
    assert_eq!(state.waiting, None);
    let last = state.steps.back().unwrap().actions.last().unwrap().outcome.clone().unwrap();
    assert_eq!(last, Outcome::failed("it was broken off"));
}
