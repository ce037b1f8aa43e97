//! What a workflow, a replay and another program's calls share: one call after another with no model of ours,
//! each through the same gate and into the same record as a model's.
//!
//! A model looks, and takes what is there; a script knows what it wants, and may come too early. So
//! here a call waits until its target is on the screen.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use freehand_model::dialect::list;
use freehand_tools::action::ActionKind;
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::Desktop;
use freehand_tools::gate::Gate;
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;
use freehand_tools::toolbox::Toolbox;

use crate::AgentError;
use crate::event::{Event, Listener};
use crate::giving_way::GivingWay;
use crate::halt::Halt;
use crate::outside::{Presence, Stop};
use crate::step::{Done, announce, perform_call};
use crate::supervision::{Standing, Wait};
use crate::trajectory::recorder::Recorder;
use crate::trajectory::{Choices, Exit, Judged, Seen, Step, Timing};

/// How often the screen is looked at for a target.
const POLL: Duration = Duration::from_millis(100);
/// How often a call is made anew because the screen moved under it before anything was done.
const RETRIES: u32 = 3;

/// All that acting without a model needs, lent to it.
#[expect(missing_debug_implementations, reason = "holds trait objects that have none")]
pub struct Scripted<'a> {
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
    /// The way to stop it.
    pub stop: Stop,
    /// Whom it gives way to.
    pub person: Presence,
}

/// Why a call means nothing on the screen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Absent {
    /// What it needs may still come.
    Yet(String),
    /// Waiting does not help.
    Ever(String),
}

fn ms(since: Instant) -> f64 {
    since.elapsed().as_secs_f64() * 1000.0
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Whether the call was given up before it touched anything, because the target was no longer as it
/// was judged. Only that failure tells its reader to look again.
fn was_void(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Failed { hint: Some(_), .. })
}

impl Scripted<'_> {
    /// Waits at most `patience` until `ground` makes a call of what is seen, and does it. `wanted` is
    /// the call as it was written, for the record of one that found nothing.
    pub(crate) async fn act(
        &mut self,
        wanted: &ToolCall,
        patience: Duration,
        mut ground: impl FnMut(&Observation) -> Result<ToolCall, Absent>,
    ) -> Result<Done, Halt> {
        let start = Instant::now();
        let at_ms = now_ms();
        let mut actions = Vec::new();
        let mut timing = Timing::default();
        let mut held = Duration::ZERO;
        loop {
            held += self.give_way().await?;
            let looked = Instant::now();
            let left = (patience + held).saturating_sub(start.elapsed());
            let (seen, found) = self.look(left, &mut ground).await?;
            timing.observe += ms(looked);
            self.observed(&seen, timing.observe);
            let mut frames = vec![seen.frame.clone()];
            let holds = self.person.steering().holds();
            let done = match found {
                Ok(call) => {
                    if let Some(waited) = self.overtaken(Some(&call), &seen, looked).await? {
                        held += waited;
                        continue;
                    }
                    self.perform(call, &seen).await?
                }
                Err(reason) => Done {
                    judged: unfound(wanted.clone(), reason),
                    timing: Timing::default(),
                    picture: None,
                },
            };
            timing.gate += done.timing.gate;
            timing.act += done.timing.act;
            timing.settle += done.timing.settle;
            frames.extend(done.picture.clone());
            self.acted(&done.judged, ms(start));
            actions.push(done.judged.clone());
            let tries = u32::try_from(actions.len()).unwrap_or(u32::MAX);
            // Who takes over withdraws a question, which is no answer to it.
            let withdrawn = matches!(done.judged.outcome, Outcome::Refused { .. })
                && self.person.steering().holds() != holds;
            if withdrawn && tries <= RETRIES {
                continue;
            }
            if was_void(&done.judged.outcome) && tries <= RETRIES && start.elapsed() < patience {
                continue;
            }
            let step = Step { at_ms, actions, timing, ..self.blank(&seen) };
            self.recorder.step(&step, &frames)?;
            if self.stop.is_stopped() && !done.judged.outcome.is_done() {
                // It was broken off, and did not fail by itself.
                return Err(Halt::Exit(Exit::Interrupted));
            }
            return Ok(done);
        }
    }

    /// Waits at most `patience` until `read` finds what it reads, and records it as the answer to
    /// `wanted`. Nothing is touched, so the gate is not asked.
    pub(crate) async fn read(
        &mut self,
        wanted: &ToolCall,
        patience: Duration,
        mut read: impl FnMut(&Observation) -> Result<String, Absent>,
    ) -> Result<Result<String, String>, Halt> {
        let start = Instant::now();
        let at_ms = now_ms();
        let (seen, found, observe) = loop {
            self.give_way().await?;
            let looked = Instant::now();
            let (seen, found) = self.look(patience, &mut read).await?;
            if self.overtaken(None, &seen, looked).await?.is_none() {
                break (seen, found, ms(looked));
            }
        };
        let timing = Timing { observe, ..Timing::default() };
        self.observed(&seen, timing.observe);
        let judged = match &found {
            Ok(text) => {
                Judged { outcome: Outcome::answer(text), ..unfound(wanted.clone(), String::new()) }
            }
            Err(reason) => unfound(wanted.clone(), reason.clone()),
        };
        self.acted(&judged, ms(start));
        let step = Step { at_ms, actions: vec![judged], timing, ..self.blank(&seen) };
        self.recorder.step(&step, std::slice::from_ref(&seen.frame))?;
        Ok(found)
    }

    /// Says how far a part of the plan is, counted from 0.
    pub(crate) fn stands(&self, part: usize, standing: Standing) {
        let part = u32::try_from(part).unwrap_or(u32::MAX).saturating_add(1);
        self.listener.event(Event::PartStands { part, standing });
    }

    /// Ends it: nothing stays held down, and the record is whole.
    pub fn end(&mut self, halt: Halt) -> Result<Exit, AgentError> {
        self.desktop.release();
        let exit = match halt {
            Halt::Exit(exit) => exit,
            Halt::Agent(error) => return Err(error),
        };
        self.listener.event(Event::Ended { exit: exit.clone(), steps: self.recorder.last() });
        self.recorder.finish(&exit)?;
        Ok(exit)
    }

    /// Looks until `find` finds, or `patience` is over, or there is no use in waiting.
    async fn look<T>(
        &mut self,
        patience: Duration,
        find: &mut impl FnMut(&Observation) -> Result<T, Absent>,
    ) -> Result<(Observation, Result<T, String>), Halt> {
        let start = Instant::now();
        loop {
            if self.stop.is_stopped() {
                return Err(Halt::Exit(Exit::Interrupted));
            }
            let seen = self.desktop.observe().await?;
            match find(&seen) {
                Ok(found) => return Ok((seen, Ok(found))),
                Err(Absent::Ever(reason)) => return Ok((seen, Err(reason))),
                Err(Absent::Yet(reason)) if start.elapsed() >= patience => {
                    return Ok((seen, Err(reason)));
                }
                Err(Absent::Yet(_)) => tokio::time::sleep(POLL).await,
            }
        }
    }

    /// Stands still as long as the person wants it to, or uses mouse or keyboard; for how long.
    async fn give_way(&mut self) -> Result<Duration, Halt> {
        let step = self.recorder.last() + 1;
        let way = GivingWay { person: &self.person, listener: self.listener, stop: &self.stop, step };
        let since = Instant::now();
        way.while_held(self.desktop).await?;
        way.while_in_use().await?;
        Ok(since.elapsed())
    }

    /// Whether the person came between the look at `looked` and the act, or has to look first; then for how
    /// long it was waited. Without a `call` nothing is to be touched.
    async fn overtaken(
        &mut self,
        call: Option<&ToolCall>,
        seen: &Observation,
        looked: Instant,
    ) -> Result<Option<Duration>, Halt> {
        if self.person.steering().is_held() || self.person.was_active_since(looked) {
            return Ok(Some(Duration::ZERO));
        }
        let action = call.and_then(|call| self.toolbox.resolve(call, seen).ok());
        let target = action.map(|action| action.target);
        let Some(place) = self.person.unwatched(seen, target.as_ref()) else { return Ok(None) };
        let step = self.recorder.last() + 1;
        let way = GivingWay { person: &self.person, listener: self.listener, stop: &self.stop, step };
        way.rest(self.desktop, Wait::Presence { place }).await.map(Some)
    }

    async fn perform(&mut self, mut call: ToolCall, seen: &Observation) -> Result<Done, Halt> {
        if call.id.is_empty() {
            call.id = format!("{}.1", self.recorder.last() + 1);
        }
        announce(self.listener, self.toolbox, self.recorder.last() + 1, &call, seen);
        let (stop, halt) = (self.stop.clone(), self.stop.clone());
        // A wait may be long and holds nothing; everything else is short and is better finished.
        let is_wait = call.tool == "wait";
        let stopped = async move {
            while !(is_wait && stop.is_stopped()) {
                tokio::time::sleep(POLL).await;
            }
        };
        tokio::select! {
            done = perform_call(self.desktop, self.toolbox, self.gate, call, seen, &halt) => Ok(done?),
            () = stopped => Err(Halt::Exit(Exit::Interrupted)),
        }
    }

    fn blank(&self, seen: &Observation) -> Step {
        Step {
            index: self.recorder.last() + 1,
            at_ms: 0,
            seen: Seen::from(seen),
            list: list::screen(seen, "", list::BUDGET),
            done: None,
            choices: Choices::default(),
            completion: None,
            proposal: None,
            unread: None,
            interventions: Vec::new(),
            actions: Vec::new(),
            timing: Timing::default(),
        }
    }

    fn observed(&self, seen: &Observation, ms: f64) {
        self.listener.event(Event::Observed {
            step: self.recorder.last() + 1,
            frame: seen.frame.digest(),
            bounds: seen.bounds(),
            list: list::screen(seen, "", list::BUDGET),
            elements: seen.elements.len(),
            windows: seen.windows.iter().map(|window| window.title.clone()).collect(),
            gaps: seen.gaps.clone(),
            ms,
        });
    }

    fn acted(&self, judged: &Judged, ms: f64) {
        let step = self.recorder.last() + 1;
        let summary =
            judged.action.as_ref().map_or_else(|| judged.call.tool.clone(), |a| a.summary.clone());
        if let Some(verdict) = judged.verdict.clone() {
            self.listener.event(Event::Judged { step, summary: summary.clone(), verdict });
        }
        self.listener.event(Event::Acted { step, summary, outcome: judged.outcome.clone(), ms });
    }
}

fn unfound(call: ToolCall, reason: String) -> Judged {
    Judged { call, action: None, verdict: None, outcome: Outcome::failed(reason), picture: None }
}

/// How a script goes on after a call: not at all unless it was done. `place` names the call.
pub(crate) fn check(place: &str, judged: &Judged) -> Result<(), Halt> {
    match &judged.outcome {
        Outcome::Done { .. } => Ok(()),
        Outcome::Failed { reason, .. } => {
            Err(Halt::Exit(Exit::GaveUp { reason: format!("{place}: {reason}") }))
        }
        Outcome::Refused { reason } => {
            Err(Halt::Exit(Exit::Refused { reason: format!("{place}: {reason}") }))
        }
    }
}

/// Whether the kind of action only tells a model something, and leaves the desktop as it is.
pub(crate) const fn only_informs(kind: &ActionKind) -> bool {
    matches!(
        kind,
        ActionKind::Note { .. }
            | ActionKind::AskUser { .. }
            | ActionKind::Finish { .. }
            | ActionKind::Zoom { .. }
            | ActionKind::ReadClipboard
    )
}

#[cfg(test)]
mod tests;
