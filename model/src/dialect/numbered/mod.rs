//! The dialect for small text-only models: a numbered list, one short JSON action, worked examples.
//!
//! The answer `{"action", "id", …}` is held by a schema that offers each action only the elements it
//! can be done to, so nonsense cannot be said. Everything that is the same in every step stands first.
//! What a small model is bad at when it is asked along with everything else, it is asked by itself: a short
//! question with examples of its own, answered by how likely each answer is.

use freehand_tools::call::ToolCall;
use freehand_tools::element::ElementId;
use freehand_tools::observation::Observation;
use serde_json::{Value, json};

use crate::dialect::{
    Barred, Choice, Dialect, Order, ParseError, Pick, PlanView, Proposal, last_object, list,
};
use crate::prompt::{Completion, Constraint, Finish, Prompt, Turn};

mod check;
mod compare;
mod files;
mod leap;
mod menu;
mod named;
mod offer;
mod pick;
mod program;
mod prompt;
mod quotes;
mod sight;
#[cfg(test)]
mod tests;

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Numbered;

/// As long as an answer may be.
const MAX_TOKENS: u32 = 300;

impl Dialect for Numbered {
    fn name(&self) -> &'static str {
        "numbered"
    }

    fn render(&self, view: &PlanView<'_>) -> Prompt {
        Prompt {
            turns: prompt::turns(view),
            lasting: prompt::LASTING,
            constraint: Constraint::JsonSchema(offer::schema(view)),
            max_tokens: MAX_TOKENS,
            ..Prompt::default()
        }
    }

    fn lasting(&self) -> Vec<Prompt> {
        let of = |turns: Vec<Turn>| Prompt { lasting: turns.len(), turns, ..Prompt::default() };
        vec![of(prompt::lasting()), of(check::lasting())]
    }

    fn ask_done(&self, view: &PlanView<'_>) -> Choice {
        check::question(view.task, view.steps)
    }

    fn leaves(&self, view: &PlanView<'_>) -> bool {
        let done: Vec<&str> = view.steps.iter().map(|step| step.did.as_str()).collect();
        let mut listed = list::listed(view.seen).into_iter();
        let unused = |quoted: &str| !done.iter().any(|did| named::says(did, quoted));
        self.is_unsaved(view)
            || quotes::quotes(view.task).any(unused)
            || listed.any(|element| named::is_left(view.task, element, &done))
    }

    fn is_unsaved(&self, view: &PlanView<'_>) -> bool {
        files::is_unsaved(view.task, view.seen)
    }

    fn parts(&self, view: &PlanView<'_>) -> Vec<(String, bool)> {
        let is_used = |quoted: &str| view.steps.iter().any(|step| named::says(&step.did, quoted));
        let quoted = quotes::quotes(view.task).map(|quoted| (quoted.to_owned(), is_used(quoted)));
        let saved = !self.is_unsaved(view);
        let files = files::named(view.task).map(|file| (file.to_owned(), saved));
        let mut parts: Vec<(String, bool)> = Vec::new();
        for part in quoted.chain(files) {
            if !parts.iter().any(|(known, _)| *known == part.0) {
                parts.push(part);
            }
        }
        parts
    }

    fn ask_order(&self, view: &PlanView<'_>) -> Option<Choice> {
        compare::is_needed(&offer::own(view))
            .then(|| compare::question(&program::without_address(view.task)))
    }

    fn order(&self, shares: &[f64]) -> Order {
        compare::order(shares)
    }

    fn ask_column(&self, view: &PlanView<'_>) -> Option<(Choice, Vec<String>)> {
        compare::which(view.task, &offer::own(view))
    }

    fn ask_program(&self, view: &PlanView<'_>) -> Option<(Choice, Vec<String>)> {
        let program::Place::Programs(apps) = program::place(view) else { return None };
        let commands = apps.iter().map(|app| app.command.clone()).collect();
        (apps.len() > 1).then(|| (program::question(view.task, &apps), commands))
    }

    fn picks(&self, view: &PlanView<'_>, proposal: &Proposal) -> Vec<Pick> {
        pick::picks(view, proposal)
    }

    fn ask_leap(&self, view: &PlanView<'_>, proposal: &Proposal) -> Option<(Choice, Barred)> {
        leap::question(view, proposal)
    }

    fn parse(&self, completion: &Completion, view: &PlanView<'_>) -> Result<Proposal, ParseError> {
        let Some(answer) = last_object(&completion.text) else {
            return Err(if completion.finish == Finish::Length {
                ParseError::Cut
            } else {
                ParseError::NoJson
            });
        };
        let call = read(&answer, view.seen)?;
        Ok(Proposal { calls: vec![call], thought: completion.thinking.clone() })
    }

    fn ends_by_itself(&self) -> bool {
        false
    }
}

fn read(answer: &Value, seen: &Observation) -> Result<ToolCall, ParseError> {
    let misfit = |what: &str| ParseError::Misfit(format!("`{what}` is missing or of the wrong kind"));
    let text = |field: &str| answer.get(field).and_then(Value::as_str).ok_or_else(|| misfit(field));
    let id = |field: &str| {
        let number = answer.get(field).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        number.map(ElementId).ok_or_else(|| misfit(field))
    };
    Ok(match text("action")? {
        // A click on an entry that opens a menu may count as choosing it; resting on it never does.
        "click" if seen.element(id("id")?).is_some_and(|element| element.states.has_menu) => {
            ToolCall::new("move", json!({"target": id("id")?}))
        }
        "click" => ToolCall::new("click", json!({"target": id("id")?})),
        "highlight" => ToolCall::new("click", json!({"target": id("id")?, "count": 3})),
        "type" => ToolCall::new(
            "type_text",
            json!({"target": id("id")?, "text": text("text")?, "clear": true}),
        ),
        "select" => {
            ToolCall::new("select_option", json!({"target": id("id")?, "option": text("option")?}))
        }
        "press" => ToolCall::new("press_keys", json!({"keys": text("keys")?})),
        "scroll" => {
            let notches = if text("direction")? == "up" { -5 } else { 5 };
            ToolCall::new("scroll", json!({"dy": notches}))
        }
        "drag" => ToolCall::new("drag", json!({"target": id("id")?, "path": [id("to")?]})),
        "open" => ToolCall::new("open_app", json!({"name": text("program")?})),
        "visit" => ToolCall::new("open_url", json!({"url": text("address")?})),
        "show" => ToolCall::new("focus_window", json!({"title": text("window")?})),
        other => return Err(ParseError::Misfit(format!("there is no action `{other}`"))),
    })
}
