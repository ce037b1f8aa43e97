//! The client against each kind of server, as far as they differ: each says what that server is known to say.

use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::{Value, json};

use super::exchange::Server;
use super::trouble::Trouble;
use super::{Limits, Maker, OpenAi};
use crate::backend::{Model, ModelError, Unread};
use crate::fake_server::{Asked, Fake, Play};
use crate::prompt::{Completion, Constraint, Finish, Preference, Prompt, Speaker, Turn};

const JSON: &str = "application/json";

fn asking(constraint: Constraint) -> Prompt {
    let turns = vec![Turn::new(Speaker::System, "be brief"), Turn::new(Speaker::User, "q")];
    Prompt { turns, constraint, max_tokens: 8, seed: u64::MAX, ..Prompt::default() }
}

pub(super) fn reply(value: &Value) -> Play {
    Play::reply("200 OK", JSON, &value.to_string())
}

pub(super) fn refusal(status: &str, message: &str) -> Play {
    Play::reply(status, JSON, &json!({ "error": { "message": message } }).to_string())
}

pub(super) fn said(text: &str) -> Play {
    reply(&json!({ "choices": [{ "message": { "content": text }, "finish_reason": "stop" }] }))
}

pub(super) fn listed(owner: &str) -> Play {
    reply(&json!({ "data": [{ "id": "m", "object": "model", "owned_by": owner }] }))
}

pub(super) fn client(fake: &Fake) -> OpenAi {
    OpenAi::new(&fake.url, None, None).unwrap()
}

async fn answer(fake: &Fake, constraint: Constraint) -> Result<Completion, ModelError> {
    client(fake).complete(&asking(constraint), &mut Unread).await
}

fn schema() -> Constraint {
    Constraint::JsonSchema(json!({ "type": "object" }))
}

pub(super) fn path(asked: &Asked) -> &str {
    asked.line.split(' ').nth(1).unwrap()
}

pub(super) fn body(asked: &Asked) -> Value {
    serde_json::from_str(&asked.body).unwrap()
}

#[tokio::test]
async fn ollama_is_asked_in_its_own_way() {
    let lines = [
        json!({ "message": { "role": "assistant", "content": "", "thinking": "hm" }, "done": false }),
        json!({ "message": { "role": "assistant", "content": "{\"a\":" }, "done": false }),
        json!({ "message": { "role": "assistant", "content": "1}" }, "done": false }),
        json!({ "message": { "content": "" }, "done": true, "done_reason": "stop", "prompt_eval_count": 30,
            "eval_count": 4, "prompt_eval_duration": 5_000_000, "eval_duration": 7_000_000 }),
    ];
    let lines: String = lines.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
    let fake = Fake::start(move |asked: &Asked| match path(asked) {
        "/v1/models" => listed("library"),
        "/api/show" => reply(&json!({
            "model_info": { "qwen3.context_length": 40960 }, "capabilities": ["completion", "thinking"] })),
        "/api/chat" => Play::reply("200 OK", "application/x-ndjson", &lines),
        other => panic!("{other}"),
    })
    .await;
    let model = client(&fake);
    let served = model.probe().await.unwrap();
    assert_eq!((served.maker, model.capabilities().context), (Maker::Ollama, 40960));
    let told = model.complete(&asking(schema()), &mut Unread).await.unwrap();
    assert_eq!((told.text.as_str(), told.thinking.as_deref()), ("{\"a\":1}", Some("hm")));
    assert_eq!((told.finish, told.usage.prompt, told.usage.sampled), (Finish::Stop, 30, 4));
    assert!((told.usage.prefill_ms - 5.0).abs() < 1e-9 && (told.usage.decode_ms - 7.0).abs() < 1e-9);
    let asked = body(fake.asked().last().unwrap());
    assert_eq!(
        (&asked["options"]["num_ctx"], &asked["format"]),
        (&json!(8192), &json!({ "type": "object" }))
    );
    assert!(asked["options"]["seed"].as_i64().unwrap() <= i64::from(i32::MAX), "{asked}");
}

#[tokio::test]
async fn an_error_in_the_middle_of_ollamas_lines_is_one() {
    let lines = "{\"message\":{\"content\":\"a\"},\"done\":false}\n{\"error\":\"out of memory\"}\n";
    let fake = Fake::start(move |asked: &Asked| match path(asked) {
        "/v1/models" => listed("library"),
        "/api/show" => refusal("404 Not Found", "model not found"),
        _ => Play::reply("200 OK", "application/x-ndjson", lines),
    })
    .await;
    let error = answer(&fake, Constraint::Free).await.unwrap_err();
    assert!(error.to_string().contains("out of memory"), "{error}");
}

#[tokio::test]
async fn llama_cpp_tells_its_context_and_is_waited_for_while_it_loads() {
    let asked_before = AtomicUsize::new(0);
    let fake = Fake::start(move |asked: &Asked| match path(asked) {
        "/v1/models" => listed("llamacpp"),
        "/props" => reply(&json!({
            "default_generation_settings": { "n_ctx": 4096 }, "modalities": { "vision": true } })),
        _ if asked_before.fetch_add(1, Ordering::Relaxed) == 0 => {
            refusal("503 Service Unavailable", "Loading model")
        }
        _ => said("ok"),
    })
    .await;
    let model = client(&fake);
    model.probe().await.unwrap();
    let able = model.capabilities();
    assert_eq!((able.context, able.images.is_some()), (4096, true));
    assert_eq!(model.complete(&asking(Constraint::Free), &mut Unread).await.unwrap().text, "ok");
}

#[tokio::test]
async fn vllm_says_in_words_that_a_prompt_is_too_long() {
    let fake = Fake::start(|asked: &Asked| match path(asked) {
        "/v1/models" => {
            reply(&json!({ "data": [{ "id": "m", "owned_by": "vllm", "max_model_len": 2048 }] }))
        }
        _ => refusal(
            "400 Bad Request",
            "This model's maximum context length is 2048 tokens. However, \
            your request has 5000 input tokens.",
        ),
    })
    .await;
    assert_eq!(
        answer(&fake, Constraint::Free).await,
        Err(ModelError::TooLong { prompt: 5000, context: 2048 })
    );
}

#[tokio::test]
async fn vllm_and_its_like_call_their_thoughts_differently() {
    for field in ["reasoning", "reasoning_content"] {
        let fake = Fake::start(move |asked: &Asked| match path(asked) {
            "/v1/models" => listed("vllm"),
            _ => reply(&json!({ "choices": [{ "message": { field: "hm", "content": "yes" } }] })),
        })
        .await;
        let told = answer(&fake, Constraint::Free).await.unwrap();
        assert_eq!((told.text.as_str(), told.thinking.as_deref()), ("yes", Some("hm")));
    }
}

/// The server of llama-cpp-python knows a schema only beside `json_object`; LM Studio only OpenAI's form; an
/// old one knows neither, and is asked in words.
#[tokio::test]
async fn the_form_is_asked_for_in_the_words_that_a_server_knows() {
    for (known, requests, constrained) in
        [("json_schema", 1, true), ("json_object", 2, true), ("", 3, false)]
    {
        let fake = Fake::start(move |asked: &Asked| {
            let form =
                (asked.line.starts_with("POST")).then(|| body(asked)["response_format"]["type"].clone());
            match form {
                None => listed("x"),
                Some(Value::String(form)) if form != known => {
                    refusal("422 Unprocessable Entity", "Input should be 'text' [response_format, type]")
                }
                Some(_) => said("{}"),
            }
        })
        .await;
        let model = client(&fake);
        for again in 0..2 {
            assert_eq!(model.complete(&asking(schema()), &mut Unread).await.unwrap().text, "{}");
            assert_eq!(fake.asked().len(), 1 + requests + again, "{known}");
        }
        assert_eq!(model.capabilities().constrained, constrained);
        let asked = body(fake.asked().last().unwrap());
        let words = asked["messages"][1]["content"].as_str().unwrap();
        assert_eq!(words.contains("of this schema"), !constrained, "{words}");
    }
}

/// What is refused, in which words, and what the next question has instead.
#[tokio::test]
async fn goes_on_without_what_a_server_does_not_know() {
    type Case = (&'static str, &'static str, fn(&Value) -> bool);
    let cases: [Case; 4] = [
        (
            "max_tokens",
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
            |body| body["max_completion_tokens"] == 8,
        ),
        ("temperature", "'temperature' does not support 0 with this model.", |body| {
            body["seed"].is_u64()
        }),
        ("seed", "Unknown field: seed", |body| body["max_tokens"] == 8),
        ("\"role\":\"system\"", "System role not supported", |body| {
            body["messages"][0]["content"] == "be brief\n\nq"
        }),
    ];
    for (refused, words, holds) in cases {
        let fake = Fake::start(move |asked: &Asked| match path(asked) {
            "/v1/models" => listed("x"),
            _ if asked.body.contains(refused) && !asked.body.contains("max_completion") => {
                refusal("400 Bad Request", words)
            }
            _ => said("ok"),
        })
        .await;
        assert_eq!(answer(&fake, Constraint::Free).await.unwrap().text, "ok", "{refused}");
        let asked = fake.asked();
        assert_eq!(asked.len(), 3, "{refused}");
        assert!(holds(&body(&asked[2])), "{}", asked[2].body);
    }
}

/// Some servers make calls out of an answer in JSON, with the arguments as a text or as they are.
#[tokio::test]
async fn calls_that_nobody_asked_for_are_the_answer() {
    let whole = json!({ "choices": [{ "finish_reason": "tool_calls", "message": { "content": null,
        "tool_calls": [{ "function": { "name": "click", "arguments": { "target": 3 } } }] } }] });
    let pieces = [
        json!({ "index": 0, "function": { "name": "click", "arguments": "{\"tar" } }),
        json!({ "index": 0, "function": { "arguments": "get\": 3}" } }),
    ];
    let pieces: String = pieces
        .iter()
        .map(|call| {
            format!("data: {}\n\n", json!({ "choices": [{ "delta": { "tool_calls": [call] } }] }))
        })
        .chain(["data: [DONE]\n\n".to_owned()])
        .collect();
    for play in [reply(&whole), Play::events(&pieces)] {
        let fake = Fake::start(move |asked: &Asked| match path(asked) {
            "/v1/models" => listed("x"),
            _ => play.clone(),
        })
        .await;
        let told = answer(&fake, schema()).await.unwrap();
        let told: Value = serde_json::from_str(&told.text).unwrap();
        assert_eq!(told, json!({ "name": "click", "arguments": { "target": 3 } }));
    }
}

#[tokio::test]
async fn our_own_server_weighs_whole_texts_and_tells_its_dialect() {
    let own = json!({ "data": [{ "id": "m", "owned_by": "freehand", "max_model_len": 4096,
        "freehand": { "choose": true, "dialect": "numbered" } }] });
    let fake = Fake::start(move |asked: &Asked| match path(asked) {
        "/v1/models" => reply(&own),
        "/v1/choose" => reply(&json!({ "probabilities": [0.25, 0.75],
            "usage": { "prompt_tokens": 40, "prompt_tokens_details": { "cached_tokens": 30 } },
            "timings": { "prompt_ms": 3.0, "predicted_ms": 1.0, "scored_n": 2 } })),
        other => panic!("{other}"),
    })
    .await;
    let model = client(&fake);
    let served = model.probe().await.unwrap();
    assert_eq!((served.maker, served.dialect.as_deref()), (Maker::Freehand, Some("numbered")));
    let options = ["yes".to_owned(), "no".to_owned()];
    let Preference { probabilities, usage } =
        model.choose(&asking(Constraint::Free), &options).await.unwrap();
    assert_eq!((probabilities, usage.prompt, usage.reused), (vec![0.25, 0.75], 40, 30));
    assert_eq!((usage.scored, usage.sampled), (2, 0));
}

#[tokio::test]
async fn a_busy_server_is_asked_again_when_it_says() {
    let asked_before = AtomicUsize::new(0);
    let fake = Fake::start(move |asked: &Asked| match path(asked) {
        "/v1/models" => listed("x"),
        _ if asked_before.fetch_add(1, Ordering::Relaxed) < 2 => Play::Send(
            b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 0\r\ncontent-length: 0\r\n\
                connection: close\r\n\r\n"
                .to_vec(),
        ),
        _ => said("ok"),
    })
    .await;
    assert_eq!(answer(&fake, Constraint::Free).await.unwrap().text, "ok");
    let full = b"HTTP/1.1 429 Too Many Requests\r\nretry-after: 9\r\ncontent-length: 0\r\nconnection: close\r\n\r\n";
    let fake = Fake::start(move |_| Play::Send(full.to_vec())).await;
    let second = std::time::Duration::from_secs(1);
    let limits = Limits { first_token: second, ..Limits::default() };
    let model = OpenAi::with_limits(&fake.url, Some("m".into()), None, limits).unwrap();
    let error = model.complete(&asking(Constraint::Free), &mut Unread).await.unwrap_err();
    assert!(matches!(error, ModelError::Unreachable { .. }), "{error}");
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn a_connection_that_is_dropped_is_tried_once_more() {
    let asked_before = AtomicUsize::new(0);
    let fake = Fake::start(move |_| match asked_before.fetch_add(1, Ordering::Relaxed) {
        0 => Play::Send(vec![]),
        _ => said("ok"),
    })
    .await;
    let model = OpenAi::new(&fake.url, Some("m".into()), None).unwrap();
    assert_eq!(model.complete(&asking(Constraint::Free), &mut Unread).await.unwrap().text, "ok");
    let fake = Fake::start(|_| Play::Send(vec![])).await;
    let model = OpenAi::new(&fake.url, Some("m".into()), None).unwrap();
    assert!(model.complete(&asking(Constraint::Free), &mut Unread).await.is_err());
    assert_eq!(fake.asked().len(), 2);
}

#[tokio::test]
async fn what_is_asked_in_one_piece_is_asked_once_more() {
    let times = AtomicUsize::new(0);
    let fake = Fake::start(move |_| match times.fetch_add(1, Ordering::Relaxed) {
        0 => Play::Send(vec![]),
        _ => Play::reply("200 OK", JSON, "{}"),
    })
    .await;
    let server = Server::new(fake.url.clone(), None, Limits::default()).unwrap();
    assert_eq!(server.get("/props").await.unwrap(), "{}");
    assert_eq!(fake.asked().len(), 2);

    let gone = Fake::start(|_| Play::Send(vec![])).await;
    let server = Server::new(gone.url.clone(), None, Limits::default()).unwrap();
    assert!(matches!(server.get("/props").await, Err(Trouble::Dropped(_))));
    assert_eq!(gone.asked().len(), 2, "not for ever");
}
