//! One question to a server and its reply, as a stream or in one piece. All that is read is bounded, in
//! bytes and in time, and the one who reads along can end it at any moment.

use std::fmt;
use std::ops::ControlFlow;
use std::pin::pin;
use std::time::Duration;

use reqwest::header::CONTENT_TYPE;
use reqwest::{Client, Method, RequestBuilder, Response, redirect};
use serde_json::Value;
use tokio::time::{Instant, interval, sleep_until};

use super::answer::{Answer, Form};
use super::ollama;
use super::sse::{Broken, Events};
use super::trouble::{Trouble, cause};
use super::wire::Reply;
use crate::backend::{ModelError, TokenSink, Unread};
use crate::prompt::{Completion, Finish};

/// As long as a reply may be, in bytes.
pub(super) const LARGEST_REPLY: usize = 4 << 20;
/// How often the one who reads along is asked whether to go on.
const POLL: Duration = Duration::from_millis(50);
/// How long a server may take to tell the cost after the end of the answer, or to refuse.
pub(super) const AFTERWORD: Duration = Duration::from_secs(5);
/// How long it may take to end the stream after its last word. Who hangs up before is taken by some
/// servers for one who is gone, and the next question pays for it.
const FAREWELL: Duration = Duration::from_millis(300);

/// How long a server may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// For accepting a connection.
    pub connect: Duration,
    /// For the first token: it loads its model and reads the prompt in that time.
    pub first_token: Duration,
    /// Between two tokens.
    pub idle: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            first_token: Duration::from_secs(300),
            idle: Duration::from_secs(60),
        }
    }
}

/// A question as it is sent.
#[derive(Debug)]
pub(super) struct Question {
    pub(super) body: Value,
    pub(super) protocol: Protocol,
    pub(super) form: Form,
    /// Whether what comes before the JSON of the answer may be a thought that nothing opens.
    pub(super) presumes: bool,
    /// Tokens that may be thought before the answer; who thinks for longer is not listened to any more.
    pub(super) allowance: u32,
    /// What the answer begins with, where that is a part of the question.
    pub(super) begun: String,
}

/// What a question is asked in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    /// What all servers know.
    OpenAi,
    /// What Ollama alone knows.
    Ollama,
}

/// What lets the user in. It is shown to nobody but the server.
#[derive(Clone)]
pub(super) struct Key(pub(super) String);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(hidden)")
    }
}

/// A server and the way to it.
#[derive(Debug)]
pub(super) struct Server {
    client: Client,
    pub(super) base: String,
    pub(super) key: Option<Key>,
    pub(super) limits: Limits,
}

impl Server {
    pub(super) fn new(base: String, key: Option<String>, limits: Limits) -> Result<Self, ModelError> {
        // The one process may have installed it before, which is just as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(limits.connect)
            // Before the server gives an idle connection up, which the next question would run into.
            .pool_idle_timeout(Duration::from_secs(4))
            // Of several that were given up, the second attempt would take another.
            .pool_max_idle_per_host(1)
            .user_agent(concat!("freehand/", env!("CARGO_PKG_VERSION")));
        if base.starts_with("http:") {
            // No certificate is needed for it, and a machine without any must not fail here.
            builder = builder.tls_certs_only([]);
        }
        let client = builder
            .build()
            .map_err(|error| ModelError::Failed(format!("no HTTP client: {}", cause(&error))))?;
        let key = key.map(|key| key.trim().to_owned()).filter(|key| !key.is_empty()).map(Key);
        Ok(Self { client, base, key, limits })
    }

    /// Asks, shows the answer to `sink` while it comes, and gives it whole.
    pub(super) async fn ask(
        &self,
        question: &Question,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, Trouble> {
        let Question { body, protocol, form, presumes, allowance, begun } = question;
        let mut answer = Answer::new(*form, *presumes, *allowance, begun);
        let until = Instant::now() + self.limits.first_token;
        let sent = match protocol {
            Protocol::OpenAi => self.request(Method::POST, "/chat/completions"),
            Protocol::Ollama => self.request_root(Method::POST, ollama::PATH),
        };
        let sent = sent.json(body).send();
        let response = match wait(sent, until, sink).await {
            Waited::Cancelled => return Ok(answer.complete(sink)),
            Waited::Late => return Err(self.silent(self.limits.first_token).into()),
            Waited::Ready(Err(error)) => return Err(self.unsent(&error)),
            Waited::Ready(Ok(response)) if !response.status().is_success() => {
                return Err(self.refused(response).await);
            }
            Waited::Ready(Ok(response)) => response,
        };
        match kind(&response) {
            Kind::Events | Kind::Lines => {
                self.listen(response, *protocol, &mut answer, until, sink).await?;
            }
            Kind::Json => {
                if let Some(reply) = self.read(response, until, sink).await? {
                    let _ = answer.take(&self.checked(&reply)?, sink);
                    answer.end(Finish::Stop);
                }
            }
            Kind::Other(kind) => {
                let hint = "and no completion; check the address, it mostly ends in `/v1`";
                return Err(self.bad(&format!("with `{kind}` {hint}")).into());
            }
        }
        if answer.thinks_too_long() {
            return Err(Trouble::Thinks(answer.thought()));
        }
        Ok(answer.complete(sink))
    }

    /// Asks for a whole reply in one piece.
    pub(super) async fn ask_whole(&self, body: &Value) -> Result<Reply, Trouble> {
        let request = self.request(Method::POST, "/chat/completions").json(body);
        let text = self.whole(request, self.limits.first_token).await?;
        Ok(self.checked(&text)?)
    }

    /// Reads what `path` of the server says.
    pub(super) async fn get(&self, path: &str) -> Result<String, Trouble> {
        self.whole(self.request(Method::GET, path), self.limits.idle).await
    }

    /// Asks at `path` below the server's root, where it is not the protocol that all share; sends `body`, if
    /// there is one.
    pub(super) async fn tell(&self, path: &str, body: Option<&Value>) -> Result<String, Trouble> {
        let request = match body {
            Some(body) => self.request_root(Method::POST, path).json(body),
            None => self.request_root(Method::GET, path),
        };
        self.whole(request, self.limits.idle).await
    }

    /// Sends `body` to `path` and gives the reply in one piece.
    pub(super) async fn post(&self, path: &str, body: &Value) -> Result<String, Trouble> {
        self.whole(self.request(Method::POST, path).json(body), self.limits.first_token).await
    }

    /// Waits as long as a server has asked for, unless the one who reads along ends it: `false` then.
    pub(super) async fn rest(&self, time: Duration, sink: &mut dyn TokenSink) -> bool {
        let forever = std::future::pending::<()>();
        matches!(wait(forever, Instant::now() + time, sink).await, Waited::Late)
    }

    /// The reply in one piece. Nothing that is asked this way changes anything, so where a connection was given
    /// up on the other side before anything came, it is asked once more.
    async fn whole(&self, request: RequestBuilder, limit: Duration) -> Result<String, Trouble> {
        let again = request.try_clone();
        match (self.once(request, limit).await, again) {
            (Err(Trouble::Dropped(_)), Some(again)) => self.once(again, limit).await,
            (result, _) => result,
        }
    }

    async fn once(&self, request: RequestBuilder, limit: Duration) -> Result<String, Trouble> {
        let until = Instant::now() + limit;
        match wait(request.send(), until, &mut Unread).await {
            Waited::Late | Waited::Cancelled => Err(self.silent(limit).into()),
            Waited::Ready(Err(error)) => Err(self.unsent(&error)),
            Waited::Ready(Ok(response)) if !response.status().is_success() => {
                Err(self.refused(response).await)
            }
            Waited::Ready(Ok(response)) => {
                Ok(self.read(response, until, &mut Unread).await?.unwrap_or_default())
            }
        }
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.signed(self.client.request(method, format!("{}{path}", self.base)))
    }

    fn request_root(&self, method: Method, path: &str) -> RequestBuilder {
        let root = self.base.strip_suffix("/v1").unwrap_or(&self.base);
        self.signed(self.client.request(method, format!("{root}{path}")))
    }

    fn signed(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.key {
            Some(Key(key)) => request.bearer_auth(key),
            None => request,
        }
    }

    /// Reads a stream to its end.
    async fn listen(
        &self,
        mut response: Response,
        protocol: Protocol,
        answer: &mut Answer,
        first: Instant,
        sink: &mut dyn TokenSink,
    ) -> Result<(), ModelError> {
        let mut events = match protocol {
            Protocol::OpenAi => Events::default(),
            Protocol::Ollama => Events::on_lines(),
        };
        let mut size = 0;
        // What is alive without a token does not count: only tokens put the end of the wait off.
        let mut until = first;
        let mut last = false;
        loop {
            let bytes = match wait(response.chunk(), until, sink).await {
                Waited::Cancelled => return Ok(()),
                Waited::Late | Waited::Ready(Err(_)) if answer.ended() => return Ok(()),
                Waited::Late if answer.begun() => return Err(self.silent(self.limits.idle)),
                Waited::Late => return Err(self.silent(self.limits.first_token)),
                Waited::Ready(Err(error)) => return Err(self.half(&cause(&error))),
                Waited::Ready(Ok(None)) => break,
                Waited::Ready(Ok(Some(bytes))) => bytes,
            };
            size += bytes.len();
            if size > LARGEST_REPLY {
                return Err(self.too_long());
            }
            for data in events.push(&bytes).map_err(|broken| self.broken(&broken))? {
                match self.event(&data, protocol, answer, sink)? {
                    Heard::Token if !answer.ended() && answer.thinks_too_long() => return Ok(()),
                    Heard::Token => until = Instant::now() + self.limits.idle,
                    Heard::Nothing => {}
                    Heard::Last => last = true,
                    Heard::Stop => return Ok(()),
                }
            }
            if answer.ended() {
                let limit = if last { FAREWELL } else { AFTERWORD };
                until = until.min(Instant::now() + limit);
            }
        }
        if let Some(data) = events.finish().map_err(|broken| self.broken(&broken))? {
            self.event(&data, protocol, answer, sink)?;
        }
        match (answer.ended(), answer.begun()) {
            (true, _) => Ok(()),
            (false, true) => Err(self.half("the stream ended")),
            (false, false) => Err(self.bad("with a stream that holds no answer; check the address")),
        }
    }

    fn event(
        &self,
        data: &str,
        protocol: Protocol,
        answer: &mut Answer,
        sink: &mut dyn TokenSink,
    ) -> Result<Heard, ModelError> {
        if data.trim() == "[DONE]" {
            answer.end(Finish::Stop);
            return Ok(Heard::Last);
        }
        let reply: Option<Reply> = match protocol {
            Protocol::OpenAi => serde_json::from_str(data).ok(),
            Protocol::Ollama => serde_json::from_str(data).ok().and_then(ollama::Line::reply),
        };
        let reply = reply.ok_or_else(|| self.no_answer(&format!("`{}`", self.clean(data))))?;
        if let Some(error) = reply.error() {
            return Err(self.complaint(&error));
        }
        let token = reply.has_token();
        Ok(match answer.take(&reply, sink) {
            ControlFlow::Break(()) => Heard::Stop,
            ControlFlow::Continue(()) if token => Heard::Token,
            ControlFlow::Continue(()) => Heard::Nothing,
        })
    }

    /// Reads a reply in one piece, or None where the one who reads along ended it.
    pub(super) async fn read(
        &self,
        mut response: Response,
        until: Instant,
        sink: &mut dyn TokenSink,
    ) -> Result<Option<String>, ModelError> {
        let mut whole = Vec::new();
        loop {
            match wait(response.chunk(), until, sink).await {
                Waited::Cancelled => return Ok(None),
                Waited::Late => return Err(self.silent(self.limits.first_token)),
                Waited::Ready(Err(error)) => return Err(self.half(&cause(&error))),
                Waited::Ready(Ok(None)) => break,
                Waited::Ready(Ok(Some(bytes))) if whole.len() + bytes.len() > LARGEST_REPLY => {
                    return Err(self.too_long());
                }
                Waited::Ready(Ok(Some(bytes))) => whole.extend_from_slice(&bytes),
            }
        }
        String::from_utf8(whole).map(Some).map_err(|_| self.broken(&Broken::NotText))
    }

    /// The reply in `text`, where one is in it.
    fn checked(&self, text: &str) -> Result<Reply, ModelError> {
        let reply: Reply = serde_json::from_str(text)
            .map_err(|_| self.no_answer(&format!("`{}`", self.clean(text))))?;
        if let Some(error) = reply.error() {
            return Err(self.complaint(&error));
        }
        if reply.answers() { Ok(reply) } else { Err(self.no_answer("JSON that holds no answer")) }
    }
}

/// What an event was.
enum Heard {
    Token,
    Nothing,
    /// The server has no more to say.
    Last,
    /// The one who reads along has heard enough.
    Stop,
}

enum Kind {
    Events,
    Lines,
    Json,
    Other(String),
}

fn kind(response: &Response) -> Kind {
    let Some(kind) = response.headers().get(CONTENT_TYPE) else { return Kind::Events };
    let kind = String::from_utf8_lossy(kind.as_bytes()).to_ascii_lowercase();
    match kind.split(';').next().unwrap_or_default().trim() {
        "text/event-stream" => Kind::Events,
        "application/x-ndjson" => Kind::Lines,
        "application/json" => Kind::Json,
        other => Kind::Other(other.chars().filter(|c| !c.is_control() && *c != '`').take(60).collect()),
    }
}

enum Waited<T> {
    Ready(T),
    Late,
    Cancelled,
}

/// Waits for `work`, and asks `sink` meanwhile whether to go on.
async fn wait<F: Future>(work: F, until: Instant, sink: &mut dyn TokenSink) -> Waited<F::Output> {
    let mut work = pin!(work);
    let mut polls = interval(POLL);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return Waited::Ready(done),
            () = sleep_until(until) => return Waited::Late,
            _ = polls.tick() => {
                if sink.poll().is_break() {
                    return Waited::Cancelled;
                }
            }
        }
    }
}
