//! What the model asks for, raw and untrusted, and what a tool says of itself.

use serde::{Deserialize, Serialize};
use serde_json::Value;
use thiserror::Error;

use crate::element::ElementId;
use crate::key::KeyError;

/// One tool that the model may call.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct ToolSpec {
    /// The name that a call uses, for example `click`.
    pub name: &'static str,
    /// What it does, taken from the documentation of its input type.
    pub description: String,
    /// The JSON schema of its arguments, made from its input type.
    pub schema: Value,
}

/// One call as the model wrote it. Nothing in it is trusted until a tool has resolved it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ToolCall {
    /// Tells this call from the others of its run; made up where the writer gives none.
    #[serde(default)]
    pub id: String,
    /// The name of the tool.
    pub tool: String,
    /// Its arguments.
    #[serde(default)]
    pub args: Value,
}

impl ToolCall {
    /// A call of `tool` with `args`.
    pub fn new(tool: impl Into<String>, args: Value) -> Self {
        Self { id: String::new(), tool: tool.into(), args }
    }
}

/// Why a call cannot become an action. The model reads it and tries again.
#[derive(Debug, Clone, PartialEq, Error)]
pub enum CallError {
    /// No tool of that name.
    #[error("there is no tool `{name}`; the tools are: {known}")]
    UnknownTool {
        /// The name that was called.
        name: String,
        /// The names that exist, joined by commas.
        known: String,
    },
    /// The arguments do not fit the schema.
    #[error("`{tool}`: {message}")]
    BadArguments {
        /// The tool that was called.
        tool: String,
        /// What is wrong with which field.
        message: String,
    },
    /// No element has that number.
    #[error("there is no element {0} on the screen now")]
    NoElement(ElementId),
    /// No element fits the description.
    #[error("nothing on the screen is called `{0}`")]
    NotFound(String),
    /// Several elements fit the description.
    #[error("{count} elements are called `{name}`; name one by its number")]
    Ambiguous {
        /// What was asked for.
        name: String,
        /// How many fit.
        count: usize,
    },
    /// The frame that a point belongs to is not the one that was seen last.
    #[error("the point belongs to an older frame; look at the screen again")]
    StaleFrame,
    /// The point is outside the screen.
    #[error("the point {0} is outside the screen {1}")]
    OffScreen(String, String),
    /// The element cannot be used in that way.
    #[error("{element} cannot be used for `{tool}`: {reason}")]
    Unfit {
        /// The element as a sentence names it.
        element: String,
        /// The tool that was called.
        tool: String,
        /// Why not.
        reason: String,
    },
    /// A key that does not exist.
    #[error(transparent)]
    Key(#[from] KeyError),
}
