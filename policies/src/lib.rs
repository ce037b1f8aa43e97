//! What the agent is allowed to do, and who answers where a rule asks.
//!
//! [`preset`] holds the three sets of rules that a user chooses from by name, [`layers`] puts rules on
//! top of each other so that they only narrow, and the rules of [`builtin`] are always the first
//! layer: nothing lifts them. [`approver`] holds those who can be asked. Nothing here knows a model.

#![forbid(unsafe_code)]

pub mod approver;
#[cfg(test)]
mod arbitrary;
pub mod builtin;
pub mod error;
pub mod layers;
pub mod preset;
pub mod visible;

pub use error::PolicyError;
