//! What became of an action, in a form that the next step can show to the model.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Whether something was seen to change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Effect {
    /// What was asked for can be seen on the screen.
    Confirmed,
    /// It was sent; nobody has looked yet, or there is nothing to see.
    Unconfirmed,
    /// It was sent and the screen stayed as it was.
    NoVisibleEffect,
}

/// What became of one call.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", tag = "status")]
pub enum Outcome {
    /// It was done.
    Done {
        /// Whether something was seen to change.
        effect: Effect,
        /// What it answered, for tools that read something.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        answer: Option<String>,
    },
    /// It could not be done.
    Failed {
        /// What went wrong.
        reason: String,
        /// What to try instead.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        hint: Option<String>,
    },
    /// It was not allowed.
    Refused {
        /// The rule or the person's words.
        reason: String,
    },
}

impl Outcome {
    /// Sent, with nothing known of its effect.
    pub const fn sent() -> Self {
        Self::Done { effect: Effect::Unconfirmed, answer: None }
    }

    /// Done, with an answer to read.
    pub fn answer(text: impl Into<String>) -> Self {
        Self::Done { effect: Effect::Confirmed, answer: Some(text.into()) }
    }

    /// Not done, and why.
    pub fn failed(reason: impl Into<String>) -> Self {
        Self::Failed { reason: reason.into(), hint: None }
    }

    /// Whether it was done.
    pub const fn is_done(&self) -> bool {
        matches!(self, Self::Done { .. })
    }
}
