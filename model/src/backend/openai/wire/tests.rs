use super::*;
use crate::prompt::{Speaker, Turn};

fn asking(constraint: Constraint) -> Prompt {
    let turns = vec![Turn::new(Speaker::System, "be brief"), Turn::new(Speaker::User, "hi")];
    Prompt { turns, constraint, max_tokens: 9, seed: 7, stop: vec!["\n".into()], ..Prompt::default() }
}

#[test]
fn writes_a_request() {
    let right = asking(Constraint::OneOf(vec!["a".into()]));
    let body = request(&right, "m", Maker::Other, |_| false).unwrap();
    assert_eq!(
        body,
        json!({
            "model": "m",
            "messages": [
                {"role": "system", "content": "be brief"},
                {"role": "user", "content": "hi"},
            ],
            "max_tokens": 9, "temperature": 0.0, "seed": 7, "stream": true, "stop": ["\n"],
            "stream_options": {"include_usage": true},
            "response_format": {"type": "json_schema", "json_schema":
                {"name": "answer", "strict": true, "schema": {"type": "string", "enum": ["a"]}}},
            "reasoning_effort": "none",
        })
    );
    let body = request(&asking(Constraint::JsonSchema(json!({}))), "m", Maker::Other, |_| true).unwrap();
    for dropped in ["response_format", "stream_options", "reasoning_effort"] {
        assert_eq!(body.get(dropped), None);
    }
    let thinks = Prompt { thinking: 100, ..asking(Constraint::Free) };
    for (maker, most) in [(Maker::Freehand, 9), (Maker::Vllm, 109)] {
        assert_eq!(request(&thinks, "m", maker, |_| false).unwrap()["max_tokens"], most);
    }
    for bad in [Constraint::Lark("start: /a/".into()), Constraint::OneOf(vec![])] {
        let refused = request(&asking(bad), "m", Maker::Other, |_| false);
        assert!(matches!(refused, Err(ModelError::BadConstraint(_))));
    }
}

#[test]
fn reads_what_servers_send() {
    for (reply, content, thought, finish) in [
        (json!({"choices":[{"delta":{"content":"a"}}]}), "a", "", None),
        (
            json!({"choices":[{"message":{"content":"a"},"finish_reason":"stop"}]}),
            "a",
            "",
            Some(Finish::Stop),
        ),
        (
            json!({"choices":[{"delta":{"content":null,"reasoning":"t"},"finish_reason":null}]}),
            "",
            "t",
            None,
        ),
        (
            json!({"choices":[{"delta":{"thinking":"t"},"finish_reason":"length"}]}),
            "",
            "t",
            Some(Finish::Length),
        ),
        (json!({"choices":[{"delta":{"reasoning_content":"r","reasoning":"t"}}]}), "", "r", None),
        (json!({"choices":[{"delta":{"content":[{"type":"text","text":"a"}]}}]}), "a", "", None),
        (json!({"choices":[]}), "", "", None),
        (json!({"choices":null, "usage": 3}), "", "", None),
        (json!({"choices":"x"}), "", "", None),
    ] {
        let read: Reply = serde_json::from_value(reply.clone()).unwrap();
        assert_eq!(
            (read.content().as_str(), read.thought(), read.finish()),
            (content, thought, finish),
            "{reply}"
        );
    }
}

#[test]
fn counts() {
    let mut usage = Usage::default();
    for reply in [
        json!({"usage":{"prompt_tokens":10,"completion_tokens":3,"prompt_tokens_details":{"cached_tokens":8},
            "completion_tokens_details":{"reasoning_tokens":2}}}),
        json!({"usage":null,"timings":{"prompt_ms":1.5,"predicted_ms":2.5,"scored_n":6}}),
    ] {
        serde_json::from_value::<Reply>(reply).unwrap().count(&mut usage);
    }
    let prompt = Usage {
        prompt: 10,
        reused: 8,
        sampled: 3,
        thought: 2,
        forced: 0,
        scored: 6,
        prefill_ms: 1.5,
        decode_ms: 2.5,
    };
    assert_eq!(usage, prompt);
}

#[test]
fn unquotes() {
    for (answer, text) in
        [("\"a b\"", "a b"), (" \"\\u00e4\"\n", "ä"), ("bare", "bare"), ("\"half", "\"half")]
    {
        assert_eq!(unquote(answer), text);
    }
}
