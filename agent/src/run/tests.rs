use std::sync::Mutex;

use async_trait::async_trait;
use freehand_model::backend::scripted::Scripted;
use freehand_model::dialect::tools::Tools;
use freehand_model::{Capabilities, Preference, Prompt, TokenSink};
use freehand_tools::action::Action;
use freehand_tools::desktop::simulated::Simulated;
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Decision, Evaluation, Policy};
use freehand_tools::geometry::Size;
use tokio::sync::watch;

use super::*;

mod person;
mod seeing;

#[derive(Debug)]
struct Open;

impl Policy for Open {
    fn evaluate(&self, _: &Action) -> Evaluation {
        Evaluation::by(Decision::Allow, "test", "it is a test")
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

/// What happens while a model thinks for the first time.
#[derive(Debug)]
enum Meanwhile {
    /// Time goes by.
    Slow(Duration),
    /// The person uses the mouse.
    Used(watch::Sender<Option<Instant>>),
    /// The run is asked to stop, and no answer ever comes.
    Stopped(Stop),
}

/// Answers from a script.
#[derive(Debug)]
struct Thinking(Scripted, Meanwhile);

#[async_trait]
impl Model for Thinking {
    fn capabilities(&self) -> Capabilities {
        self.0.capabilities()
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        if self.0.asked().is_empty() {
            match &self.1 {
                Meanwhile::Slow(time) => tokio::time::sleep(*time).await,
                Meanwhile::Used(seen) => drop(seen.send_replace(Some(Instant::now()))),
                Meanwhile::Stopped(stop) => {
                    stop.stop();
                    std::future::pending::<()>().await;
                }
            }
        }
        self.0.complete(prompt, sink).await
    }

    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Preference, ModelError> {
        self.0.choose(prompt, options).await
    }
}

/// The events, a line each.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Listener for Lines {
    fn event(&self, event: Event) {
        let line = match event {
            Event::Observed { step, windows, .. } => format!("{step} sees {}", windows.join(", ")),
            Event::Yielded { step } => format!("{step} gives way"),
            Event::Blinded { step } => format!("{step} is shown no more pictures"),
            Event::Acted { step, summary, outcome, .. } => format!("{step} {summary}: {outcome:?}"),
            Event::Ended { exit, .. } => format!("{exit:?}"),
            Event::Started { .. }
            | Event::Waiting { .. }
            | Event::WentOn { .. }
            | Event::Discarded { .. }
            | Event::Proposed { .. }
            | Event::Intended { .. }
            | Event::Asked { .. }
            | Event::Answered { .. }
            | Event::Planned { .. }
            | Event::PartStands { .. }
            | Event::Noted { .. }
            | Event::Paced { .. }
            | Event::Said { .. }
            | Event::Thought { .. }
            | Event::Piece { .. }
            | Event::AskedDone { .. }
            | Event::Chose { .. }
            | Event::Judged { .. } => return,
        };
        let mut lines = self.0.lock().unwrap();
        // What is looked at once more within a step shows the same windows.
        if lines.last() != Some(&line) {
            lines.push(line);
        }
    }
}

/// Has the task done on `desktop`, and tells what happened and what the model was asked.
async fn told(
    mut desktop: Simulated,
    model: &dyn Model,
    until: Option<&str>,
    stop: Stop,
    person: Presence,
) -> (Exit, Vec<String>) {
    let (toolbox, listener) = (Toolbox::default(), Lines::default());
    let mut gate = Gate::new(vec![Box::new(Open)], Box::new(Silent));
    let mut run = Run {
        desktop: &mut desktop,
        toolbox: &toolbox,
        gate: &mut gate,
        model,
        dialect: &Tools,
        recorder: &mut Recorder::off(),
        listener: &listener,
        limits: Limits { steps: 6, ..Limits::default() },
        until,
        apps: &[],
        stop,
        person,
    };
    let exit = run.task("Save it", &[]).await.unwrap();
    (exit, listener.0.into_inner().unwrap())
}

/// A form whose button can be used once it was looked at, and after this time.
fn form(delay: Duration) -> Simulated {
    Simulated::new(Size::new(640, 480))
        .window("Form", "form", |w| {
            w.textbox("Name").button("Save").disabled();
        })
        .after_observations(1, |then| {
            then.after(delay).enable("Save");
        })
        .on_click("Save", |then| {
            then.open("Thanks", "form", |w| {
                w.label("It is saved");
            });
        })
}

const CLICK: &str = r#"{"tool":"click","args":{"target":{"label":"Save"}}}"#;
const FINISH: &str =
    r#"{"tool":"finish","args":{"status":"success","answer":"saved","evidence":["It is saved"]}}"#;
const WAIT: Duration = Duration::from_millis(150);

#[tokio::test]
async fn a_task_is_done_when_its_evidence_is_on_the_screen() {
    let model = Scripted::new([FINISH, FINISH, CLICK, FINISH]);
    let (exit, lines) =
        told(form(Duration::ZERO), &model, None, Stop::default(), Presence::default()).await;
    assert_eq!(exit, Exit::Done { checked: "on the screen: It is saved".into() });
    insta::assert_snapshot!(lines.join("\n"));
}

#[tokio::test]
async fn a_text_that_the_person_named_is_the_end_whatever_the_model_claims() {
    let early = FINISH.replace("It is saved", "Name");
    let model = Scripted::new([early.as_str(), early.as_str(), CLICK, FINISH]);
    let until = Some("It is saved");
    let (exit, _) =
        told(form(Duration::ZERO), &model, until, Stop::default(), Presence::default()).await;
    assert_eq!(exit, Exit::Done { checked: "on the screen: It is saved".into() });
    let asked = model.asked();
    assert_eq!(asked.len(), 3, "it was asked after the end");
    let told = &asked[2].turns.last().unwrap().text;
    assert!(told.contains("`It is saved` is not on the screen"), "{told}");
}

#[tokio::test]
async fn a_model_that_was_shown_the_past_is_asked_again() {
    let model = Thinking(Scripted::new(["what?", CLICK, FINISH]), Meanwhile::Slow(WAIT * 2));
    let (exit, lines) = told(form(WAIT), &model, None, Stop::default(), Presence::default()).await;
    assert!(matches!(exit, Exit::Done { .. }), "{lines:#?}");
    let prompts: Vec<String> =
        model.0.asked().iter().map(|prompt| prompt.turns.last().unwrap().text.clone()).collect();
    assert!(prompts[0].contains("button \"Save\" (disabled)"), "{}", prompts[0]);
    assert!(prompts[1].contains("button \"Save\"\n"), "{}", prompts[1]);
    assert!(lines[1].starts_with("1 click button \"Save\""), "{lines:#?}");
}

#[tokio::test]
async fn a_run_waits_for_the_person_and_looks_again() {
    let (used, seen) = watch::channel(None);
    let model = Thinking(Scripted::new([CLICK, CLICK, FINISH]), Meanwhile::Used(used));
    let (exit, lines) =
        told(form(Duration::ZERO), &model, None, Stop::default(), Presence::told_by(seen)).await;
    assert!(matches!(exit, Exit::Done { .. }), "{lines:#?}");
    assert_eq!(lines[1], "1 gives way");
    assert_eq!(model.0.asked().len(), 3);
}

#[tokio::test]
async fn a_stop_does_not_wait_for_the_end_of_a_thought() {
    let stop = Stop::default();
    let model = Thinking(Scripted::new([CLICK]), Meanwhile::Stopped(stop.clone()));
    let (exit, _) = told(form(WAIT), &model, None, stop, Presence::default()).await;
    assert_eq!(exit, Exit::Interrupted);
}
