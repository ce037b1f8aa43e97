//! The loop: look, ask, judge, act, record, until the task is done or a limit says stop.
//!
//! No arrow goes left. Whatever goes wrong inside a step is that step's outcome, and the next question
//! shows it to the model; only a desktop or a model that is gone ends the run.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use freehand_model::dialect::{Barred, Comparison, Dialect, ParseError, PlanView, Proposal, list};
use freehand_model::prompt::Completion;
use freehand_model::{Model, ModelError};
use freehand_tools::action::{ActionKind, Condition, Status};
use freehand_tools::apps::App;
use freehand_tools::call::ToolSpec;
use freehand_tools::desktop::{Desktop, DesktopError};
use freehand_tools::frame::Frame;
use freehand_tools::gate::Gate;
use freehand_tools::observation::Observation;
use freehand_tools::outcome::{Effect, Outcome};
use freehand_tools::setting::Author;
use freehand_tools::toolbox::Toolbox;

use crate::AgentError;
use crate::asking::Asking;
use crate::event::{Event, Listener};
use crate::limits::Limits;
use crate::memory::Memory;
use crate::step::perform_call;
use crate::trajectory::recorder::Recorder;
use crate::trajectory::{Exit, Judged, Seen, Step, Timing};

/// Characters of the list that the model is shown.
const LIST_BUDGET: usize = 6_000;
/// The accessibility tree may come in after the pixels; it is read again at most so often.
const TREE_READS: u32 = 4;
const TREE_WAIT: Duration = Duration::from_millis(60);

/// Stops a run from outside: cheap to clone, may be set at any moment.
#[derive(Debug, Clone, Default)]
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    /// Asks the run to stop; it does within one token of the model.
    pub fn stop(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether it was asked.
    pub fn is_stopped(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// All that a run needs, lent to it.
#[expect(missing_debug_implementations, reason = "holds trait objects that have none")]
pub struct Run<'a> {
    /// What is seen and used.
    pub desktop: &'a mut dyn Desktop,
    /// The tools.
    pub toolbox: &'a Toolbox,
    /// What every action passes.
    pub gate: &'a mut Gate,
    /// Who decides.
    pub model: &'a dyn Model,
    /// How it is spoken to.
    pub dialect: &'a dyn Dialect,
    /// What is kept.
    pub recorder: &'a mut Recorder,
    /// Who watches.
    pub listener: &'a dyn Listener,
    /// When it ends all the same.
    pub limits: Limits,
    /// Programs that the model may start.
    pub apps: &'a [App],
    /// The way to stop it.
    pub stop: Stop,
}

/// What a pass of the loop leaves for the next one.
#[derive(Debug, Default)]
struct Progress {
    task: String,
    memory: Memory,
    changed: bool,
    hint: Option<String>,
    failures: u32,
    ineffective: u32,
    refusals: u32,
    last_list: Option<String>,
    /// How the task compares, and whether it was asked.
    comparison: Comparison,
    compared: bool,
}

/// One look at the screen, with the list that the model reads.
struct Sight {
    seen: Observation,
    list: String,
}

/// What the model was asked in one step, and what it said.
struct Answer {
    /// How likely it is that the task is done, where that was asked.
    done: Option<f64>,
    /// What says that it is, if it is.
    checked: Option<String>,
    /// The next action, where it is not.
    said: Option<(Completion, Result<Proposal, ParseError>)>,
}

/// Why a pass could not be finished.
enum Halt {
    Exit(Exit),
    Agent(AgentError),
}

impl From<DesktopError> for Halt {
    fn from(error: DesktopError) -> Self {
        Self::Exit(Exit::DesktopFailed { reason: error.to_string() })
    }
}

impl From<ModelError> for Halt {
    fn from(error: ModelError) -> Self {
        Self::Exit(Exit::ModelFailed { reason: error.to_string() })
    }
}

impl From<AgentError> for Halt {
    fn from(error: AgentError) -> Self {
        Self::Agent(error)
    }
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

impl<'a> Run<'a> {
    /// Works on `task` until it ends; `before` are the steps of a run that is resumed. Whatever the
    /// end, nothing stays held down and the record is whole.
    pub async fn task(&mut self, task: &str, before: &[Step]) -> Result<Exit, AgentError> {
        let first = before.last().map_or(1, |step| step.index + 1);
        self.gate.acts_for(Author::Agent);
        let (exit, steps) = match self.steps(task, before, first).await {
            (Halt::Exit(exit), steps) => (exit, steps),
            (Halt::Agent(error), _) => {
                self.desktop.release();
                return Err(error);
            }
        };
        self.desktop.release();
        self.listener.event(Event::Ended { exit: exit.clone(), steps });
        self.recorder.finish(&exit)?;
        Ok(exit)
    }

    async fn steps(&mut self, task: &str, before: &[Step], first: u32) -> (Halt, u32) {
        let deadline = Instant::now() + self.limits.time;
        let memory = Memory::of(before);
        let mut progress = Progress { task: task.into(), memory, ..Progress::default() };
        progress.changed = !before.is_empty();
        for index in first..first.saturating_add(self.limits.steps) {
            if let Err(halt) = self.step(index, deadline, &mut progress).await {
                return (halt, index);
            }
        }
        // The last action may have finished it.
        let index = first.saturating_add(self.limits.steps);
        let last = self.look_once_more(index, deadline, &mut progress).await;
        let which = format!("{} steps", self.limits.steps);
        (last.err().unwrap_or(Halt::Exit(Exit::Limit { which })), index)
    }

    async fn look_once_more(
        &mut self,
        index: u32,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<(), Halt> {
        if self.stop.is_stopped() {
            return Err(Halt::Exit(Exit::Interrupted));
        }
        let sight = self.observe(progress).await?;
        let specs: Vec<ToolSpec> = self.toolbox.specs().cloned().collect();
        let view = view(self.apps, &sight, &specs, &[], progress);
        let done = self.asking(index, deadline).done(&view, progress.changed).await?;
        let accepted = progress.memory.is_accepted(&sight.seen);
        let checked = done.and_then(|done| done.proof(accepted));
        let done = done.map(|done| done.probability);
        let frame = sight.seen.frame.clone();
        let step = Step { done, ..blank(index, sight) };
        self.conclude(step, &[frame], checked, progress)?;
        Ok(())
    }

    /// One pass: at most sixty lines, and every arrow goes right.
    async fn step(
        &mut self,
        index: u32,
        deadline: Instant,
        progress: &mut Progress,
    ) -> Result<(), Halt> {
        self.check_limits(deadline, progress)?;
        let start = Instant::now();
        let sight = self.observe(progress).await?;
        let looked = ms(start);
        self.listener.event(Event::Observed {
            step: index,
            elements: sight.seen.elements.len(),
            windows: sight.seen.windows.iter().map(|window| window.title.clone()).collect(),
            gaps: sight.seen.gaps.clone(),
            ms: looked,
        });
        let asked = Instant::now();
        let specs: Vec<ToolSpec> = self.toolbox.specs().cloned().collect();
        let mut asking = self.asking(index, deadline);
        let answer = ask(&mut asking, self.apps, &specs, &sight, progress).await?;
        let Sight { seen, .. } = &sight;
        let (seen, mut frames) = (seen.clone(), vec![seen.frame.clone()]);
        let mut step = Step { done: answer.done, ..blank(index, sight) };
        step.timing.observe = looked;
        step.timing.model = ms(asked);
        if let Some(said) = answer.said {
            step.take(said);
        }
        if !self.interrupted(deadline) {
            self.act(&mut step, seen, &mut frames, start).await?;
        }
        self.conclude(step, &frames, answer.checked, progress)
    }

    fn asking(&self, step: u32, deadline: Instant) -> Asking<'a> {
        let Self { model, dialect, listener, .. } = *self;
        Asking { model, dialect, listener, stop: self.stop.clone(), step, deadline }
    }

    fn interrupted(&self, deadline: Instant) -> bool {
        self.stop.is_stopped() || Instant::now() >= deadline
    }

    fn check_limits(&self, deadline: Instant, progress: &Progress) -> Result<(), Halt> {
        let limits = &self.limits;
        let exit = if self.stop.is_stopped() {
            Exit::Interrupted
        } else if Instant::now() >= deadline {
            Exit::Limit { which: format!("{} s", limits.time.as_secs()) }
        } else if progress.refusals >= limits.refusals {
            Exit::Refused { reason: progress.hint.clone().unwrap_or_default() }
        } else if progress.failures >= limits.failures {
            let last = progress.hint.clone().unwrap_or_default();
            Exit::GaveUp { reason: format!("{} steps in a row failed: {last}", limits.failures) }
        } else if progress.ineffective >= limits.ineffective {
            Exit::GaveUp { reason: format!("{} steps in a row changed nothing", limits.ineffective) }
        } else {
            return Ok(());
        };
        Err(Halt::Exit(exit))
    }

    /// Looks at the screen; when the pixels changed and the list did not yet, a little later again.
    async fn observe(&mut self, progress: &mut Progress) -> Result<Sight, DesktopError> {
        let list_of = |seen: &Observation, task: &str| list::screen(seen, task, LIST_BUDGET);
        let mut seen = self.desktop.observe().await?;
        let mut list = list_of(&seen, &progress.task);
        for _ in 1..TREE_READS {
            if !progress.changed || progress.last_list.as_ref() != Some(&list) {
                break;
            }
            tokio::time::sleep(TREE_WAIT).await;
            seen = self.desktop.observe().await?;
            list = list_of(&seen, &progress.task);
        }
        progress.last_list = Some(list.clone());
        Ok(Sight { seen, list })
    }

    async fn act(
        &mut self,
        step: &mut Step,
        seen: Observation,
        frames: &mut Vec<Frame>,
        start: Instant,
    ) -> Result<(), DesktopError> {
        let calls = step.proposal.iter().flat_map(|Proposal { calls, .. }| calls.clone()).enumerate();
        let mut seen = seen;
        for (i, mut call) in calls {
            if call.id.is_empty() {
                call.id = format!("{}.{}", step.index, i + 1);
            }
            if i > 0 {
                seen = self.desktop.observe().await?;
                frames.push(seen.frame.clone());
            }
            let mut done = perform_call(self.desktop, self.toolbox, self.gate, call, &seen).await?;
            check_evidence(&mut done.judged, &seen);
            step.timing.gate += done.timing.gate;
            step.timing.act += done.timing.act;
            step.timing.settle += done.timing.settle;
            frames.extend(done.picture);
            self.announce(step.index, &done.judged, start);
            let goes_on = done.judged.outcome.is_done() && !self.stop.is_stopped();
            step.actions.push(done.judged);
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    fn announce(&self, step: u32, judged: &Judged, start: Instant) {
        let summary =
            judged.action.as_ref().map_or_else(|| judged.call.tool.clone(), |a| a.summary.clone());
        if let Some(verdict) = judged.verdict.clone() {
            self.listener.event(Event::Judged { step, summary: summary.clone(), verdict });
        }
        self.listener.event(Event::Acted {
            step,
            summary,
            outcome: judged.outcome.clone(),
            ms: ms(start),
        });
    }

    /// Records the step and draws the conclusions for the next one.
    fn conclude(
        &mut self,
        mut step: Step,
        frames: &[Frame],
        checked: Option<String>,
        progress: &mut Progress,
    ) -> Result<(), Halt> {
        let start = Instant::now();
        self.recorder.step(&step, frames)?;
        step.timing.record = ms(start);
        if let Some(checked) = checked {
            return Err(Halt::Exit(Exit::Done { checked }));
        }
        progress.hint = None;
        progress.changed = false;
        if let Some(reason) = &step.unread {
            progress.failures += 1;
            progress.hint = Some(reason.clone());
        }
        for judged in &step.actions {
            progress.memory.remember(&step.list, judged);
            progress.take(judged)?;
        }
        Ok(())
    }
}

impl Progress {
    fn take(&mut self, judged: &Judged) -> Result<(), Halt> {
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

/// A claim of success holds only when its evidence is on the screen.
fn check_evidence(judged: &mut Judged, seen: &Observation) {
    let Some(ActionKind::Finish { status: Status::Success, evidence, .. }) =
        judged.action.as_ref().map(|action| &action.kind)
    else {
        return;
    };
    let missing = evidence.iter().find(|text| !Condition::Text((*text).clone()).holds(seen));
    if evidence.is_empty() {
        judged.outcome = Outcome::failed("finish needs evidence: texts that are on the screen now");
    } else if let Some(text) = missing {
        judged.outcome = Outcome::failed(format!("the evidence `{text}` is not on the screen"));
    }
}

impl Step {
    /// Takes in what the model said.
    fn take(&mut self, (completion, proposal): (Completion, Result<Proposal, ParseError>)) {
        match proposal {
            Ok(proposal) => self.proposal = Some(proposal),
            Err(error) => self.unread = Some(error.to_string()),
        }
        self.completion = Some(completion);
    }
}

/// Asks the model all that is to be asked in one step.
async fn ask(
    asking: &mut Asking<'_>,
    apps: &[App],
    specs: &[ToolSpec],
    sight: &Sight,
    progress: &mut Progress,
) -> Result<Answer, ModelError> {
    let barred = progress.memory.barred(&sight.list, &sight.seen);
    if !progress.compared
        && let Some(how) = asking.comparison(&view(apps, sight, specs, &barred, progress)).await?
    {
        (progress.comparison, progress.compared) = (how, true);
    }
    let view = view(apps, sight, specs, &barred, progress);
    let done = asking.done(&view, progress.changed).await?;
    let accepted = progress.memory.is_accepted(&sight.seen);
    let checked = done.and_then(|done| done.proof(accepted));
    let done = done.map(|done| done.probability);
    if checked.is_some() {
        return Ok(Answer { done, checked, said: None });
    }
    let mut said = asking.next(&view).await?;
    if let Ok(proposal) = &said.1
        && let Some(early) = asking.leap(&view, proposal).await?
    {
        let barred: Vec<Barred> = barred.iter().copied().chain([early]).collect();
        said = asking.next(&PlanView { barred: &barred, ..view }).await?;
    }
    Ok(Answer { done, checked, said: Some(said) })
}

fn view<'v>(
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

fn blank(index: u32, Sight { seen, list }: Sight) -> Step {
    Step {
        index,
        at_ms: now_ms(),
        seen: Seen::from(&seen),
        list,
        done: None,
        completion: None::<Completion>,
        proposal: None,
        unread: None,
        actions: Vec::new(),
        timing: Timing::default(),
    }
}
