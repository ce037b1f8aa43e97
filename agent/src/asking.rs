//! What the loop asks the model beside the next action, and how sure an answer must be to count.
//!
//! These questions have a few answers to choose from, so what counts is how likely each of them is.

use std::collections::HashSet;
use std::ops::ControlFlow;
use std::time::Instant;

use freehand_model::dialect::{
    Barred, Choice, Comparison, Dialect, Order, ParseError, Pick, PlanView, Proposal,
};
use freehand_model::{Completion, Model, ModelError, Prompt, TokenSink};
use freehand_tools::observation::Observation;

use crate::event::{Cost, Event, Listener};
use crate::memory::Memory;
use crate::outside::Stop;
use crate::supervision::{Plan, PlanBy, Steering};
use crate::trajectory::Choices;

/// Log-odds above which the task counts as done. Of 90 screens of recorded runs none was taken for done
/// too early at 0.35, and one at 0.
const DONE_MARGIN: f64 = 0.4;
/// The same where the screen speaks against it: something that the task names was not used.
const LEFT_MARGIN: f64 = 2.0;
/// The same where a field was filled in last: of 11 such screens that were taken for done with less than
/// this, none was.
const UNSENT_MARGIN: f64 = 1.5;
/// The same where the screen speaks for it: what was filled in was accepted by a button and is gone.
const ACCEPTED_MARGIN: f64 = -1.0;

/// How likely it must be that the task is done with what ends it while fields are empty.
const ENOUGH: f64 = 0.65;

/// How likely it must be that an option is the one that is wanted.
const MEANT: f64 = 0.5;

/// Asks in one step, hands on what the model says, and watches for the end of the time.
pub(crate) struct Asking<'a> {
    pub(crate) model: &'a dyn Model,
    pub(crate) dialect: &'a dyn Dialect,
    pub(crate) listener: &'a dyn Listener,
    pub(crate) stop: Stop,
    pub(crate) steering: Steering,
    pub(crate) step: u32,
    pub(crate) deadline: Instant,
    /// Tokens to think aloud for before an action.
    pub(crate) thinking: u32,
    /// What was chosen so far.
    pub(crate) choices: Choices,
}

impl TokenSink for Asking<'_> {
    fn piece(&mut self, text: &str) -> ControlFlow<()> {
        self.listener.event(Event::Piece { step: self.step, text: text.into() });
        self.poll()
    }

    fn thought(&mut self, text: &str) -> ControlFlow<()> {
        self.listener.event(Event::Thought { step: self.step, text: text.into() });
        self.poll()
    }

    fn poll(&mut self) -> ControlFlow<()> {
        if self.stop.is_stopped() || self.steering.is_held() || Instant::now() >= self.deadline {
            return ControlFlow::Break(());
        }
        ControlFlow::Continue(())
    }
}

impl Asking<'_> {
    /// How likely each answer to `question` is.
    async fn weigh(&mut self, question: &Choice) -> Result<Vec<f64>, ModelError> {
        let choice = self.model.choose(&question.prompt, &question.answers).await?;
        self.choices.add(choice.usage);
        self.listener.event(Event::Chose { step: self.step, cost: Cost::from(choice.usage) });
        Ok(choice.probabilities)
    }

    /// How sure it is that the task is done, asked after something has `changed`.
    pub(crate) async fn done(
        &mut self,
        view: &PlanView<'_>,
        changed: bool,
    ) -> Result<Option<Certainty>, ModelError> {
        if !changed || self.dialect.ends_by_itself() || self.poll().is_break() {
            return Ok(None);
        }
        let shares = self.weigh(&self.dialect.ask_done(view)).await?;
        let probability = shares.first().copied().unwrap_or(0.0);
        self.listener.event(Event::AskedDone { step: self.step, probability });
        let (leaves, unsaved) = (self.dialect.leaves(view), self.dialect.is_unsaved(view));
        Ok(Some(Certainty { probability, leaves, unsaved }))
    }

    /// What the task names, and whether it was used; told where it is not as it was `before`. A plan of the
    /// model's own says more.
    pub(crate) fn parts(&self, view: &PlanView<'_>, before: &[(String, bool)]) -> Vec<(String, bool)> {
        let parts = self.dialect.parts(view);
        let planned = view.notes.iter().any(|note| Plan::noted(note).is_some());
        if parts != before && !planned {
            let plan = Plan::new(PlanBy::Task, parts.clone());
            self.listener.event(Event::Planned { plan });
        }
        parts
    }

    /// How the task compares; `None` while there is nothing to compare.
    pub(crate) async fn comparison(
        &mut self,
        view: &PlanView<'_>,
    ) -> Result<Option<Comparison>, ModelError> {
        let Some(question) = self.dialect.ask_order(view) else { return Ok(None) };
        let order = self.dialect.order(&self.weigh(&question).await?);
        let mut comparison = Comparison { order, by: None };
        if order != Order::Any
            && let Some((question, columns)) = self.dialect.ask_column(view)
        {
            let shares = self.weigh(&question).await?;
            let best = shares.iter().zip(columns).max_by(|(a, _), (b, _)| a.total_cmp(b));
            comparison.by = best.map(|(_, column)| column);
        }
        Ok(Some(comparison))
    }

    /// The command of the program that the task needs first, where there is one to be chosen.
    pub(crate) async fn program(&mut self, view: &PlanView<'_>) -> Result<Option<String>, ModelError> {
        let Some((question, commands)) = self.dialect.ask_program(view) else { return Ok(None) };
        let shares = self.weigh(&question).await?;
        let best = shares.iter().zip(commands).max_by(|(a, _), (b, _)| a.total_cmp(b));
        Ok(best.map(|(_, command)| command))
    }

    /// What the model wants to do next, or why its answer cannot be read.
    pub(crate) async fn next(
        &mut self,
        view: &PlanView<'_>,
    ) -> Result<(Completion, Result<Proposal, ParseError>), ModelError> {
        // Asked each time: a server may have refused pictures since.
        let view = PlanView { images: self.model.capabilities().images, ..view.clone() };
        let prompt = Prompt { thinking: self.thinking, ..self.dialect.render(&view) };
        let completion = self.model.complete(&prompt, self).await?;
        if prompt.has_picture() && self.model.capabilities().images.is_none() {
            self.listener.event(Event::Blinded { step: self.step });
        }
        let proposal = self.dialect.parse(&completion, &view);
        Ok((completion, proposal))
    }

    /// What is to be chosen before `proposal`, where a form waits for it. What was `settled` before is not
    /// asked again.
    pub(crate) async fn pick(
        &mut self,
        view: &PlanView<'_>,
        proposal: &Proposal,
        settled: &mut HashSet<String>,
    ) -> Result<Option<Proposal>, ModelError> {
        for pick in self.dialect.picks(view, proposal) {
            let (question, doings) = match pick {
                Pick::Known(doing) => return Ok(Some(doing)),
                Pick::Asked(question, doings) => (question, doings),
            };
            let words = question.prompt.turns.last().map(|turn| turn.text.clone()).unwrap_or_default();
            if settled.contains(&words) || self.poll().is_break() {
                continue;
            }
            let shares = self.weigh(&question).await?;
            let best = shares.iter().zip(doings).max_by(|(a, _), (b, _)| a.total_cmp(b));
            match best.filter(|(share, doing)| **share > MEANT && !doing.calls.is_empty()) {
                Some((_, doing)) => return Ok(Some(doing)),
                None => drop(settled.insert(words)),
            }
        }
        Ok(None)
    }

    /// What is not to be done yet of `proposal`, because the task would not be done with it.
    pub(crate) async fn leap(
        &mut self,
        view: &PlanView<'_>,
        proposal: &Proposal,
    ) -> Result<Option<Barred>, ModelError> {
        let Some((question, early)) = self.dialect.ask_leap(view, proposal) else { return Ok(None) };
        let shares = self.weigh(&question).await?;
        let done = shares.first().copied().unwrap_or(1.0);
        Ok((done < ENOUGH && self.poll().is_continue()).then_some(early))
    }
}

/// How sure it is that a task is done.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Certainty {
    /// As the model says, 0 to 1.
    pub(crate) probability: f64,
    /// Whether the screen offers something that the task names and that was not used.
    pub(crate) leaves: bool,
    /// Whether the task's file is still to be saved: a dialog that was closed before has accepted nothing of it.
    pub(crate) unsaved: bool,
}

impl Certainty {
    /// What says that the task is done, if it is, after what `memory` holds and on the screen `seen`.
    pub(crate) fn proof(self, memory: &Memory, seen: &Observation) -> Option<String> {
        self.reason(memory.is_accepted(seen), memory.is_unsent())
    }

    fn reason(self, accepted: bool, unsent: bool) -> Option<String> {
        let p = self.probability;
        let odds = (p / (1.0 - p).max(f64::MIN_POSITIVE)).ln();
        let sure = p * 100.0;
        let margin = match (self.leaves, unsent) {
            (true, _) => LEFT_MARGIN,
            (false, true) => UNSENT_MARGIN,
            (false, false) => DONE_MARGIN,
        };
        if odds > margin {
            let asked = "asked what is left of it, the model is";
            return Some(format!("{asked} {sure:.0} % sure that nothing is"));
        }
        (accepted && !self.unsaved && odds > ACCEPTED_MARGIN).then(|| {
            format!("what was filled in was accepted and is gone, and the model is {sure:.0} % sure")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_end_needs_a_margin_or_a_sign() {
        for (probability, leaves, accepted, unsent, done) in [
            (0.9, false, false, false, true),
            (0.7, false, false, false, true),
            (0.7, false, false, true, false),
            (0.9, false, false, true, true),
            (0.7, true, false, false, false),
            (0.55, false, false, false, false),
            (0.4, false, true, false, true),
            (0.1, false, true, false, false),
        ] {
            let certainty = Certainty { probability, leaves, unsaved: false };
            let reason = certainty.reason(accepted, unsent);
            assert_eq!(reason.is_some(), done, "{probability} {leaves} {accepted} {unsent}");
            // What was accepted says nothing of a file that is not saved.
            let reason = Certainty { unsaved: true, ..certainty }.reason(accepted, unsent);
            assert_eq!(
                reason.is_some(),
                done && !accepted,
                "{probability} {leaves} {accepted} {unsent}"
            );
        }
    }
}
