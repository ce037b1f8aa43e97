//! What one step of a run leaves for the next one, and what the model is told of it.

use std::collections::HashSet;
use std::time::Duration;

use freehand_model::dialect::{Barred, Comparison, PlanView};
use freehand_tools::action::{ActionKind, Condition, Status};
use freehand_tools::apps::App;
use freehand_tools::call::ToolSpec;
use freehand_tools::geometry::ScreenRect;
use freehand_tools::observation::Observation;
use freehand_tools::outcome::{Effect, Outcome};

use crate::halt::Halt;
use crate::memory::Memory;
use crate::sight::Sight;
use crate::trajectory::{Exit, Intervention, Judged};

/// What a pass of the loop leaves for the next one.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) task: String,
    /// The text that is on the screen when it is done.
    pub(crate) until: Option<String>,
    pub(crate) memory: Memory,
    pub(crate) changed: bool,
    pub(crate) hint: Option<String>,
    pub(crate) failures: u32,
    pub(crate) ineffective: u32,
    pub(crate) refusals: u32,
    pub(crate) last_list: Option<String>,
    /// How the task compares, and whether it was asked.
    pub(crate) comparison: Comparison,
    pub(crate) compared: bool,
    /// Questions about choices of forms that were answered with nothing to be done.
    pub(crate) settled: HashSet<String>,
    /// The command of the program that it needs first.
    pub(crate) program: Option<String>,
    /// The part of the screen that the model has just asked to look at.
    pub(crate) closeup: Option<ScreenRect>,
    /// What the task names, as it was told last.
    pub(crate) parts: Vec<(String, bool)>,
    /// As long as the run was held; that is not its own time.
    pub(crate) held: Duration,
    /// How the person came between since the last step was recorded.
    pub(crate) interventions: Vec<Intervention>,
}

impl Progress {
    /// Takes in how the person came between: what they say belongs to the task, and after they have
    /// used the desktop nothing that failed before counts any more.
    pub(crate) fn hear(&mut self, intervention: Intervention) {
        match &intervention {
            Intervention::Said { text } => {
                self.task = format!("{}\nThe person adds: {text}", self.task);
                (self.compared, self.program) = (false, None);
            }
            Intervention::TookOver => {
                self.memory.taken_over();
                self.last_list = None;
                (self.failures, self.ineffective, self.refusals) = (0, 0, 0);
                self.hint = None;
                // It may be done by now.
                self.changed = true;
            }
        }
        self.interventions.push(intervention);
    }

    /// What says that the task is done, where something was done and `text` is on the screen.
    pub(crate) fn reached(&self, text: &str, seen: &Observation) -> Option<String> {
        let is_there = !self.memory.steps().is_empty() && Condition::Text(text.to_owned()).holds(seen);
        is_there.then(|| on_the_screen(text))
    }

    /// Draws the conclusions from what became of one call.
    pub(crate) fn take(&mut self, judged: &Judged) -> Result<(), Halt> {
        match &judged.outcome {
            Outcome::Done { effect, .. } => {
                (self.failures, self.refusals) = (0, 0);
                if *effect == Effect::NoVisibleEffect {
                    self.ineffective += 1;
                    self.hint = (self.ineffective > 1)
                        .then(|| "nothing changed; choose another element, or scroll".into());
                } else {
                    self.ineffective = 0;
                    self.changed = true;
                }
            }
            Outcome::Failed { reason, hint } => {
                self.failures += 1;
                let more = hint.as_ref().map(|hint| format!("; {hint}")).unwrap_or_default();
                self.hint = Some(format!("{reason}{more}"));
            }
            Outcome::Refused { reason } => {
                self.refusals += 1;
                self.hint = Some(reason.clone());
            }
        }
        let kind = judged.action.as_ref().map(|action| &action.kind);
        self.closeup = match kind {
            Some(ActionKind::Zoom { region }) if judged.outcome.is_done() => Some(*region),
            _ => None,
        };
        match kind {
            Some(ActionKind::Finish { status, answer, evidence }) if judged.outcome.is_done() => {
                Err(Halt::Exit(match status {
                    Status::Success => Exit::Done { checked: on_the_screen(&evidence.join("; ")) },
                    Status::Failure => Exit::GaveUp { reason: answer.clone() },
                }))
            }
            _ => Ok(()),
        }
    }
}

fn on_the_screen(text: &str) -> String {
    format!("on the screen: {text}")
}

/// What the model is shown.
pub(crate) fn view<'v>(
    apps: &'v [App],
    sight: &'v Sight,
    tools: &'v [ToolSpec],
    barred: &'v [Barred],
    progress: &'v Progress,
) -> PlanView<'v> {
    PlanView {
        task: &progress.task,
        seen: &sight.seen,
        list: &sight.list,
        steps: progress.memory.steps(),
        notes: progress.memory.notes(),
        hint: progress.hint.as_deref(),
        tools,
        apps,
        program: progress.program.as_deref(),
        barred,
        comparison: &progress.comparison,
        images: None,
        closeup: progress.closeup,
    }
}
