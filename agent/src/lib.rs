//! The planner loop and what surrounds it: [`run`] and its limits, the [`trajectory`] that a run
//! leaves, the [`workflow`]s that need no model, and the [`replay`] of what was done before.

#![forbid(unsafe_code)]

mod asking;
pub mod error;
pub mod event;
mod halt;
pub mod limits;
pub mod memory;
pub mod outside;
mod progress;
pub mod replay;
pub mod run;
pub mod scripted;
mod sight;
pub mod step;
pub mod trajectory;
pub mod workflow;

pub use error::AgentError;
