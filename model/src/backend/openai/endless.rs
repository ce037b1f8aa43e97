//! Servers whose models think for longer than they may: they are cut off, and asked for the answer behind the
//! thought, or else without one.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::Maker;
use super::servers::{body, client, listed, path, refusal, reply};
use crate::backend::{Model as _, ModelError, TokenSink, Unread};
use crate::fake_server::{Asked, Fake, Play, stream};
use crate::prompt::{Constraint, Finish, Prompt, Speaker, Turn};

const MAKERS: [(Maker, &str); 6] = [
    (Maker::LlamaCpp, "llamacpp"),
    (Maker::Ollama, "library"),
    (Maker::Vllm, "vllm"),
    (Maker::Sglang, "sglang"),
    (Maker::LmStudio, "organization_owner"),
    (Maker::Other, "x"),
];
/// Tokens that may be thought, and those after which nobody listens any more.
const BUDGET: u32 = 64;
const CUT: usize = 97;

/// How a made-up server takes an answer that is begun.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Begun {
    GoesOn,
    /// With all that was begun before what is new.
    Repeated,
    Refused,
    ThinksOn,
}

/// Where thoughts stand in an event: in a field of their own, or in the text.
const APART: &str = "reasoning_content";
const INLINE: &str = "content";

fn event(maker: Maker, delta: &Value) -> String {
    if maker == Maker::Ollama {
        return json!({ "message": delta, "done": false }).to_string() + "\n";
    }
    format!("data: {}\n\n", json!({ "choices": [{ "delta": delta }] }))
}

fn end(maker: Maker, reason: &str) -> String {
    if maker == Maker::Ollama {
        return json!({ "done": true, "done_reason": reason, "prompt_eval_count": 40, "eval_count": 2 })
            .to_string();
    }
    let usage = json!({ "prompt_tokens": 40, "completion_tokens": 2 });
    let last = json!({ "choices": [{ "delta": {}, "finish_reason": reason }], "usage": usage });
    format!("data: {last}\n\ndata: [DONE]\n\n")
}

/// Thoughts that do not end by themselves.
fn thoughts(maker: Maker, field: &str, count: usize) -> String {
    let opening = (field == INLINE).then(|| "<think>\n".to_owned());
    let pieces = opening.into_iter().chain((0..count).map(|at| format!("so{at} ")));
    pieces.map(|piece| event(maker, &json!({ field: piece }))).collect()
}

fn sent(maker: Maker, events: &str) -> Vec<u8> {
    let bytes = String::from_utf8(stream(events)).unwrap();
    let kind = if maker == Maker::Ollama { "application/x-ndjson" } else { "text/event-stream" };
    bytes.replace("text/event-stream", kind).into_bytes()
}

fn last(asked: &Value) -> &Value {
    asked["messages"].as_array().and_then(|messages| messages.last()).unwrap()
}

fn said_last(asked: &Value) -> &str {
    last(asked)["content"].as_str().unwrap()
}

fn is_begun(asked: &Value) -> bool {
    last(asked)["role"] == "assistant" && said_last(asked).ends_with("\n</think>\n\n")
}

fn may_think(maker: Maker, asked: &Value) -> bool {
    match maker {
        Maker::Ollama => asked["think"] == true,
        Maker::LlamaCpp | Maker::Vllm | Maker::Sglang => {
            asked["chat_template_kwargs"]["enable_thinking"] == true
        }
        Maker::LmStudio | Maker::Freehand | Maker::Other => asked["reasoning_effort"] != "none",
    }
}

/// A server whose model thinks for ever where it may, and where `begun` says so, and answers with a word.
async fn thinker(maker: Maker, owner: &'static str, field: &'static str, begun: Begun) -> Fake {
    Fake::start(move |asked: &Asked| {
        if !matches!(path(asked), "/v1/chat/completions" | "/api/chat") {
            return match path(asked) {
                "/v1/models" => listed(owner),
                _ => reply(&json!({})),
            };
        }
        let asked = body(asked);
        let thinks = match (is_begun(&asked), begun) {
            (true, Begun::Refused) => return refusal("400 Bad Request", "no"),
            (true, Begun::ThinksOn) => true,
            (true, Begun::GoesOn | Begun::Repeated) => false,
            (false, _) => may_think(maker, &asked),
        };
        if thinks {
            return Play::Hold(sent(maker, &thoughts(maker, field, 2 * CUT)));
        }
        let repeated = if is_begun(&asked) && begun == Begun::Repeated { said_last(&asked) } else { "" };
        let answer =
            [repeated, "\"ye", "s\""].map(|piece| event(maker, &json!({ INLINE: piece }))).concat();
        Play::Send(sent(maker, &(answer + &end(maker, "stop"))))
    })
    .await
}

fn asking(thinking: u32) -> Prompt {
    let turns = vec![Turn::new(Speaker::System, "be brief"), Turn::new(Speaker::User, "q")];
    let constraint = Constraint::OneOf(vec!["yes".into(), "no".into()]);
    Prompt { turns, constraint, max_tokens: 8, thinking, ..Prompt::default() }
}

fn questions(fake: &Fake) -> Vec<Value> {
    let asked = fake.asked();
    let asked =
        asked.iter().filter(|asked| ["/v1/chat/completions", "/api/chat"].contains(&path(asked)));
    asked.map(body).collect()
}

#[derive(Default)]
struct Heard {
    thoughts: usize,
    words: String,
}

impl TokenSink for Heard {
    fn piece(&mut self, text: &str) -> ControlFlow<()> {
        self.words.push_str(text);
        ControlFlow::Continue(())
    }

    fn thought(&mut self, _: &str) -> ControlFlow<()> {
        self.thoughts += 1;
        ControlFlow::Continue(())
    }
}

#[tokio::test]
async fn thoughts_beyond_the_budget_are_cut_and_closed() {
    for (maker, owner) in MAKERS {
        let apart = if maker == Maker::Ollama { "thinking" } else { APART };
        for field in [apart, INLINE] {
            let begun = if maker == Maker::LlamaCpp { Begun::Repeated } else { Begun::GoesOn };
            let fake = thinker(maker, owner, field, begun).await;
            let model = client(&fake);
            model.probe().await.unwrap();
            let mut heard = Heard::default();
            let told = model.complete(&asking(BUDGET), &mut heard).await.unwrap();
            fake.left().await;
            assert_eq!((told.text.as_str(), told.finish), ("yes", Finish::Stop), "{maker:?}");
            assert_eq!(heard.words, "yes");
            let thought = told.thinking.unwrap();
            let last = format!("so{}", CUT - if field == INLINE { 2 } else { 1 });
            assert!(thought.starts_with("so0 so1 ") && thought.ends_with(&last), "{maker:?}: {thought}");
            assert_eq!(heard.thoughts, CUT, "{maker:?}");
            assert_eq!((told.usage.thought, told.usage.prompt), (97, 40), "{maker:?}");
            assert!(told.usage.sampled > 97, "{maker:?}");
            let asked = questions(&fake);
            assert_eq!(asked.len(), 2, "{maker:?}");
            assert!(is_begun(&asked[1]) && !may_think(maker, &asked[1]), "{}", asked[1]);
            assert!(asked[1]["messages"][2]["content"].as_str().unwrap().starts_with("<think>\nso0 "));
            let fields = ["continue_final_message", "add_generation_prompt"];
            let right = match maker {
                Maker::Vllm => [json!(true), json!(false)],
                Maker::Sglang => [json!(true), Value::Null],
                Maker::Freehand | Maker::LlamaCpp | Maker::Ollama | Maker::LmStudio | Maker::Other => {
                    [Value::Null, Value::Null]
                }
            };
            assert_eq!(fields.map(|field| asked[1][field].clone()), right, "{maker:?}");
        }
    }
}

#[tokio::test]
async fn one_that_cannot_go_on_is_asked_without_thoughts_and_that_is_remembered() {
    for begun in [Begun::Refused, Begun::ThinksOn] {
        let fake = thinker(Maker::Vllm, "vllm", APART, begun).await;
        let model = client(&fake);
        for requests in [3, 5] {
            let told = model.complete(&asking(BUDGET), &mut Unread).await.unwrap();
            assert!(told.text == "yes" && told.thinking.unwrap().starts_with("so0 "));
            let asked = questions(&fake);
            assert_eq!(asked.len(), requests);
            let last = asked.last().unwrap();
            assert!(!is_begun(last) && !may_think(Maker::Vllm, last), "{last}");
        }
    }
}

#[tokio::test]
async fn one_that_thinks_whatever_it_is_asked_is_given_up() {
    for (thinking, requests) in [(BUDGET, 3), (0, 2)] {
        let fake = Fake::start(|asked: &Asked| match path(asked) {
            "/v1/models" => listed("x"),
            _ => Play::Hold(stream(&thoughts(Maker::Other, APART, 2 * CUT))),
        })
        .await;
        let error = client(&fake).complete(&asking(thinking), &mut Unread).await.unwrap_err();
        assert!(matches!(error, ModelError::Endless { tokens, .. } if tokens > BUDGET), "{error:?}");
        assert!(error.to_string().contains("gave no answer; let it think for longer"), "{error}");
        assert_eq!(questions(&fake).len(), requests);
    }
}

/// The room for thoughts and answer can end before a budget that no server keeps to.
#[tokio::test]
async fn a_thought_that_fills_the_room_is_closed_too() {
    for whole in [false, true] {
        let fake = Fake::start(move |asked: &Asked| match path(asked) {
            "/v1/models" => listed("x"),
            _ if is_begun(&body(asked)) => super::servers::said("\"no\""),
            _ if whole => {
                let message = json!({ "content": "", "reasoning_content": "hm" });
                reply(&json!({ "choices": [{ "message": message, "finish_reason": "length" }] }))
            }
            _ => {
                let events = thoughts(Maker::Other, APART, 72) + &end(Maker::Other, "length");
                Play::events(&events)
            }
        })
        .await;
        let told = client(&fake).complete(&asking(BUDGET), &mut Unread).await.unwrap();
        assert_eq!((told.text.as_str(), told.finish), ("no", Finish::Stop));
        assert!(told.thinking.is_some() && told.usage.thought > 0);
    }
}

/// Where no form is enforced it is asked for in words, which belong to the user.
#[tokio::test]
async fn words_about_the_form_do_not_come_behind_an_answer_that_is_begun() {
    let fake = Fake::start(|asked: &Asked| match path(asked) {
        "/v1/models" => listed("x"),
        _ if body(asked).get("response_format").is_some() => {
            refusal("400 Bad Request", "response_format is not supported")
        }
        _ if is_begun(&body(asked)) => super::servers::said("\"no\""),
        _ => Play::Hold(stream(&thoughts(Maker::Other, APART, 2 * CUT))),
    })
    .await;
    let told = client(&fake).complete(&asking(BUDGET), &mut Unread).await.unwrap();
    assert_eq!(told.text, "no");
    let last = questions(&fake).pop().unwrap();
    let roles: Vec<_> = last["messages"].as_array().unwrap().iter().map(|m| m["role"].clone()).collect();
    assert_eq!(roles, ["system", "user", "assistant"]);
    assert!(last["messages"][1]["content"].as_str().unwrap().contains("of this schema"));
}
