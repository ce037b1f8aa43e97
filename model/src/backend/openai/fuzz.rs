//! Replies that no server should give: whatever comes, it ends in an answer or an error, and is bounded.

use std::time::Duration;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::about::{Maker, OfferedModel};
use super::fakes::MadeUp;
use super::wire::{Calls, Reply};
use super::{Limits, OpenAi, features, ollama};
use crate::backend::{Model, Unread};
use crate::fake_server::{Fake, Play};
use crate::prompt::{Constraint, Prompt, Speaker, Turn, Usage};

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 24, 5, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..5).prop_map(Value::from),
            vec(("[a-z_]{1,8}", inner), 0..5).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

fn read(value: &Value) {
    let Ok(reply) = serde_json::from_value::<Reply>(value.clone()) else { return };
    let (mut usage, mut calls) = (Usage::default(), Calls::default());
    reply.count(&mut usage);
    reply.calls(&mut calls);
    let _ =
        (reply.content(), reply.thought(), reply.finish(), reply.error(), reply.answers(), calls.text());
    let _ = reply.first_tokens();
}

proptest! {
    #[test]
    fn any_reply(a in any_json(), b in any_json(), c in any_json(), d in any_json()) {
        let call = json!({ "index": d, "function": { "name": a, "arguments": b } });
        let message = json!({ "content": a, "reasoning": b, "tool_calls": [call, c] });
        for choice in [json!({ "delta": message, "finish_reason": c }), json!({ "message": message, "logprobs": d })] {
            read(&json!({ "choices": [choice], "usage": b, "timings": c, "error": null }));
        }
        read(&json!({ "choices": a, "usage": { "prompt_tokens": b }, "error": c }));
        read(&d);
    }

    #[test]
    fn any_line_of_ollama(value in any_json(), message in any_json()) {
        for line in [value.clone(), json!({ "message": message, "done": true, "eval_count": value })] {
            if let Ok(line) = serde_json::from_value::<ollama::Line>(line) {
                let _ = line.reply();
            }
        }
    }

    #[test]
    fn any_model_of_a_list(rest in any_json(), told in any_json(), owner in "llamacpp|library|organization_owner|.{0,4}") {
        let model = json!({ "id": "m", "owned_by": owner, "meta": rest, "freehand": told });
        if let Ok(model) = serde_json::from_value::<OfferedModel>(model) {
            let mut about = model.about();
            about.learn(&told);
            about.learn(&json!({ "model_info": rest, "default_generation_settings": told, "capabilities": rest }));
        }
    }

    #[test]
    fn any_refusal(said in ".{0,200}", status in 400u16..600) {
        let _ = features::refused(reqwest::StatusCode::from_u16(status).unwrap(), &said);
    }

    /// What a server really says, with bytes of it changed, lost or in the wrong place.
    #[test]
    fn any_change_of_a_right_reply(
        maker in select(vec![Maker::LlamaCpp, Maker::Vllm, Maker::Sglang, Maker::LmStudio, Maker::Ollama]),
        cut in (0.0..1.0, 0..40_usize), new in vec(any::<u8>(), 0..20), stream in any::<bool>(),
    ) {
        let server = MadeUp { maker, thinks: true, sees: true, equipped: true };
        let asked = json!({ "messages": [], "stream": stream, "stream_options": { "include_usage": true } });
        let (Play::Send(mut bytes) | Play::Hold(mut bytes)) = server.says(&asked);
        // The head stays as it is, or there would be no body to be read.
        let head = bytes.windows(4).position(|end| end == b"\r\n\r\n").unwrap() + 4;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a place")]
        let from = head + ((bytes.len() - head) as f64 * cut.0) as usize;
        let to = (from + cut.1).min(bytes.len());
        bytes.splice(from..to, new);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let play = Play::Send(bytes);
            let fake = Fake::start(move |_| play.clone()).await;
            let limit = Duration::from_secs(5);
            let limits = Limits { connect: limit, first_token: limit, idle: limit };
            let model = OpenAi::with_limits(&fake.url, Some("m".into()), None, limits).unwrap();
            let turns = vec![Turn::new(Speaker::User, "q")];
            let prompt = Prompt { turns, max_tokens: 8, thinking: 8, ..Prompt::default() };
            let _ = model.complete(&prompt, &mut Unread).await;
        });
    }

    /// Over a real connection, as each of the kinds of reply that there are.
    #[test]
    fn any_bytes_over_the_wire(bytes in vec(any::<u8>(), 0..300), text in "(data: |\\{|\\}|\\[|\"|:|choices|delta|content|\n|,|a){0,40}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let plays = [
                Play::Send(bytes.clone()),
                Play::events(&text),
                Play::reply("200 OK", "application/json", &text),
                Play::reply("200 OK", "application/x-ndjson", &text),
                Play::reply("400 Bad Request", "application/json", &text),
            ];
            for play in plays {
                let fake = Fake::start(move |_| play.clone()).await;
                let limit = Duration::from_secs(5);
                let limits = Limits { connect: limit, first_token: limit, idle: limit };
                let model = OpenAi::with_limits(&fake.url, Some("m".into()), None, limits).unwrap();
                let turns = vec![Turn::new(Speaker::User, "q")];
                let prompt = Prompt { turns, constraint: Constraint::Free, max_tokens: 8, ..Prompt::default() };
                let _ = model.complete(&prompt, &mut Unread).await;
                let _ = model.choose(&prompt, &["a".to_owned(), "b".to_owned()]).await;
            }
        });
    }
}
