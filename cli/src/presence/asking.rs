//! Questions that the person is told of on the desktop: the strip says that one waits, and a notification can
//! be answered. Whoever else is asked is asked all the same, and the first answer counts.

use async_trait::async_trait;
use freehand_agent::supervision::{Command, Extent, Hub, effect};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver};

use super::Feed;
use super::bell::Rung;

/// Who has answered, as other views are told.
const BY: &str = "a notification";

impl Feed {
    /// The same as `asked`, with the person told on the desktop. `hub` is what `asked` asks through, if it
    /// does.
    pub fn asking(&self, asked: Box<dyn Approver>, hub: Option<Hub>) -> Box<dyn Approver> {
        Box::new(Told { asked, hub, feed: self.clone() })
    }

    /// The strip says that this is asked, until what it gives is dropped.
    fn asks(&self, what: &str) -> Open<'_> {
        self.said.send_modify(|said| said.asks(what));
        Open(self)
    }
}

struct Open<'f>(&'f Feed);

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.0.said.send_modify(super::Said::answered);
    }
}

#[derive(Debug)]
struct Told {
    asked: Box<dyn Approver>,
    hub: Option<Hub>,
    feed: Feed,
}

/// Hands the answer to the hub, which knows whether another view was quicker.
fn hand(hub: &Hub, rung: Rung) {
    let Some(number) = hub.state().question.map(|question| question.number) else { return };
    let command = match rung {
        Rung::Allowed => Command::Approve { question: number, extent: Extent::Once },
        Rung::Refused => Command::Deny { question: number, reason: String::new() },
    };
    if let Err(reason) = hub.command(command, BY) {
        tracing::info!(%reason, "an answer to a notification came too late");
    }
}

#[async_trait]
impl Approver for Told {
    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        let what = effect(&request.action);
        let _open = self.feed.asks(&what);
        let Some(bell) = self.feed.bell.get() else { return self.asked.ask(request).await };
        let mut answer = self.asked.ask(request);
        let rung = tokio::select! {
            answer = &mut answer => return answer,
            rung = bell.ask(&what) => rung,
        };
        if let Some(hub) = &self.hub {
            hand(hub, rung);
            return answer.await;
        }
        match rung {
            Rung::Allowed => Approval::Once,
            Rung::Refused => Approval::no(""),
        }
    }

    async fn question(&self, question: &str) -> Option<String> {
        let _open = self.feed.asks(question);
        let Some(bell) = self.feed.bell.get() else { return self.asked.question(question).await };
        tokio::select! {
            answer = self.asked.question(question) => answer,
            () = bell.tell(question) => None,
        }
    }
}
