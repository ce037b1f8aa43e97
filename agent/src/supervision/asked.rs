//! The approver that asks whoever looks at the hub, in whichever view.

use async_trait::async_trait;
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Scope};

use super::hub::Hub;
use super::intent::{Intent, effect};
use super::message::{Answer, Extent, Subject};

/// Asks through a hub. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Asked(Hub);

impl Asked {
    /// Asks through `hub`.
    pub const fn through(hub: Hub) -> Self {
        Self(hub)
    }
}

#[async_trait]
impl Approver for Asked {
    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        let subject = Subject::Action {
            effect: effect(&request.action),
            intent: Box::new(Intent::of(&request.action)),
            reasons: request.reasons.clone(),
            lasting: request.scope.is_some(),
            always: request.scope.as_ref().is_some_and(Scope::may_be_kept),
            note: request.note.clone(),
        };
        match self.0.ask(subject).await {
            Answer::Approved { extent: Extent::Once } => Approval::Once,
            Answer::Approved { extent: Extent::Run } => Approval::Run,
            Answer::Approved { extent: Extent::For { minutes } } => Approval::For { minutes },
            Answer::Approved { extent: Extent::Always } => Approval::Always,
            Answer::Changed { args } => Approval::Edit { args },
            Answer::Denied { reason } => Approval::no(&reason),
            Answer::Told { .. } => Approval::deny("the question was not answered with yes or no"),
            Answer::Withdrawn => Approval::withdrawn(),
        }
    }

    async fn question(&self, question: &str) -> Option<String> {
        match self.0.ask(Subject::Words { text: question.to_owned() }).await {
            Answer::Told { text } => Some(text),
            Answer::Approved { .. }
            | Answer::Changed { .. }
            | Answer::Denied { .. }
            | Answer::Withdrawn => None,
        }
    }
}
