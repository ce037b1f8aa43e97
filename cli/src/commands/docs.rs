//! `freehand docs reference`: the reference pages, made from the tools' own schemas and the command
//! line's own help, so that they cannot say anything else than the program does.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::{Context as _, Result};
use clap::CommandFactory as _;
use freehand_tools::toolbox::Toolbox;
use serde_json::Value;

use crate::args::{Cli, DocsCommand};
use crate::exit::Code;

const MADE: &str = "<!-- Made by `freehand docs reference`; change the code and make it again. -->";

/// Runs the command.
pub fn run(command: DocsCommand) -> Result<Code> {
    let DocsCommand::Reference { out } = command;
    write(&out, "tools.md", &tools())?;
    write(&out, "cli.md", &command_line())?;
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
    for spec in Toolbox::default().specs() {
        let _ = write!(page, "\n## {}\n\n{}\n", spec.name, spec.description);
        let fields = fields(&spec.schema);
        if !fields.is_empty() {
            let _ = write!(page, "\n| argument | type | meaning |\n| --- | --- | --- |\n{fields}");
        }
        let schema = serde_json::to_string_pretty(&spec.schema).unwrap_or_default();
        let _ = write!(
            page,
            "\n<details><summary>schema</summary>\n\n```json\n{schema}\n```\n\n</details>\n"
        );
    }
    page
}

fn fields(schema: &Value) -> String {
    let required: Vec<&str> = schema
        .get("required")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let mut rows = String::new();
    for (name, field) in schema.get("properties").and_then(Value::as_object).into_iter().flatten() {
        let about = field.get("description").and_then(Value::as_str).unwrap_or_default();
        let about = about.replace('\n', " ").replace('|', "\\|");
        let must = if required.contains(&name.as_str()) { "" } else { ", optional" };
        let _ = writeln!(rows, "| `{name}` | {}{must} | {about} |", kind(field));
    }
    rows
}

/// The type of a field, in a few words.
fn kind(field: &Value) -> String {
    let single = |value: &Value| value.as_str().filter(|name| *name != "null").map(ToOwned::to_owned);
    if let Some(options) = field.get("enum").and_then(Value::as_array) {
        let names: Vec<String> =
            options.iter().filter_map(single).map(|name| format!("`{name}`")).collect();
        return names.join(", ");
    }
    let several = field.get("oneOf").or_else(|| field.get("anyOf")).and_then(Value::as_array);
    if let Some(several) = several {
        let mut kinds: Vec<String> = several.iter().map(kind).filter(|kind| !kind.is_empty()).collect();
        kinds.dedup();
        return kinds.join(" or ");
    }
    if let Some(name) = field.get("const") {
        return single(name).map(|name| format!("`{name}`")).unwrap_or_default();
    }
    match field.get("type") {
        Some(Value::String(name)) if name == "array" => {
            format!("list of {}", field.get("items").map(kind).unwrap_or_default())
        }
        Some(Value::String(name)) if name == "null" => String::new(),
        Some(Value::Array(names)) => names.iter().filter_map(single).collect::<Vec<_>>().join(" or "),
        Some(name) => single(name).unwrap_or_default(),
        None => "any".into(),
    }
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
