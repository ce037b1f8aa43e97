//! What can keep a run from starting or from going on.

use std::io::ErrorKind;
use std::path::PathBuf;

use thiserror::Error;

/// Why the agent cannot go on. What goes wrong inside a step is no error: it is the step's outcome.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AgentError {
    /// A folder or a file cannot be written.
    #[error("cannot write `{}`: {source}{}", path.display(), advice(source.kind()))]
    Unwritable {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A folder or a file cannot be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Unreadable {
        /// Which one.
        path: PathBuf,
        /// Why not.
        source: std::io::Error,
    },
    /// A record is not what it should be.
    #[error("`{}`, line {line}: {reason}", path.display())]
    BadTrajectory {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
    /// A workflow file is not what it should be.
    #[error("`{}`: {reason}", path.display())]
    BadWorkflow {
        /// The file.
        path: PathBuf,
        /// What is wrong, with line and column.
        reason: String,
    },
}

/// What helps against a folder that takes nothing.
const fn advice(kind: ErrorKind) -> &'static str {
    if matches!(kind, ErrorKind::AlreadyExists) {
        // It says what to do itself.
        ""
    } else if matches!(kind, ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge)
    {
        "; make room there, or choose another folder"
    } else {
        "; choose another folder"
    }
}
