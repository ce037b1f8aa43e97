//! The YAML of a workflow as serde reads it, with the place of each part for the errors of later.

use std::collections::BTreeMap;
use std::time::Duration;

use freehand_tools::call::ToolCall;
use serde::Deserialize;
use serde_json::{Map, Value, json};
use serde_saphyr::{Location, Spanned, UserMessageFormatter};

use super::variables::is_name;
use super::{Position, Work, Workflow, WorkflowStep};

/// How long a step waits for what it needs, unless it says so itself, in ms.
const PATIENCE: u32 = 3_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileFields {
    name: String,
    #[serde(default)]
    description: Option<String>,
    #[serde(default)]
    vars: BTreeMap<String, Option<String>>,
    steps: Vec<Spanned<StepFields>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFields {
    #[serde(default)]
    name: Option<String>,
    #[serde(default, rename = "do")]
    tool: Option<Spanned<String>>,
    #[serde(default)]
    args: Option<Spanned<Value>>,
    #[serde(default)]
    wait: Option<Spanned<Value>>,
    #[serde(default)]
    assert: Option<Spanned<AssertFields>>,
    #[serde(default)]
    set: Option<Spanned<Value>>,
    #[serde(default)]
    task: Option<Spanned<String>>,
    #[serde(default)]
    max_steps: Option<u32>,
    #[serde(default)]
    timeout_ms: Option<u32>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AssertFields {
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    element: Option<String>,
    #[serde(default)]
    window: Option<String>,
    #[serde(default)]
    gone: bool,
    #[serde(default)]
    timeout_ms: Option<u32>,
}

/// What is wrong, and where.
pub(super) struct Fault {
    pub at: Option<Position>,
    pub reason: String,
}

fn position(location: Location) -> Position {
    Position { line: location.line(), column: location.column() }
}

fn fault(at: Position, reason: impl Into<String>) -> Fault {
    Fault { at: Some(at), reason: reason.into() }
}

pub(super) fn parse(text: &str) -> Result<Workflow, Fault> {
    if text.trim().is_empty() {
        return Err(Fault {
            at: None,
            reason: "it is empty; a workflow has a `name` and `steps`".into(),
        });
    }
    // Text that stands for itself is the rule in a workflow: `text: no` and `text: 007` are words.
    let options = serde_saphyr::options! {
        strict_booleans: true,
        leading_zero_numbers_as_strings: true,
        underscored_numbers_as_strings: true,
    };
    let fields: FileFields = serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let error = error.without_snippet();
        Fault {
            at: error.location().map(position),
            reason: message(&error.render_with_formatter(&UserMessageFormatter)),
        }
    })?;
    if let Some(name) = fields.vars.keys().find(|name| !is_name(name)) {
        let reason = format!("`{name}` is no name for a variable: use letters, digits, `_` and `-`");
        return Err(Fault { at: None, reason });
    }
    if fields.steps.is_empty() {
        return Err(Fault {
            at: None,
            reason: "`steps` is empty; a workflow needs one step at least".into(),
        });
    }
    let steps = fields.steps.into_iter().map(step).collect::<Result<Vec<_>, _>>()?;
    Ok(Workflow {
        name: fields.name,
        description: fields.description,
        vars: fields.vars,
        steps,
        path: std::path::PathBuf::new(),
    })
}

/// The parser's message without the place, which is told apart.
fn message(rendered: &str) -> String {
    let first = rendered.lines().next().unwrap_or_default();
    let words = first.strip_prefix("error: ").unwrap_or(first);
    let words = words.rsplit_once(" at line ").map_or(words, |(words, _)| words).trim();
    // The parser speaks of its events, and the reader of the file knows lists and fields.
    [
        ("sequence start", "a list"),
        ("mapping start", "fields, each `name: value`"),
        ("string scalar", "a text"),
    ]
    .iter()
    .fold(words.to_owned(), |words, (event, thing)| words.replace(event, thing))
}

const KINDS: &str = "`do`, `wait`, `assert`, `set` or `task`";

fn step(fields: Spanned<StepFields>) -> Result<WorkflowStep, Fault> {
    let at = position(fields.referenced);
    let StepFields { name, tool, args, wait, assert, set, task, max_steps, timeout_ms } = fields.value;
    let given = [tool.is_some(), wait.is_some(), assert.is_some(), set.is_some(), task.is_some()];
    match given.iter().filter(|given| **given).count() {
        1 => {}
        0 => return Err(fault(at, format!("a step needs one of {KINDS}"))),
        _ => return Err(fault(at, format!("a step has only one of {KINDS}"))),
    }
    for (is_given, field, belongs, owner) in [
        (args.is_some(), "args", tool.is_some(), "do"),
        (max_steps.is_some(), "max_steps", task.is_some(), "task"),
        (timeout_ms.is_some(), "timeout_ms", tool.is_some() || set.is_some(), "do"),
    ] {
        if is_given && !belongs {
            return Err(fault(at, format!("`{field}` goes with `{owner}` only")));
        }
    }
    let patience = Duration::from_millis(u64::from(timeout_ms.unwrap_or(PATIENCE)));
    let work = if let Some(tool) = tool {
        let (args, at) = match args {
            Some(args) => (args.value, position(args.referenced)),
            None => (Value::Object(Map::new()), position(tool.referenced)),
        };
        Work::Call {
            call: ToolCall::new(tool.value, args),
            tool_at: position(tool.referenced),
            at,
            patience,
        }
    } else if let Some(wait) = wait {
        let at = position(wait.referenced);
        Work::Call { call: ToolCall::new("wait", wait.value), tool_at: at, at, patience: Duration::ZERO }
    } else if let Some(assert) = assert {
        assertion(assert)?
    } else if let Some(set) = set {
        setting(set, patience)?
    } else if let Some(task) = task.filter(|task| !task.value.trim().is_empty()) {
        Work::Task { task: task.value, max_steps, at: position(task.referenced) }
    } else {
        return Err(fault(at, "`task` is empty; say what is to be done"));
    };
    Ok(WorkflowStep { at, name, work })
}

fn assertion(fields: Spanned<AssertFields>) -> Result<Work, Fault> {
    let at = position(fields.referenced);
    let AssertFields { text, element, window, gone, timeout_ms } = fields.value;
    let (what, words) = match (text, element, window) {
        (Some(text), None, None) => ("text", text),
        (None, Some(element), None) => ("element", element),
        (None, None, Some(window)) => ("window", window),
        _ => return Err(fault(at, "`assert` needs one of `text`, `element` and `window`")),
    };
    let args = json!({ what: words, "gone": gone, "timeout_ms": timeout_ms.unwrap_or(PATIENCE) });
    Ok(Work::Assert { call: ToolCall::new("wait", args), at })
}

/// `{ name: value, … }`, or `{ name: …, from: { label: … } }` for what stands on the screen.
fn setting(set: Spanned<Value>, patience: Duration) -> Result<Work, Fault> {
    let at = position(set.referenced);
    let Value::Object(fields) = set.value else {
        return Err(fault(
            at,
            "`set` needs names with their values, for example `set: { total: \"42\" }`",
        ));
    };
    if let (Some(Value::String(variable)), Some(from @ Value::Object(_)), 2) =
        (fields.get("name"), fields.get("from"), fields.len())
    {
        check_name(variable, at)?;
        return Ok(Work::Read { variable: variable.clone(), from: from.clone(), at, patience });
    }
    let mut values = BTreeMap::new();
    for (name, value) in fields {
        check_name(&name, at)?;
        let text = match value {
            Value::String(text) => text,
            Value::Number(number) => number.to_string(),
            Value::Bool(yes) => yes.to_string(),
            Value::Null | Value::Array(_) | Value::Object(_) => {
                return Err(fault(at, format!("the value of `{name}` is no text")));
            }
        };
        values.insert(name, text);
    }
    Ok(Work::Set { values, at })
}

fn check_name(name: &str, at: Position) -> Result<(), Fault> {
    if is_name(name) {
        return Ok(());
    }
    Err(fault(at, format!("`{name}` is no name for a variable: use letters, digits, `_` and `-`")))
}
