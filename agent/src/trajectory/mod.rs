//! The whole state of a run, as an append-only record: a header, the steps, the exit.
//!
//! Stopping a run is nothing but not going on with it, loading the record is going on, and doing its
//! actions again needs no model. The folder holds `trajectory.jsonl` (one line for the header, one a
//! step, one for the exit; each synced before the next step begins), the frames as PNG files named by
//! their digest, and `report.html`.

use freehand_model::dialect::Proposal;
use freehand_model::prompt::{Completion, Usage};
use freehand_tools::action::Action;
use freehand_tools::call::ToolCall;
use freehand_tools::element::{Element, ElementId, Window};
use freehand_tools::frame::Digest;
use freehand_tools::gate::Verdict;
use freehand_tools::geometry::{ScreenPoint, ScreenRect};
use freehand_tools::observation::{More, Observation};
use freehand_tools::outcome::Outcome;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub mod reader;
pub mod recorder;
pub mod redact;
pub mod report;
#[cfg(test)]
pub(crate) mod sample;

/// The version of the format that this program writes; it reads this one and those before it.
pub const FORMAT: u32 = 1;

/// The first line: what was asked for, and of whom.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Header {
    /// The version of the format.
    pub format: u32,
    /// What the person wanted.
    pub task: String,
    /// The text that is on the screen when it is done, where the person named one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<String>,
    /// The model's name.
    pub model: String,
    /// The dialect's name.
    pub dialect: String,
    /// The policy's name.
    pub policy: String,
    /// The digest of all rules in force, as `freehand policy show` prints it; empty in a record that
    /// is older than these.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub policy_digest: String,
    /// The display's name.
    pub display: String,
    /// When it began, in ms since 1970 (UTC).
    pub started_ms: u64,
}

/// An observation as it is recorded: everything but the pixels, which are a file of their own.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Seen {
    /// The frame's digest, and its file's name without the ending.
    pub frame: Digest,
    /// The part of the desktop that the frame shows, in screen pixels.
    pub bounds: ScreenRect,
    /// Windows, the front one first.
    pub windows: Vec<Window>,
    /// The list.
    pub elements: Vec<Element>,
    /// The element that has the keyboard.
    pub focus: Option<ElementId>,
    /// Where the pointer is, in screen pixels.
    pub cursor: ScreenPoint,
    /// What could not be seen.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<String>,
    /// What holds more than it shows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub more: Vec<More>,
}

impl From<&Observation> for Seen {
    fn from(seen: &Observation) -> Self {
        Self {
            frame: seen.frame.digest(),
            bounds: seen.bounds(),
            windows: seen.windows.clone(),
            elements: seen.elements.clone(),
            focus: seen.focus,
            cursor: seen.cursor,
            gaps: seen.gaps.clone(),
            more: seen.more.clone(),
        }
    }
}

/// One call with all that became of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Judged {
    /// What the model asked for.
    pub call: ToolCall,
    /// What that meant on the screen; `None` when it meant nothing.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub action: Option<Action>,
    /// How the gate judged it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    /// What became of it.
    pub outcome: Outcome,
    /// The digest of a picture that it took.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub picture: Option<Digest>,
}

/// Where the time of a step went, in ms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Timing {
    /// Looking at the screen.
    pub observe: f64,
    /// The model: asking whether it is done, and for the next action.
    pub model: f64,
    /// The gate, a person's answer included.
    pub gate: f64,
    /// Acting.
    pub act: f64,
    /// Waiting until the screen was quiet.
    pub settle: f64,
    /// Writing the record of the step before.
    pub record: f64,
}

/// What the model chose among given answers in one step, for example whether the task is done.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Choices {
    /// How often it chose.
    pub count: u32,
    /// What all of it cost.
    pub usage: Usage,
}

impl Choices {
    /// Counts one more that cost this.
    pub fn add(&mut self, usage: Usage) {
        self.count += 1;
        self.usage += usage;
    }

    /// Whether there were none.
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }
}

/// How the person came between.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Intervention {
    /// They said something more about the task.
    Said {
        /// What.
        text: String,
    },
    /// They used mouse and keyboard themselves. What they did is nobody's business.
    TookOver,
}

/// One pass of the loop.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Step {
    /// Counted from 1.
    pub index: u32,
    /// When it began, in ms since 1970 (UTC).
    pub at_ms: u64,
    /// What was on the screen.
    pub seen: Seen,
    /// The list as the model read it.
    pub list: String,
    /// How sure the model was that the task was done, 0 to 1, where it was asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub done: Option<f64>,
    /// What it chose among given answers.
    #[serde(default, skip_serializing_if = "Choices::is_empty")]
    pub choices: Choices,
    /// What the model said.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub completion: Option<Completion>,
    /// What was read from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub proposal: Option<Proposal>,
    /// Why nothing could be read from it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unread: Option<String>,
    /// How the person came between, before the model was asked.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub interventions: Vec<Intervention>,
    /// What was done, in order.
    pub actions: Vec<Judged>,
    /// Where the time went.
    pub timing: Timing,
}

/// How a run ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "exit")]
pub enum Exit {
    /// The task is done, as far as the screen and the model tell; `checked` says what speaks for it.
    Done {
        /// What says so.
        checked: String,
    },
    /// The model or the loop gave up.
    GaveUp {
        /// Why.
        reason: String,
    },
    /// A limit was reached.
    Limit {
        /// Which one.
        which: String,
    },
    /// The policy or the person refused.
    Refused {
        /// What they said.
        reason: String,
    },
    /// The model gave no answer.
    ModelFailed {
        /// Why.
        reason: String,
    },
    /// The desktop is gone.
    DesktopFailed {
        /// Why.
        reason: String,
    },
    /// The program whose calls were done has left; whether its task is done is its own to judge.
    Left,
    /// The person stopped it.
    Interrupted,
}

/// A record that was read back.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory {
    /// The first line.
    pub header: Header,
    /// The steps that are whole.
    pub steps: Vec<Step>,
    /// The last line, when the run came to an end.
    pub exit: Option<Exit>,
}
