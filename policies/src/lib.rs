//! What the agent is allowed to do, and who answers where a rule asks.
//!
//! A rule is a line of Cedar ([`rules`]) in words that come from the types of the desktop side
//! ([`vocabulary`]). [`preset`] holds the sets of rules that a user chooses from by name, [`rulebook`] puts
//! layers on top of each other so that they only narrow, [`tiers`] says how far to go in a program, and
//! the rules of [`builtin`] are always the first layer: nothing lifts them. What an action would really
//! do is found in [`risk`] and [`shell`], and becomes questions to Cedar in [`request`]. [`cases`] are the
//! tests of a policy, [`audit`] the log of what was judged. [`approver`] holds those who can be
//! asked, [`question`] what they are shown, [`grants`] what they have allowed for good. Nothing here knows a model.

#![forbid(unsafe_code)]

pub mod approver;
#[cfg(test)]
mod arbitrary;
pub mod audit;
pub mod builtin;
pub mod cases;
pub mod error;
pub mod grants;
pub mod layers;
mod place;
pub mod preset;
pub mod question;
pub mod request;
pub mod risk;
pub mod rulebook;
pub mod rules;
pub mod shell;
mod statements;
pub mod tiers;
pub mod vocabulary;

pub use error::PolicyError;
