//! The one-way stream of what happens in a run. The terminal, the console, the log and the tests read
//! it; nothing below them prints. With a hub ([`crate::supervision`]) what the person does is a part
//! of the same stream, so that every view shows one truth.

use std::ops::AddAssign;

use freehand_model::prompt::Usage;
use freehand_tools::frame::Digest;
use freehand_tools::gate::Verdict;
use freehand_tools::geometry::ScreenRect;
use freehand_tools::outcome::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::supervision::{Answer, Intent, Pace, Plan, Question, Standing, Wait};
use crate::trajectory::{Exit, Header};

/// What an answer of the model cost, or a choice among given ones.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Cost {
    /// Tokens that were read, those of given answers included.
    pub read: u32,
    /// Of these, tokens whose work was reused.
    pub reused: u32,
    /// Tokens that were written.
    pub written: u32,
    /// Time for reading and writing, in ms.
    pub ms: f64,
}

impl From<Usage> for Cost {
    fn from(usage: Usage) -> Self {
        Self {
            read: usage.prompt.saturating_add(usage.scored),
            reused: usage.reused,
            written: usage.sampled.saturating_add(usage.forced),
            ms: usage.prefill_ms + usage.decode_ms,
        }
    }
}

impl AddAssign for Cost {
    fn add_assign(&mut self, other: Self) {
        self.read = self.read.saturating_add(other.read);
        self.reused = self.reused.saturating_add(other.reused);
        self.written = self.written.saturating_add(other.written);
        self.ms += other.ms;
    }
}

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The run begins.
    Started {
        /// What is asked of whom.
        header: Header,
    },
    /// The screen was looked at.
    Observed {
        /// The step, counted from 1.
        step: u32,
        /// The digest of the frame; its first 16 digits name the file in the record.
        frame: Digest,
        /// The part of the desktop that the frame shows, in screen pixels.
        bounds: ScreenRect,
        /// The list as the model reads it.
        list: String,
        /// Elements in the list.
        elements: usize,
        /// Titles of the windows, the front one first.
        windows: Vec<String>,
        /// What could not be seen.
        gaps: Vec<String>,
        /// How long it took, in ms.
        ms: f64,
    },
    /// The person uses mouse or keyboard, and the run waits until they rest.
    Yielded {
        /// The step.
        step: u32,
    },
    /// The run has come to rest and waits for the person.
    Waiting {
        /// The step.
        step: u32,
        /// For what.
        wait: Wait,
    },
    /// It waits no longer.
    WentOn {
        /// The step.
        step: u32,
    },
    /// A piece of what the model thinks aloud before its answer.
    Thought {
        /// The step.
        step: u32,
        /// The piece.
        text: String,
    },
    /// A piece of the model's answer.
    Piece {
        /// The step.
        step: u32,
        /// The piece.
        text: String,
    },
    /// The answer was thrown away, since the person came between: the model is asked anew.
    Discarded {
        /// The step.
        step: u32,
    },
    /// The model's server refuses pictures: from now on the model reads the list alone.
    Blinded {
        /// The step.
        step: u32,
    },
    /// The model was asked whether the task is done.
    AskedDone {
        /// The step.
        step: u32,
        /// How sure it is, 0 to 1.
        probability: f64,
    },
    /// The model has chosen among given answers.
    Chose {
        /// The step.
        step: u32,
        /// What it cost.
        cost: Cost,
    },
    /// The model has answered.
    Proposed {
        /// The step.
        step: u32,
        /// What it thought aloud, or says why.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        thought: Option<String>,
        /// Why its answer cannot be read, if so.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        unread: Option<String>,
        /// What it cost.
        cost: Cost,
    },
    /// An action was worked out and comes next, if it may.
    Intended {
        /// The step.
        step: u32,
        /// What, and where.
        intent: Intent,
    },
    /// The person is asked.
    Asked {
        /// The question.
        question: Question,
    },
    /// A question is closed.
    Answered {
        /// Its number.
        question: u64,
        /// How.
        answer: Answer,
        /// Who has answered, for example `console`; empty where nobody has.
        by: String,
    },
    /// An action was judged.
    Judged {
        /// The step.
        step: u32,
        /// The action in one sentence.
        summary: String,
        /// How the gate judged it.
        verdict: Verdict,
    },
    /// An action was done, or not.
    Acted {
        /// The step.
        step: u32,
        /// The action in one sentence.
        summary: String,
        /// What became of it.
        outcome: Outcome,
        /// Time of the whole step so far, in ms.
        ms: f64,
    },
    /// There is a plan, or another one.
    Planned {
        /// The whole of it.
        plan: Plan,
    },
    /// A part of the plan is as far as this.
    PartStands {
        /// Which one, counted from 1.
        part: u32,
        /// How far.
        standing: Standing,
    },
    /// The model keeps a fact for later.
    Noted {
        /// The step.
        step: u32,
        /// The fact.
        text: String,
    },
    /// The person wants it to go on otherwise.
    Paced {
        /// How.
        pace: Pace,
        /// Who has said so.
        by: String,
    },
    /// The person has said something; the model reads it in its next question.
    Said {
        /// What.
        text: String,
        /// Who.
        by: String,
    },
    /// The run is over.
    Ended {
        /// How.
        exit: Exit,
        /// Steps that were done.
        steps: u32,
    },
}

impl Event {
    /// The same where `offset` steps were done before the first of its own.
    fn after(mut self, offset: u32) -> Self {
        match &mut self {
            Self::Observed { step, .. }
            | Self::Yielded { step }
            | Self::Waiting { step, .. }
            | Self::WentOn { step }
            | Self::Thought { step, .. }
            | Self::Piece { step, .. }
            | Self::Discarded { step }
            | Self::Blinded { step }
            | Self::AskedDone { step, .. }
            | Self::Chose { step, .. }
            | Self::Proposed { step, .. }
            | Self::Intended { step, .. }
            | Self::Judged { step, .. }
            | Self::Acted { step, .. }
            | Self::Noted { step, .. } => *step = step.saturating_add(offset),
            Self::Started { .. }
            | Self::Asked { .. }
            | Self::Answered { .. }
            | Self::Planned { .. }
            | Self::PartStands { .. }
            | Self::Paced { .. }
            | Self::Said { .. }
            | Self::Ended { .. } => {}
        }
        self
    }
}

/// Who reads the stream.
pub trait Listener: Send + Sync {
    /// Takes one event; must not block.
    fn event(&self, event: Event);
}

/// Nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct Nobody;

impl Listener for Nobody {
    fn event(&self, _: Event) {}
}

/// Tells of a run that is a part of a longer one: its steps are counted on, its end is not the end, and its plan is
/// not that of the whole.
#[expect(missing_debug_implementations, reason = "holds a trait object that has none")]
pub struct PartOf<'l> {
    listener: &'l dyn Listener,
    offset: u32,
}

impl<'l> PartOf<'l> {
    /// The same as `listener`, after as many steps as `offset`.
    pub(crate) const fn told(listener: &'l dyn Listener, offset: u32) -> Self {
        Self { listener, offset }
    }
}

impl Listener for PartOf<'_> {
    fn event(&self, event: Event) {
        let of_the_whole = matches!(
            event,
            Event::Started { .. }
                | Event::Ended { .. }
                | Event::Planned { .. }
                | Event::PartStands { .. }
        );
        if !of_the_whole {
            self.listener.event(event.after(self.offset));
        }
    }
}
