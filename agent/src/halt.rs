//! Why a run or a script goes no further.

use freehand_model::ModelError;
use freehand_tools::desktop::DesktopError;

use crate::AgentError;
use crate::trajectory::Exit;

/// What breaks off the steps.
#[derive(Debug)]
pub enum Halt {
    /// It has come to an end.
    Exit(Exit),
    /// Its record cannot be kept.
    Agent(AgentError),
}

impl From<DesktopError> for Halt {
    fn from(error: DesktopError) -> Self {
        Self::Exit(Exit::DesktopFailed { reason: error.to_string() })
    }
}

impl From<ModelError> for Halt {
    fn from(error: ModelError) -> Self {
        Self::Exit(Exit::ModelFailed { reason: error.to_string() })
    }
}

impl From<AgentError> for Halt {
    fn from(error: AgentError) -> Self {
        Self::Agent(error)
    }
}
