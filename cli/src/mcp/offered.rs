//! The tools that a client is offered: those of the toolbox, and one that looks. Their schemas come from their
//! Rust types, made short: a client pays for each of their words in every question to its model.

use std::sync::Arc;

use freehand_agent::lent::LOOKING;
use freehand_tools::toolbox::Toolbox;
use rmcp::model::{Tool, ToolAnnotations};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

const LOOKS: &str = "Look at the screen: its windows, and the numbered list of what can be read and used. \
     A number is a `target`, and an element keeps its own.";
/// What only a run of Freehand's own has a use for: a client has its own notes, its own person and its own end.
const OF_A_RUN: [&str; 3] = ["note", "ask_user", "finish"];
/// What changes nothing.
const HARMLESS: [&str; 3] = [LOOKING, "wait", "zoom"];

/// What `observe` takes.
#[derive(Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Observe {
    /// Show the picture of the screen too, with the numbers of the list on it.
    pub(super) picture: bool,
}

/// Each tool with its schema.
pub(super) fn tools(toolbox: &Toolbox) -> Vec<Tool> {
    let observe = schemars::schema_for!(Observe).to_value();
    let offered = toolbox.specs().filter(|spec| !OF_A_RUN.contains(&spec.name));
    let all = offered.map(|spec| (spec.name, spec.description.clone(), spec.schema.clone()));
    let all = std::iter::once((LOOKING, LOOKS.to_owned(), observe)).chain(all);
    all.filter_map(|(name, description, mut schema)| {
        shorten(&mut schema);
        let Value::Object(schema) = schema else { return None };
        let hints = ToolAnnotations::new().read_only(HARMLESS.contains(&name)).open_world(true);
        Some(Tool::new(name, description, Arc::new(schema)).with_annotations(hints))
    })
    .collect()
}

/// Takes out what a client has no use for: the meaning of each word of a choice, sizes of numbers that no
/// standard knows, and what the schema itself is called.
fn shorten(schema: &mut Value) {
    match schema {
        Value::Object(fields) => {
            for name in ["format", "$schema", "title"] {
                if fields.get(name).is_some_and(Value::is_string) {
                    fields.remove(name);
                }
            }
            if let Some(words) = choice(fields) {
                fields.remove("oneOf");
                fields.insert("type".into(), "string".into());
                fields.insert("enum".into(), words);
            }
            fields.values_mut().for_each(shorten);
        }
        Value::Array(items) => items.iter_mut().for_each(shorten),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The words of a choice that is written with one schema for each of them.
fn choice(fields: &Map<String, Value>) -> Option<Value> {
    let options = fields.get("oneOf")?.as_array()?;
    options.iter().map(|option| option.get("const").filter(|word| word.is_string()).cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tools_are_short_and_all_there() {
        let tools = tools(&Toolbox::default());
        assert_eq!(tools.len(), Toolbox::default().specs().count() + 1 - OF_A_RUN.len());
        let click = tools.iter().find(|tool| tool.name == "click").unwrap();
        let schema = serde_json::to_string(&click.input_schema).unwrap();
        assert!(schema.contains(r#""enum":["button","checkbox""#), "{schema}");
        let all = serde_json::to_string(&tools).unwrap();
        assert!(all.len() < 14_000 && !all.contains("uint32"), "{} bytes: {all}", all.len());
    }
}
