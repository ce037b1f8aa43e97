//! Does the actions of a record again, with no model: each is looked for on today's screen by what its
//! target is called, passes the same gate, and is recorded as a step of its own.
//!
//! A replay stops at the first action that it cannot place. Going on from a screen that is not the one
//! that was meant would do things that nobody asked for.

use std::time::Duration;

use freehand_tools::action::{Action, ActionKind, TargetElement};
use freehand_tools::call::ToolCall;
use freehand_tools::observation::Observation;
use freehand_tools::setting::Author;
use freehand_tools::toolbox::Toolbox;
use serde_json::Value;

use crate::AgentError;
use crate::event::Event;
use crate::halt::Halt;
use crate::scripted::{Absent, Scripted, check, only_informs};
use crate::supervision::{Plan, PlanBy, Standing};
use crate::trajectory::redact::{KEY, MASK};
use crate::trajectory::{Exit, Judged, Step, Trajectory};
use crate::workflow::absent;

mod landmark;

use landmark::{Keyboard, Landmark};

/// How long a target is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// One action to be done again.
#[derive(Debug, Clone, PartialEq)]
pub struct Replayed {
    /// The step of the record that it comes from.
    pub step: u32,
    /// The call, with its places in words that do not depend on the old screen.
    pub call: ToolCall,
    /// What it did, in one sentence.
    pub summary: String,
    /// What the person is asked for, since it is a secret and no record holds it.
    pub secret: Option<String>,
    target: Option<Landmark>,
    path: Vec<Landmark>,
    keyboard: Option<Keyboard>,
}

/// What there is to do again: the actions that were done and change something. Those that failed or
/// were refused, and those that only told the model something, are left out.
pub fn plan(trajectory: &Trajectory) -> Vec<Replayed> {
    let actions =
        trajectory.steps.iter().flat_map(|step| step.actions.iter().map(move |judged| (step, judged)));
    actions
        .filter(|(_, judged)| judged.outcome.is_done())
        .filter_map(|(step, judged)| entry(step, judged))
        .collect()
}

fn entry(step: &Step, judged: &Judged) -> Option<Replayed> {
    let action = judged.action.as_ref().filter(|action| !only_informs(&action.kind))?;
    let target = &action.target;
    let app = target.window.as_ref().map(|window| window.app.as_str());
    let written = judged.call.args.get("target").filter(|target| !target.is_null());
    let landmark = written
        .map(|written| Landmark::new(written, target.element.as_ref(), target.point, app, &step.seen));
    let keyboard = if landmark.is_none() { Keyboard::of(action) } else { None };
    let mut call = ToolCall { id: String::new(), ..judged.call.clone() };
    let path = path(step, action, &call.args);
    replace(&mut call.args, landmark.as_ref(), &path, |landmark, written| Ok(landmark.written(written)))
        .ok()?;
    let place = || target.element.as_ref().map(TargetElement::describe);
    let secret = action.is_protected().then(|| place().unwrap_or_default());
    let summary = action.summary.clone();
    Some(Replayed { step: step.index, call, summary, secret, target: landmark, path, keyboard })
}

/// The stops of a drag.
fn path(step: &Step, action: &Action, args: &Value) -> Vec<Landmark> {
    let (ActionKind::Drag { path: points, .. }, Some(stops)) =
        (&action.kind, args.get("path").and_then(Value::as_array))
    else {
        return Vec::new();
    };
    let app = action.target.window.as_ref().map(|window| window.app.as_str());
    let last = stops.len().saturating_sub(1);
    let landmark = |(i, written): (usize, &Value)| {
        // Only of the last stop it is known what lay there.
        let element = action.target.destination.as_ref().filter(|_| i == last);
        Landmark::new(written, element, points.get(i).copied(), app, &step.seen)
    };
    stops.iter().enumerate().map(landmark).collect()
}

/// Puts `change` of each landmark where the call names a place.
fn replace(
    args: &mut Value,
    target: Option<&Landmark>,
    path: &[Landmark],
    change: impl Fn(&Landmark, &Value) -> Result<Value, Absent>,
) -> Result<(), Absent> {
    if let (Some(landmark), Some(written)) = (target, args.get_mut("target")) {
        *written = change(landmark, written)?;
    }
    let stops = args.get_mut("path").and_then(Value::as_array_mut);
    for (landmark, written) in path.iter().zip(stops.into_iter().flatten()) {
        *written = change(landmark, written)?;
    }
    Ok(())
}

impl Replayed {
    /// The call for today's screen.
    fn ground(
        &self,
        call: &ToolCall,
        toolbox: &Toolbox,
        seen: &Observation,
    ) -> Result<ToolCall, Absent> {
        let mut call = call.clone();
        let today = |landmark: &Landmark, written: &Value| landmark.ground(written, seen);
        replace(&mut call.args, self.target.as_ref(), &self.path, today)?;
        self.keyboard.as_ref().map_or(Ok(()), |keyboard| keyboard.check(seen))?;
        toolbox.resolve(&call, seen).map_err(|error| absent(&error))?;
        Ok(call)
    }

    fn place(&self) -> String {
        format!("step {} ({})", self.step, self.summary)
    }
}

/// Does `plan` on the desktop until an action fails. Whatever the end, nothing stays held down and the
/// record is whole.
pub async fn run(plan: &[Replayed], with: &mut Scripted<'_>) -> Result<Exit, AgentError> {
    run_within(PATIENCE, plan, with).await
}

async fn run_within(
    patience: Duration,
    plan: &[Replayed],
    with: &mut Scripted<'_>,
) -> Result<Exit, AgentError> {
    with.gate.acts_for(Author::Workflow);
    let parts = plan.iter().map(|entry| (entry.summary.clone(), false));
    with.listener.event(Event::Planned { plan: Plan::new(PlanBy::Script, parts) });
    let mut halt = None;
    for (i, entry) in plan.iter().enumerate() {
        with.stands(i, Standing::Current);
        if let Err(end) = again(patience, entry, with).await {
            with.stands(i, Standing::Failed);
            halt = Some(end);
            break;
        }
        with.stands(i, Standing::Done);
    }
    let halt = halt.unwrap_or_else(|| {
        Halt::Exit(if plan.is_empty() {
            Exit::GaveUp { reason: "the record holds no action that was done".into() }
        } else {
            Exit::Done {
                checked: format!("all {} actions found their targets and were done again", plan.len()),
            }
        })
    });
    with.end(halt)
}

async fn again(patience: Duration, entry: &Replayed, with: &mut Scripted<'_>) -> Result<(), Halt> {
    let call = with_secret(entry, with).await?;
    let toolbox = with.toolbox;
    let done = with.act(&call, patience, |seen| entry.ground(&call, toolbox, seen)).await?;
    check(&entry.place(), &done.judged)
}

/// The call with what the record does not hold: a secret is asked of the person.
async fn with_secret(entry: &Replayed, with: &mut Scripted<'_>) -> Result<ToolCall, Halt> {
    let mut call = entry.call.clone();
    if let (Some(place), Some(text)) = (&entry.secret, call.args.get_mut("text")) {
        let question = format!("step {} typed a secret into {place}; what is it?", entry.step);
        if let Some(answer) = with.gate.question(&question).await {
            *text = answer.into();
            return Ok(call);
        }
    }
    if holds_mask(&call.args) {
        let place = entry.place();
        let reason =
            format!("{place}: the record does not hold the secret that it typed, and nobody gave it");
        return Err(Halt::Exit(Exit::GaveUp { reason }));
    }
    Ok(call)
}

/// Whether something that is typed was taken out of the record. A place is found by other means.
fn holds_mask(args: &Value) -> bool {
    ["text", "keys", "option", "name", "url", "title"]
        .iter()
        .filter_map(|field| args.get(field).and_then(Value::as_str))
        .any(|text| text.contains(MASK) || text == KEY)
}

#[cfg(test)]
mod tests;
