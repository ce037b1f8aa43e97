//! Where the loop gives way to the person: it waits while it is held or nobody looks, and takes in what
//! they did meanwhile.

use freehand_tools::observation::Observation;

use super::{Answer, Run};
use crate::event::{Cost, Event, Listener};
use crate::giving_way::GivingWay;
use crate::halt::Halt;
use crate::outside::{Presence, Stop};
use crate::progress::Progress;
use crate::sight::Sight;
use crate::supervision::Wait;
use crate::trajectory::Step;

impl Run<'_> {
    /// Waits while the run is held, and takes in what the person did. Nothing is looked at meanwhile.
    pub(super) async fn wait_for_the_person(
        &mut self,
        step: u32,
        progress: &mut Progress,
    ) -> Result<(), Halt> {
        let way = way(&self.person, self.listener, &self.stop, step);
        progress.held += way.while_held(self.desktop).await?;
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
        while let Some(place) = self.person.unwatched(&sight.seen, None) {
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
            .find_map(|action| self.person.unwatched(seen, Some(&action.target)));
        let Some(place) = place else { return Ok(false) };
        self.rest(step, Wait::Presence { place }, progress).await?;
        Ok(true)
    }

    async fn rest(&mut self, step: u32, wait: Wait, progress: &mut Progress) -> Result<(), Halt> {
        let way = way(&self.person, self.listener, &self.stop, step);
        progress.held += way.rest(self.desktop, wait).await?;
        Ok(())
    }

    /// Waits while the person uses mouse or keyboard.
    pub(super) async fn yield_to_person(&mut self, step: u32) -> Result<(), Halt> {
        way(&self.person, self.listener, &self.stop, step).while_in_use().await
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
}

fn way<'w>(
    person: &'w Presence,
    listener: &'w dyn Listener,
    stop: &'w Stop,
    index: u32,
) -> GivingWay<'w> {
    GivingWay { person, listener, stop, step: index }
}
