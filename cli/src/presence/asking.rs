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

/// Hands the answer to the other views, where there are any; whether it was the first.
fn told_to(hub: &Hub, rung: Rung) -> bool {
    let Some(number) = hub.state().question.map(|question| question.number) else { return false };
    let command = match rung {
        Rung::Allowed => Command::Approve { question: number, extent: Extent::Once },
        Rung::Refused => Command::Deny { question: number, reason: String::new() },
    };
    hub.command(command, BY).is_ok()
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
        if self.hub.as_ref().is_some_and(|hub| told_to(hub, rung)) {
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
