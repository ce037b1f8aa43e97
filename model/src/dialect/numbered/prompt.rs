//! The question for the next action: rules and worked examples, which are the same in every step and come
//! first, then the task, the screen and what was done.

use freehand_tools::quote::named;

use super::program::{self, Place};
use crate::dialect::PlanView;
use crate::prompt::{Speaker, Turn};

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
pub(super) const LASTING: usize = 1 + 2 * EXAMPLES.len();

const NEXT: &str = "Next action:";

/// Worked examples: screens made up for the purpose, and the right answers.
const EXAMPLES: [(&str, &str); 8] = [
    (
        "Task: Get a blue kettle for Ann, then press \"Buy\".
Screen:
[1] textbox \"Recipient\" (empty)
[2] dropdown \"Colour\" value=\"red\" options: \"red\", \"blue\"
[3] button \"Buy\"
Done so far: nothing",
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
        "{\"action\": \"click\", \"id\": 3}",
    ),
    (
        "Task: Open the picture of the harbour.
Screen:
[4] tab \"Letters\" (open)
[5] tab \"Pictures\" (closed)
[7] link \"Letter to the bank\"
Done so far: nothing",
        "{\"action\": \"click\", \"id\": 5}",
    ),
    (
        "Task: Show the room of Mr Tanaka.
Screen:
[2] heading \"Mrs Ode\"
[3] text \"Room:\" | [4] link \"B 12\"
[8] link \"<\"
[9] link \">\"
Done so far: nothing",
        "{\"action\": \"click\", \"id\": 9}",
    ),
    (
        "Task: Put the number of the pump into the field.
Screen:
[2] text \"Valve: 114\"
[3] text \"Pump: 627\"
[6] textbox (empty)
Done so far: nothing",
        "{\"action\": \"type\", \"id\": 6, \"text\": \"627\"}",
    ),
    (
        "Task: Write \"Call Eve\" and save it as calls.txt.
Screen:
Window \"*Untitled\"
[1] menu item \"File\"
[4] button \"Find\"
[7] textbox value=\"Call Eve\"
[8] textbox \"Find\" (empty)
Done so far:
1. typed \"Call Eve\" into textbox [7]",
        "{\"action\": \"press\", \"keys\": \"ctrl+s\"}",
    ),
    (
        "Task: Write \"Call Eve\" and save it as calls.txt.
Screen:
Window \"Save As\"
[12] textbox \"Name\" value=\"Untitled\"
[15] button \"Cancel\"
[16] button \"Save\"
Done so far:
1. typed \"Call Eve\" into textbox [7]
2. pressed ctrl+s",
        "{\"action\": \"type\", \"id\": 12, \"text\": \"calls.txt\"}",
    ),
];

/// What the conversation begins with in every run.
pub(super) fn lasting() -> Vec<Turn> {
    let mut turns = vec![Turn::new(Speaker::System, RULES)];
    for (screen, answer) in EXAMPLES {
        turns.push(Turn::new(Speaker::User, format!("{screen}\n{NEXT}")));
        turns.push(Turn::new(Speaker::Assistant, answer));
    }
    turns
}

/// The whole conversation.
pub(super) fn turns(view: &PlanView<'_>) -> Vec<Turn> {
    let mut turns = lasting();
    turns.push(Turn::new(Speaker::User, format!("{}{NEXT}", situation(view))));
    turns
}

fn situation(view: &PlanView<'_>) -> String {
    let mut text = format!("Task: {}\nScreen:\n", view.task.trim());
    text.push_str(view.list);
    if let Place::Programs(apps) = program::place(view) {
        text.push_str("Programs:\n");
        for app in apps {
            text.push_str(&format!("- {} {}\n", app.command, named(&app.title(), 60)));
        }
    }
    if view.steps.is_empty() {
        text.push_str("Done so far: nothing\n");
    } else {
        text.push_str("Done so far:\n");
        for (i, step) in view.steps.iter().enumerate() {
            let result = step.result.as_ref().map(|r| format!(" ({r})")).unwrap_or_default();
            text.push_str(&format!("{}. {}{result}\n", i + 1, step.words()));
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
