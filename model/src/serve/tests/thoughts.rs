//! What a model thinks before its answer: asked for, told as it comes, and counted.

use super::*;
use crate::backend::embedded::made::thinker;

#[tokio::test]
async fn thoughts_come_before_the_answer() {
    let server = start(Arc::new(thinker()), settings()).await;
    let form = json!({ "type": "json_schema", "json_schema": { "schema": { "enum": ["yes", "no"] } } });
    let body = with(asking("Well?"), json!({ "seed": 3, "response_format": form }));
    let told = server.told("/v1/chat/completions", &body, 200).await;
    assert_eq!(told["choices"][0]["message"].get("reasoning_content"), None);
    assert_eq!(told["usage"]["completion_tokens_details"]["reasoning_tokens"], 0);
    let asked = with(body.clone(), json!({ "thinking_budget": 40, "reasoning_effort": "none" }));
    let whole = server.told("/v1/chat/completions", &asked, 200).await;
    let thought = whole["choices"][0]["message"]["reasoning_content"].as_str().unwrap();
    let tokens = whole["usage"]["completion_tokens_details"]["reasoning_tokens"].as_u64().unwrap();
    assert!((1..=40).contains(&tokens) && !thought.is_empty(), "{whole}");
    assert!(whole["usage"]["completion_tokens"].as_u64() >= Some(tokens), "{whole}");

    let events = events(server.chat(&with(asked, json!({ "stream": true }))).await).await;
    let deltas: Vec<&Value> = events.iter().map(|event| &event["choices"][0]["delta"]).collect();
    let thinks = |delta: &&Value| delta["reasoning_content"].is_string();
    let thoughts: Vec<_> =
        deltas.iter().filter_map(|delta| delta["reasoning_content"].as_str()).collect();
    assert!(thoughts.len() > 1 && thoughts.concat().contains(thought), "{thoughts:?} and {thought:?}");
    let last = deltas.iter().rposition(thinks).unwrap();
    let says = |delta: &&Value| delta["content"].as_str().is_some_and(|text| !text.is_empty());
    let first = deltas.iter().position(says).unwrap();
    assert!(last < first, "{deltas:?}");

    let (server, model) = scripted(&["a", "b", "c"]).await;
    for (more, budget) in [
        (json!({ "reasoning_effort": "low" }), 512),
        (json!({ "reasoning_effort": null }), 0),
        (json!({ "reasoning_effort": "high", "thinking_budget": 7 }), 7),
    ] {
        server.told("/v1/chat/completions", &with(asking("q"), more), 200).await;
        assert_eq!(model.asked().pop().unwrap().thinking, budget);
    }
    for (field, value) in [("reasoning_effort", json!("hard")), ("thinking_budget", json!(-1))] {
        let told =
            server.told("/v1/chat/completions", &with(asking("q"), json!({ field: value })), 400).await;
        assert_eq!(told["error"]["param"], field, "{told}");
    }
}
