//! What comes of a question, whichever way it went.

use serde::Deserialize;
use zbus::Message;
use zbus::zvariant::Type;

use super::line::Answer;

/// Why a question has no answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// It is not waited for any longer.
    Late,
    /// The program says that it has none, or gives one that is not understood.
    Refused,
    /// The connection is gone.
    Broken,
}

impl From<zbus::Error> for Fault {
    fn from(fault: zbus::Error) -> Self {
        if matches!(fault, zbus::Error::MethodError(..)) { Self::Refused } else { Self::Broken }
    }
}

/// An answer.
pub(super) enum Reply {
    Direct(Answer),
    ThroughTheBus(Message),
}

impl Reply {
    /// What it holds, where it is of that type.
    pub(super) fn read<R: for<'r> Deserialize<'r> + Type>(&self) -> Result<R, Fault> {
        match self {
            Self::Direct(answer) => answer.read(),
            Self::ThroughTheBus(message) => message.body().deserialize().map_err(|_| Fault::Refused),
        }
    }
}
