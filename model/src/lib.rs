//! Who decides. One [`Model`] trait with its backends (candle in this process, a local server over
//! HTTP, a script), and the [`dialect`]s that turn what the planner knows into a prompt and a model's
//! words into tool calls. Nothing here knows a policy, and nothing here acts.

pub mod backend;
pub mod dialect;
#[cfg(test)]
mod fake_server;
pub mod prompt;
pub mod serve;
pub mod store;

pub use backend::{Capabilities, Model, ModelError, TokenSink};
pub use prompt::{
    Chosen, Completion, Constraint, Finish, Likely, Picture, Preference, Prompt, Speaker, Turn, Usage,
};
