//! Why a question has no answer, in the shape that OpenAI's clients read errors in.

use axum::http::header::RETRY_AFTER;
use axum::http::{HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::reply;
use crate::backend::ModelError;

/// Why a question has no answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Fault {
    pub(super) status: StatusCode,
    /// What a program tells faults apart by.
    code: &'static str,
    message: String,
    /// The field of the question that is to blame.
    param: Option<String>,
    /// When to ask again, in s.
    retry_after: Option<u64>,
    /// Tokens of the prompt and of the context, where the one does not fit into the other.
    tokens: Option<(u32, u32)>,
}

impl Fault {
    fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        let message = message.into();
        Self { status, code, message, param: None, retry_after: None, tokens: None }
    }

    /// The question is not one, because of what stands in `param`.
    pub(super) fn invalid(param: &str, message: impl Into<String>) -> Self {
        let fault = Self::new(StatusCode::BAD_REQUEST, "invalid_value", message);
        Self { param: (!param.is_empty() && param != ".").then(|| param.to_owned()), ..fault }
    }

    /// The question wants something that this server does not do.
    pub(super) fn unsupported(param: &str, message: impl Into<String>) -> Self {
        Self { code: "unsupported_value", ..Self::invalid(param, message) }
    }

    /// There is no such model.
    pub(super) fn no_model(asked: &str, there: &str) -> Self {
        let asked: String = asked.chars().filter(|c| !c.is_control() && *c != '`').take(80).collect();
        let message = format!("there is no model `{asked}` here; this server has `{there}`");
        let fault = Self::new(StatusCode::NOT_FOUND, "model_not_found", message);
        Self { param: Some("model".into()), ..fault }
    }

    /// There is nothing at this address.
    pub(super) fn no_path() -> Self {
        let message = "there is nothing at this address; the addresses are /v1/models, \
                       /v1/chat/completions, /v1/completions, /v1/choose, /health and /metrics";
        Self::new(StatusCode::NOT_FOUND, "not_found", message)
    }

    /// The address does not take this method.
    pub(super) fn no_method() -> Self {
        let message = "this address does not take that method; questions are sent with POST";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "method_not_allowed", message)
    }

    /// Whoever asks has no token, or a wrong one.
    pub(super) fn no_token() -> Self {
        let message = "the token is missing or wrong; send `Authorization: Bearer TOKEN` with the token \
                       that `freehand serve` names at its start";
        Self::new(StatusCode::UNAUTHORIZED, "invalid_api_key", message)
    }

    /// It came by a name or from a page that is not trusted.
    pub(super) fn forbidden(message: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, "forbidden", message)
    }

    /// The question is larger than `limit` bytes.
    pub(super) fn too_large(limit: usize) -> Self {
        let message = format!("the body is larger than {limit} bytes");
        Self::new(StatusCode::PAYLOAD_TOO_LARGE, "body_too_large", message)
    }

    /// The question did not come in time.
    pub(super) fn too_slow() -> Self {
        let message = "the body did not come in time";
        Self::new(StatusCode::REQUEST_TIMEOUT, "body_too_slow", message)
    }

    /// Too many wait already; a place may be free after so many s.
    pub(super) fn busy(retry_after: u64) -> Self {
        let message = format!("too many questions wait already; ask again in {retry_after} s");
        let fault = Self::new(StatusCode::TOO_MANY_REQUESTS, "rate_limit_exceeded", message);
        Self { retry_after: Some(retry_after), ..fault }
    }

    /// The server is about to end.
    pub(super) fn stopping() -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "stopping", "the server is stopping")
    }

    /// The answer broke off on this side.
    pub(super) fn broken(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message)
    }

    /// As JSON.
    pub(super) fn body(&self) -> Value {
        let kind = match self.status.as_u16() {
            401 | 403 => "authentication_error",
            429 => "rate_limit_error",
            400..=499 => "invalid_request_error",
            _ => "server_error",
        };
        let mut error = json!({
            "message": self.message, "type": kind, "param": self.param, "code": self.code,
        });
        if let (Some((prompt, context)), Some(error)) = (self.tokens, error.as_object_mut()) {
            error.insert("n_prompt_tokens".into(), prompt.into());
            error.insert("n_ctx".into(), context.into());
        }
        json!({ "error": error })
    }
}

impl From<ModelError> for Fault {
    fn from(error: ModelError) -> Self {
        if let ModelError::TooLong { prompt, context } = error {
            let message = format!(
                "the prompt has {prompt} tokens and the context of this server holds {context}; \
                 shorten the messages, or start it with a larger `--context`"
            );
            let fault = Self::new(StatusCode::BAD_REQUEST, "context_length_exceeded", message);
            let param = Some("messages".into());
            return Self { param, tokens: Some((prompt, context)), ..fault };
        }
        if let ModelError::BadConstraint(reason) = error {
            return Self::invalid("", format!("the form of the answer cannot be used: {reason}"));
        }
        Self::broken(error.to_string())
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let mut response = reply::json(self.status, &self.body());
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}
