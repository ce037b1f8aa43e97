//! `freehand docs reference`: the reference pages, made from the tools' own schemas and the command
//! line's own help, so that they cannot say anything else than the program does.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;
use freehand_tools::toolbox::Toolbox;
use schemars::SchemaGenerator;
use serde_json::Value;

use super::observe::Look;
use crate::args::{Cli, DocsCommand};
use crate::exit::Code;

mod protocol;

const MADE: &str = "<!-- Made by `freehand docs reference`; change the code and make it again. -->";

/// Runs the command.
pub fn run(command: DocsCommand) -> Result<Code> {
    let DocsCommand::Reference { out } = command;
    write(&out, "tools.md", &tools())?;
    write(&out, "cli.md", &command_line())?;
    write(&out, "protocol.md", &protocol::page())?;
    write(&out, "observation.md", &observation())?;
    Ok(Code::Done)
}

fn write(folder: &Path, name: &str, text: &str) -> Result<()> {
    let path = folder.join(name);
    std::fs::create_dir_all(folder)
        .and_then(|()| std::fs::write(&path, text))
        .with_context(|| format!("cannot write `{}`", path.display()))
}

fn tools() -> String {
    let mut page = format!(
        "{MADE}\n\n# Tools\n\nWhat a model, a workflow or `freehand do` can ask for: \
         `{{\"tool\": NAME, \"args\": {{…}}}}`. Arguments that are not named here are refused.\n"
    );
    let mut roles = String::new();
    for spec in Toolbox::default().specs() {
        let _ = write!(page, "\n## {}\n\n{}\n", spec.name, spec.description);
        let fields = fields(&spec.schema);
        if !fields.is_empty() {
            let _ = write!(page, "\n| argument | type | meaning |\n| --- | --- | --- |\n{fields}");
        }
        if roles.is_empty() {
            roles = role_table(&spec.schema).unwrap_or_default();
        }
    }
    let _ = write!(
        page,
        "\n## Roles\n\nWhat `role` in a target may be.\n\n| role | what |\n| --- | --- |\n{roles}"
    );
    page
}

fn observation() -> String {
    let mut generator = SchemaGenerator::default();
    generator.subschema_for::<Look>();
    let types = protocol::types(generator, &["Look"]);
    format!(
        "{MADE}\n\n# What is seen, as JSON\n\n`freehand observe --json` prints one Look; with `--watch`, one on each \
         line, after each change. A record of a run keeps the same for each step, without `display` and \
         `monitor`. Characters that show as nothing or turn the order of letters stand there as `\\u202e`.\n{types}"
    )
}

fn words<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn list<'a>(value: &'a Value, field: &str) -> impl Iterator<Item = &'a Value> {
    value.get(field).and_then(Value::as_array).into_iter().flatten()
}

fn cell(text: &str) -> String {
    text.replace('\n', " ").replace('|', "\\|")
}

fn fields(schema: &Value) -> String {
    let mut rows = String::new();
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let must = if list(schema, "required").any(|field| field == name) { "" } else { ", optional" };
        let _ = writeln!(
            rows,
            "| `{name}` | {}{must} | {} |",
            kind(field),
            cell(words(field, "description"))
        );
    }
    rows
}

/// The type of a field, in a few words.
fn kind(field: &Value) -> String {
    let several: Vec<&Value> = list(field, "oneOf").chain(list(field, "anyOf")).collect();
    if !several.is_empty() {
        let mut kinds: Vec<String> =
            several.into_iter().map(kind).filter(|kind| !kind.is_empty()).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    if let Some(name) = field.get("const") {
        return format!("`{}`", name.as_str().unwrap_or_default());
    }
    let names: Vec<String> =
        list(field, "enum").filter_map(Value::as_str).map(|name| format!("`{name}`")).collect();
    if !names.is_empty() {
        return names.join(" or ");
    }
    let mut types: Vec<&str> = list(field, "type").filter_map(Value::as_str).collect();
    types.extend(field.get("type").and_then(Value::as_str));
    let types = types.into_iter().filter(|name| *name != "null").map(|name| match name {
        "array" => format!("list of {}", field.get("items").map(kind).unwrap_or_default()),
        "object" => object(field),
        name => format!("{name}{}", bounds(field)),
    });
    types.collect::<Vec<_>>().join(" or ")
}

/// An object by its fields; those that may be left out stand in brackets.
fn object(schema: &Value) -> String {
    let names =
        schema.get("properties").and_then(Value::as_object).into_iter().flatten().map(|(name, _)| {
            let must = list(schema, "required").any(|field| field == name);
            if must { name.clone() } else { format!("[{name}]") }
        });
    format!("`{{{}}}`", names.collect::<Vec<_>>().join(", "))
}

fn bounds(field: &Value) -> String {
    let bound = |name: &str| field.get(name).and_then(Value::as_i64);
    match (bound("minimum").filter(|least| *least != 0), bound("maximum")) {
        (Some(least), Some(most)) => format!(" {least} to {most}"),
        (Some(least), None) => format!(" from {least}"),
        (None, Some(most)) => format!(" up to {most}"),
        (None, None) => String::new(),
    }
}

/// The roles with their meanings, from wherever a schema names them.
fn role_table(schema: &Value) -> Option<String> {
    let inner: Vec<&Value> = match schema {
        Value::Object(fields) => fields.values().collect(),
        Value::Array(items) => items.iter().collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => Vec::new(),
    };
    let Some(role) =
        schema.get("role").filter(|role| role.get("oneOf").is_some() || role.get("anyOf").is_some())
    else {
        return inner.into_iter().find_map(role_table);
    };
    let roles = list(role, "oneOf").chain(list(role, "anyOf").flat_map(|option| list(option, "oneOf")));
    let row = |role| format!("| `{}` | {} |\n", words(role, "const"), cell(words(role, "description")));
    Some(roles.map(row).collect())
}

fn command_line() -> String {
    let mut page = format!("{MADE}\n\n# The command line\n");
    let mut root = Cli::command().term_width(100);
    root.build();
    describe(&mut root, &mut page);
    page
}

fn describe(command: &mut clap::Command, page: &mut String) {
    let help = command.render_long_help().to_string();
    let lines: Vec<&str> = help.lines().map(str::trim_end).collect();
    let name = command.get_bin_name().unwrap_or_else(|| command.get_name()).to_owned();
    let _ = write!(page, "\n## {name}\n\n```text\n{}\n```\n", lines.join("\n").trim_end());
    let shown = |sub: &clap::Command| !sub.is_hide_set() && sub.get_name() != "help";
    for sub in command.get_subcommands_mut().filter(|sub| shown(sub)) {
        describe(sub, page);
    }
}
