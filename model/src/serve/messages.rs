//! The messages of a conversation as turns of a prompt. Calls that were made and what they gave are
//! written into the turns as text, in the form that open models are trained on, so that every backend
//! understands them.

use serde::Deserialize;
use serde_json::{Value, json};

use super::fault::Fault;
use super::tools::Calls;
use crate::prompt::{Speaker, Turn};

/// Messages that one conversation may have.
const MOST: usize = 2000;

/// A message of a conversation.
#[derive(Debug, Deserialize)]
pub(super) struct Message {
    role: Role,
    #[serde(default)]
    content: Value,
    #[serde(default)]
    tool_calls: Option<Vec<PastCall>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
    Function,
}

/// A call that was made earlier.
#[derive(Debug, Deserialize)]
struct PastCall {
    function: PastFunction,
}

#[derive(Debug, Deserialize)]
struct PastFunction {
    name: String,
    /// A text that holds JSON, or that JSON itself.
    #[serde(default)]
    arguments: Value,
}

/// The turns of these messages, with what may be called described in the first.
pub(super) fn turns(messages: Vec<Message>, calls: &Calls) -> Result<Vec<Turn>, Fault> {
    if messages.is_empty() || messages.len() > MOST {
        return Err(Fault::invalid("messages", format!("there must be 1 to {MOST} messages")));
    }
    let mut turns: Vec<Turn> = Vec::new();
    let mut after_tool = false;
    for (number, message) in messages.into_iter().enumerate() {
        let text = text(&message.content, number)?;
        let is_tool = matches!(message.role, Role::Tool | Role::Function);
        match message.role {
            Role::System | Role::Developer => turns.push(Turn::new(Speaker::System, text)),
            Role::User => turns.push(Turn::new(Speaker::User, text)),
            Role::Assistant => {
                let calls = message.tool_calls.unwrap_or_default();
                turns.push(Turn::new(Speaker::Assistant, with_calls(text, calls)));
            }
            Role::Tool | Role::Function => {
                let said = format!("<tool_response>\n{text}\n</tool_response>");
                match turns.last_mut().filter(|_| after_tool) {
                    Some(turn) => turn.text = format!("{}\n{said}", turn.text),
                    None => turns.push(Turn::new(Speaker::User, said)),
                }
            }
        }
        after_tool = is_tool;
    }
    if let Some(words) = calls.description() {
        describe(&mut turns, &words);
    }
    Ok(turns)
}

fn describe(turns: &mut Vec<Turn>, words: &str) {
    match turns.first_mut().filter(|turn| turn.speaker == Speaker::System) {
        Some(turn) => turn.text = format!("{}\n\n{words}", turn.text),
        None => turns.insert(0, Turn::new(Speaker::System, words)),
    }
}

fn with_calls(mut text: String, calls: Vec<PastCall>) -> String {
    for PastCall { function } in calls {
        let parsed = function.arguments.as_str().and_then(|text| serde_json::from_str(text).ok());
        let arguments = parsed.unwrap_or(function.arguments);
        let call = json!({ "name": function.name, "arguments": arguments });
        if !text.is_empty() {
            text.push('\n');
        }
        text.push_str(&format!("<tool_call>\n{call}\n</tool_call>"));
    }
    text
}

/// The text of a message: one text, or parts that are all text.
fn text(content: &Value, number: usize) -> Result<String, Fault> {
    let place = format!("messages[{number}].content");
    match content {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Ok(String::new()),
        Value::Array(parts) => parts.iter().map(|part| part_text(part, &place)).collect(),
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(Fault::invalid(&place, format!("`{place}` must be a text or a list of parts")))
        }
    }
}

fn part_text<'a>(part: &'a Value, place: &str) -> Result<&'a str, Fault> {
    let kind = part.get("type").and_then(Value::as_str).unwrap_or("text");
    match (kind, part.get("text").or_else(|| part.get("refusal")).and_then(Value::as_str)) {
        ("text" | "input_text" | "output_text" | "refusal", Some(text)) => Ok(text),
        ("image_url" | "input_image", _) => {
            let message = format!("`{place}`: this model reads text only, and sees no images");
            Err(Fault::unsupported(place, message))
        }
        _ => {
            let message = format!("`{place}`: a part must have the type \"text\" and a `text`");
            Err(Fault::unsupported(place, message))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(messages: Value) -> Result<Vec<(Speaker, String)>, Fault> {
        let messages = serde_json::from_value(messages).unwrap();
        Ok(turns(messages, &Calls::Never)?.into_iter().map(|turn| (turn.speaker, turn.text)).collect())
    }

    #[test]
    fn writes_calls_and_what_they_gave() {
        let turns = read(json!([
            {"role": "developer", "content": "be brief"},
            {"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
            {"role": "assistant", "content": null, "tool_calls": [
                {"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}},
                {"id": "2", "type": "function", "function": {"name": "g", "arguments": {"y": 2}}}]},
            {"role": "tool", "tool_call_id": "1", "content": "one"},
            {"role": "tool", "tool_call_id": "2", "content": "two"},
            {"role": "assistant", "content": "done"},
        ]))
        .unwrap();
        let call = |call: &str| format!("<tool_call>\n{call}\n</tool_call>");
        let gave = |text: &str| format!("<tool_response>\n{text}\n</tool_response>");
        let calls =
            [call(r#"{"name":"f","arguments":{"x":1}}"#), call(r#"{"name":"g","arguments":{"y":2}}"#)];
        assert_eq!(
            turns,
            [
                (Speaker::System, "be brief".to_owned()),
                (Speaker::User, "ab".to_owned()),
                (Speaker::Assistant, calls.join("\n")),
                (Speaker::User, [gave("one"), gave("two")].join("\n")),
                (Speaker::Assistant, "done".to_owned()),
            ]
        );
    }

    #[test]
    fn says_what_is_wrong() {
        let image = json!([{"type": "image_url", "image_url": {"url": "data:image/png;base64,x"}}]);
        for (messages, part) in [
            (json!([]), "1 to 2000 messages"),
            (json!([{"role": "user", "content": image}]), "sees no images"),
            (json!([{"role": "user", "content": 3}]), "messages[0].content"),
            (json!([{"role": "user", "content": [{"type": "input_audio"}]}]), "must have the type"),
        ] {
            let fault = read(messages).unwrap_err().body();
            assert!(fault["error"]["message"].as_str().unwrap().contains(part), "{fault}");
        }
    }
}
