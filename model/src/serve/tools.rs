//! The functions that a client lets the model call. They are described to it in its first turn; that it
//! wants to call one is seen in what it writes; and then the call is written once more under a schema, so
//! that its arguments always fit. This works with any model, whatever marks it was trained to call with.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::fault::Fault;

/// Functions that a question may offer.
const MOST: usize = 128;

/// A function as the client describes it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(super) struct Tool {
    function: Function,
}

#[derive(Debug, Clone, PartialEq, Deserialize)]
struct Function {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    parameters: Option<Map<String, Value>>,
}

/// What an answer may call.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Calls {
    /// Nothing.
    Never,
    /// One of these, if the model wants to.
    May(Vec<Tool>),
    /// One of these in any case.
    Must(Vec<Tool>),
}

impl Calls {
    fn tools(&self) -> &[Tool] {
        match self {
            Self::Never => &[],
            Self::May(tools) | Self::Must(tools) => tools,
        }
    }

    /// The names that may be called.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tools().iter().map(|tool| tool.function.name.as_str())
    }

    /// The words that describe them to a model, where there are any.
    pub(super) fn description(&self) -> Option<String> {
        let (instruction, tools) = match self {
            Self::Never => return None,
            Self::May(tools) => ("Call one where it helps. Otherwise answer in words.", tools),
            Self::Must(tools) => ("Answer with one call and nothing else.", tools),
        };
        let mut words = String::from("# Tools\n\nThese are the functions that you can call:\n<tools>\n");
        for Tool { function: Function { name, description, parameters } } in tools {
            let mut said = Map::new();
            said.insert("name".into(), name.as_str().into());
            said.extend(description.iter().map(|text| ("description".into(), text.as_str().into())));
            said.extend(parameters.iter().map(|given| ("parameters".into(), given.clone().into())));
            let said = json!({ "type": "function", "function": said });
            words.push_str(&format!("{said}\n"));
        }
        words.push_str(&format!(
            "</tools>\n\n{instruction} A call is written like this:\n<tool_call>\n\
             {{\"name\": \"the name\", \"arguments\": {{\"a parameter\": \"its value\"}}}}\n</tool_call>"
        ));
        Some(words)
    }

    /// What a call looks like; only that of `name`, where it is given.
    pub(super) fn schema(&self, name: Option<&str>) -> Value {
        let mut definitions = Map::new();
        let named = |tool: &&Tool| name.is_none_or(|name| tool.function.name == name);
        let tools = self.tools().iter().filter(named).enumerate();
        let arms: Vec<Value> = tools.map(|(at, tool)| arm(tool, at, &mut definitions)).collect();
        json!({ "anyOf": arms, "$defs": definitions })
    }
}

/// The shape of a call of `tool`. What its schema defines goes to `definitions`, under names that no
/// other tool uses: references are read from the root of the whole.
fn arm(tool: &Tool, at: usize, definitions: &mut Map<String, Value>) -> Value {
    let Function { name, parameters, .. } = &tool.function;
    let mut parameters = parameters.clone().unwrap_or_default();
    parameters.entry("type").or_insert_with(|| "object".into());
    for key in ["$defs", "definitions"] {
        if let Some(Value::Object(defined)) = parameters.remove(key) {
            definitions.extend(defined.into_iter().map(|(name, mut schema)| {
                refer(&mut schema, at);
                (format!("{at}-{name}"), schema)
            }));
        }
    }
    let mut parameters = Value::Object(parameters);
    refer(&mut parameters, at);
    json!({
        "type": "object",
        "properties": { "name": { "const": name }, "arguments": parameters },
        "required": ["name", "arguments"],
        "additionalProperties": false,
    })
}

/// Points the references in `schema` to where [`arm`] has put what they mean.
fn refer(schema: &mut Value, at: usize) {
    match schema {
        Value::Object(fields) => {
            for (key, value) in fields {
                let to = value.as_str().filter(|_| key == "$ref").and_then(|to| {
                    ["#/$defs/", "#/definitions/"].into_iter().find_map(|place| to.strip_prefix(place))
                });
                match to {
                    Some(name) => *value = format!("#/$defs/{at}-{name}").into(),
                    None => refer(value, at),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| refer(item, at)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// What may be called by a `tool_choice`.
pub(super) fn choose(tools: Vec<Tool>, choice: Option<&Value>) -> Result<Calls, Fault> {
    let wrong = |message: String| Err(Fault::invalid("tool_choice", message));
    if tools.len() > MOST {
        return Err(Fault::invalid("tools", format!("at most {MOST} tools can be offered")));
    }
    for (number, tool) in tools.iter().enumerate() {
        let name = &tool.function.name;
        let sound = (1..=64).contains(&name.len())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'.'));
        if !sound || tools.iter().filter(|other| other.function.name == *name).count() > 1 {
            let place = format!("tools[{number}].function.name");
            let message = format!(
                "`{place}` must be 1 to 64 letters, digits, `_`, `-` or `.`, and each name stands once"
            );
            return Err(Fault::invalid(&place, message));
        }
    }
    let word = choice.and_then(Value::as_str);
    let named = choice.and_then(|choice| choice.pointer("/function/name")?.as_str());
    match (word, named) {
        _ if choice.is_none_or(Value::is_null) && tools.is_empty() => Ok(Calls::Never),
        (Some("none"), _) => Ok(Calls::Never),
        (Some("auto"), _) if tools.is_empty() => Ok(Calls::Never),
        _ if tools.is_empty() => wrong("`tool_choice` wants a call and there are no `tools`".into()),
        _ if choice.is_none_or(Value::is_null) => Ok(Calls::May(tools)),
        (Some("auto"), _) => Ok(Calls::May(tools)),
        (Some("required"), _) => Ok(Calls::Must(tools)),
        (_, Some(name)) => match tools.into_iter().find(|tool| tool.function.name == name) {
            Some(tool) => Ok(Calls::Must(vec![tool])),
            None => wrong("`tool_choice` names a function that is not in `tools`".into()),
        },
        _ => wrong("`tool_choice` must be \"none\", \"auto\", \"required\" or name a function".into()),
    }
}

/// A call that was written under [`Calls::schema`]: the name, and the arguments as JSON.
pub(super) fn call(text: &str) -> Option<(String, String)> {
    let value: Value = serde_json::from_str(text).ok()?;
    let name = value.get("name")?.as_str()?.to_owned();
    Some((name, value.get("arguments")?.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tools() -> Vec<Tool> {
        serde_json::from_value(json!([
            {"type": "function", "function": {"name": "weather", "description": "tells the weather",
                "parameters": {"type": "object", "properties": {"city": {"$ref": "#/$defs/City"}},
                    "$defs": {"City": {"type": "string"}}}}},
            {"type": "function", "function": {"name": "stop"}},
        ]))
        .unwrap()
    }

    #[test]
    fn reads_the_choice() {
        let must =
            |name: &str| Calls::Must(tools().into_iter().filter(|t| t.function.name == name).collect());
        for (choice, calls) in [
            (Value::Null, Calls::May(tools())),
            (json!("auto"), Calls::May(tools())),
            (json!("none"), Calls::Never),
            (json!("required"), Calls::Must(tools())),
            (json!({"type": "function", "function": {"name": "stop"}}), must("stop")),
        ] {
            assert_eq!(choose(tools(), Some(&choice)), Ok(calls), "{choice}");
        }
        assert_eq!(choose(vec![], None), Ok(Calls::Never));
        for choice in [json!("always"), json!(3), json!({"function": {"name": "go"}})] {
            assert!(choose(tools(), Some(&choice)).is_err(), "{choice}");
        }
        assert!(choose(vec![], Some(&json!("required"))).is_err());
        assert!(choose([tools(), tools()].concat(), None).is_err());
    }

    #[test]
    fn the_schema_holds_what_each_defines() {
        let calls = Calls::May(tools());
        let schema = calls.schema(None);
        assert_eq!(
            schema["anyOf"][0]["properties"]["arguments"]["properties"]["city"],
            json!({"$ref": "#/$defs/0-City"})
        );
        assert_eq!(schema["$defs"], json!({"0-City": {"type": "string"}}));
        assert_eq!(schema["anyOf"][1]["properties"]["arguments"], json!({"type": "object"}));
        assert_eq!(calls.schema(Some("stop"))["anyOf"].as_array().unwrap().len(), 1);
    }

    #[test]
    fn reads_a_call() {
        let (name, arguments) = call(r#"{"name": "stop", "arguments": {"a": 1}}"#).unwrap();
        assert_eq!((name.as_str(), arguments.as_str()), ("stop", r#"{"a":1}"#));
        assert_eq!(call(r#"{"name": "stop", "arg"#), None);
    }
}
