//! The messages between a hub and its views, as JSON. Every field is documented here, and the page
//! `docs/reference/protocol.md` is made from these types.

use freehand_tools::gate::Reason;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::intent::Intent;
use super::state::State;
use crate::event::Event;

/// The version of these messages. A view that speaks another one is told so and not served.
pub const VERSION: u32 = 3;

/// How the person wants the run to go on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Pace {
    /// By itself.
    #[default]
    Going,
    /// One step, and then it pauses.
    Step,
    /// Not at all; what the model is thinking is thrown away.
    Paused,
    /// Not at all, and mouse and keyboard are the person's.
    TakenOver,
}

impl Pace {
    /// Whether the run stands still.
    pub const fn holds(self) -> bool {
        matches!(self, Self::Paused | Self::TakenOver)
    }
}

/// What a run that stands still waits for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "for")]
pub enum Wait {
    /// To be let go on.
    Resume,
    /// To be given mouse and keyboard back.
    GiveBack,
    /// Somebody who looks at the console, since it works at a place that is watched.
    Presence {
        /// The place, as it was named.
        place: String,
    },
}

/// How far a yes reaches.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Extent {
    /// Just this action.
    #[default]
    Once,
    /// The same kind of effect in the same program, for the rest of the run.
    Run,
    /// The same, for so long, at most to the end of the run.
    For {
        /// So long, from 1 to 1440.
        minutes: u32,
    },
    /// The same, in later runs as well.
    Always,
}

/// What a question is about.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "about")]
pub enum Subject {
    /// May this be done?
    Action {
        /// What would come of it, in one sentence.
        effect: String,
        /// The action.
        intent: Box<Intent>,
        /// The rules that ask.
        reasons: Vec<Reason>,
        /// Whether a yes may reach further than this one action.
        lasting: bool,
        /// Whether a yes may reach into later runs.
        always: bool,
        /// Why it is asked again, where it is.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        note: Option<String>,
    },
    /// The model wants to know something.
    Words {
        /// Its question.
        text: String,
    },
}

/// A question to the person. Its first answer counts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Question {
    /// Which one; an answer names it.
    pub number: u64,
    /// What it is about.
    pub subject: Subject,
}

/// How a question was closed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Answer {
    /// Yes.
    Approved {
        /// How far.
        extent: Extent,
    },
    /// Yes, with other arguments, which no view is told: they may hold a secret.
    Changed {
        /// All arguments of the call, as they shall be.
        #[serde(skip)]
        args: Value,
    },
    /// No.
    Denied {
        /// What the model is told.
        reason: String,
    },
    /// Words, for a question of the model.
    Told {
        /// What.
        text: String,
    },
    /// Nobody has answered: the time was up, the run was stopped, or the person took over.
    Withdrawn,
}

/// What the person wants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "command", deny_unknown_fields)]
pub enum Command {
    /// Yes to an action.
    Approve {
        /// The number of the question.
        question: u64,
        /// How far.
        #[serde(default)]
        extent: Extent,
    },
    /// Yes to an action with other arguments. It is judged anew: what is denied stays denied, and a rule
    /// that was not shown yet asks again.
    Edit {
        /// The number of the question.
        question: u64,
        /// All arguments of the call, as they shall be.
        args: Value,
    },
    /// No to an action.
    Deny {
        /// The number of the question.
        question: u64,
        /// What the model is told.
        #[serde(default)]
        reason: String,
    },
    /// Answer a question of the model.
    Tell {
        /// The number of the question.
        question: u64,
        /// The answer.
        text: String,
    },
    /// Stand still before the next action; a thought that is under way is thrown away.
    Pause,
    /// Do one step, and pause again.
    Step,
    /// Go on.
    Resume,
    /// End the run.
    Stop,
    /// Give mouse and keyboard to the person.
    TakeOver,
    /// Give them back.
    GiveBack,
    /// Say something more about the task.
    Say {
        /// What.
        text: String,
    },
    /// Begin a task, where none is under way.
    Start {
        /// What is to be done.
        task: String,
    },
    /// The person is there and looks; to be said again every few seconds while that holds.
    Look,
    /// The person who looked does so no longer. Whoever looks through another view says so within seconds.
    LookAway,
}

/// What a view sends.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "message", deny_unknown_fields)]
pub enum FromView {
    /// The first message: what the view knows already.
    Join {
        /// The version that it speaks.
        protocol: u32,
        /// The session that it was in before, and the last number that it has seen there.
        #[serde(default)]
        session: Option<String>,
        /// The last number that it has seen.
        #[serde(default)]
        after: u64,
    },
    /// A command.
    Do {
        /// The view's own number for it; the reply names it.
        id: u64,
        /// What is wanted.
        what: Command,
    },
}

/// An event with its place in the order of all.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Numbered {
    /// Counted from 1 in a session, without a gap.
    pub number: u64,
    /// When, in ms since 1970 (UTC).
    pub at_ms: u64,
    /// What.
    #[serde(flatten)]
    pub event: Event,
}

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Reply {
    /// The view's number for the command.
    pub id: u64,
    /// Why it was not followed; nothing where it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refused: Option<String>,
}

/// What a view receives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "message")]
#[expect(clippy::large_enum_variant, reason = "made to be written out at once, never kept")]
pub enum ToView {
    /// The whole state. Comes first, and again where a view has fallen too far behind.
    State {
        /// The version that is spoken.
        protocol: u32,
        /// The session: another one, and old numbers mean nothing.
        session: String,
        /// The last event that is in it.
        number: u64,
        /// The state.
        state: State,
    },
    /// The view was here before: only what it has not seen comes.
    Resumed {
        /// The session.
        session: String,
        /// The number that it goes on after.
        number: u64,
    },
    /// Something happened.
    Event(Numbered),
    /// What became of a command.
    Reply(Reply),
    /// The view cannot be served.
    Refused {
        /// Why.
        reason: String,
    },
}
