use std::path::Path;
use std::time::Duration;

use async_trait::async_trait;
use freehand_tools::action::Action;
use freehand_tools::desktop::simulated::{SimEvent, Simulated};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Decision, Evaluation, Gate, Policy};
use freehand_tools::geometry::Size;
use freehand_tools::toolbox::Toolbox;

use super::*;
use crate::event::{Event, Listener as _, Nobody};
use crate::outside::{Presence, Stop};
use crate::scripted::Scripted;
use crate::supervision::{Hub, Numbered, Plan, PlanBy, Standing, Steering, ToView};
use crate::trajectory::reader::read;
use crate::trajectory::recorder::Recorder;
use crate::trajectory::{Exit, FORMAT, Header, Trajectory};

mod loading;

/// Allows all but programs.
#[derive(Debug)]
struct Lenient;

impl Policy for Lenient {
    fn evaluate(&self, action: &Action) -> Evaluation {
        let is_launch = action.effects == freehand_tools::action::EffectClass::Launch;
        let decision = if is_launch { Decision::Deny } else { Decision::Allow };
        Evaluation::by(decision, "test", "programs are not started here")
    }
}

#[derive(Debug)]
struct Silent;

#[async_trait]
impl Approver for Silent {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        Approval::deny("no")
    }

    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

/// Clicks `OK` when it is told to, and ends as it is told.
struct Clicker(Exit);

#[async_trait]
impl TaskRunner for Clicker {
    async fn task(&mut self, work: TaskWork<'_>) -> Result<Exit, AgentError> {
        assert_eq!((work.task, work.max_steps), ("Confirm for Ada", Some(7)));
        let mut hands = Scripted {
            desktop: work.desktop,
            toolbox: work.toolbox,
            gate: work.gate,
            recorder: work.recorder,
            listener: &Nobody,
            stop: Stop::default(),
            person: Presence::default(),
        };
        let call = ToolCall::new("click", serde_json::json!({ "target": "OK" }));
        hands.act(&call, Duration::ZERO, |_| Ok(call.clone())).await.unwrap();
        work.recorder.finish(&self.0)?;
        Ok(self.0.clone())
    }
}

fn header() -> Header {
    Header {
        format: FORMAT,
        task: "test".into(),
        until: None,
        model: String::new(),
        dialect: String::new(),
        policy: "lenient".into(),
        policy_digest: String::new(),
        display: "simulated".into(),
        started_ms: 0,
    }
}

/// Runs `text` on `desktop`, and says how it ended and what was recorded.
async fn run_on(
    desktop: &mut Simulated,
    text: &str,
    task: Exit,
) -> (Result<Exit, AgentError>, Trajectory) {
    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header()).unwrap();
    let mut gate = Gate::new(vec![Box::new(Lenient)], Box::new(Silent));
    let toolbox = Toolbox::default();
    let mut with = Scripted {
        desktop,
        toolbox: &toolbox,
        gate: &mut gate,
        recorder: &mut recorder,
        listener: &Nobody,
        stop: Stop::default(),
        person: Presence::default(),
    };
    let workflow = Workflow::parse(text, Path::new("w.yaml")).unwrap();
    let result = workflow.run(&mut with, &mut Clicker(task)).await;
    (result, read(dir.path()).unwrap())
}

fn form() -> Simulated {
    Simulated::new(Size::new(640, 480))
        .window("Form", "form", |w| {
            w.label("Name").textbox("Name").textbox_with("Total", "42 EUR").button("OK").button("Later");
        })
        .on_click("OK", |then| {
            then.after(Duration::from_millis(400)).open("Thanks", "form", |w| {
                w.label("Saved").button("Close");
            });
        })
}

const FORM: &str = r#"
name: Fill the form
description: in a test
vars: { who: Ada, greeting: "Dear ${who}, 5 $$", code: 007, flag: no }
steps:
  - do: type_text
    name: the name
    args: { target: { label: Name, role: textbox }, text: "${who} ${code} ${flag}" }
  - set: { name: total, from: { label: Total } }
  - set: { all: "<${total}>" }
  - task: "Confirm for ${who}"
    max_steps: 7
  - wait: { text: Saved, timeout_ms: 5000 }
  - do: click
    args: { target: { label: Close } }
  - do: type_text
    args: { target: { label: Total, role: textbox }, text: "${all}", clear: true }
  - assert: { text: "<42 EUR>" }
  - assert: { text: "Nothing of this", gone: true }
"#;

#[tokio::test]
async fn a_workflow_is_done_and_recorded() {
    let mut desktop = form();
    let (exit, record) = run_on(&mut desktop, FORM, Exit::Done { checked: String::new() }).await;
    let checked = "all 9 steps of the workflow were done, 2 of them checks".to_owned();
    assert_eq!(exit.unwrap(), Exit::Done { checked });
    assert_eq!(desktop.value("Name").as_deref(), Some("Ada 007 no"));
    assert_eq!(desktop.value("Total").as_deref(), Some("<42 EUR>"));
    let steps: Vec<(u32, &str)> =
        record.steps.iter().map(|step| (step.index, step.actions[0].call.tool.as_str())).collect();
    let expected = ["type_text", "set", "click", "wait", "click", "type_text", "wait", "wait"];
    assert_eq!(steps, (1..).zip(expected).collect::<Vec<_>>());
    assert!(record.exit.is_some());
    assert_eq!(desktop.events().last(), Some(&SimEvent::Released));
}

#[tokio::test]
async fn a_target_that_comes_late_is_waited_for() {
    let text = "
name: late
steps:
  - { do: click, args: { target: OK } }
  - { do: click, args: { target: Close } }
";
    let mut desktop = form();
    let (exit, _) = run_on(&mut desktop, text, Exit::Interrupted).await;
    assert!(matches!(exit.unwrap(), Exit::Done { .. }));
    assert!(desktop.events().contains(&SimEvent::Pressed("Close".into())));

    let mut desktop = form();
    desktop.change(|now| {
        now.disable("Later").after(Duration::from_millis(300)).enable("Later");
    });
    let text = "{name: off, steps: [{ do: click, args: { target: Later } }]}";
    let (exit, _) = run_on(&mut desktop, text, Exit::Interrupted).await;
    assert!(matches!(exit.unwrap(), Exit::Done { .. }));
    assert!(desktop.events().contains(&SimEvent::Pressed("Later".into())));
}

#[tokio::test]
async fn a_step_that_fails_ends_it_and_is_named() {
    for (steps, expected) in [
        (
            "- { name: press it, do: click, args: { target: Nowhere }, timeout_ms: 200 }",
            "step 1 \"press it\" (line 3): nothing on the screen is called `Nowhere`",
        ),
        (
            "- assert: { text: Saved, timeout_ms: 100 }",
            "step 1 (line 3): the check failed: the text \"Saved\" did not come after 100 ms",
        ),
        (
            "- assert: { window: Form, gone: true, timeout_ms: 0 }",
            "step 1 (line 3): the check failed: the window \"Form\" is still there after 0 ms",
        ),
        (
            "- set: { name: x, from: { label: Nowhere } }\n    timeout_ms: 100",
            "step 1 (line 3): nothing on the screen is called `Nowhere`",
        ),
        ("- { task: Confirm for Ada, max_steps: 7 }", "step 1 (line 3): too hard"),
    ] {
        let text =
            format!("name: x\nsteps:\n  {steps}\n  - {{ do: click, args: {{ target: Later }} }}\n");
        let mut desktop = form();
        let task = Exit::GaveUp { reason: "too hard".into() };
        let (exit, record) = run_on(&mut desktop, &text, task).await;
        assert_eq!(exit.unwrap(), Exit::GaveUp { reason: expected.into() });
        assert!(!desktop.events().contains(&SimEvent::Pressed("Later".into())));
        assert_eq!((record.steps.len(), record.exit.is_some()), (1, true), "{steps}");
    }
    let text = "name: x\nsteps:\n  - { do: open_app, args: { name: xterm } }\n";
    let (exit, _) = run_on(&mut form(), text, Exit::Interrupted).await;
    assert_eq!(
        exit.unwrap(),
        Exit::Refused { reason: "step 1 (line 3): programs are not started here".into() }
    );
    let (exit, record) = run_on(&mut form().die_after(5), FORM, Exit::Interrupted).await;
    assert!(matches!(exit.unwrap(), Exit::DesktopFailed { .. }));
    assert!(matches!(record.exit, Some(Exit::DesktopFailed { .. })));
}

/// Does a task in one step, and ends as a run of its own would.
struct Talker;

#[async_trait]
impl TaskRunner for Talker {
    async fn task(&mut self, work: TaskWork<'_>) -> Result<Exit, AgentError> {
        let exit = Exit::Done { checked: "so".into() };
        let plan = Plan::new(PlanBy::Task, [("mine".into(), false)]);
        let events = [
            Event::Planned { plan },
            Event::WentOn { step: 1 },
            Event::Ended { exit: exit.clone(), steps: 1 },
        ];
        for event in events {
            work.listener.event(event);
        }
        Ok(exit)
    }
}

#[tokio::test]
async fn the_steps_are_the_plan_and_a_task_in_it_is_a_part() {
    let hub = Hub::new("s", Steering::default());
    hub.event(Event::Started { header: header() });
    let mut gate = Gate::new(vec![Box::new(Lenient)], Box::new(Silent));
    let (toolbox, mut desktop) = (Toolbox::default(), form());
    let mut with = Scripted {
        desktop: &mut desktop,
        toolbox: &toolbox,
        gate: &mut gate,
        recorder: &mut Recorder::off(),
        listener: &hub,
        stop: Stop::default(),
        person: Presence::default(),
    };
    let text = "{name: x, steps: [{ name: Put it off, do: click, args: { target: Later } }, { task: a },
        { do: type_text, args: { target: { label: Nobody }, text: secret }, timeout_ms: 1 }, { set: { b: c } }]}";
    let workflow = Workflow::parse(text, Path::new("w.yaml")).unwrap();
    let mut seen = hub.join(None);
    workflow.run(&mut with, &mut Talker).await.unwrap();
    let plan = hub.state().plan.unwrap();
    let parts: Vec<_> = plan.parts.iter().map(|part| (part.text.as_str(), part.standing)).collect();
    let want = [
        ("Put it off", Standing::Done),
        ("a", Standing::Done),
        ("type_text · Nobody", Standing::Failed),
        ("set · b", Standing::Left),
    ];
    assert_eq!((plan.by, parts.as_slice()), (PlanBy::Script, &want[..]));
    // The task's own step is the second of all, and its end was not the end.
    let number = hub.join(None).next().await;
    let ToView::State { number, .. } = number else { panic!("{number:?}") };
    let mut told = Vec::new();
    seen.next().await;
    while told.last().is_none_or(|(last, _)| *last < number) {
        let ToView::Event(Numbered { number, event, .. }) = seen.next().await else { panic!() };
        told.push((number, event));
    }
    assert!(told.iter().any(|(_, event)| *event == Event::WentOn { step: 2 }), "{told:?}");
    let ends = told.iter().filter(|(_, event)| matches!(event, Event::Ended { .. })).count();
    assert_eq!(ends, 1);
}

#[tokio::test]
async fn a_long_wait_can_be_stopped() {
    let mut desktop = form();
    let mut recorder = Recorder::off();
    let mut gate = Gate::new(vec![Box::new(Lenient)], Box::new(Silent));
    let (toolbox, stop) = (Toolbox::default(), Stop::default());
    let mut with = Scripted {
        desktop: &mut desktop,
        toolbox: &toolbox,
        gate: &mut gate,
        recorder: &mut recorder,
        listener: &Nobody,
        stop: stop.clone(),
        person: Presence::default(),
    };
    let text = "{name: x, steps: [{ wait: { text: Never, timeout_ms: 60000 } }]}";
    let workflow = Workflow::parse(text, Path::new("w.yaml")).unwrap();
    let mut nobody = Clicker(Exit::Interrupted);
    let later = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        stop.stop();
    };
    let (exit, ()) = tokio::join!(workflow.run(&mut with, &mut nobody), later);
    assert_eq!(exit.unwrap(), Exit::Interrupted);
}

/// Asks about everything.
#[derive(Debug)]
struct Curious;

impl Policy for Curious {
    fn evaluate(&self, _: &Action) -> Evaluation {
        Evaluation::by(Decision::Ask, "test", "somebody has to say yes")
    }
}

/// Stops the run instead of answering.
#[derive(Debug)]
struct Leaver(Stop);

#[async_trait]
impl Approver for Leaver {
    async fn ask(&self, _: &ApprovalRequest) -> Approval {
        self.0.stop();
        Approval::deny("the run was stopped")
    }

    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

#[tokio::test]
async fn what_was_broken_off_has_not_failed() {
    let (mut desktop, mut recorder, stop) = (form(), Recorder::off(), Stop::default());
    let mut gate = Gate::new(vec![Box::new(Curious)], Box::new(Leaver(stop.clone())));
    let toolbox = Toolbox::default();
    let mut with = Scripted {
        desktop: &mut desktop,
        toolbox: &toolbox,
        gate: &mut gate,
        recorder: &mut recorder,
        listener: &Nobody,
        stop,
        person: Presence::default(),
    };
    let text = "{name: x, steps: [{ do: click, args: { target: Later } }]}";
    let workflow = Workflow::parse(text, Path::new("w.yaml")).unwrap();
    let exit = workflow.run(&mut with, &mut Clicker(Exit::Interrupted)).await.unwrap();
    assert_eq!((exit, recorder.last()), (Exit::Interrupted, 1));
}

#[tokio::test]
async fn a_workflow_that_is_dropped_in_a_task_can_still_be_ended() {
    struct Endless;

    #[async_trait]
    impl TaskRunner for Endless {
        async fn task(&mut self, _: TaskWork<'_>) -> Result<Exit, AgentError> {
            std::future::pending().await
        }
    }

    let dir = tempfile::tempdir().unwrap();
    let mut recorder = Recorder::create(dir.path(), header()).unwrap();
    let mut gate = Gate::new(vec![Box::new(Lenient)], Box::new(Silent));
    let (toolbox, mut desktop) = (Toolbox::default(), form());
    let mut with = Scripted {
        desktop: &mut desktop,
        toolbox: &toolbox,
        gate: &mut gate,
        recorder: &mut recorder,
        listener: &Nobody,
        stop: Stop::default(),
        person: Presence::default(),
    };
    let text = "{name: x, steps: [{ do: click, args: { target: Later } }, { task: a }]}";
    let workflow = Workflow::parse(text, Path::new("w.yaml")).unwrap();
    let mut tasks = Endless;
    let run = workflow.run(&mut with, &mut tasks);
    assert!(tokio::time::timeout(Duration::from_secs(1), run).await.is_err());
    assert_eq!(recorder.last(), 1);
    recorder.finish(&Exit::Interrupted).unwrap();
    assert_eq!(read(dir.path()).unwrap().exit, Some(Exit::Interrupted));
}

#[test]
fn what_is_wrong_with_a_file_is_said_with_its_place() {
    for (text, expected) in [
        (
            "name: x\nsteps:\n  - do: click\n    colour: red\n",
            "line 4, column 5: unknown field `colour`, expected one of",
        ),
        ("name: x\nsteps: 3\n", "line 2, column 8: expected a list"),
        ("name: x\nsteps: []\n", "`steps` is empty"),
        ("name: x\n", "missing field `steps`"),
        (
            "name: x\nsteps:\n  - {do: click, wait: {text: a}}\n",
            "line 3, column 5: a step has only one of",
        ),
        ("name: x\nsteps:\n  - name: a\n", "line 3, column 5: a step needs one of `do`"),
        (
            "name: x\nsteps:\n  - {wait: {text: a}, args: {}}\n",
            "line 3, column 5: `args` goes with `do` only",
        ),
        (
            "name: x\nsteps:\n  - {do: click, max_steps: 3}\n",
            "line 3, column 5: `max_steps` goes with `task` only",
        ),
        ("name: x\nsteps:\n  - task: ' '\n", "line 3, column 5: `task` is empty"),
        ("name: x\nsteps:\n  - assert: {gone: true}\n", "line 3, column 13: `assert` needs one of"),
        ("name: x\nsteps:\n  - assert:\n      txt: a\n", "line 4, column 7: unknown field `txt`"),
        ("name: x\nsteps:\n  - set: 3\n", "line 3, column 10: `set` needs names"),
        ("name: x\nsteps:\n  - set: {a b: c}\n", "line 3, column 10: `a b` is no name"),
        ("name: x\nvars: {1: a}\nsteps:\n  - task: a\n", "`1` is no name"),
        ("name: x\nname: y\nsteps: []\n", "line 2, column 1: duplicate"),
        ("name: [x\n", "line "),
        ("- a\n", "line 1, column 1: expected fields, each `name: value`"),
        ("# only a comment\n", "line 2, column 1: unexpected end of "),
        (" \n", "it is empty"),
    ] {
        let error = Workflow::parse(text, Path::new("dir/w.yaml")).unwrap_err();
        assert!(matches!(error, AgentError::BadWorkflow { .. }));
        let message = error.to_string();
        assert!(
            message.starts_with("`dir/w.yaml`: ") && message.contains(expected),
            "{text}\n{message}"
        );
        assert_eq!(message.lines().count(), 1, "{message}");
    }
}

#[test]
fn what_is_wrong_with_a_step_is_found_before_anything_is_done() {
    for (steps, expected) in [
        ("- do: clack", "line 4, column 9: there is no tool `clack`; the tools are: click, "),
        (
            "- do: finish\n    args: {status: success}",
            "line 4, column 9: a workflow ends after its last step",
        ),
        (
            "- do: click\n    args: {target: A, colour: red}",
            "line 5, column 11: `click`: unknown field `colour`, expected one of",
        ),
        ("- do: click", "line 4, column 9: `click`: missing field `target`"),
        (
            "- do: click\n    args: {target: A, count: 9}",
            "line 5, column 11: `click`: `count` is 9, expected 1 to 3",
        ),
        ("- do: press_keys\n    args: {keys: ctrl+nokey}", "line 5, column 11: "),
        ("- wait: {txt: a}", "line 4, column 11: `wait`: unknown field `txt`"),
        ("- assert: {text: a, timeout_ms: 999999}", "line 4, column 13: `wait`: `timeout_ms` is 999999"),
        (
            "- task: hello ${nobody}",
            "line 4, column 11: there is no variable `nobody` here; there are `a`",
        ),
        ("- task: hello ${a", "line 4, column 11: `${` has no `}`"),
        (
            "- {do: click, args: {target: '${b}'}}\n  - set: {b: '1'}",
            "line 4, column 23: there is no variable `b`",
        ),
        ("- set: {name: b, from: {colour: red}}", "line 4, column 10: `from`: "),
        ("- set: {b: ctrl+nokey}\n  - do: press_keys\n    args: {keys: '${b}'}", "line 6, column 11: "),
    ] {
        let text = format!("name: x\nvars: {{a: b}}\nsteps:\n  {steps}\n");
        let workflow = Workflow::parse(&text, Path::new("w.yaml")).unwrap();
        let message = workflow.check(&Toolbox::default()).unwrap_err().to_string();
        assert!(message.starts_with("`w.yaml`: ") && message.contains(expected), "{text}\n{message}");
    }
    // What is read off the screen may become anything.
    let text =
        "{name: x, steps: [{set: {name: b, from: {label: A}}}, {do: press_keys, args: {keys: '${b}'}}]}";
    Workflow::parse(text, Path::new("w.yaml")).unwrap().check(&Toolbox::default()).unwrap();
}
