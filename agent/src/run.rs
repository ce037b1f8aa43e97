//! The loop: look, ask, judge, act, record, until the task is done or a limit says stop.
//!
//! No arrow goes left. Whatever goes wrong inside a step is that step's outcome, and the next question
//! shows it to the model; only a desktop or a model that is gone ends the run.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use freehand_model::dialect::{Barred, Dialect, ParseError, PlanView, Proposal};
use freehand_model::prompt::Completion;
use freehand_model::{Model, ModelError};
use freehand_tools::action::{ActionKind, Condition, Status};
use freehand_tools::apps::App;
use freehand_tools::call::ToolSpec;
use freehand_tools::desktop::{Desktop, DesktopError};
use freehand_tools::frame::Frame;
use freehand_tools::gate::Gate;
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;
use freehand_tools::setting::Author;
use freehand_tools::toolbox::Toolbox;

use crate::AgentError;
use crate::asking::Asking;
use crate::event::{Event, Listener};
use crate::halt::Halt;
use crate::limits::Limits;
use crate::memory::Memory;
use crate::outside::{Presence, Stop};
use crate::progress::{Progress, view};
use crate::sight::Sight;
use crate::step::{announce, perform_call};
use crate::trajectory::recorder::Recorder;
use crate::trajectory::{Choices, Exit, Judged, Seen, Step, Timing};

/// As long as a model may take to break off.
const BREAK_OFF: Duration = Duration::from_millis(30);

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
    /// The text that is on the screen when the task is done, and not before; where there is none the model
    /// is asked.
    pub until: Option<&'a str>,
    /// Programs that the model may start.
    pub apps: &'a [App],
    /// The way to stop it.
    pub stop: Stop,
    /// Whom it waits for.
    pub person: Presence,
}

/// What the model was asked in one step, and what it said.
struct Answer {
    /// How likely it is that the task is done, where that was asked.
    done: Option<f64>,
    /// What was chosen for that and for the next action.
    choices: Choices,
    /// What says that it is, if it is.
    checked: Option<String>,
    /// The next action, where it is not.
    said: Option<(Completion, Result<Proposal, ParseError>)>,
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
        let until = self.until.map(str::to_owned);
        let mut progress = Progress { task: task.into(), until, ..Progress::default() };
        before.iter().flat_map(|step| step.interventions.clone()).for_each(|told| progress.hear(told));
        progress.interventions.clear();
        progress.memory = Memory::of(before);
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
        self.wait_for_the_person(index, progress).await?;
        let deadline = deadline + progress.held;
        let sight = self.observe(progress).await?;
        let specs: Vec<ToolSpec> = self.toolbox.specs().cloned().collect();
        let view = view(self.apps, &sight, &specs, &[], progress);
        let mut asking = self.asking(index, deadline);
        let (done, checked) = ended(&mut asking, &view, progress).await?;
        let frame = sight.seen.frame.clone();
        let step = Step { done, choices: asking.choices, ..blank(index, sight) };
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
        self.wait_for_the_person(index, progress).await?;
        self.check_limits(deadline + progress.held, progress)?;
        let start = Instant::now();
        let sight = self.observe(progress).await?;
        let looked = ms(start);
        self.announce_sight(index, &sight, looked);
        let asked = Instant::now();
        let specs: Vec<ToolSpec> = self.toolbox.specs().cloned().collect();
        let (sight, answer) = self.decide(index, deadline, &specs, sight, progress).await?;
        let deadline = deadline + progress.held;
        let (seen, mut frames) = (sight.seen.clone(), vec![sight.seen.frame.clone()]);
        let mut step = Step { done: answer.done, choices: answer.choices, ..blank(index, sight) };
        step.interventions = std::mem::take(&mut progress.interventions);
        step.timing.observe = looked;
        step.timing.model = ms(asked);
        if let Some(said) = answer.said {
            step.take(said);
            self.announce_answer(&step);
        }
        if !self.interrupted(deadline) {
            self.act(&mut step, seen, &mut frames, start).await?;
        }
        self.conclude(step, &frames, answer.checked, progress)
    }

    /// Asks the model until it has answered without that the person came between.
    async fn decide(
        &mut self,
        index: u32,
        deadline: Instant,
        specs: &[ToolSpec],
        mut sight: Sight,
        progress: &mut Progress,
    ) -> Result<(Sight, Answer), Halt> {
        let mut asking = self.asking(index, deadline);
        loop {
            sight = self.watched(index, sight, progress).await?;
            let holds = self.person.steering().holds();
            self.hear(progress);
            asking.deadline = deadline + progress.held;
            let (seen, answer) = self.decide_once(&mut asking, specs, sight, progress).await?;
            let came_between = self.person.steering().holds() != holds;
            if !came_between && !self.watched_act(index, &seen.seen, &answer, progress).await? {
                return Ok((seen, answer));
            }
            self.listener.event(Event::Discarded { step: index });
            self.wait_for_the_person(index, progress).await?;
            sight = self.observe(progress).await?;
            self.announce_sight(index, &sight, 0.0);
        }
    }

    /// Asks the model; once more where what it was shown does not hold any more by the time it answers.
    async fn decide_once(
        &mut self,
        asking: &mut Asking<'_>,
        specs: &[ToolSpec],
        mut sight: Sight,
        progress: &mut Progress,
    ) -> Result<(Sight, Answer), Halt> {
        let mut answer = self.ask(asking, specs, &sight, progress).await?;
        // What is held is not asked again, nor looked at.
        let held = self.person.steering().is_held();
        if answer.said.is_some() && !held {
            let newer = if self.person.was_active_since(sight.at) {
                self.yield_to_person(asking.step).await?;
                Some(self.observe(progress).await?)
            } else {
                sight.outdated(self.desktop, &progress.task).await?
            };
            if let Some(newer) = newer {
                let before = progress.held;
                let newer = self.watched(asking.step, newer, progress).await?;
                asking.deadline += progress.held.saturating_sub(before);
                progress.last_list = Some(newer.list.clone());
                sight = newer;
                // Whoever looks on sees what the model sees.
                self.announce_sight(asking.step, &sight, 0.0);
                self.hear(progress);
                answer = self.ask(asking, specs, &sight, progress).await?;
            }
        }
        // Who has just begun again must not find the mouse moved under the hand.
        self.yield_to_person(asking.step).await?;
        Ok((sight, answer))
    }

    /// Asks, unless it was asked to stop and the model does not break off at once.
    async fn ask(
        &mut self,
        asking: &mut Asking<'_>,
        specs: &[ToolSpec],
        sight: &Sight,
        progress: &mut Progress,
    ) -> Result<Answer, Halt> {
        let stop = asking.stop.clone();
        let overdue = async {
            stop.stopped().await;
            tokio::time::sleep(BREAK_OFF).await;
        };
        tokio::select! {
            answer = ask(asking, self.apps, specs, sight, progress) => Ok(answer?),
            () = overdue => Err(Halt::Exit(Exit::Interrupted)),
        }
    }

    fn asking(&self, step: u32, deadline: Instant) -> Asking<'a> {
        let Self { model, dialect, listener, .. } = *self;
        Asking {
            model,
            dialect,
            listener,
            stop: self.stop.clone(),
            steering: self.person.steering().clone(),
            step,
            deadline,
            thinking: self.limits.thinking,
            choices: Choices::default(),
        }
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

    /// Looks at the screen; where something was changed, until the list shows it.
    async fn observe(&mut self, progress: &mut Progress) -> Result<Sight, DesktopError> {
        let stale = progress.last_list.take().filter(|_| progress.changed);
        let sight = Sight::look(self.desktop, &progress.task, stale.as_deref()).await?;
        progress.last_list = Some(sight.list.clone());
        Ok(sight)
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
        let holds = self.person.steering().holds();
        for (i, mut call) in calls {
            if call.id.is_empty() {
                call.id = format!("{}.{}", step.index, i + 1);
            }
            if i > 0 {
                // A batch is not gone on with on a desktop that the person has had in between.
                if self.person.steering().holds() != holds {
                    break;
                }
                seen = self.desktop.observe().await?;
                frames.push(seen.frame.clone());
            }
            announce(self.listener, self.toolbox, step.index, &call, &seen);
            let mut done =
                perform_call(self.desktop, self.toolbox, self.gate, call, &seen, &self.stop).await?;
            check_evidence(&mut done.judged, self.until, &seen);
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

/// A claim of success holds only when its evidence is on the screen.
fn check_evidence(judged: &mut Judged, until: Option<&str>, seen: &Observation) {
    let Some(ActionKind::Finish { status: Status::Success, evidence, .. }) =
        judged.action.as_ref().map(|action| &action.kind)
    else {
        return;
    };
    let missing = evidence
        .iter()
        .map(String::as_str)
        .chain(until)
        .find(|text| !Condition::Text((*text).to_owned()).holds(seen));
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

/// How likely it is that the task is done, where that is asked, and what says that it is.
async fn ended(
    asking: &mut Asking<'_>,
    view: &PlanView<'_>,
    progress: &Progress,
) -> Result<(Option<f64>, Option<String>), ModelError> {
    if let Some(text) = &progress.until {
        return Ok((None, progress.reached(text, view.seen)));
    }
    let done = asking.done(view, progress.changed).await?;
    let checked = done.and_then(|done| done.proof(&progress.memory, view.seen));
    Ok((done.map(|done| done.probability), checked))
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
    if let Some(program) = asking.program(&view(apps, sight, specs, &barred, progress)).await? {
        progress.program = Some(program);
    }
    let parts = asking.parts(&view(apps, sight, specs, &barred, progress), &progress.parts);
    progress.parts = parts;
    let mut settled = std::mem::take(&mut progress.settled);
    let view = view(apps, sight, specs, &barred, progress);
    let (done, checked) = ended(asking, &view, progress).await?;
    if checked.is_some() {
        return Ok(Answer { done, choices: asking.choices, checked, said: None });
    }
    let mut said = asking.next(&view).await?;
    if let Ok(proposal) = &said.1
        && let Some(early) = asking.leap(&view, proposal).await?
    {
        let barred: Vec<Barred> = barred.iter().copied().chain([early]).collect();
        said = asking.next(&PlanView { barred: &barred, ..view }).await?;
    }
    if let Ok(proposal) = &said.1
        && let Some(pick) = asking.pick(&view, proposal, &mut settled).await?
    {
        said.1 = Ok(pick);
    }
    progress.settled = settled;
    Ok(Answer { done, choices: asking.choices, checked, said: Some(said) })
}

fn blank(index: u32, Sight { seen, list, .. }: Sight) -> Step {
    Step {
        index,
        at_ms: now_ms(),
        seen: Seen::from(&seen),
        list,
        done: None,
        choices: Choices::default(),
        completion: None::<Completion>,
        proposal: None,
        unread: None,
        interventions: Vec::new(),
        actions: Vec::new(),
        timing: Timing::default(),
    }
}

mod person;
#[cfg(test)]
mod tests;
