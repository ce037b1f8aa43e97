//! A workflow at work.

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use freehand_tools::call::{CallError, ToolCall};
use freehand_tools::desktop::Desktop;
use freehand_tools::element::Role;
use freehand_tools::gate::Gate;
use freehand_tools::observation::Observation;
use freehand_tools::setting::Author;
use freehand_tools::tool::target::Place;
use freehand_tools::toolbox::Toolbox;
use serde_json::{Value, json};

use super::{Work, Workflow, WorkflowStep};
use crate::AgentError;
use crate::event::{Event, Listener, PartOf};
use crate::halt::Halt;
use crate::scripted::{Absent, Scripted, check};
use crate::supervision::{Plan, PlanBy, Standing};
use crate::trajectory::Exit;
use crate::trajectory::recorder::Recorder;

/// One task for the model, with what it needs, lent to it. Numbering the steps and ending the record
/// are the recorder's business here: a run is begun as if it stood alone.
#[expect(missing_debug_implementations, reason = "holds trait objects that have none")]
pub struct TaskWork<'a> {
    /// What is to be done.
    pub task: &'a str,
    /// As many steps as it may take.
    pub max_steps: Option<u32>,
    /// What is seen and used.
    pub desktop: &'a mut dyn Desktop,
    /// The tools.
    pub toolbox: &'a Toolbox,
    /// What every action passes.
    pub gate: &'a mut Gate,
    /// What is kept.
    pub recorder: &'a mut Recorder,
    /// Who watches.
    pub listener: &'a dyn Listener,
}

/// Who does the tasks of a workflow.
#[async_trait]
pub trait TaskRunner: Send {
    /// Does one.
    async fn task(&mut self, work: TaskWork<'_>) -> Result<Exit, AgentError>;
}

impl Workflow {
    /// Checks the workflow and does its steps until one fails. Whatever the end, nothing stays held
    /// down and the record is whole; only a file that is wrong ends it before it is begun.
    pub async fn run(
        &self,
        with: &mut Scripted<'_>,
        tasks: &mut dyn TaskRunner,
    ) -> Result<Exit, AgentError> {
        self.check(with.toolbox)?;
        with.gate.acts_for(Author::Workflow);
        let mut vars = self.values()?;
        let parts = self.steps.iter().map(|step| (step.says(), false));
        with.listener.event(Event::Planned { plan: Plan::new(PlanBy::Script, parts) });
        let mut halt = None;
        for (i, step) in self.steps.iter().enumerate() {
            if with.stop.is_stopped() {
                halt = Some(Halt::Exit(Exit::Interrupted));
                break;
            }
            with.stands(i, Standing::Current);
            if let Err(end) = self.step(step, &step.place(i + 1), &mut vars, with, tasks).await {
                with.stands(i, Standing::Failed);
                halt = Some(end);
                break;
            }
            with.stands(i, Standing::Done);
        }
        let halt = halt.unwrap_or_else(|| Halt::Exit(Exit::Done { checked: self.done() }));
        with.end(halt)
    }

    fn done(&self) -> String {
        let checks = self.steps.iter().filter(|step| matches!(step.work, Work::Assert { .. })).count();
        format!("all {} steps of the workflow were done, {checks} of them checks", self.steps.len())
    }

    async fn step(
        &self,
        step: &WorkflowStep,
        place: &str,
        vars: &mut BTreeMap<String, String>,
        with: &mut Scripted<'_>,
        tasks: &mut dyn TaskRunner,
    ) -> Result<(), Halt> {
        match &step.work {
            Work::Call { call, at, patience, .. } => {
                let call = ToolCall { args: self.fill_value(&call.args, vars, *at)?, ..call.clone() };
                let toolbox = with.toolbox;
                let done = with.act(&call, *patience, |seen| resolve(toolbox, &call, seen)).await?;
                check(place, &done.judged)
            }
            Work::Assert { call, at } => {
                let call = ToolCall { args: self.fill_value(&call.args, vars, *at)?, ..call.clone() };
                let done = with.act(&call, Duration::ZERO, |_| Ok(call.clone())).await?;
                check(&format!("{place}: the check failed"), &done.judged)
            }
            Work::Set { values, at } => {
                for (name, text) in values {
                    let value = self.fill(text, vars, *at)?;
                    vars.insert(name.clone(), value);
                }
                Ok(())
            }
            Work::Read { variable, from, at, patience } => {
                let from = self.fill_value(from, vars, *at)?;
                let call = ToolCall::new("set", json!({ "name": variable, "from": from }));
                let held = with.read(&call, *patience, |seen| held(&from, seen)).await?;
                match held {
                    Ok(value) => {
                        vars.insert(variable.clone(), value);
                        Ok(())
                    }
                    Err(reason) => {
                        Err(Halt::Exit(Exit::GaveUp { reason: format!("{place}: {reason}") }))
                    }
                }
            }
            Work::Task { task, max_steps, at } => {
                let task = self.fill(task, vars, *at)?;
                let listener = PartOf::told(with.listener, with.recorder.last());
                let part = with.recorder.part();
                let work = TaskWork {
                    task: &task,
                    max_steps: *max_steps,
                    desktop: &mut *with.desktop,
                    toolbox: with.toolbox,
                    gate: &mut *with.gate,
                    recorder: &mut *part.recorder,
                    listener: &listener,
                };
                let exit = tasks.task(work).await?;
                // It was the model's, and what comes is the workflow's.
                with.gate.acts_for(Author::Workflow);
                after_task(place, exit)
            }
        }
    }
}

fn after_task(place: &str, exit: Exit) -> Result<(), Halt> {
    let at = |reason: String| format!("{place}: {reason}");
    Err(Halt::Exit(match exit {
        Exit::Done { .. } => return Ok(()),
        Exit::GaveUp { reason } => Exit::GaveUp { reason: at(reason) },
        Exit::Limit { which } => Exit::Limit { which: at(which) },
        Exit::Refused { reason } => Exit::Refused { reason: at(reason) },
        Exit::ModelFailed { reason } => Exit::ModelFailed { reason: at(reason) },
        Exit::DesktopFailed { reason } => Exit::DesktopFailed { reason: at(reason) },
        exit @ (Exit::Left | Exit::Interrupted) => exit,
    }))
}

impl WorkflowStep {
    /// How an error names it: `step 3 "Save" (line 12)`.
    fn place(&self, number: usize) -> String {
        let name = self.name.as_ref().map(|name| format!(" \"{name}\"")).unwrap_or_default();
        format!("step {number}{name} (line {})", self.at.line)
    }
}

impl WorkflowStep {
    /// What it does, for a person, with its variables as they are written.
    fn says(&self) -> String {
        if let Some(name) = &self.name {
            return name.clone();
        }
        let place = |args: &Value| match args.get("target") {
            Some(Value::Object(target)) => {
                target.get("label").and_then(Value::as_str).map(str::to_owned)
            }
            Some(Value::String(label)) => Some(label.clone()),
            _ => None,
        };
        match &self.work {
            Work::Call { call, .. } => {
                // What is typed may be a secret.
                let mut said = ["name", "url", "title", "option", "keys", "window"].into_iter();
                let what = said.find_map(|field| call.args.get(field)?.as_str().map(str::to_owned));
                let parts = [Some(call.tool.clone()), what, place(&call.args)];
                parts.into_iter().flatten().collect::<Vec<_>>().join(" · ")
            }
            Work::Assert { call, .. } => {
                let mut what = ["text", "element", "window"].into_iter();
                let what = what.find_map(|field| call.args.get(field)?.as_str());
                format!("check · {}", what.unwrap_or_default())
            }
            Work::Set { values, .. } => {
                let names: Vec<&str> = values.keys().map(String::as_str).collect();
                format!("set · {}", names.join(", "))
            }
            Work::Read { variable, .. } => format!("read · {variable}"),
            Work::Task { task, .. } => task.clone(),
        }
    }
}

/// The call, once its target is there and in use.
fn resolve(toolbox: &Toolbox, call: &ToolCall, seen: &Observation) -> Result<ToolCall, Absent> {
    let action = toolbox.resolve(call, seen).map_err(|error| absent(&error))?;
    let target = action.target.element.as_ref().filter(|_| call.args.get("target").is_some());
    let element = target.and_then(|target| seen.element(target.id));
    match element {
        Some(element) if element.states.disabled && is_control(element.role) => {
            Err(Absent::Yet(format!("{} is out of use", element.describe())))
        }
        _ => Ok(call.clone()),
    }
}

/// Only of these every program says whether they are in use.
const fn is_control(role: Role) -> bool {
    matches!(
        role,
        Role::Button | Role::Checkbox | Role::Radio | Role::Textbox | Role::Password | Role::Dropdown
    )
}

/// Whether waiting helps against an error.
pub(crate) fn absent(error: &CallError) -> Absent {
    let reason = error.to_string();
    match error {
        CallError::NoElement(_) | CallError::NotFound(_) | CallError::Ambiguous { .. } => {
            Absent::Yet(reason)
        }
        CallError::UnknownTool { .. }
        | CallError::BadArguments { .. }
        | CallError::StaleFrame
        | CallError::OffScreen(..)
        | CallError::Unfit { .. }
        | CallError::Key(_) => Absent::Ever(reason),
    }
}

/// What the element holds, or is called where it holds nothing.
fn held(from: &Value, seen: &Observation) -> Result<String, Absent> {
    let place = Place::try_from(from.clone()).map_err(Absent::Ever)?;
    let target = place.ground(seen).map_err(|error| absent(&error))?;
    let element = target.element.as_ref().and_then(|element| seen.element(element.id));
    match element {
        Some(element) if element.is_protected() => {
            Err(Absent::Ever(format!("{} is not read: it holds a secret", element.describe())))
        }
        Some(element) => Ok(element.value.clone().unwrap_or_else(|| element.name.clone())),
        None => Err(Absent::Yet("no element is there".into())),
    }
}
