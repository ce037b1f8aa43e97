//! The planner loop and what surrounds it: [`run`] and its limits, the [`trajectory`] that a run
//! leaves, what can be made of the runs of the past ([`history`]), the [`workflow`]s that need no model, the [`replay`] of what was done before, the
//! calls of other programs ([`lent`]), and the [`supervision`] of all of them by a person.

#![forbid(unsafe_code)]

mod asking;
pub mod error;
pub mod event;
mod giving_way;
pub mod halt;
pub mod history;
pub mod lent;
pub mod limits;
pub mod memory;
pub mod outside;
mod progress;
pub mod replay;
pub mod run;
pub mod scripted;
mod sight;
pub mod step;
pub mod supervision;
pub mod trajectory;
pub mod workflow;

pub use error::AgentError;
