//! Questions to the person where they may be at two places: at the console, and in the window of the program that
//! acts. Both show the question, the first answer counts, and the other takes it back.

use async_trait::async_trait;
use freehand_agent::supervision::{Asked, Command, Extent, Hub};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver};
use futures_util::FutureExt as _;

use super::Client;

/// Who has answered, as the views are told.
const BY: &str = "the program";

/// Asks in both. The hub knows who was first.
#[derive(Debug)]
pub struct Beside {
    hub: Hub,
    asked: Asked,
    client: Client,
}

impl Beside {
    /// Asks through `hub`, and through `client`.
    pub fn new(hub: Hub, client: Client) -> Self {
        Self { asked: Asked::through(hub.clone()), hub, client: client.accompanied() }
    }

    /// Hands the client's answer to the hub; whether it was the first.
    fn hand(&self, said: &Approval) -> bool {
        let question = self.hub.state().question.map(|question| question.number);
        let Some(question) = question else { return false };
        let approve = |extent| Command::Approve { question, extent };
        let command = match said {
            Approval::Run => approve(Extent::Run),
            // A client gives no yes that outlasts it.
            Approval::Once | Approval::For { .. } | Approval::Always => approve(Extent::Once),
            Approval::Edit { args } => Command::Edit { question, args: args.clone() },
            Approval::Deny { reason, said } => {
                Command::Deny { question, reason: said.as_ref().unwrap_or(reason).clone() }
            }
        };
        self.hub.command(command, BY).is_ok()
    }
}

#[async_trait]
impl Approver for Beside {
    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        let mut answer = self.asked.ask(request);
        // From here on the views show it.
        if let Some(answer) = (&mut answer).now_or_never() {
            return answer;
        }
        let said = tokio::select! {
            biased;
            answer = &mut answer => return answer,
            said = self.client.ask(request) => said,
        };
        if self.hand(&said) { said } else { answer.await }
    }

    async fn question(&self, question: &str) -> Option<String> {
        self.asked.question(question).await
    }
}
