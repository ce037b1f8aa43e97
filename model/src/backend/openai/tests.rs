//! The whole client against a server that behaves well, badly and not at all.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::{Limits, OpenAi};
use crate::backend::{Model, ModelError, TokenSink, Unread};
use crate::fake_server::{Asked, Fake, Play, head, stream};
use crate::prompt::{Constraint, Finish, Prompt, Speaker, Turn};

const JSON: &str = "application/json";

#[derive(Debug, Default)]
struct Seen(Vec<String>, Option<usize>, Vec<String>);

impl TokenSink for Seen {
    fn piece(&mut self, text: &str) -> ControlFlow<()> {
        self.0.push(text.to_owned());
        if self.1 == Some(self.0.len()) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }

    fn thought(&mut self, text: &str) -> ControlFlow<()> {
        self.2.push(text.to_owned());
        ControlFlow::Continue(())
    }
}

/// Ends it at the third time it is asked whether to go on.
struct Impatient(u32);

impl TokenSink for Impatient {
    fn piece(&mut self, _: &str) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn poll(&mut self) -> ControlFlow<()> {
        self.0 += 1;
        if self.0 > 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

fn limits() -> Limits {
    let long = Duration::from_secs(20);
    Limits { connect: long, first_token: long, idle: long }
}

fn model(fake: &Fake) -> OpenAi {
    OpenAi::with_limits(&fake.url, Some("m".into()), Some("secret-key".into()), limits()).unwrap()
}

fn asking(constraint: Constraint) -> Prompt {
    Prompt { turns: vec![Turn::new(Speaker::User, "q")], constraint, max_tokens: 8, ..Prompt::default() }
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn piece(text: &str) -> String {
    event(&json!({"choices": [{"index": 0, "delta": {"content": text}}]}))
}

fn end(reason: &str) -> String {
    event(&json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]}))
}

fn told(text: &str) -> Play {
    Play::events(&(piece(text) + &end("stop") + "data: [DONE]\n\n"))
}

#[tokio::test]
async fn reads_a_stream() {
    let usage = json!({"choices": [], "usage": {
        "prompt_tokens": 40, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 30}}});
    let body = [
        ": hello\n\n".to_owned(),
        event(&json!({"choices": [{"delta": {"role": "assistant", "content": null}}]})),
        event(&json!({"choices": [{"delta": {"reasoning": "hm"}}]})),
        piece("a"),
        piece("b"),
        end("length"),
        event(&usage),
        "data: [DONE]\n\n".to_owned(),
    ];
    let fake = Fake::start(move |_| Play::events(&body.concat())).await;
    let mut seen = Seen::default();
    let answer = model(&fake).complete(&asking(Constraint::Free), &mut seen).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.thinking.as_deref()), ("ab", Some("hm")));
    assert_eq!((answer.finish, seen.0), (Finish::Length, vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(seen.2, ["hm"]);
    let usage = answer.usage;
    assert_eq!((usage.prompt, usage.reused, usage.sampled), (40, 30, 2));
    let asked = fake.asked().remove(0);
    assert_eq!(asked.line, "POST /v1/chat/completions HTTP/1.1");
    assert_eq!(asked.header("authorization"), Some("bearer secret-key"));
    assert!(asked.body.contains("\"stream\":true"));
}

#[tokio::test]
async fn reads_a_whole_reply() {
    let body =
        json!({"choices": [{"message": {"content": "<think>t</think>\nyes"}, "finish_reason": "stop"}]});
    let fake = Fake::start(move |_| Play::reply("200 OK", JSON, &body.to_string())).await;
    let mut seen = Seen::default();
    let answer = model(&fake).complete(&asking(Constraint::Free), &mut seen).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.thinking.as_deref()), ("yes", Some("t")));
    assert_eq!((answer.finish, seen.0.concat().trim()), (Finish::Stop, "yes"));
}

#[tokio::test]
async fn splits_thoughts() {
    let (free, form) = (Constraint::Free, Constraint::JsonSchema(json!({})));
    for (pieces, constraint, text, thought, shown, thoughts) in [
        (vec!["<th", "ink>a", "</think>", "b"], &free, "b", Some("a"), "b", "a"),
        (vec!["a", "</think>", "b"], &free, "b", Some("a"), "a</think>b", ""),
        (vec!["a", "</thi", "nk>\n", "{}"], &form, "{}", Some("a"), "{}", "a"),
        (vec!["b"], &free, "b", None, "b", ""),
        (vec!["[\"</think>\"]"], &form, "[\"</think>\"]", None, "[\"</think>\"]", ""),
    ] {
        let body: String = pieces.iter().map(|text| piece(text)).chain([end("stop")]).collect();
        let fake = Fake::start(move |_| Play::events(&body)).await;
        let mut seen = Seen::default();
        let prompt = Prompt { thinking: 9, ..asking(constraint.clone()) };
        let answer = model(&fake).complete(&prompt, &mut seen).await.unwrap();
        assert_eq!((answer.text.as_str(), answer.thinking.as_deref()), (text, thought));
        assert_eq!((seen.0.concat().as_str(), seen.2.concat().as_str()), (shown, thoughts));
    }
}

/// Replies that are none, and what must be said about them.
#[tokio::test]
async fn refuses_bad_replies() {
    let cut = || head("200 OK", JSON, 1000).into_bytes();
    for (play, reason) in [
        (Play::Send(b"\x16\x03\x01 what".to_vec()), "no HTTP reply"),
        (Play::Send(vec![]), "no HTTP reply"),
        (Play::reply("200 OK", "text/html", "<html>"), "`text/html`"),
        (Play::reply("200 OK", JSON, "{\"choices\": [{]"), "`{\"choices\""),
        (Play::reply("200 OK", JSON, "{\"ok\": true}"), "no answer"),
        (Play::reply("200 OK", JSON, "{\"error\": \"boom secret-key\"}"), "`boom [key]`"),
        (Play::Send(cut()), "half an answer"),
        (Play::events(&piece("a")), "half an answer"),
        (Play::events("data: {\"choices\n\n"), "`{\"choices`"),
        (Play::events("hello\n\n"), "no answer"),
        (Play::events(&event(&json!({"error": {"message": "out of\nmemory"}}))), "`out of memory`"),
        (Play::events(&format!("data: {}\n\n", "x".repeat(2 << 20))), "does not end"),
        (Play::events(&piece(&"x".repeat(60_000)).repeat(80)), "more than 4 MB"),
        (Play::reply("302 Found", "text/html", ""), "redirect"),
        (
            Play::reply("401 Unauthorized", JSON, "{\"error\":{\"message\":\"bad secret-key\"}}"),
            "`bad [key]`",
        ),
        (Play::reply("404 Not Found", "text/plain", "no"), "model's name"),
        (Play::reply("500 Internal", "text/plain", "no"), "500"),
    ] {
        let played = play.clone();
        let fake = Fake::start(move |_| played.clone()).await;
        let error = model(&fake).complete(&asking(Constraint::Free), &mut Unread).await.unwrap_err();
        assert!(matches!(error, ModelError::BadReply { .. }), "{error:?}");
        let said = error.to_string();
        assert!(
            said.contains(reason) && said.contains(&fake.url) && !said.contains("secret-key"),
            "{said}"
        );
        // Only where not a byte came it may be that the question was not even read.
        let nothing_came = matches!(&play, Play::Send(bytes) if bytes.is_empty());
        assert_eq!(fake.asked().len(), if nothing_came { 2 } else { 1 }, "{said}");
    }
}

#[tokio::test]
async fn tells_what_keeps_it_away() {
    let closed = {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        format!("http://{}", socket.local_addr().unwrap())
    };
    let nobody = OpenAi::new(&closed, Some("m".into()), None).unwrap();
    let error = nobody.complete(&asking(Constraint::Free), &mut Unread).await.unwrap_err();
    assert!(matches!(&error, ModelError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("start the model server"), "{error}");

    let body = json!({"error": {"message": "Loading model"}}).to_string();
    let fake = Fake::start(move |_| Play::reply("503 Unavailable", JSON, &body)).await;
    let error = model(&fake).complete(&asking(Constraint::Free), &mut Unread).await.unwrap_err();
    assert!(
        matches!(&error, ModelError::Unreachable { reason, .. } if reason.contains("Loading model"))
    );

    let body = json!({"error": {"message": "long", "n_prompt_tokens": 5000, "n_ctx": 4096}}).to_string();
    let fake = Fake::start(move |_| Play::reply("400 Bad Request", JSON, &body)).await;
    let error = model(&fake).complete(&asking(Constraint::Free), &mut Unread).await.unwrap_err();
    assert_eq!(error, ModelError::TooLong { prompt: 5000, context: 4096 });
}

/// One that listens and lets nobody in, since nobody ahead is let in either.
#[tokio::test]
async fn does_not_wait_for_ever_to_be_let_in() {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    let _listener = socket.listen(0).unwrap();
    let mut ahead = Vec::new();
    for _ in 0..8 {
        let short = Duration::from_millis(200);
        ahead.push(tokio::time::timeout(short, tokio::net::TcpStream::connect(address)).await);
    }
    assert!(ahead.iter().any(Result::is_err), "there is room for all");
    let limits = Limits { connect: Duration::from_millis(300), ..limits() };
    let model = OpenAi::with_limits(&format!("http://{address}"), Some("m".into()), None, limits);
    let started = Instant::now();
    let error = model.unwrap().complete(&asking(Constraint::Free), &mut Unread).await.unwrap_err();
    assert!(matches!(error, ModelError::Unreachable { .. }), "{error:?}");
    assert!(error.to_string().contains("no connection within 0.3 s"), "{error}");
    assert!(started.elapsed() < Duration::from_secs(5));
}

#[tokio::test]
async fn does_not_wait_for_ever() {
    let short = Duration::from_millis(150);
    for (sent, first_token, idle) in [
        (vec![], short, limits().idle),
        (stream(": alive\n\n"), short, limits().idle),
        (stream(&piece("a")), limits().first_token, short),
        (head("200 OK", JSON, 9).into_bytes(), short, limits().idle),
    ] {
        let fake = Fake::start(move |_| Play::Hold(sent.clone())).await;
        let limits = Limits { first_token, idle, ..limits() };
        let model = OpenAi::with_limits(&fake.url, Some("m".into()), None, limits).unwrap();
        let started = Instant::now();
        let error = model.complete(&asking(Constraint::Free), &mut Unread).await.unwrap_err();
        assert!(error.to_string().contains("no token for 0.15 s"), "{error}");
        assert!(started.elapsed() < Duration::from_secs(5));
        fake.left().await;
    }
}

#[tokio::test]
async fn waits_no_longer_once_it_has_ended() {
    let fake =
        Fake::start(|_| Play::Hold(stream(&(piece("a") + &end("stop") + "data: [DONE]\n\n")))).await;
    let answer = model(&fake).complete(&asking(Constraint::Free), &mut Unread).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.finish), ("a", Finish::Stop));
}

#[tokio::test]
async fn hangs_up_when_cancelled() {
    let fake = Fake::start(|_| Play::Hold(stream(&(piece("a") + &piece("b"))))).await;
    let mut seen = Seen(Vec::new(), Some(1), Vec::new());
    let answer = model(&fake).complete(&asking(Constraint::Free), &mut seen).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.finish), ("a", Finish::Cancelled));
    fake.left().await;

    let fake = Fake::start(|_| Play::Hold(vec![])).await;
    let answer = model(&fake).complete(&asking(Constraint::Free), &mut Impatient(0)).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.finish), ("", Finish::Cancelled));
    fake.left().await;
}

#[tokio::test]
async fn goes_on_without_what_is_refused() {
    let refuses = |asked: &Asked| {
        let said =
            |what: &str| json!({"error": {"message": format!("`{what}` is not supported")}}).to_string();
        match ["response_format", "stream_options"].iter().find(|word| asked.body.contains(**word)) {
            Some(word) => Play::reply("400 Bad Request", JSON, &said(word)),
            None => told("no"),
        }
    };
    let fake = Fake::start(refuses).await;
    let model = model(&fake);
    assert!(model.capabilities().constrained);
    for requests in [4, 5] {
        let prompt = asking(Constraint::OneOf(vec!["yes".into(), "no".into()]));
        assert_eq!(model.complete(&prompt, &mut Unread).await.unwrap().text, "no");
        assert_eq!(fake.asked().len(), requests);
    }
    assert!(!model.capabilities().constrained);
    let fake =
        Fake::start(|_| Play::reply("400 Bad Request", JSON, "{\"error\":\"response_format\"}")).await;
    let stubborn = self::model(&fake).complete(&asking(Constraint::Free), &mut Unread).await;
    assert!(matches!(stubborn, Err(ModelError::BadReply { .. })), "{stubborn:?}");
}

#[tokio::test]
async fn unquotes_one_of() {
    let fake = Fake::start(|_| Play::events(&(piece("\"y") + &piece("es\"") + &end("stop")))).await;
    let mut seen = Seen::default();
    let prompt = asking(Constraint::OneOf(vec!["yes".into(), "no".into()]));
    let answer = model(&fake).complete(&prompt, &mut seen).await.unwrap();
    assert_eq!((answer.text.as_str(), seen.0), ("yes", vec!["yes".to_owned()]));
    let lark = model(&fake).complete(&asking(Constraint::Lark("start: /a/".into())), &mut Unread).await;
    assert!(matches!(lark, Err(ModelError::BadConstraint(_))));
}

#[tokio::test]
async fn chooses_by_likelihood() {
    let tokens = json!([{"token": "no", "logprob": -0.105_4}, {"token": "yes", "logprob": -2.302}]);
    let body = json!({"choices": [{"message": {"content": "no"},
        "logprobs": {"content": [{"token": "no", "logprob": -0.1, "top_logprobs": tokens}]}}],
        "usage": {"prompt_tokens": 20, "completion_tokens": 1}});
    let fake = Fake::start(move |_| Play::reply("200 OK", JSON, &body.to_string())).await;
    let model = model(&fake);
    let options = ["yes".to_owned(), "no".to_owned()];
    assert!(!model.capabilities().likelihoods);
    let choice = model.choose(&asking(Constraint::Free), &options).await.unwrap();
    assert_eq!((choice.usage.prompt, choice.usage.sampled), (20, 1));
    let chances = choice.probabilities;
    assert!((chances[0] - 0.1).abs() < 1e-3 && (chances[1] - 0.9).abs() < 1e-3, "{chances:?}");
    assert!(model.capabilities().likelihoods);
}

#[tokio::test]
async fn chooses_by_name() {
    let calls = AtomicUsize::new(0);
    let plays = move |asked: &Asked| {
        if asked.body.contains("logprobs") {
            assert_eq!(calls.fetch_add(1, Ordering::Relaxed), 0, "asked for likelihoods again");
            return Play::reply(
                "200 OK",
                JSON,
                "{\"choices\":[{\"message\":{\"content\":\"n\"},\"logprobs\":null}],
                  \"usage\":{\"prompt_tokens\":20}}",
            );
        }
        told("\"no\"")
    };
    let fake = Fake::start(plays).await;
    let model = model(&fake);
    let options = ["yes".to_owned(), "no".to_owned()];
    for prompt in [20, 0] {
        let choice = model.choose(&asking(Constraint::Free), &options).await.unwrap();
        // The question that did not help has been paid for, too.
        assert_eq!(choice.usage.prompt, prompt);
        let chances = choice.probabilities;
        assert!((chances[1] - 0.9).abs() < 1e-9 && (chances[0] - 0.1).abs() < 1e-9, "{chances:?}");
    }
    assert!(!model.capabilities().likelihoods);
}

#[tokio::test]
async fn probes() {
    let list = json!({"object": "list", "data": [
        {"id": "nomic-embed-text"}, {"id": "qwen", "max_model_len": 32768}, {"id": "other"}]});
    let fake = Fake::start(move |asked| match asked.line.as_str() {
        "GET /v1/models HTTP/1.1" => Play::reply("200 OK", JSON, &list.to_string()),
        _ => told("hi"),
    })
    .await;
    let model = OpenAi::new(&fake.url, None, None).unwrap();
    assert_eq!(model.complete(&asking(Constraint::Free), &mut Unread).await.unwrap().text, "hi");
    assert!(fake.asked()[1].body.contains("\"model\":\"qwen\""));
    assert_eq!(model.capabilities().context, 32768);
    assert_eq!(model.probe().await.unwrap().offered, ["nomic-embed-text", "qwen", "other"]);
    for body in ["{\"data\": []}", "[]", "<html>"] {
        let fake = Fake::start(move |_| Play::reply("200 OK", JSON, body)).await;
        let error = OpenAi::new(&fake.url, None, None).unwrap().probe().await.unwrap_err();
        assert!(matches!(error, ModelError::BadReply { .. }), "{error:?}");
    }
}

#[test]
fn hides_the_key() {
    let model = OpenAi::new("http://127.0.0.1:1", None, Some("secret-key".into())).unwrap();
    assert!(!format!("{model:?}{:?}", model.capabilities()).contains("secret-key"));
}
