//! The page of the protocol between a supervised session and its views, made from the message types.

use std::fmt::Write as _;

use freehand_agent::supervision::{FromView, ToView, VERSION};
use schemars::SchemaGenerator;
use serde_json::Value;

use super::{MADE, bounds, cell, list, words};

/// Messages first; the rest comes in the order of its names.
const FIRST: [&str; 2] = ["FromView", "ToView"];

pub(super) fn page() -> String {
    let mut page = format!(
        "{MADE}\n\n# The protocol of a supervised session\n\n\
         Version {VERSION}. A view (the web console, a terminal, a program) and a session exchange JSON \
         objects, one in each message. The view sends `join` first and then commands as `do`; the session \
         answers `join` with the whole `state`, or with `resumed` where the view was here before, and goes \
         on with each `event` in the order of its number. Numbers have no gap. A view that falls too far \
         behind gets the `state` again. Each `do` gets a `reply` with its `id`. The first answer to a \
         question counts; a later one is refused with the name of whoever was first.\n\n\
         The web console speaks it through a WebSocket at `/messages`. With `--json`, `freehand run` prints \
         the events alone, a line each.\n"
    );
    let mut generator = SchemaGenerator::default();
    generator.subschema_for::<FromView>();
    generator.subschema_for::<ToView>();
    page.push_str(&types(generator, &FIRST));
    page
}

/// Each type that was asked for, with its fields: these first, the others in the order of their names.
pub(super) fn types(mut generator: SchemaGenerator, first: &[&str]) -> String {
    let definitions = generator.take_definitions(true);
    let begin = first.iter().filter_map(|name| definitions.get_key_value(*name));
    let rest = definitions.iter().filter(|(name, _)| !first.contains(&name.as_str()));
    let mut page = String::new();
    for (name, schema) in begin.chain(rest) {
        let _ = write!(page, "\n## {name}\n\n{}\n", cell(words(schema, "description")));
        page.push_str(&body(schema));
    }
    page
}

fn body(schema: &Value) -> String {
    let variants: Vec<&Value> = list(schema, "oneOf").collect();
    if variants.is_empty() {
        return table(schema, None);
    }
    if variants.iter().all(|variant| variant.get("properties").is_none()) {
        return plain(&variants);
    }
    let own = table(schema, None);
    std::iter::once(own).chain(variants.iter().map(|variant| tagged(variant))).collect()
}

/// Variants that are nothing but a word.
fn plain(variants: &[&Value]) -> String {
    let mut rows = String::from("\n| value | meaning |\n| --- | --- |\n");
    for variant in variants {
        let meaning = cell(words(variant, "description"));
        let several: Vec<&str> = list(variant, "enum").filter_map(Value::as_str).collect();
        for value in several.into_iter().chain(variant.get("const").and_then(Value::as_str)) {
            let _ = writeln!(rows, "| `{value}` | {meaning} |");
        }
    }
    rows
}

/// A variant that says by one of its fields which one it is.
fn tagged(variant: &Value) -> String {
    let fields = variant.get("properties").and_then(Value::as_object);
    let tag = fields.into_iter().flatten().find_map(|(name, field)| {
        field.get("const").and_then(Value::as_str).map(|value| (name.as_str(), value))
    });
    let Some((name, value)) = tag else { return String::new() };
    let mut text = format!("\n`\"{name}\": \"{value}\"`: {}", cell(words(variant, "description")));
    if let Some(other) = variant.get("$ref").and_then(Value::as_str) {
        let _ = write!(text, " Its other fields are those of {}.", link(other));
    }
    text.push('\n');
    text.push_str(&table(variant, Some(name)));
    text
}

/// The fields but the `tag`, a row each.
fn table(schema: &Value, tag: Option<&str>) -> String {
    let fields = schema.get("properties").and_then(Value::as_object);
    let mut rows = String::new();
    for (name, field) in fields.into_iter().flatten().filter(|(name, _)| Some(name.as_str()) != tag) {
        let must = if list(schema, "required").any(|field| field == name) { "" } else { ", optional" };
        let meaning = cell(words(field, "description"));
        let _ = writeln!(rows, "| `{name}` | {}{must} | {meaning} |", kind(field));
    }
    if rows.is_empty() {
        return rows;
    }
    format!("\n| field | type | meaning |\n| --- | --- | --- |\n{rows}")
}

fn kind(field: &Value) -> String {
    if let Some(other) = field.get("$ref").and_then(Value::as_str) {
        return link(other);
    }
    let several: Vec<String> = list(field, "anyOf").map(kind).filter(|kind| !kind.is_empty()).collect();
    if !several.is_empty() {
        return several.join(" or ");
    }
    let mut types: Vec<&str> = list(field, "type").filter_map(Value::as_str).collect();
    types.extend(field.get("type").and_then(Value::as_str));
    let types = types.into_iter().filter(|name| *name != "null").map(|name| match name {
        "array" => format!("list of {}", field.get("items").map(kind).unwrap_or_default()),
        name => format!("{name}{}", bounds(field)),
    });
    let types: Vec<String> = types.collect();
    if types.is_empty() && field.get("type").is_none() { "any value".into() } else { types.join(" or ") }
}

fn link(reference: &str) -> String {
    let name = reference.rsplit('/').next().unwrap_or(reference);
    format!("[{name}](#{})", name.to_lowercase())
}
