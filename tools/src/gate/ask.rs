//! The question to the person, and the answers that there are. Terminal, console and whoever else asks
//! implement [`Approver`] and nothing more: what an answer means is decided in one place.

use std::fmt;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::action::Action;
use crate::gate::Reason;
use crate::gate::scope::Scope;

/// A question to the person: may this be done?
#[derive(Debug, Clone, PartialEq)]
pub struct ApprovalRequest {
    /// What would be done.
    pub action: Action,
    /// The rules that ask.
    pub reasons: Vec<Reason>,
    /// What an answer that lasts would be good for; `None` where only this one action can be allowed.
    pub scope: Option<Scope>,
    /// Why it is asked again, where it is: a change that does not hold, or that asks for more.
    pub note: Option<String>,
}

/// The person's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "answer")]
pub enum Approval {
    /// Yes, this once.
    Once,
    /// Yes, and to whatever the request's scope covers for the rest of the run.
    Run,
    /// Yes, and to whatever the request's scope covers for so long, at most to the end of the run.
    For {
        /// So long.
        minutes: u32,
    },
    /// Yes, and to whatever the request's scope covers, in later runs as well. Whoever asks has to
    /// keep it: the gate itself writes nothing.
    Always,
    /// Yes, but with these arguments. The call is worked out and judged anew with them: what is
    /// denied stays denied, and a rule that was not shown yet asks again.
    Edit {
        /// All arguments of the call, as they shall be.
        args: Value,
    },
    /// No.
    Deny {
        /// What the model is told.
        reason: String,
        /// What the person said to it, in their own words, if they said anything.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        said: Option<String>,
    },
}

impl Approval {
    const WITHDRAWN: &str = "the question was withdrawn before it was answered";

    /// No answer, since the person has taken over or the run has ended. It is a no to this one, and none to
    /// its like: the person has not said anything.
    pub fn withdrawn() -> Self {
        Self::deny(Self::WITHDRAWN)
    }

    /// Whether the question was withdrawn.
    pub(super) fn is_withdrawn(&self) -> bool {
        matches!(self, Self::Deny { reason, said: None } if reason == Self::WITHDRAWN)
    }

    /// As long as an answer for some minutes may hold.
    pub const LONGEST: u32 = 24 * 60;

    /// A no that no person gave a reason for.
    pub fn deny(reason: impl Into<String>) -> Self {
        Self::Deny { reason: reason.into(), said: None }
    }

    /// The person's no, with what they said to it; that may be nothing.
    pub fn no(said: &str) -> Self {
        match said.trim() {
            "" => Self::deny("the person said no"),
            said => {
                Self::Deny { reason: format!("the person said no: {said}"), said: Some(said.to_owned()) }
            }
        }
    }

    /// The answer in words for a person; of changed arguments only that they are changed.
    pub fn words(&self) -> String {
        match self {
            Self::Once => "yes, this once".into(),
            Self::Run => "yes, for this run".into(),
            Self::For { minutes } => format!("yes, for {minutes} min"),
            Self::Always => "yes, always".into(),
            Self::Edit { .. } => "yes, with a change".into(),
            Self::Deny { reason, .. } => format!("no: {reason}"),
        }
    }
}

/// Somebody who can be asked. No answer is a no: an approver that fails answers [`Approval::Deny`].
#[async_trait]
pub trait Approver: Send + Sync + fmt::Debug {
    /// Asks whether an action may be done.
    async fn ask(&self, request: &ApprovalRequest) -> Approval;

    /// Asks the person something in the model's name; `None` when nobody answers.
    async fn question(&self, question: &str) -> Option<String>;
}
