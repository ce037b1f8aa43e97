//! What can be wrong with the rules that a user asks for.

use thiserror::Error;

use crate::preset::Preset;

/// Why no policy can be made of what the user gave.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No preset of that name.
    #[error("no policy is called `{name}`; there are {}", Preset::names())]
    UnknownPreset {
        /// The name that was given.
        name: String,
    },
}
