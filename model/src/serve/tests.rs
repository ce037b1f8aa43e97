//! The whole server, asked over real connections by clients that behave well, badly and not at all. The
//! model is one that says what the test wants; the real one is asked by the official clients, in the
//! tests of the binary.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};

use async_trait::async_trait;
use reqwest::{Client, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::*;
use crate::backend::scripted::Scripted;
use crate::backend::{Capabilities, ModelError, TokenSink};
use crate::prompt::{Completion, Constraint, Finish, Preference, Prompt, Speaker, Usage};

mod leaving;
mod thoughts;

/// Says the same word for ever, until it is stopped.
#[derive(Debug)]
struct Endless {
    pause: Duration,
    said: AtomicUsize,
    stopped: Notify,
}

impl Endless {
    fn new(pause_ms: u64) -> Arc<Self> {
        let pause = Duration::from_millis(pause_ms);
        Arc::new(Self { pause, said: AtomicUsize::new(0), stopped: Notify::new() })
    }
}

#[async_trait]
impl Model for Endless {
    fn capabilities(&self) -> Capabilities {
        Scripted::default().capabilities()
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        if prompt.turns.iter().any(|turn| turn.text == "too long") {
            return Err(ModelError::TooLong { prompt: 9000, context: 4096 });
        }
        if prompt.turns.iter().any(|turn| turn.text == "no numbers") {
            return Err(ModelError::BadConstraint("it is none".into()));
        }
        let mut text = String::new();
        let mut finish = Finish::Length;
        for _ in 0..prompt.max_tokens {
            tokio::time::sleep(self.pause).await;
            self.said.fetch_add(1, Ordering::Relaxed);
            text.push_str("go ");
            if let ControlFlow::Break(()) = sink.piece("go ") {
                finish = Finish::Cancelled;
                self.stopped.notify_one();
                break;
            }
        }
        Ok(Completion { text, thinking: None, finish, usage: Usage::default() })
    }

    async fn choose(&self, _: &Prompt, options: &[String]) -> Result<Preference, ModelError> {
        let _weighing = Weighing(self);
        tokio::time::sleep(self.pause).await;
        Ok(Preference { probabilities: vec![0.5; options.len()], usage: Usage::default() })
    }
}

/// Tells that a choice is under way no longer, however it ended.
struct Weighing<'a>(&'a Endless);

impl Drop for Weighing<'_> {
    fn drop(&mut self) {
        self.0.stopped.notify_one();
    }
}

struct Running {
    url: String,
    address: std::net::SocketAddr,
    client: Client,
    stop: Option<oneshot::Sender<()>>,
    server: JoinHandle<Ended>,
}

fn settings() -> Settings {
    let guard = Guard {
        token: Some(Token::new("secret")),
        origins: vec!["http://localhost:3000".into()],
        ..Guard::default()
    };
    let patience = Duration::from_millis(300);
    Settings { guard, patience, parallel: 1, ..Settings::new("m") }
}

async fn start(model: Arc<dyn Model>, settings: Settings) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let server = tokio::spawn(serve(listener, model, settings, async {
        let _ = stopped.await;
    }));
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = Client::builder().no_proxy().tls_certs_only([]).build().unwrap();
    Running { url: format!("http://{address}"), address, client, stop: Some(stop), server }
}

async fn scripted(answers: &[&str]) -> (Running, Arc<Scripted>) {
    let model = Arc::new(Scripted::new(answers.iter().copied()));
    (start(model.clone(), settings()).await, model)
}

impl Running {
    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        self.client.post(format!("{}{path}", self.url)).bearer_auth("secret").json(body)
    }

    async fn chat(&self, body: &Value) -> Response {
        self.post("/v1/chat/completions", body).send().await.unwrap()
    }

    /// The body of a reply with this status.
    async fn told(&self, path: &str, body: &Value, status: u16) -> Value {
        let response = self.post(path, body).send().await.unwrap();
        let found = response.status().as_u16();
        let told: Value = response.json().await.unwrap();
        assert_eq!(found, status, "{told}");
        told
    }

    async fn metrics(&self) -> String {
        let request = self.client.get(format!("{}/metrics", self.url)).bearer_auth("secret");
        request.send().await.unwrap().text().await.unwrap()
    }

    /// Waits until the count is this.
    async fn counts(&self, line: &str) {
        for _ in 0..200 {
            if self.metrics().await.lines().any(|found| found == line) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("`{line}` never stood in\n{}", self.metrics().await);
    }

    async fn stop(mut self) -> Ended {
        self.stop.take().unwrap().send(()).unwrap();
        self.server.await.unwrap()
    }
}

fn asking(text: &str) -> Value {
    json!({ "model": "m", "messages": [{ "role": "user", "content": text }] })
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "what is put together here is written where it is used"
)]
fn with(mut body: Value, more: Value) -> Value {
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    body
}

/// The events of a stream.
async fn events(response: Response) -> Vec<Value> {
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let text = response.text().await.unwrap();
    let data: Vec<&str> = text
        .split("\n\n")
        .filter(|event| !event.is_empty())
        .map(|e| e.strip_prefix("data: ").unwrap())
        .collect();
    assert_eq!(data.last(), Some(&"[DONE]"));
    data[..data.len() - 1].iter().map(|data| serde_json::from_str(data).unwrap()).collect()
}

fn content(events: &[Value]) -> String {
    let pieces = events.iter().filter_map(|event| event["choices"][0]["delta"]["content"].as_str());
    pieces.collect()
}

#[tokio::test]
async fn answers_whole_and_in_pieces() {
    let (server, model) = scripted(&["one two", "three four", "five"]).await;
    let more = json!({ "max_tokens": 7, "temperature": 0, "seed": 3, "stop": "x", "top_p": 0.5 });
    let told = server.told("/v1/chat/completions", &with(asking("q"), more), 200).await;
    assert_eq!(told["choices"][0]["message"]["content"], "one two");
    assert_eq!(
        (&told["object"], &told["choices"][0]["finish_reason"]),
        (&json!("chat.completion"), &json!("stop"))
    );
    assert!(told["usage"]["prompt_tokens_details"]["cached_tokens"].is_u64(), "{told}");
    let asked = model.asked().remove(0);
    assert_eq!((asked.max_tokens, asked.temperature, asked.seed), (7, 0.0, 3));
    assert_eq!((asked.stop, asked.top_p, asked.plain), (vec!["x".to_owned()], Some(0.5), false));

    let more = json!({ "stream": true, "stream_options": { "include_usage": true } });
    let events = events(server.chat(&with(asking("q"), more)).await).await;
    assert_eq!(events[0]["choices"][0]["delta"]["role"], "assistant");
    assert_eq!(content(&events), "three four");
    let [.., end, usage] = &events[..] else { panic!("{events:?}") };
    assert_eq!((&end["choices"][0]["finish_reason"], &usage["choices"]), (&json!("stop"), &json!([])));
    assert!(usage["usage"]["total_tokens"].is_u64());

    let body = json!({ "model": "m", "prompt": "four", "max_tokens": 2 });
    let told = server.told("/v1/completions", &body, 200).await;
    assert_eq!(
        (&told["choices"][0]["text"], &told["object"]),
        (&json!("five"), &json!("text_completion"))
    );
    assert!(model.asked()[2].plain);
    let body = with(asking("q"), json!({ "options": ["a", "b"] }));
    let told = server.told("/v1/choose", &body, 200).await;
    assert_eq!(told["probabilities"], json!([1.0, 0.0]));
    assert!(told["usage"]["prompt_tokens"].is_u64() && told["timings"]["scored_n"].is_u64(), "{told}");
    assert_eq!(server.stop().await, Ended::Finished);
}

fn weather(more: Value) -> Value {
    let parameters = json!({ "type": "object", "properties": { "city": { "type": "string" } } });
    let tools =
        json!([{ "type": "function", "function": { "name": "weather", "parameters": parameters } }]);
    with(with(asking("Is it raining in Oslo?"), json!({ "tools": tools })), more)
}

const CALL: &str = r#"{"name": "weather", "arguments": {"city": "Oslo"}}"#;

#[tokio::test]
async fn calls_functions() {
    let (server, model) =
        scripted(&["Let me look. <tool_call> {\"na", CALL, CALL, "no need", "None"]).await;
    let told = server.told("/v1/chat/completions", &weather(json!({})), 200).await;
    let choice = &told["choices"][0];
    assert_eq!(
        (&choice["finish_reason"], &choice["message"]["content"]),
        (&json!("tool_calls"), &json!("Let me look. "))
    );
    let call = &choice["message"]["tool_calls"][0];
    assert_eq!(call["function"], json!({ "name": "weather", "arguments": r#"{"city":"Oslo"}"# }));
    let asked = model.asked();
    assert_eq!(asked[0].turns[0].speaker, Speaker::System);
    assert!(asked[0].turns[0].text.contains("\"name\":\"weather\""), "{}", asked[0].turns[0].text);
    assert_eq!(
        (asked[0].constraint.clone(), asked[1].turns == asked[0].turns),
        (Constraint::Free, true)
    );
    assert!(matches!(&asked[1].constraint, Constraint::JsonSchema(schema)
        if schema["anyOf"][0]["properties"]["name"] == json!({ "const": "weather" })));

    let choice = json!({ "type": "function", "function": { "name": "weather" } });
    let response = server.chat(&weather(json!({ "tool_choice": choice, "stream": true }))).await;
    let events = events(response).await;
    let calls: Vec<_> =
        events.iter().filter_map(|e| e["choices"][0]["delta"]["tool_calls"].get(0)).collect();
    assert_eq!(
        (calls.len(), &calls[0]["index"], &calls[0]["function"]["name"]),
        (1, &json!(0), &json!("weather"))
    );
    assert!(matches!(&model.asked()[2].constraint, Constraint::JsonSchema(_)));

    let told = server.told("/v1/chat/completions", &weather(json!({})), 200).await;
    assert_eq!(told["choices"][0]["message"]["content"], "no need");
    let told =
        server.told("/v1/chat/completions", &weather(json!({ "tool_choice": "none" })), 200).await;
    assert_eq!(told["choices"][0]["finish_reason"], "stop");
    assert_eq!(model.asked()[4].turns.len(), 1);
}

#[tokio::test]
async fn constrains_the_form() {
    let (server, model) = scripted(&["{}", "{}"]).await;
    for (form, schema) in [
        (json!({ "type": "json_object" }), json!({ "type": "object" })),
        (
            json!({ "type": "json_schema", "json_schema": { "name": "n", "schema": { "type": "array" } } }),
            json!({ "type": "array" }),
        ),
    ] {
        server
            .told("/v1/chat/completions", &with(asking("q"), json!({ "response_format": form })), 200)
            .await;
        assert_eq!(model.asked().pop().unwrap().constraint, Constraint::JsonSchema(schema));
    }
}

/// What is wrong in a question, which field is to blame, and what is said.
#[tokio::test]
#[expect(clippy::too_many_lines, reason = "a table")]
async fn says_what_is_wrong_with_a_question() {
    let server = start(Endless::new(0), settings()).await;
    for (body, status, param, code, part) in [
        (with(asking("q"), json!({ "model": "gpt" })), 404, json!("model"), "model_not_found", "`m`"),
        (asking("too long"), 400, json!("messages"), "context_length_exceeded", "9000 tokens"),
        (asking("no numbers"), 400, json!(null), "invalid_value", "it is none"),
        (json!({ "model": "m" }), 400, json!(null), "invalid_value", "missing field `messages`"),
        (json!([1]), 400, json!(null), "invalid_value", "not an object"),
        (
            json!({ "messages": [{ "role": "king" }] }),
            400,
            json!("messages[0].role"),
            "invalid_value",
            "`king`",
        ),
        (with(asking("q"), json!({ "n": 2 })), 400, json!("n"), "invalid_value", "one answer"),
        (
            with(asking("q"), json!({ "temperature": -1 })),
            400,
            json!("temperature"),
            "invalid_value",
            "0 to 2",
        ),
        (with(asking("q"), json!({ "top_p": 0 })), 400, json!("top_p"), "invalid_value", "above 0"),
        (
            with(asking("q"), json!({ "max_tokens": 0 })),
            400,
            json!("max_tokens"),
            "invalid_value",
            "at least 1",
        ),
        (
            with(asking("q"), json!({ "max_tokens": "x" })),
            400,
            json!("max_tokens"),
            "invalid_value",
            "max_tokens",
        ),
        (with(asking("q"), json!({ "stop": [""] })), 400, json!("stop"), "invalid_value", "not empty"),
        (
            with(asking("q"), json!({ "logit_bias": { "1": 2 } })),
            400,
            json!("logit_bias"),
            "unsupported_value",
            "",
        ),
        (
            with(asking("q"), json!({ "presence_penalty": 1 })),
            400,
            json!("presence_penalty"),
            "unsupported_value",
            "",
        ),
        (
            with(asking("q"), json!({ "response_format": { "type": "xml" } })),
            400,
            json!("response_format.type"),
            "invalid_value",
            "",
        ),
        (
            with(asking("q"), json!({ "top_logprobs": 3 })),
            400,
            json!("top_logprobs"),
            "invalid_value",
            "needs `logprobs`",
        ),
        (
            with(asking("q"), json!({ "tool_choice": "required" })),
            400,
            json!("tool_choice"),
            "invalid_value",
            "no `tools`",
        ),
    ] {
        let told = server.told("/v1/chat/completions", &body, status).await;
        let error = &told["error"];
        assert_eq!((&error["param"], &error["code"]), (&param, &json!(code)), "{body}: {told}");
        assert!(error["message"].as_str().unwrap().contains(part), "{body}: {told}");
    }
    let request = server.client.post(format!("{}/v1/chat/completions", server.url));
    let response = request.bearer_auth("secret").body("{\"model\": ").send().await.unwrap();
    assert_eq!(response.status(), 400);
    let long = with(asking("q"), json!({ "x": "x".repeat(5 << 20) }));
    assert_eq!(server.chat(&long).await.status(), 413);
    for (path, status) in [("/v1/nothing", 404), ("/v1/chat/completions", 405)] {
        let request = server.client.get(format!("{}{path}", server.url)).bearer_auth("secret");
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status);
        assert!(response.json::<Value>().await.unwrap()["error"]["message"].is_string());
    }
}

#[tokio::test]
async fn lets_in_who_may_ask() {
    let (server, _) = scripted(&[]).await;
    let get = |path: &str| server.client.get(format!("{}{path}", server.url));
    for (request, status) in [
        (get("/health"), 200),
        (get("/v1/models"), 401),
        (get("/v1/models").bearer_auth("wrong"), 401),
        (get("/metrics"), 401),
        (get("/v1/models").bearer_auth("secret"), 200),
        (get("/v1/models/m").bearer_auth("secret"), 200),
        (get("/v1/models/other").bearer_auth("secret"), 404),
        (get("/health").header("host", "evil.example"), 403),
        (get("/v1/models").bearer_auth("secret").header("origin", "http://evil.example"), 403),
        (get("/v1/models").bearer_auth("secret").header("origin", "http://localhost:3000"), 200),
    ] {
        let response = request.send().await.unwrap();
        assert_eq!(response.status(), status, "{response:?}");
    }
    let preflight = server.client.request(reqwest::Method::OPTIONS, format!("{}/v1/models", server.url));
    let response = preflight.header("origin", "http://localhost:3000").send().await.unwrap();
    assert_eq!(response.status(), 204);
    assert_eq!(response.headers()["access-control-allow-origin"], "http://localhost:3000");
}

#[tokio::test]
async fn too_many_are_told_to_come_again() {
    let model = Endless::new(20);
    let server = start(model, Settings { queue: 2, ..settings() }).await;
    let body = with(asking("q"), json!({ "max_tokens": 10 }));
    let asking = [(); 6].map(|()| tokio::spawn(server.post("/v1/chat/completions", &body).send()));
    let mut statuses = Vec::new();
    for client in asking {
        let response = client.await.unwrap().unwrap();
        if response.status() == 429 {
            let again: u64 = response.headers()["retry-after"].to_str().unwrap().parse().unwrap();
            assert!((1..=60).contains(&again));
        }
        statuses.push(response.status().as_u16());
    }
    statuses.sort_unstable();
    assert!(statuses.starts_with(&[200, 200]) && statuses.ends_with(&[429, 429, 429]), "{statuses:?}");
}

/// Clients that send rubbish, or too slowly.
#[tokio::test]
async fn bad_clients_harm_nobody() {
    let (server, _) = scripted(&["fine"]).await;
    let head =
        "POST /v1/chat/completions HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer secret\r\n";
    for (sent, status) in [
        ("\x16\x03\x01\x02\x00\x01".to_owned(), "400"),
        ("GET\r\n\r\n".to_owned(), "400"),
        (format!("GET / HTTP/1.1\r\nx: {}\r\n\r\n", "x".repeat(100_000)), "431"),
        ("GET /health HTTP/1.1\r\n\r\n".to_owned(), "403"),
        (format!("{head}content-length: 9\r\n\r\n{{"), "408"),
        (format!("{head}content-length: 99999999999\r\n\r\n{{"), "413"),
        (format!("{head}transfer-encoding: chunked\r\n\r\nzz\r\n"), "400"),
    ] {
        let mut stream = TcpStream::connect(server.address).await.unwrap();
        let _ = stream.write_all(sent.as_bytes()).await;
        let mut reply = vec![0; 12];
        let read = tokio::time::timeout(Duration::from_secs(5), stream.read_exact(&mut reply)).await;
        read.unwrap().unwrap();
        assert_eq!(
            String::from_utf8_lossy(&reply[9..]),
            status,
            "{}",
            sent.chars().take(60).collect::<String>()
        );
    }
    assert_eq!(server.chat(&asking("q")).await.status(), 200);
}
