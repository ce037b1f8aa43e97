//! What can be wrong with the rules that a user asks for.

use std::path::PathBuf;

use thiserror::Error;

use crate::preset::Preset;

/// Why no policy can be made of what the user gave.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// No preset of that name.
    #[error(
        "no policy is called `{name}`; there are {}, or name a file that ends with `.cedar`",
        Preset::names()
    )]
    UnknownPreset {
        /// The name that was given.
        name: String,
    },
    /// A file cannot be read.
    #[error("cannot read `{}`: {reason}", file.display())]
    Read {
        /// The file.
        file: PathBuf,
        /// Why.
        reason: String,
    },
    /// A rule is wrong.
    #[error("`{}`, line {line}{rule}: {reason}", file.display())]
    Rule {
        /// The file.
        file: PathBuf,
        /// The line on which the rule begins.
        line: usize,
        /// ` in the rule …`, where it has a name.
        rule: String,
        /// What is wrong.
        reason: String,
    },
    /// A file of tiers or of cases is wrong.
    #[error("`{}`, line {line}: {reason}", file.display())]
    Toml {
        /// The file.
        file: PathBuf,
        /// The line.
        line: usize,
        /// What is wrong.
        reason: String,
    },
    /// Nothing of that name can be forbidden.
    #[error("`{word}` is nothing that can be forbidden; there are {known}")]
    UnknownAction {
        /// The word that was given.
        word: String,
        /// Those that there are.
        known: String,
    },
}
