//! What a form still waits for. Before a button is pressed, its choices are looked at one by one: an option that
//! the task says and that is not chosen is chosen; where it says none, which one it means is asked by
//! itself, since a task seldom says it as the form does.

use freehand_tools::call::ToolCall;
use freehand_tools::element::{Element, Role};
use serde_json::json;

use super::{named::says, program};
use crate::dialect::{Barred, Choice, Pick, PlanView, Proposal, Usage, list};
use crate::prompt::{Speaker, Turn};

const RULES: &str =
    "Which of the options does the request want? Answer with that option, or with none of them.";
const NONE: &str = "none of them";

/// Requests made up for the purpose.
const EXAMPLES: [(&str, &str, &str); 8] = [
    ("Order a large pizza without onions.", "Size: small, medium, large", "large"),
    ("Write \"Hello\" into the box and send it.", "Colour: red, green, blue", NONE),
    ("Book a massage for the whole family.", "Options: One person, Two persons, Family", "Family"),
    ("Put my name Ann on the list.", "Options: yes, no", NONE),
    ("I want the paper daily at my door.", "Options: Weekends, Each day", "Each day"),
    ("Reserve the room for two hours from 8:00.", "Hours: 1, 2, 3", "2"),
    (
        "Join the club as Ann, and agree to its rules.",
        "Boxes: I agree to the rules (off)",
        "I agree to the rules (off)",
    ),
    ("Order tea for Ann.", "Boxes: Call me back (off), Send me offers (on)", NONE),
];

/// Choices of one form that are looked at.
const GROUPS: usize = 6;
/// Options of one choice that a question names.
const OPTIONS: usize = 14;

/// A choice that is open, with its options and what takes each of them.
struct Group {
    name: String,
    options: Vec<(String, Proposal)>,
}

/// The choices that are open where `proposal` would press a button.
pub(super) fn picks(view: &PlanView<'_>, proposal: &Proposal) -> Vec<Pick> {
    let Some(form) = form(view, proposal) else { return Vec::new() };
    let free = |element: &Element, usage| {
        !element.states.disabled && !view.barred.contains(&Barred { id: Some(element.id), usage })
    };
    let mut groups = Vec::new();
    let of = |role| form.iter().copied().filter(move |element: &&Element| element.role == role);
    let radios: Vec<&Element> = of(Role::Radio).collect();
    let open =
        radios.iter().all(|radio| radio.states.checked != Some(true) && free(radio, Usage::Click));
    if open && radios.len() > 1 {
        groups.push(Group { name: "Options".into(), options: clicks(&radios, |e| e.name.clone()) });
    }
    let lists = of(Role::Dropdown).filter(|e| e.options.len() > 1 && free(e, Usage::Select));
    groups.extend(lists.map(dropdown));
    let boxes: Vec<&Element> = of(Role::Checkbox).filter(|e| free(e, Usage::Click)).collect();
    if !boxes.is_empty() {
        let state = |e: &Element| if e.states.checked == Some(true) { "on" } else { "off" };
        let options = clicks(&boxes, |e| format!("{} ({})", e.name, state(e)));
        groups.push(Group { name: "Boxes".into(), options });
    }
    groups.into_iter().take(GROUPS).filter_map(|group| pick(view.task, group)).collect()
}

/// The elements of the window in which `proposal` presses a button.
fn form<'v>(view: &PlanView<'v>, proposal: &Proposal) -> Option<Vec<&'v Element>> {
    let [call] = proposal.calls.as_slice() else { return None };
    let id = call.args.get("target").filter(|_| call.tool == "click")?.as_u64()?;
    let listed = list::listed(view.seen);
    let pressed = listed.iter().find(|element| u64::from(element.id.0) == id)?;
    let named = |element: &&Element| !element.name.is_empty() || element.role == Role::Dropdown;
    let window = pressed.window;
    (pressed.role == Role::Button)
        .then(|| listed.into_iter().filter(|e| e.window == window).filter(named).collect())
}

fn clicks(elements: &[&Element], name: impl Fn(&Element) -> String) -> Vec<(String, Proposal)> {
    let click = |element: &Element| ToolCall::new("click", json!({"target": element.id}));
    elements.iter().map(|element| (name(element), doing(click(element)))).collect()
}

fn dropdown(element: &Element) -> Group {
    let choose = |option: &String| {
        doing(ToolCall::new("select_option", json!({"target": element.id, "option": option})))
    };
    let options = element.options.iter().map(|option| (option.clone(), choose(option)));
    // What is chosen already needs no doing.
    let now = |option: &str| element.value.as_deref() == Some(option);
    let options = options.map(|(option, doing)| {
        let nothing = Proposal { calls: Vec::new(), thought: None };
        if now(&option) { (option, nothing) } else { (option, doing) }
    });
    let name = if element.name.is_empty() { "Options".into() } else { element.name.clone() };
    Group { name, options: options.collect() }
}

fn doing(call: ToolCall) -> Proposal {
    Proposal { calls: vec![call], thought: None }
}

/// What is to be done about one choice, if anything.
fn pick(task: &str, group: Group) -> Option<Pick> {
    let task = program::without_address(task);
    let bare = |option: &str| option.trim_end_matches(" (on)").trim_end_matches(" (off)").to_owned();
    // A size or a number is said by one sign, which must stand alone.
    let signs: Vec<&str> = task.split(|c: char| !c.is_alphanumeric()).collect();
    let says_it = |option: &str| says(&task, option) || option.len() == 1 && signs.contains(&option);
    let said: Vec<&(String, Proposal)> =
        group.options.iter().filter(|(option, _)| says_it(&bare(option))).collect();
    if let [(_, doing)] = said.as_slice()
        && group.name != "Boxes"
    {
        return (!doing.calls.is_empty()).then(|| Pick::Known(doing.clone()));
    }
    if !said.is_empty() || group.options.len() > OPTIONS {
        return None;
    }
    let (options, doings): (Vec<String>, Vec<Proposal>) = group.options.into_iter().unzip();
    let asked = |task: &str, options: &str| format!("Request: {task}\n{options}\nWanted:");
    let mut turns = vec![Turn::new(Speaker::System, RULES)];
    for (task, options, answer) in EXAMPLES {
        turns.push(Turn::new(Speaker::User, asked(task, options)));
        turns.push(Turn::new(Speaker::Assistant, answer));
    }
    let lasting = turns.len();
    let line = format!("{}: {}", group.name, options.join(", "));
    turns.push(Turn::new(Speaker::User, asked(task.trim(), &line)));
    let answers: Vec<&str> = options.iter().map(String::as_str).chain([NONE]).collect();
    Some(Pick::Asked(Choice::new(turns, lasting, &answers), doings))
}
