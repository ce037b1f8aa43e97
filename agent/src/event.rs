//! The one-way stream of what happens in a run. The terminal, the console, the log and the tests read
//! it; nothing below them prints.

use freehand_tools::gate::Verdict;
use freehand_tools::outcome::Outcome;
use serde::Serialize;

use crate::trajectory::{Exit, Header};

/// Something that happened.
#[derive(Debug, Clone, PartialEq, Serialize)]
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
    /// A piece of the model's answer.
    Piece {
        /// The step.
        step: u32,
        /// The piece.
        text: String,
    },
    /// The model was asked whether the task is done.
    AskedDone {
        /// The step.
        step: u32,
        /// How sure it is, 0 to 1.
        probability: f64,
    },
    /// An action was worked out and judged.
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
    /// The run is over.
    Ended {
        /// How.
        exit: Exit,
        /// Steps that were done.
        steps: u32,
    },
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
