//! All that a view needs to show a run that it joins late: what the events so far come to. It stays
//! small however long the run is: older steps are counted and left to the record.

use std::collections::VecDeque;

use freehand_tools::frame::Digest;
use freehand_tools::gate::Verdict;
use freehand_tools::geometry::ScreenRect;
use freehand_tools::outcome::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::intent::Intent;
use super::message::{Pace, Question, Wait};
use super::plan::{Plan, Standing};
use crate::event::{Cost, Event};
use crate::trajectory::{Exit, Header};

/// Steps that are kept.
const STEPS: usize = 200;
/// Bytes of what the model thinks or says in one step that are kept while it does.
const THOUGHT: usize = 16 * 1024;
/// Notes and sentences that are kept.
const NOTES: usize = 100;

/// Whether something is under way.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Activity {
    /// No task was begun yet.
    #[default]
    Idle,
    /// A task is under way.
    Running,
    /// The last one is over.
    Ended {
        /// How it ended.
        exit: Exit,
    },
}

/// An action of a step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ActionState {
    /// In one sentence.
    pub summary: String,
    /// How it was judged.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What became of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outcome: Option<Outcome>,
}

/// A step.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepState {
    /// Counted from 1.
    pub step: u32,
    /// The digest of its frame.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub frame: Option<Digest>,
    /// What the model said; the last one is still being said.
    #[serde(default)]
    pub said: String,
    /// What it thinks aloud, or says why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thought: Option<String>,
    /// Why its answer could not be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// What the answer cost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cost: Option<Cost>,
    /// What the choices among given answers cost, all together.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choices: Option<Cost>,
    /// How sure the model was before it that the task is done, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<f64>,
    /// The actions.
    #[serde(default)]
    pub actions: Vec<ActionState>,
    /// How long it took so far, in ms.
    pub ms: f64,
}

/// What a run comes to.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct State {
    /// What is under way.
    pub activity: Activity,
    /// The task and by whom it is done.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub header: Option<Header>,
    /// How the person wants it to go on.
    pub pace: Pace,
    /// What the run waits for, if it stands still.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waiting: Option<Wait>,
    /// The open question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub question: Option<Question>,
    /// What comes next, if it may.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub intent: Option<Intent>,
    /// The part of the desktop that was looked at last, in screen pixels.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bounds: Option<ScreenRect>,
    /// The list as the model reads it.
    #[serde(default)]
    pub list: String,
    /// Titles of the windows, the front one first.
    #[serde(default)]
    pub windows: Vec<String>,
    /// What could not be seen.
    #[serde(default)]
    pub gaps: Vec<String>,
    /// What is to be done, where anybody has said so.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// The facts that the model keeps.
    #[serde(default)]
    pub notes: VecDeque<String>,
    /// What the person has added to the task.
    #[serde(default)]
    pub said: VecDeque<String>,
    /// Older steps, which are in the record only.
    pub older: u32,
    /// The steps, the last one under way.
    #[serde(default)]
    pub steps: VecDeque<StepState>,
}

fn push<T>(queue: &mut VecDeque<T>, item: T, most: usize) -> bool {
    queue.push_back(item);
    let over = queue.len() > most;
    if over {
        queue.pop_front();
    }
    over
}

fn grow(words: &mut String, piece: &str) {
    if words.len() < THOUGHT {
        words.push_str(piece);
    }
}

impl State {
    /// Takes in what happened.
    pub fn take(&mut self, event: &Event) {
        match event {
            Event::Started { header } => {
                let pace = self.pace;
                *self = Self { header: Some(header.clone()), pace, ..Self::default() };
                self.activity = Activity::Running;
            }
            Event::Observed { step, frame, bounds, list, windows, gaps, ms, elements: _ } => {
                self.intent = None;
                (self.bounds, self.list) = (Some(*bounds), list.clone());
                (self.windows, self.gaps) = (windows.clone(), gaps.clone());
                self.step(*step, |step| (step.frame, step.ms) = (Some(*frame), *ms));
            }
            Event::Waiting { wait, step: _ } => self.waiting = Some(wait.clone()),
            Event::WentOn { .. } => self.waiting = None,
            Event::Thought { step, text } => {
                self.step(*step, |step| grow(step.thought.get_or_insert_default(), text));
            }
            Event::Piece { step, text } => self.step(*step, |step| grow(&mut step.said, text)),
            Event::Discarded { step } => {
                self.intent = None;
                self.step(*step, |step| {
                    step.said.clear();
                    step.thought = None;
                });
            }
            Event::AskedDone { step, probability } => {
                self.step(*step, |step| step.done = Some(*probability));
            }
            Event::Chose { step, cost } => {
                self.step(*step, |step| *step.choices.get_or_insert_default() += *cost);
            }
            Event::Proposed { step, thought, unread, cost } => {
                self.step(*step, |step| {
                    (step.thought, step.unread) = (thought.clone(), unread.clone());
                    step.cost = Some(*cost);
                });
            }
            Event::Intended { intent, step: _ } => self.intent = Some(intent.clone()),
            Event::Asked { question } => self.question = Some(question.clone()),
            Event::Answered { .. } => self.question = None,
            Event::Judged { step, summary, verdict } => {
                let (summary, verdict) = (summary.clone(), Some(verdict.clone()));
                let action = ActionState { summary, verdict, outcome: None };
                self.step(*step, |step| step.actions.push(action));
            }
            Event::Acted { step, summary, outcome, ms } => self.acted(*step, summary, outcome, *ms),
            Event::Planned { plan } => self.plan = Some(plan.clone()),
            Event::PartStands { part, standing } => self.stands(*part, *standing),
            Event::Noted { text, step: _ } => {
                push(&mut self.notes, text.clone(), NOTES);
            }
            Event::Paced { pace, by: _ } => self.pace = *pace,
            Event::Said { text, by: _ } => {
                push(&mut self.said, text.clone(), NOTES);
            }
            Event::Yielded { .. } | Event::Blinded { .. } => {}
            Event::Ended { exit, steps: _ } => self.ended(exit),
        }
    }

    fn ended(&mut self, exit: &Exit) {
        self.activity = Activity::Ended { exit: exit.clone() };
        (self.intent, self.question, self.waiting) = (None, None, None);
        if self.pace != Pace::TakenOver {
            self.pace = Pace::Going;
        }
    }

    /// The part of the plan with this number, counted from 1, is so far.
    fn stands(&mut self, part: u32, standing: Standing) {
        let at = usize::try_from(part).unwrap_or(0).checked_sub(1);
        let parts = self.plan.as_mut().map(|plan| &mut plan.parts);
        if let Some(part) = parts.zip(at).and_then(|(parts, at)| parts.get_mut(at)) {
            part.standing = standing;
        }
    }

    fn acted(&mut self, step: u32, summary: &str, outcome: &Outcome, ms: f64) {
        self.intent = None;
        let outcome = Some(outcome.clone());
        self.step(step, |step| {
            step.ms = ms;
            if let Some(last) = step.actions.last_mut().filter(|last| last.outcome.is_none()) {
                last.outcome = outcome;
            } else {
                let summary = summary.to_owned();
                step.actions.push(ActionState { summary, verdict: None, outcome });
            }
        });
    }

    /// Changes the step of this number, which is the last one or a new one.
    fn step(&mut self, number: u32, change: impl FnOnce(&mut StepState)) {
        if self.steps.back().is_none_or(|last| last.step != number) {
            let new = StepState { step: number, ..StepState::default() };
            if push(&mut self.steps, new, STEPS) {
                self.older += 1;
            }
        }
        if let Some(last) = self.steps.back_mut() {
            change(last);
        }
    }
}
