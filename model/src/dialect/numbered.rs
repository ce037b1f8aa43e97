//! The dialect for small text-only models: a numbered list, one short JSON action, four examples.
//!
//! The answer `{"action", "id", …}` is held by a schema that offers each action only the elements it
//! can be done to, so nonsense cannot be said. Everything that is the same in every step stands first;
//! the question whether the task is done shares all of the prompt but its last line.

use freehand_tools::call::ToolCall;
use freehand_tools::element::{Element, ElementId, Role};
use freehand_tools::observation::Observation;
use serde_json::{Value, json};

use crate::dialect::named::{self, Offer};
use crate::dialect::{Barred, Dialect, ParseError, PlanView, Proposal, Usage, last_object, list};
use crate::prompt::{Completion, Constraint, Finish, Prompt, Speaker, Turn};

/// See the module.
#[derive(Debug, Clone, Copy, Default)]
pub struct Numbered;

const RULES: &str = "You operate a computer for a person. You see the screen as a numbered list and answer with the next action as JSON.
Actions:
{\"action\": \"click\", \"id\": N} clicks an element
{\"action\": \"type\", \"id\": N, \"text\": T} fills a field with T
{\"action\": \"select\", \"id\": N, \"option\": T} chooses in a dropdown
{\"action\": \"press\", \"keys\": K} presses keys: enter, escape, ctrl+c copies, ctrl+v pastes, ctrl+s stores a document
{\"action\": \"scroll\", \"direction\": D} shows more
{\"action\": \"drag\", \"id\": N, \"to\": M} drags one element onto another
{\"action\": \"highlight\", \"id\": N} selects the text of an element
Rules:
- One action a turn. Do not repeat what is already done.
- Do exactly what the task says, in its order, with its words spelled as they are there.
- type fills a field by itself: no click before it.
- What the task names and the list lacks may be in a closed tab, section, menu, or on another page.
- When everything is filled in, press the button that the task names, or the one that confirms.";

/// The turns before the situation.
const LASTING: usize = 1 + 2 * EXAMPLES.len();

/// Worked examples: screens made up for the purpose, what is asked, and the right answers.
const EXAMPLES: [(&str, &str, &str); 7] = [
    (
        "Task: Get a blue kettle for Ann, then press \"Buy\".
Screen:
[1] textbox \"Recipient\" (empty)
[2] dropdown \"Colour\" value=\"red\" options: \"red\", \"blue\"
[3] button \"Buy\"
Done so far: nothing",
        NEXT,
        "{\"action\": \"type\", \"id\": 1, \"text\": \"Ann\"}",
    ),
    (
        "Task: Get a blue kettle for Ann, then press \"Buy\".
Screen:
[1] textbox \"Recipient\" value=\"Ann\"
[2] dropdown \"Colour\" value=\"red\" options: \"red\", \"blue\"
[3] button \"Buy\"
Done so far:
1. typed \"Ann\" into textbox \"Recipient\"",
        NEXT,
        "{\"action\": \"select\", \"id\": 2, \"option\": \"blue\"}",
    ),
    (
        "Task: Get a blue kettle for Ann, then press \"Buy\".
Screen:
[1] textbox \"Recipient\" value=\"Ann\"
[2] dropdown \"Colour\" value=\"blue\" options: \"red\", \"blue\"
[3] button \"Buy\"
Done so far:
1. typed \"Ann\" into textbox \"Recipient\"
2. chose \"blue\" in dropdown \"Colour\"",
        DONE,
        "No",
    ),
    (
        "Task: Get a blue kettle for Ann, then press \"Buy\".
Screen:
[5] text \"It is on its way\"
Done so far:
1. typed \"Ann\" into textbox \"Recipient\"
2. chose \"blue\" in dropdown \"Colour\"
3. clicked button \"Buy\"",
        DONE,
        "Yes",
    ),
    (
        "Task: Open the picture of the harbour.
Screen:
[4] tab \"Letters\" (open)
[5] tab \"Pictures\" (closed)
[7] link \"Letter to the bank\"
Done so far: nothing",
        NEXT,
        "{\"action\": \"click\", \"id\": 5}",
    ),
    (
        "Task: Open the picture of the harbour.
Screen:
[4] tab \"Letters\" (closed)
[5] tab \"Pictures\" (open)
[8] image \"Harbour\"
Done so far:
1. clicked tab \"Pictures\"",
        DONE,
        "No",
    ),
    (
        "Task: Put the number of the pump into the field.
Screen:
[2] text \"Valve: 114\"
[3] text \"Pump: 627\"
[6] textbox (empty)
Done so far: nothing",
        NEXT,
        "{\"action\": \"type\", \"id\": 6, \"text\": \"627\"}",
    ),
];

const NEXT: &str = "Next action:";
const DONE: &str = "Is every part of the task already done? Answer Yes or No.";

fn situation(view: &PlanView<'_>) -> String {
    let mut text = format!("Task: {}\nScreen:\n", view.task.trim());
    text.push_str(&list::screen(view.seen, view.budget));
    if list::active_windows(view.seen).is_empty() && !view.apps.is_empty() {
        text.push_str("Programs:\n");
        for app in view.apps {
            text.push_str(&format!("- {} {}\n", app.command, list::quoted(&app.name, 60)));
        }
    }
    if view.steps.is_empty() {
        text.push_str("Done so far: nothing\n");
    } else {
        text.push_str("Done so far:\n");
        for (i, step) in view.steps.iter().enumerate() {
            let result = step.result.as_ref().map(|r| format!(" ({r})")).unwrap_or_default();
            text.push_str(&format!("{}. {}{result}\n", i + 1, step.did));
        }
    }
    for note in view.notes {
        text.push_str(&format!("Note: {note}\n"));
    }
    if let Some(hint) = view.hint {
        text.push_str(&format!("Hint: {hint}\n"));
    }
    text
}

fn turns(view: &PlanView<'_>, question: &str) -> Vec<Turn> {
    let mut turns = vec![Turn::new(Speaker::System, RULES)];
    for (screen, question, answer) in EXAMPLES {
        turns.push(Turn::new(Speaker::User, format!("{screen}\n{question}")));
        turns.push(Turn::new(Speaker::Assistant, answer));
    }
    turns.push(Turn::new(Speaker::User, format!("{}{question}", situation(view))));
    turns
}

/// What a click may be aimed at. A dropdown whose options are known is not clicked but set.
fn clickable(element: &Element) -> bool {
    let set = element.role == Role::Dropdown && !element.options.is_empty();
    let readable = matches!(element.role, Role::Text | Role::Image);
    !element.states.disabled && !set && (element.role.takes_clicks() || readable)
}

fn free(view: &PlanView<'_>, element: &Element, usage: Usage) -> bool {
    !view.barred.contains(&Barred { id: Some(element.id), usage })
}

/// The schema of the answer: each action with the elements it can be done to on this screen.
fn schema(view: &PlanView<'_>) -> Value {
    let elements = list::listed(view.seen);
    let mut arms = Vec::new();
    let object = |properties: Value, required: &[&str]| json!({"type": "object", "properties": properties, "required": required, "additionalProperties": false});
    let ids = |usage: Usage, fits: &dyn Fn(&Element) -> bool| -> Vec<u32> {
        elements.iter().filter(|e| fits(e) && free(view, e, usage)).map(|e| e.id.0).collect()
    };
    // A text that says the task again is no target.
    let repeats = |e: &Element| {
        e.role == Role::Text && e.name.len() * 2 > view.task.len() && view.task.contains(e.name.trim())
    };
    let clickable = |e: &Element| clickable(e) && !repeats(e);
    let left = elements.iter().copied().filter(|e| clickable(e) && free(view, e, Usage::Click));
    let offer = named::narrow(view.task, left, view.steps.iter().map(|step| step.did.as_str()));
    let clicks = ids(Usage::Click, &|e| clickable(e) && named::offers(offer, view.task, e));
    if !clicks.is_empty() {
        arms.push(object(
            json!({"action": {"const": "click"}, "id": {"enum": clicks}}),
            &["action", "id"],
        ));
    }
    let fields = ids(Usage::Type, &|e| e.role.takes_text() && !e.states.disabled);
    if !fields.is_empty() {
        arms.push(object(
            json!({"action": {"const": "type"}, "id": {"enum": fields}, "text": {"type": "string", "maxLength": 400}}),
            &["action", "id", "text"],
        ));
    }
    for (id, options) in choices(view, &elements, offer) {
        arms.push(object(
            json!({"action": {"const": "select"}, "id": {"const": id}, "option": {"enum": options}}),
            &["action", "id", "option"],
        ));
    }
    if list::active_windows(view.seen).is_empty() && !view.apps.is_empty() {
        let names: Vec<&str> = view.apps.iter().map(|app| app.command.as_str()).collect();
        arms.push(object(
            json!({"action": {"const": "open"}, "program": {"enum": names}}),
            &["action", "program"],
        ));
        return json!({"anyOf": arms});
    }
    let texts = ids(Usage::Highlight, &|e| matches!(e.role, Role::Text | Role::Heading | Role::Cell));
    if !texts.is_empty() {
        arms.push(object(
            json!({"action": {"const": "highlight"}, "id": {"enum": texts}}),
            &["action", "id"],
        ));
    }
    let offered = |usage: Usage| !view.barred.contains(&Barred { id: None, usage });
    if offered(Usage::Press) {
        arms.push(object(
            json!({"action": {"const": "press"}, "keys": {"type": "string", "pattern": KEYS}}),
            &["action", "keys"],
        ));
    }
    if offered(Usage::Scroll) || arms.is_empty() {
        arms.push(object(
            json!({"action": {"const": "scroll"}, "direction": {"enum": ["down", "up"]}}),
            &["action", "direction"],
        ));
    }
    let drags = ids(Usage::Drag, &|e| e.role != Role::Text || elements.len() < 40);
    if drags.len() > 1 {
        arms.push(object(
            json!({"action": {"const": "drag"}, "id": {"enum": drags}, "to": {"enum": drags}}),
            &["action", "id", "to"],
        ));
    }
    json!({"anyOf": arms})
}

/// What can be chosen in which dropdown: the options that the task names, where it names any.
fn choices<'v>(
    view: &PlanView<'_>,
    elements: &[&'v Element],
    offer: Offer,
) -> Vec<(u32, Vec<&'v String>)> {
    let is_open =
        |e: &&&Element| e.role == Role::Dropdown && !e.states.disabled && free(view, e, Usage::Select);
    let options = |e: &'v Element, fits: &dyn Fn(&String) -> bool| -> (u32, Vec<&'v String>) {
        (e.id.0, e.options.iter().filter(|o| e.value.as_ref() != Some(o) && fits(o)).collect())
    };
    let open: Vec<&'v Element> = elements.iter().filter(is_open).copied().collect();
    // An option that is already chosen counts as named too: its dropdown is done.
    let is_named = |e: &&'v Element| e.options.iter().any(|option| named::says(view.task, option));
    let mut all: Vec<(u32, Vec<&'v String>)> = if open.iter().any(is_named) {
        let named = open.iter().copied().filter(|e| is_named(e));
        named.map(|e| options(e, &|option| named::says(view.task, option))).collect()
    } else if offer == Offer::Everything {
        open.into_iter().map(|e| options(e, &|_| true)).collect()
    } else {
        Vec::new()
    };
    all.retain(|(_, options)| !options.is_empty());
    all
}

/// The chords that the small model may press.
const KEYS: &str = r"^((ctrl|alt|shift)\+){0,2}([a-z0-9]|f[1-9]|enter|tab|escape|space|backspace|delete|up|down|left|right|home|end|pageup|pagedown)$";

impl Dialect for Numbered {
    fn name(&self) -> &'static str {
        "numbered"
    }

    fn render(&self, view: &PlanView<'_>) -> Prompt {
        Prompt {
            turns: turns(view, NEXT),
            lasting: LASTING,
            constraint: Constraint::JsonSchema(schema(view)),
            max_tokens: 300,
            ..Prompt::default()
        }
    }

    fn render_done(&self, view: &PlanView<'_>) -> Prompt {
        Prompt { turns: turns(view, DONE), lasting: LASTING, max_tokens: 1, ..Prompt::default() }
    }

    fn parse(&self, completion: &Completion, _: &Observation) -> Result<Proposal, ParseError> {
        let Some(answer) = last_object(&completion.text) else {
            return Err(if completion.finish == Finish::Length {
                ParseError::Cut
            } else {
                ParseError::NoJson
            });
        };
        let call = read(&answer)?;
        Ok(Proposal { calls: vec![call], thought: completion.thinking.clone() })
    }

    fn ends_by_itself(&self) -> bool {
        false
    }
}

fn read(answer: &Value) -> Result<ToolCall, ParseError> {
    let misfit = |what: &str| ParseError::Misfit(format!("`{what}` is missing or of the wrong kind"));
    let text = |field: &str| answer.get(field).and_then(Value::as_str).ok_or_else(|| misfit(field));
    let id = |field: &str| {
        let number = answer.get(field).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok());
        number.map(ElementId).ok_or_else(|| misfit(field))
    };
    Ok(match text("action")? {
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
        other => return Err(ParseError::Misfit(format!("there is no action `{other}`"))),
    })
}
