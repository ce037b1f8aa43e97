//! The exit codes, all in one place, and how an error finds its own.

use std::process::ExitCode;

use anyhow::Error;
use freehand_agent::AgentError;
use freehand_agent::trajectory::Exit;
use freehand_model::ModelError;
use freehand_policies::PolicyError;
use freehand_tools::desktop::DesktopError;
use thiserror::Error as ThisError;

use crate::terminal::{self, Tone};

/// How the program ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Code {
    /// Done and checked.
    Done = 0,
    /// Bad usage, configuration or file.
    Usage = 2,
    /// Gave up, or a limit was reached.
    GaveUp = 3,
    /// Refused by a rule or by the person.
    Refused = 4,
    /// The model or the desktop failed.
    Failed = 5,
    /// Stopped by the person.
    Interrupted = 130,
}

impl From<Code> for ExitCode {
    fn from(code: Code) -> Self {
        Self::from(code as u8)
    }
}

impl From<&Exit> for Code {
    fn from(exit: &Exit) -> Self {
        match exit {
            Exit::Done { .. } | Exit::Left => Self::Done,
            Exit::GaveUp { .. } | Exit::Limit { .. } => Self::GaveUp,
            Exit::Refused { .. } => Self::Refused,
            Exit::ModelFailed { .. } | Exit::DesktopFailed { .. } => Self::Failed,
            Exit::Interrupted => Self::Interrupted,
        }
    }
}

/// The command cannot be what the user meant.
#[derive(Debug, ThisError)]
#[error("{0}")]
pub struct Usage(pub String);

/// The user stopped a command that is no run.
#[derive(Debug, ThisError)]
#[error("{0}")]
pub struct Stopped(pub String);

/// An error about how the program was used.
pub fn usage(message: impl Into<String>) -> Error {
    Usage(message.into()).into()
}

/// Shows an error and gives its code.
pub fn explain(error: &Error) -> Code {
    let code = code_of(error);
    terminal::say(Tone::Bad, &format!("freehand: {}", words(error)));
    code
}

/// The error with its causes, each once: some messages hold their cause already.
pub fn words(error: &Error) -> String {
    let mut words = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if words.contains(&cause) && !words.is_empty() {
            continue;
        }
        if !words.is_empty() {
            words.push_str(": ");
        }
        words.push_str(&cause);
    }
    words
}

fn code_of(error: &Error) -> Code {
    for cause in error.chain() {
        if cause.is::<Usage>() || cause.is::<AgentError>() || cause.is::<PolicyError>() {
            return Code::Usage;
        }
        if cause.is::<Stopped>() {
            return Code::Interrupted;
        }
        if let Some(model) = cause.downcast_ref::<ModelError>() {
            return if matches!(model, ModelError::UnknownModel { .. }) {
                Code::Usage
            } else {
                Code::Failed
            };
        }
        if cause.is::<DesktopError>() {
            return Code::Failed;
        }
    }
    Code::Usage
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_error_has_its_code() {
        let unknown = ModelError::UnknownModel { name: "x".into(), known: Vec::new() };
        let table: Vec<(Error, Code)> = vec![
            (usage("no"), Code::Usage),
            (Stopped("stopped".into()).into(), Code::Interrupted),
            (unknown.into(), Code::Usage),
            (ModelError::ScriptEnded.into(), Code::Failed),
            (Error::from(DesktopError::Lost("x".into())).context("while looking"), Code::Failed),
            (PolicyError::UnknownPreset { name: "x".into() }.into(), Code::Usage),
            (std::io::Error::other("x").into(), Code::Usage),
        ];
        for (error, code) in table {
            assert_eq!(code_of(&error), code, "{error:#}");
        }
    }

    #[test]
    fn no_cause_is_told_twice() {
        let source = std::io::Error::other("no such file");
        let error = Error::from(AgentError::Unreadable { path: "x".into(), source });
        assert_eq!(words(&error), "cannot read `x`: no such file");
        assert_eq!(words(&Error::msg("b").context("a")), "a: b");
    }

    #[test]
    fn each_end_of_a_run_has_its_code() {
        let reason = String::new;
        for (exit, code) in [
            (Exit::Done { checked: reason() }, Code::Done),
            (Exit::GaveUp { reason: reason() }, Code::GaveUp),
            (Exit::Limit { which: reason() }, Code::GaveUp),
            (Exit::Refused { reason: reason() }, Code::Refused),
            (Exit::ModelFailed { reason: reason() }, Code::Failed),
            (Exit::DesktopFailed { reason: reason() }, Code::Failed),
            (Exit::Left, Code::Done),
            (Exit::Interrupted, Code::Interrupted),
        ] {
            assert_eq!(Code::from(&exit), code);
        }
    }
}
