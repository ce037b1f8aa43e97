//! Questions that the person is told of on the desktop: the strip says that one waits, and a notification can
//! be answered. Whoever else is asked is asked all the same, and the first answer counts.

use async_trait::async_trait;
use freehand_agent::supervision::{Command, Extent, Hub, effect};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver};
use futures_util::FutureExt as _;

use super::Feed;
use super::bell::Rung;

/// Who has answered, as other views are told.
const BY: &str = "a notification";

impl Feed {
    /// The same as `asked`, with the person told on the desktop. `place` is where `asked` is answered, and
    /// `hub` what it asks through, if it does.
    pub fn asking(
        &self,
        asked: Box<dyn Approver>,
        hub: Option<Hub>,
        place: Option<&'static str>,
    ) -> Box<dyn Approver> {
        Box::new(Told { asked, hub, place, feed: self.clone() })
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
    place: Option<&'static str>,
    feed: Feed,
}

/// Hands the answer to the hub, which knows whether another view was quicker.
fn hand(hub: &Hub, rung: Rung) {
    let Some(number) = hub.state().question.map(|question| question.number) else { return };
    let command = match rung {
        Rung::Allowed => Command::Approve { question: number, extent: Extent::Once },
        Rung::Refused => Command::Deny { question: number, reason: String::new() },
        Rung::Closed => return,
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
        // Where nobody is waited for there is nothing to be shown.
        if let Some(answer) = (&mut answer).now_or_never() {
            return answer;
        }
        let mut ringing = bell.ask(&what, self.place);
        let rung = tokio::select! {
            answer = &mut answer => Err(answer),
            rung = ringing.answer() => Ok(rung),
        };
        let answer = match (rung, &self.hub) {
            (Err(answer), _) => answer,
            (Ok(rung), Some(hub)) => {
                hand(hub, rung);
                answer.await
            }
            (Ok(Rung::Allowed), None) => Approval::Once,
            (Ok(Rung::Refused), None) => Approval::no(""),
            (Ok(Rung::Closed), None) => Approval::deny("the notification was closed without an answer"),
        };
        ringing.end().await;
        self.feed.has_faded().await;
        answer
    }

    async fn question(&self, question: &str) -> Option<String> {
        let _open = self.feed.asks(question);
        let Some(bell) = self.feed.bell.get() else { return self.asked.question(question).await };
        let mut answer = self.asked.question(question);
        if let Some(answer) = (&mut answer).now_or_never() {
            return answer;
        }
        let ringing = bell.tell(question, self.place);
        let answer = answer.await;
        ringing.end().await;
        self.feed.has_faded().await;
        answer
    }
}
