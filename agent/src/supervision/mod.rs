//! A person beside the run: what they are shown and what they may say, as one protocol that every view
//! speaks (the web console, the terminal, a program).
//!
//! A [`Hub`] holds the one truth. It numbers the [`Event`]s of the run and of the person, folds them into
//! a [`State`], and gives any number of views first the state and then what comes after it: a view that
//! joins late, falls behind or comes back after a broken connection loses nothing and is told nothing
//! twice. The run looks at the same hub: it asks through [`Asked`] and is held, stepped and spoken to
//! through [`Steering`].
//!
//! [`Event`]: crate::event::Event

mod asked;
mod hub;
mod intent;
mod message;
mod plan;
mod state;
mod steering;
#[cfg(test)]
mod tests;
mod watch;

pub use asked::Asked;
pub use hub::{Hub, Updates};
pub use intent::{Intent, effect};
pub use message::{
    Answer, Command, Extent, FromView, Numbered, Pace, Question, Reply, Subject, ToView, VERSION, Wait,
};
pub use plan::{Plan, PlanBy, PlanPart, Standing};
pub use state::{Activity, State, StepState};
pub use steering::Steering;
pub use watch::Watched;
