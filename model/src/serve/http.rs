//! The addresses of the server and what happens at each.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::{Body, Bytes, HttpBody as _};
use axum::extract::{Extension, MatchedPath, Path, Request, State};
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::http::{HeaderValue, Method, StatusCode};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::stream;
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

use super::fault::Fault;
use super::guard::{self, Guard};
use super::metrics::Metrics;
use super::queue::{Job, Queue};
use super::reply::{self, Heard, Shape, Writer};
use super::request::{self, Question};
use super::work::Event;

/// What all requests share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) name: String,
    pub(super) context: u32,
    /// The dialect that the model is best spoken to in, for Freehand's own client.
    pub(super) dialect: Option<String>,
    pub(super) created: u64,
    pub(super) largest_body: usize,
    /// As long as a question may take to come, once it has begun.
    pub(super) patience: Duration,
    pub(super) guard: Guard,
    pub(super) queue: Queue,
    pub(super) metrics: Metrics,
}

/// Where a request comes from.
#[derive(Debug, Clone, Copy)]
pub(super) struct Peer(pub(super) SocketAddr);

/// All addresses.
pub(super) fn router(shared: Arc<Shared>) -> Router {
    Router::new()
        .route("/v1/models", get(models))
        .route("/v1/models/{*name}", get(model))
        .route("/v1/chat/completions", post(chat))
        .route("/v1/completions", post(plain))
        .route("/v1/choose", post(choose))
        .route("/health", get(health))
        .route("/metrics", get(metrics))
        .fallback(async || Fault::no_path())
        .method_not_allowed_fallback(async || Fault::no_method())
        .layer(middleware::from_fn_with_state(shared.clone(), admit))
        .with_state(shared)
}

/// Turns away who may not ask, and counts.
async fn admit(State(shared): State<Arc<Shared>>, request: Request, next: Next) -> Response {
    let path = label(request.extensions().get::<MatchedPath>(), request.uri().path());
    let headers = request.headers();
    let checked = shared.guard.host(headers).and_then(|()| shared.guard.origin(headers));
    let mut response = match checked.map(Option::<&HeaderValue>::cloned) {
        Err(fault) => fault.into_response(),
        Ok(origin) => {
            let mut response = if request.method() == Method::OPTIONS && origin.is_some() {
                StatusCode::NO_CONTENT.into_response()
            } else if let (false, Err(fault)) = (path == "/health", shared.guard.token(headers)) {
                fault.into_response()
            } else {
                next.run(request).await
            };
            if let Some(origin) = origin {
                guard::allow(origin, response.headers_mut());
            }
            response
        }
    };
    response.headers_mut().entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    shared.metrics.replied(path, response.status().as_u16());
    response
}

/// The address for the count: there are few, whatever clients come up with.
fn label(matched: Option<&MatchedPath>, path: &str) -> &'static str {
    let path = matched.map_or(path, MatchedPath::as_str);
    ["/v1/models", "/v1/chat/completions", "/v1/completions", "/v1/choose", "/health", "/metrics"]
        .into_iter()
        .find(|known| *known == path)
        .unwrap_or("other")
}

fn fine(body: &Value) -> Response {
    reply::json(StatusCode::OK, body)
}

async fn health(State(shared): State<Arc<Shared>>) -> Response {
    fine(&json!({ "status": "ok", "model": shared.name, "waiting": shared.queue.waiting() }))
}

async fn metrics(State(shared): State<Arc<Shared>>) -> Response {
    let text = shared.metrics.text(shared.queue.waiting());
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(CONTENT_TYPE, kind)], text).into_response()
}

fn entry(shared: &Shared) -> Value {
    json!({
        "id": shared.name, "object": "model", "created": shared.created, "owned_by": "freehand",
        "max_model_len": shared.context,
        "freehand": { "choose": true, "dialect": shared.dialect },
    })
}

async fn models(State(shared): State<Arc<Shared>>) -> Response {
    fine(&json!({ "object": "list", "data": [entry(&shared)] }))
}

async fn model(State(shared): State<Arc<Shared>>, Path(name): Path<String>) -> Response {
    if name == shared.name {
        fine(&entry(&shared))
    } else {
        Fault::no_model(&name, &shared.name).into_response()
    }
}

type Read = fn(&[u8], &str) -> Result<Question, Fault>;

async fn chat(state: State<Arc<Shared>>, peer: Extension<Peer>, body: Body) -> Response {
    ask(state, peer, body, request::chat, Shape::Chat).await
}

async fn plain(state: State<Arc<Shared>>, peer: Extension<Peer>, body: Body) -> Response {
    ask(state, peer, body, request::plain, Shape::Plain).await
}

async fn choose(state: State<Arc<Shared>>, peer: Extension<Peer>, body: Body) -> Response {
    ask(state, peer, body, request::choose, Shape::Chat).await
}

/// Puts a question into the queue and replies with what comes of it. If the client leaves, this ends with
/// it, and so does the question.
async fn ask(
    State(shared): State<Arc<Shared>>,
    Extension(Peer(peer)): Extension<Peer>,
    body: Body,
    read: Read,
    shape: Shape,
) -> Response {
    let question = match receive(body, shared.largest_body, shared.patience).await {
        Ok(body) => read(&body, &shared.name),
        Err(fault) => Err(fault),
    };
    let question = match question {
        Ok(question) => question,
        Err(fault) => return fault.into_response(),
    };
    let form = question.form;
    let before = question.prompt.turns.iter().map(|turn| turn.text.chars().count()).sum();
    let client = client(question.user.as_deref(), peer);
    let (reply, mut events) = unbounded_channel();
    let job = Job { question, reply, since: Instant::now() };
    if let Err(fault) = shared.queue.push(&client, job) {
        return fault.into_response();
    }
    let writer = Writer::new(shape, &shared.name, form.likelihoods, before);
    // Nothing is sent before it is clear that there is an answer.
    match events.recv().await {
        Some(Event::Failed(fault)) => fault.into_response(),
        None => Fault::broken("the answer broke off").into_response(),
        Some(first) if form.stream => streamed(writer, &first, events, form.usage),
        Some(first) => whole(writer, first, events).await,
    }
}

/// Reads the whole body, within bounds.
async fn receive(body: Body, limit: usize, patience: Duration) -> Result<Bytes, Fault> {
    if body.size_hint().lower() > limit as u64 {
        return Err(Fault::too_large(limit));
    }
    let collected = tokio::time::timeout(patience, Limited::new(body, limit).collect()).await;
    match collected {
        Err(_) => Err(Fault::too_slow()),
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(Fault::too_large(limit)),
        Ok(Err(_)) => Err(Fault::invalid("", "the body broke off")),
    }
}

/// Who waits in one line: the user that the client names, or else the connection on this machine, or the
/// other machine.
fn client(user: Option<&str>, peer: SocketAddr) -> String {
    match user {
        Some(user) => format!("user {}", user.chars().take(100).collect::<String>()),
        None if peer.ip().is_loopback() => peer.to_string(),
        None => peer.ip().to_string(),
    }
}

async fn whole(writer: Writer, first: Event, mut events: UnboundedReceiver<Event>) -> Response {
    let mut heard = Heard::default();
    let mut next = Some(first);
    while let Some(event) = next {
        match event {
            Event::Text(text, tokens) => {
                heard.text.push_str(&text);
                heard.tokens.extend(tokens);
            }
            Event::Call(name, arguments) => heard.call(&name, &arguments),
            // All of it comes with the end.
            Event::Thought(_) => {}
            Event::Ended(ended) => return fine(&writer.whole(heard, &ended)),
            Event::Chose(choice) => return fine(&reply::choice(&choice)),
            Event::Failed(fault) => return fault.into_response(),
        }
        next = events.recv().await;
    }
    Fault::broken("the answer broke off").into_response()
}

/// A stream of server-sent events.
struct Stream {
    writer: Writer,
    events: UnboundedReceiver<Event>,
    ready: VecDeque<Bytes>,
    over: bool,
    with_usage: bool,
}

impl Stream {
    fn take(&mut self, event: &Event) {
        for piece in self.writer.pieces(event, self.with_usage) {
            self.ready.push_back(Bytes::from(format!("data: {piece}\n\n")));
        }
        if matches!(event, Event::Ended(_) | Event::Chose(_) | Event::Failed(_)) {
            self.over = true;
            self.ready.push_back(Bytes::from_static(b"data: [DONE]\n\n"));
        }
    }

    async fn next(mut self) -> Option<(Result<Bytes, Infallible>, Self)> {
        loop {
            if let Some(bytes) = self.ready.pop_front() {
                return Some((Ok(bytes), self));
            }
            if self.over {
                return None;
            }
            let event = self.events.recv().await;
            self.take(&event.unwrap_or_else(|| Event::Failed(Fault::broken("the answer broke off"))));
        }
    }
}

fn streamed(
    mut writer: Writer,
    first: &Event,
    events: UnboundedReceiver<Event>,
    with_usage: bool,
) -> Response {
    let ready = writer.beginning().map(|piece| Bytes::from(format!("data: {piece}\n\n")));
    let ready = ready.into_iter().collect();
    let mut stream = Stream { writer, events, ready, over: false, with_usage };
    stream.take(first);
    let body = Body::from_stream(stream::unfold(stream, Stream::next));
    ([(CONTENT_TYPE, "text/event-stream")], body).into_response()
}
