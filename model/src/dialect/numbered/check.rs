//! The question whether the task is done. It goes by what was asked for and what was done, and not by the
//! screen: with the screen in sight the small model hardly ever sees an end, and without it it is right
//! nearly always.

use crate::dialect::{Choice, PastStep};
use crate::prompt::{Speaker, Turn};

const RULES: &str = "You check whether a request has been carried out. You read the request and the steps that were taken, and answer nothing when all of it is done, or something when a part is left.";

const ANSWERS: [&str; 2] = ["nothing", "something"];

/// Requests made up for the purpose, the steps taken, and whether something is left.
const EXAMPLES: [(&str, &str, bool); 13] = [
    (
        "Order two large pizzas and confirm.",
        "1. typed \"2\" into textbox \"Number\"\n2. chose \"large\" in dropdown \"Size\"",
        true,
    ),
    (
        "Order two large pizzas and confirm.",
        "1. typed \"2\" into textbox \"Number\"\n2. chose \"large\" in dropdown \"Size\"\n3. clicked button \"Confirm\"",
        false,
    ),
    ("Open the page about bees.", "1. clicked tab \"Animals\"", true),
    ("Open the page about bees.", "1. clicked tab \"Animals\"\n2. clicked link \"Bees\"", false),
    ("Tick \"Wake me\".", "1. clicked checkbox \"Wake me\"", false),
    (
        "Write the name \"Eve\" and the town \"Bonn\" into the form and send it.",
        "1. typed \"Eve\" into textbox \"Name\"",
        true,
    ),
    (
        "Write the name \"Eve\" and the town \"Bonn\" into the form and send it.",
        "1. typed \"Eve\" into textbox \"Name\"\n2. typed \"Bonn\" into textbox \"Town\"",
        true,
    ),
    (
        "Write the name \"Eve\" and the town \"Bonn\" into the form and send it.",
        "1. typed \"Eve\" into textbox \"Name\"\n2. typed \"Bonn\" into textbox \"Town\"\n3. clicked button \"Send\"",
        false,
    ),
    (
        "Find the invoice of May and print it.",
        "1. clicked link \"Next\"\n2. clicked list item \"Invoice May\"",
        true,
    ),
    ("Note \"Call Eve\" and save it as calls.txt.", "1. typed \"Call Eve\" into textbox [7]", true),
    (
        "Note \"Call Eve\" and save it as calls.txt.",
        "1. typed \"Call Eve\" into textbox [7]\n2. pressed ctrl+s\n3. typed \"calls.txt\" into textbox \"Name\"",
        true,
    ),
    (
        "Note \"Call Eve\" and save it as calls.txt.",
        "1. typed \"Call Eve\" into textbox [7]\n2. pressed ctrl+s\n3. typed \"calls.txt\" into textbox \"Name\"\n4. clicked button \"Save\"",
        false,
    ),
    ("Close the window.", "1. clicked button \"X\"", false),
];

/// What the question begins with in every run.
pub(super) fn lasting() -> Vec<Turn> {
    let [nothing, something] = ANSWERS;
    let mut turns = vec![Turn::new(Speaker::System, RULES)];
    for (task, steps, left) in EXAMPLES {
        turns.push(Turn::new(Speaker::User, asked(task, steps)));
        turns.push(Turn::new(Speaker::Assistant, if left { something } else { nothing }));
    }
    turns
}

/// The question. Its first answer is that of a task that is done.
pub(super) fn question(task: &str, steps: &[PastStep]) -> Choice {
    let mut turns = lasting();
    let lasting = turns.len();
    turns.push(Turn::new(Speaker::User, asked(task.trim(), &taken(steps))));
    Choice::new(turns, lasting, &ANSWERS)
}

fn asked(task: &str, steps: &str) -> String {
    format!("Request: {task}\nSteps taken:\n{steps}\nWhat is left?")
}

/// The steps that changed something.
fn taken(steps: &[PastStep]) -> String {
    let taken = steps.iter().filter(|step| step.effective);
    let lines: Vec<String> = taken.zip(1..).map(|(step, n)| format!("{n}. {}", step.words())).collect();
    if lines.is_empty() { "none".into() } else { lines.join("\n") }
}
