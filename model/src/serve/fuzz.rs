//! Questions that nobody would ask: whatever comes, it is read or refused, and nothing is given out that the
//! engine could not bear.

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::request;
use super::tools::Calls;
use crate::prompt::Constraint;

/// Any JSON, not too deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let keys = prop_oneof![
            Just("type".to_owned()),
            Just("function".to_owned()),
            Just("name".to_owned()),
            Just("role".to_owned()),
            Just("content".to_owned()),
            Just("parameters".to_owned()),
            Just("$ref".to_owned()),
            Just("$defs".to_owned()),
            ".{0,6}",
        ];
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Value::from),
            btree_map(keys, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

const FIELDS: [&str; 20] = [
    "model",
    "messages",
    "stream",
    "stream_options",
    "max_tokens",
    "max_completion_tokens",
    "temperature",
    "top_p",
    "seed",
    "stop",
    "n",
    "logprobs",
    "top_logprobs",
    "response_format",
    "tools",
    "tool_choice",
    "logit_bias",
    "prompt",
    "options",
    "user",
];

/// A question that is right but for the fields that `wrong` puts into it.
fn question(wrong: Vec<(usize, Value)>) -> Vec<u8> {
    let mut body = json!({
        "model": "m", "messages": [{ "role": "user", "content": "q" }], "prompt": "q", "options": ["a"],
    });
    for (field, value) in wrong {
        body[FIELDS[field % FIELDS.len()]] = value;
    }
    body.to_string().into_bytes()
}

fn holds(body: &[u8]) {
    for read in [request::chat, request::plain, request::choose] {
        match read(body, "m") {
            Ok(question) => {
                let prompt = &question.prompt;
                assert!((0.0..=2.0).contains(&prompt.temperature) && prompt.max_tokens > 0);
                assert!(prompt.top_p.is_none_or(|share| share > 0.0 && share < 1.0));
                assert!(prompt.stop.iter().all(|stop| !stop.is_empty()));
                if question.calls != Calls::Never {
                    assert!(question.calls.names().count() > 0 && prompt.constraint == Constraint::Free);
                    assert!(question.calls.schema(None)["anyOf"].is_array());
                }
            }
            Err(fault) => {
                assert!(fault.status.is_client_error(), "{fault:?}");
                assert!(fault.body()["error"]["message"].is_string());
            }
        }
    }
}

proptest! {
    #[test]
    fn any_bytes(body in vec(any::<u8>(), 0..200)) {
        holds(&body);
    }

    #[test]
    fn any_value(body in any_json()) {
        holds(body.to_string().as_bytes());
    }

    #[test]
    fn any_fields(wrong in vec((0..FIELDS.len(), any_json()), 1..4)) {
        holds(&question(wrong));
    }

    #[test]
    fn any_messages(messages in vec(any_json(), 0..4)) {
        holds(json!({ "messages": messages, "options": ["a"] }).to_string().as_bytes());
    }

    #[test]
    fn any_tools(parameters in any_json(), name in "[a-z]{1,4}|.{0,4}", choice in any_json()) {
        let tools = json!([{ "function": { "name": name, "parameters": parameters } }]);
        let body = json!({ "messages": [{ "role": "user" }], "tools": tools, "tool_choice": choice });
        holds(body.to_string().as_bytes());
    }
}

#[test]
fn what_is_very_deep() {
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let deep = [open.repeat(100_000), "1".into(), close.repeat(100_000)].concat();
        holds(deep.as_bytes());
        holds(format!("{{\"messages\":[{{\"role\":\"user\",\"content\":{deep}}}]}}").as_bytes());
    }
}
