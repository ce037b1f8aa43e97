//! Questions of the gate to the person who uses the client, by the protocol's own way to ask a person
//! (elicitation). The client is trusted to show them and not to answer them itself; so that this trust ends
//! with the client, no answer that comes this way is kept for later.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use freehand_policies::question::{Question, changed};
use freehand_tools::gate::{Approval, ApprovalRequest, Approver};
use freehand_tools::visible::visible;
use rmcp::model::{
    CancelledNotificationParam, ClientResult, ElicitRequest, ElicitRequestParams, ElicitResult,
    ElicitationAction, ElicitationSchema, JsonObject, RequestId, ServerRequest,
};
use rmcp::service::{ElicitationMode, Peer, PeerRequestOptions};
use rmcp::{RoleServer, ServiceError};
use serde::Deserialize;
use serde_json::{Value, json};

const YES: &str = "yes";
const RUN: &str = "yes, from now on";
const NO: &str = "no";
/// Characters of the call that are shown.
const CALL: usize = 2_000;

/// The client through whom its person is asked. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Client {
    peer: Arc<OnceLock<Peer<RoleServer>>>,
    /// Whether somebody else may answer too.
    accompanied: bool,
}

/// What the person fills in.
#[derive(Debug, Deserialize)]
struct Form {
    answer: String,
    #[serde(default)]
    reason: String,
    #[serde(default)]
    change: String,
}

impl Client {
    /// The same, beside somebody else who is asked as well: then a client that cannot ask does not say no.
    #[must_use]
    pub fn accompanied(self) -> Self {
        Self { accompanied: true, ..self }
    }

    /// The client is reached through `peer`.
    pub fn speaks_through(&self, peer: &Peer<RoleServer>) {
        let _ = self.peer.set(peer.clone());
    }

    /// It comes to no answer here: that is a no, unless somebody else may answer.
    async fn silent(&self, why: String) -> Approval {
        if self.accompanied {
            return std::future::pending().await;
        }
        Approval::deny(why)
    }
}

#[async_trait]
impl Approver for Client {
    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        let able = |peer: &&Peer<RoleServer>| {
            peer.supported_elicitation_modes().contains(&ElicitationMode::Form)
        };
        let Some(peer) = self.peer.get().filter(able) else {
            let why = "the program that acts cannot ask its person, so nobody can be asked";
            return self.silent(why.into()).await;
        };
        let question = Question::of(request);
        let Some(asked) = form(&question) else { return Approval::deny("the question cannot be put") };
        match answered(peer, asked).await {
            Ok(answered) => read(answered, request),
            Err(error) => self.silent(format!("the question was not answered: {error}")).await,
        }
    }

    /// A client speaks with its person itself.
    async fn question(&self, _: &str) -> Option<String> {
        None
    }
}

/// The client's answer. Where it is waited for no longer, since the call was cancelled, somebody else has
/// answered or the time is up, the client is told to take its question back.
async fn answered(
    peer: &Peer<RoleServer>,
    asked: ElicitRequestParams,
) -> Result<ElicitResult, ServiceError> {
    let request = ServerRequest::ElicitRequest(ElicitRequest::new(asked));
    let open = peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await?;
    let mut taken_back = TakenBack(Some((peer.clone(), open.id.clone())));
    let answer = open.await_response().await;
    taken_back.0 = None;
    let ClientResult::ElicitResult(answer) = answer? else {
        return Err(ServiceError::UnexpectedResponse);
    };
    Ok(answer)
}

/// Takes a question back when it is dropped, unless it was answered.
struct TakenBack(Option<(Peer<RoleServer>, RequestId)>);

impl Drop for TakenBack {
    fn drop(&mut self) {
        let Some((peer, id)) = self.0.take() else { return };
        let why = CancelledNotificationParam::new(Some(id), Some("it is not asked any more".into()));
        tokio::spawn(async move { peer.notify_cancelled(why).await });
    }
}

/// The question as a form.
fn form(question: &Question) -> Option<ElicitRequestParams> {
    let mut lines = vec!["May Freehand do this?".to_owned()];
    lines.extend(question.lines());
    let mut answers = vec![YES];
    if let Some(lasting) = &question.lasting {
        answers.push(RUN);
        lines.push(format!("\"{RUN}\" allows {lasting}"));
    }
    answers.push(NO);
    lines.push(visible(&format!("the call: {} {}", question.tool, question.args), CALL));
    let schema = json!({
        "type": "object",
        "properties": {
            "answer": { "type": "string", "title": "Your answer", "enum": answers },
            "reason": { "type": "string", "title": "If no: why, in words for the model" },
            "change": {
                "type": "string",
                "title": "If yes, but otherwise: what shall be otherwise, as JSON",
                "description": "for example {\"text\": \"Bob\"}",
            },
        },
        "required": ["answer"],
    });
    let Value::Object(schema) = schema else { return None };
    Some(ElicitRequestParams::FormElicitationParams {
        meta: None,
        message: lines.join("\n"),
        requested_schema: ElicitationSchema::from_json_schema(JsonObject::from_iter(schema)).ok()?,
    })
}

/// What the answer means. Whatever is no clear yes is a no.
fn read(answered: ElicitResult, request: &ApprovalRequest) -> Approval {
    let content = match answered.action {
        ElicitationAction::Accept => answered.content.unwrap_or_default(),
        ElicitationAction::Decline => return Approval::no(""),
        ElicitationAction::Cancel | _ => return Approval::deny("the question was dismissed"),
    };
    let Ok(Form { answer, reason, change }) = serde_json::from_value(content) else {
        return Approval::deny("the question was not answered with one of its answers");
    };
    match (answer.as_str(), change.trim()) {
        (NO, _) => Approval::no(&reason),
        (YES, "") => Approval::Once,
        (RUN, "") if request.scope.is_some() => Approval::Run,
        (YES | RUN, change) if !change.is_empty() => {
            let args = serde_json::from_str(change).ok();
            let args = args.and_then(|change| changed(&request.action.call.args, &change));
            args.map_or_else(
                || Approval::deny("the person's change is no JSON object"),
                |args| Approval::Edit { args },
            )
        }
        _ => Approval::deny("the question was not answered with one of its answers"),
    }
}
