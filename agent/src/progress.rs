//! What one step of a run leaves for the next one, and what the model is told of it.

use freehand_model::dialect::{Barred, Comparison, PlanView};
use freehand_tools::action::{ActionKind, Status};
use freehand_tools::apps::App;
use freehand_tools::call::ToolSpec;
use freehand_tools::outcome::{Effect, Outcome};

use crate::halt::Halt;
use crate::memory::Memory;
use crate::sight::Sight;
use crate::trajectory::{Exit, Judged};

/// What a pass of the loop leaves for the next one.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    pub(crate) task: String,
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
}

impl Progress {
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
        match judged.action.as_ref().map(|action| &action.kind) {
            Some(ActionKind::Finish { status, answer, evidence }) if judged.outcome.is_done() => {
                Err(Halt::Exit(match status {
                    Status::Success => {
                        Exit::Done { checked: format!("on the screen: {}", evidence.join("; ")) }
                    }
                    Status::Failure => Exit::GaveUp { reason: answer.clone() },
                }))
            }
            _ => Ok(()),
        }
    }
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
        barred,
        comparison: &progress.comparison,
    }
}
