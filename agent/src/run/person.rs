//! Where the loop gives way to the person: it waits while it is held or nobody looks, and takes in what
//! they did meanwhile.

use std::time::Instant;

use freehand_tools::action::{ActionKind, Target};
use freehand_tools::call::ToolCall;
use freehand_tools::observation::Observation;

use super::{Answer, Run};
use crate::event::{Cost, Event};
use crate::halt::Halt;
use crate::progress::Progress;
use crate::sight::Sight;
use crate::supervision::{Intent, Wait};
use crate::trajectory::{Exit, Step};

impl Run<'_> {
    /// Waits while the run is held, and takes in what the person did. Nothing is looked at meanwhile.
    pub(super) async fn wait_for_the_person(
        &mut self,
        step: u32,
        progress: &mut Progress,
    ) -> Result<(), Halt> {
        if let Some(pace) = self.person.steering().pauses() {
            self.listener.event(Event::Paced { pace, by: String::new() });
        }
        while let Some(wait) = self.person.steering().wait() {
            self.rest(step, wait, progress).await?;
        }
        self.person.steering().begins();
        self.hear(progress);
        Ok(())
    }

    /// Takes in what the person did since the last time.
    pub(super) fn hear(&self, progress: &mut Progress) {
        self.person.steering().interventions().into_iter().for_each(|told| progress.hear(told));
    }

    /// The sight, or a newer one once somebody looks where somebody has to.
    pub(super) async fn watched(
        &mut self,
        step: u32,
        mut sight: Sight,
        progress: &mut Progress,
    ) -> Result<Sight, Halt> {
        while let Some(place) = self.unwatched(&sight.seen, None) {
            self.rest(step, Wait::Presence { place }, progress).await?;
            sight = self.observe(progress).await?;
            self.announce_sight(step, &sight, 0.0);
        }
        Ok(sight)
    }

    /// Waits for somebody to look where `answer` would act, if that is needed; whether it was.
    pub(super) async fn watched_act(
        &mut self,
        step: u32,
        seen: &Observation,
        answer: &Answer,
        progress: &mut Progress,
    ) -> Result<bool, Halt> {
        let calls = answer.said.iter().filter_map(|(_, proposal)| proposal.as_ref().ok());
        let calls = calls.flat_map(|proposal| &proposal.calls);
        let place = calls
            .filter_map(|call| self.toolbox.resolve(call, seen).ok())
            .find_map(|action| self.unwatched(seen, Some(&action.target)));
        let Some(place) = place else { return Ok(false) };
        self.rest(step, Wait::Presence { place }, progress).await?;
        Ok(true)
    }

    fn unwatched(&self, seen: &Observation, target: Option<&Target>) -> Option<String> {
        let steering = self.person.steering();
        if steering.is_present() { None } else { steering.watched().place(seen, target) }
    }

    async fn rest(&mut self, step: u32, wait: Wait, progress: &mut Progress) -> Result<(), Halt> {
        let since = Instant::now();
        // Whoever has the desktop now must not find a key held down.
        self.desktop.release();
        self.listener.event(Event::Waiting { step, wait: wait.clone() });
        let over = tokio::select! {
            () = self.person.steering().is_over(&wait) => Ok(()),
            () = self.stop.stopped() => Err(Halt::Exit(Exit::Interrupted)),
        };
        self.listener.event(Event::WentOn { step });
        progress.held += since.elapsed();
        over
    }

    pub(super) fn announce_sight(&self, step: u32, sight: &Sight, ms: f64) {
        let Sight { seen, list, at: _ } = sight;
        self.listener.event(Event::Observed {
            step,
            frame: seen.frame.digest(),
            bounds: seen.bounds(),
            list: list.clone(),
            elements: seen.elements.len(),
            windows: seen.windows.iter().map(|window| window.title.clone()).collect(),
            gaps: seen.gaps.clone(),
            ms,
        });
    }

    pub(super) fn announce_answer(&self, step: &Step) {
        let Some(completion) = &step.completion else { return };
        let said = step.proposal.as_ref().and_then(|proposal| proposal.thought.clone());
        self.listener.event(Event::Proposed {
            step: step.index,
            thought: completion.thinking.clone().or(said),
            unread: step.unread.clone(),
            cost: Cost::from(completion.usage),
        });
    }

    /// Says what comes next, before it is judged.
    pub(super) fn announce_intent(&self, step: u32, call: &ToolCall, seen: &Observation) {
        let Ok(action) = self.toolbox.resolve(call, seen) else { return };
        if let ActionKind::Note { text } = &action.kind {
            self.listener.event(Event::Noted { step, text: text.clone() });
        }
        self.listener.event(Event::Intended { step, intent: Intent::of(&action) });
    }
}
