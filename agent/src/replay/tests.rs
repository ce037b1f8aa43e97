use std::time::Duration;

use async_trait::async_trait;
use freehand_tools::action::Action;
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::Desktop;
use freehand_tools::desktop::simulated::{SimEvent, Simulated};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Decision, Evaluation, Gate, Policy};
use freehand_tools::geometry::Size;
use freehand_tools::toolbox::Toolbox;
use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::event::Nobody;
use crate::outside::{Presence, Stop};
use crate::trajectory::reader::read;
use crate::trajectory::recorder::Recorder;
use crate::trajectory::{FORMAT, Header};

#[derive(Debug)]
struct Open;

impl Policy for Open {
    fn evaluate(&self, _: &Action) -> Evaluation {
        Evaluation::by(Decision::Allow, "test", "it is a test")
    }
}

/// Answers every question with what it holds.
#[derive(Debug)]
struct Knows(Option<&'static str>);

#[async_trait]
impl Approver for Knows {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        Approval::Once
    }

    async fn question(&self, question: &str) -> Option<String> {
        assert!(question.contains("password field \"Word\""), "{question}");
        self.0.map(str::to_owned)
    }
}

fn create() -> (TempDir, Recorder) {
    let dir = tempfile::tempdir().unwrap();
    let header = Header {
        format: FORMAT,
        task: "test".into(),
        until: None,
        model: String::new(),
        dialect: String::new(),
        policy: String::new(),
        policy_digest: String::new(),
        display: String::new(),
        started_ms: 0,
    };
    let recorder = Recorder::create(dir.path(), header).unwrap();
    (dir, recorder)
}

/// Does something with a script, records it, and gives back the record.
macro_rules! on {
    ($desktop:expr, $knows:expr, |$with:ident| $body:expr) => {{
        let (dir, mut recorder) = create();
        let mut gate = Gate::new(vec![Box::new(Open)], Box::new(Knows($knows)));
        let toolbox = Toolbox::default();
        let mut with = Scripted {
            desktop: $desktop,
            toolbox: &toolbox,
            gate: &mut gate,
            recorder: &mut recorder,
            listener: &Nobody,
            stop: Stop::default(),
            person: Presence::default(),
        };
        let $with = &mut with;
        let result = $body;
        drop(with);
        drop(recorder);
        (result, read(dir.path()).unwrap())
    }};
}

/// The record of `calls`; what stands at `@name` is that element's number.
async fn recorded(desktop: &mut Simulated, calls: &[(&str, Value)]) -> Trajectory {
    let numbered = |value: &Value, seen: &Observation| {
        let mut text = value.to_string();
        for element in &seen.elements {
            text = text.replace(&format!("\"@{}\"", element.name), &element.id.to_string());
        }
        serde_json::from_str::<Value>(&text).unwrap()
    };
    on!(desktop, None, |with| for (tool, args) in calls {
        let call = ToolCall::new(*tool, args.clone());
        let found = |seen: &Observation| Ok(ToolCall::new(*tool, numbered(args, seen)));
        with.act(&call, Duration::ZERO, found).await.unwrap();
    })
    .1
}

async fn replayed(
    desktop: &mut Simulated,
    record: &Trajectory,
    knows: Option<&'static str>,
) -> (Exit, Trajectory) {
    let plan = plan(record);
    on!(desktop, knows, |with| run_within(Duration::from_millis(900), &plan, with).await.unwrap())
}

fn desktop() -> Simulated {
    Simulated::new(Size::new(640, 480)).window("Form", "form", |w| {
        w.place(10, 10)
            .textbox("Name")
            .checkbox("Agree", false)
            .slider("Loudness", 0)
            .button("OK")
            .password("Word");
    })
}

/// The same window elsewhere, in another order, and it comes late.
fn another_day() -> Simulated {
    let mut later = Simulated::new(Size::new(640, 480));
    later.change(|then| {
        then.after(Duration::from_millis(300)).open("Form", "form", |w| {
            w.place(150, 60).label("News").button("Other").password("Word").button("OK");
            w.slider("Loudness", 0).checkbox("Agree", false).textbox("Name");
        });
    });
    later
}

#[tokio::test]
async fn actions_find_their_targets_on_another_day() {
    let mut first = desktop();
    let seen = first.observe().await.unwrap();
    let slider = seen.elements.iter().find(|e| e.name == "Loudness").unwrap().bounds;
    let three_quarters = json!({"x": slider.x + 180, "y": slider.center().y});
    let record = recorded(
        &mut first,
        &[
            ("type_text", json!({"target": "@Name", "text": "Ada"})),
            ("click", json!({"target": "@Nothing"})),
            ("note", json!({"text": "a note"})),
            ("click", json!({"target": "@Agree"})),
            ("click", three_quarters),
            ("press_keys", json!({"keys": "ctrl+a"})),
            ("click", json!({"target": {"label": "OK"}})),
        ],
    )
    .await;
    let loudness = first.value("Loudness");
    let steps: Vec<u32> = plan(&record).iter().map(|entry| entry.step).collect();
    assert_eq!(steps, [1, 4, 6, 7], "the bad calls and the note are left out");

    let mut second = another_day();
    let (exit, again) = replayed(&mut second, &record, None).await;
    assert!(matches!(&exit, Exit::Done { checked } if checked.contains("all 4")), "{exit:?}");
    for name in ["Name", "Agree"] {
        assert_eq!(second.value(name), first.value(name), "{name}");
    }
    assert!(second.events().contains(&SimEvent::Pressed("OK".into())));
    assert_eq!(second.events().last(), Some(&SimEvent::Released));
    assert_eq!(again.steps.len(), 4);
    assert_eq!(first.value("Loudness"), loudness);
}

#[tokio::test]
async fn a_point_within_an_element_stays_within_it() {
    let mut first = desktop();
    let seen = first.observe().await.unwrap();
    let slider = seen.elements.iter().find(|e| e.name == "Loudness").unwrap().bounds;
    let at = json!({"x": slider.x + 180, "y": slider.center().y});
    let record = recorded(&mut first, &[("click", json!({"target": at}))]).await;
    let loudness = first.value("Loudness").unwrap();
    assert!(loudness.parse::<u32>().unwrap() > 60, "{loudness}");
    let mut second = another_day();
    let (exit, _) = replayed(&mut second, &record, None).await;
    assert!(matches!(exit, Exit::Done { .. }), "{exit:?}");
    assert_eq!(second.value("Loudness").unwrap(), loudness);
}

#[tokio::test]
async fn a_drag_is_done_again_from_thing_to_thing() {
    let mut first = desktop();
    let record = recorded(&mut first, &[("drag", json!({"target": "@Agree", "path": ["@OK"]}))]).await;
    let dragged = |desktop: &Simulated| {
        desktop.events().iter().find_map(|event| {
            let SimEvent::Dragged { from, to, .. } = event else { return None };
            Some((*from, *to))
        })
    };
    assert!(dragged(&first).is_some());
    let mut second = another_day();
    let (exit, _) = replayed(&mut second, &record, None).await;
    assert!(matches!(exit, Exit::Done { .. }), "{exit:?}");
    let seen = second.observe().await.unwrap();
    let middle = |name: &str| seen.elements.iter().find(|e| e.name == name).unwrap().bounds.center();
    assert_eq!(dragged(&second), Some((middle("Agree"), middle("OK"))));
}

#[tokio::test]
async fn it_stops_where_a_target_cannot_be_told() {
    let record = recorded(
        &mut desktop(),
        &[("click", json!({"target": "@Agree"})), ("click", json!({"target": "@OK"}))],
    )
    .await;
    let gone = Simulated::new(Size::new(640, 480)).window("Form", "form", |w| {
        w.checkbox("Agree", false);
    });
    let twins = Simulated::new(Size::new(640, 480)).window("Form", "form", |w| {
        w.checkbox("Agree", false).button("OK").button("OK");
    });
    let elsewhere = Simulated::new(Size::new(640, 480)).window("Form", "form", |w| {
        w.checkbox("Agree", false);
    });
    let elsewhere = elsewhere.window("Ad", "advert", |w| {
        w.place(300, 200).button("OK");
    });
    for (mut desktop, expected) in [
        (gone, "button \"OK\" is not on the screen"),
        (twins, "cannot be told from others: there were 1 of them, there are 2"),
        (elsewhere, "button \"OK\" is not on the screen"),
    ] {
        let (exit, again) = replayed(&mut desktop, &record, None).await;
        let Exit::GaveUp { reason } = exit else { panic!("{exit:?}") };
        assert!(
            reason.starts_with("step 2 (click button \"OK\"") && reason.contains(expected),
            "{reason}"
        );
        assert_eq!((again.steps.len(), again.exit.is_some()), (2, true));
        assert_eq!(desktop.value("Agree").as_deref(), Some("true"));
        assert!(!desktop.events().contains(&SimEvent::Pressed("OK".into())));
    }
}

#[tokio::test]
async fn twins_are_told_by_their_group_and_their_order() {
    let rows = |names: [&'static str; 2]| {
        Simulated::new(Size::new(640, 480)).window("List", "list", move |w| {
            for name in names {
                w.group(name, |w| {
                    w.checkbox("Delete", false);
                });
            }
        })
    };
    let chosen = |desktop: &Simulated| {
        desktop.events().iter().find_map(|event| {
            let SimEvent::Clicked { at, .. } = event else { return None };
            Some(*at)
        })
    };
    let mut first = rows(["Ada", "Bob"]);
    let seen = first.observe().await.unwrap();
    let bob = seen.elements.iter().find(|e| e.within.as_deref() == Some("Bob")).unwrap().id;
    let record = recorded(&mut first, &[("click", json!({"target": bob.0}))]).await;
    let mut second = rows(["Bob", "Ada"]);
    let (exit, _) = replayed(&mut second, &record, None).await;
    assert!(matches!(exit, Exit::Done { .. }), "{exit:?}");
    assert!(chosen(&second).unwrap().y < chosen(&first).unwrap().y, "Bob is the upper one now");
}

#[tokio::test]
async fn keys_do_not_go_to_another_program() {
    let mut first = desktop();
    let record = recorded(
        &mut first,
        &[("click", json!({"target": "@Name"})), ("type_text", json!({"text": "Ada"}))],
    )
    .await;
    let mut second = desktop().on_click("Name", |then| {
        then.open("Chat", "chat", |w| {
            w.place(300, 300).textbox("Say");
        })
        .focus("Say");
    });
    let (exit, _) = replayed(&mut second, &record, None).await;
    let Exit::GaveUp { reason } = exit else { panic!("{exit:?}") };
    assert!(
        reason.contains("step 2") && reason.contains("the keyboard is in `chat`, and was in `form`"),
        "{reason}"
    );
    assert_eq!(second.value("Say").as_deref(), Some(""));
}

#[tokio::test]
async fn a_secret_is_asked_for_and_never_made_up() {
    let record =
        recorded(&mut desktop(), &[("type_text", json!({"target": "@Word", "text": "hunter2"}))]).await;
    assert_eq!(record.steps[0].actions[0].call.args["text"], MASK);
    let mut second = another_day();
    let (exit, _) = replayed(&mut second, &record, None).await;
    let Exit::GaveUp { reason } = exit else { panic!("{exit:?}") };
    assert!(reason.contains("does not hold the secret"), "{reason}");
    assert_eq!(second.value("Word"), None, "it was not even waited for");
    let mut third = another_day();
    let (exit, again) = replayed(&mut third, &record, Some("hunter2")).await;
    assert!(matches!(exit, Exit::Done { .. }), "{exit:?}");
    assert_eq!(third.value("Word").as_deref(), Some("hunter2"));
    assert!(!serde_json::to_string(&again.steps).unwrap().contains("hunter2"));
}

#[tokio::test]
async fn an_empty_record_is_nothing_done() {
    let record = recorded(&mut desktop(), &[("note", json!({"text": "a"}))]).await;
    let (exit, _) = replayed(&mut desktop(), &record, None).await;
    assert!(matches!(exit, Exit::GaveUp { .. }));
}

#[tokio::test]
async fn the_plan_reads_without_the_old_screen() {
    let record = recorded(&mut desktop(), &[("click", json!({"target": "@OK", "count": 2}))]).await;
    let plan = plan(&record);
    assert_eq!(plan[0].call.args, json!({"target": {"label": "OK", "role": "button"}, "count": 2}));
    assert!(plan[0].summary.starts_with("double-click button \"OK\""), "{}", plan[0].summary);
}
