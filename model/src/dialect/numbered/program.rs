//! Where a task is to be done, before what is to be done: the address that it gives, the window that is open
//! already, or the program to start. With the rules of every action around it a small model starts
//! whatever comes first in the menu, so the words of the task narrow the menu, and what they leave open is a
//! question by itself.

use freehand_tools::apps::App;
use freehand_tools::element::Window;

use super::menu::{self, command};
use super::named::says;
use super::quotes::quotes;
use crate::dialect::{Choice, PlanView, list};
use crate::prompt::{Speaker, Turn};

const RULES: &str = "You choose the program that a request needs first. Answer with the name of one program of the menu.";

/// Menus and requests made up for the purpose.
const EXAMPLES: [(&str, &str, &str); 5] = [
    (
        "Write a letter to the landlord and print it.",
        "- Globe: Web Browser\n- Quill: Word Processor\n- Tally: Spreadsheet",
        "Quill",
    ),
    (
        "Work out the sum of the numbers 3, 9 and 14 in a table.",
        "- Quill: Word Processor\n- Tally: Spreadsheet",
        "Tally",
    ),
    (
        "Note down \"call Ann\" in a file.",
        "- Globe: Web Browser\n- Jotter: Text Editor\n- Shell: Terminal\n- Tally: Spreadsheet",
        "Jotter",
    ),
    (
        "Look up when the library opens.",
        "- Shell: Terminal\n- Globe: Web Browser\n- Jotter: Text Editor",
        "Globe",
    ),
    (
        "Run \"make\" in the folder of the project.",
        "- Globe: Web Browser\n- Jotter: Text Editor\n- Shell: Terminal",
        "Shell",
    ),
];

/// What comes before any other action.
#[derive(Debug, PartialEq)]
pub(super) enum Place<'v> {
    /// It can be done here.
    Here,
    /// This address is to be opened.
    Address(&'v str),
    /// This window is to be brought to the front.
    Window(&'v Window),
    /// One of these programs is to be started.
    Programs(Vec<&'v App>),
}

/// Where the task is to be done, as far as its words, the windows and the steps say.
pub(super) fn place<'v>(view: &PlanView<'v>) -> Place<'v> {
    let opened = |what: &str| view.steps.iter().any(|step| step.opened.as_deref() == Some(what));
    if let Some(address) = address(view.task)
        && !opened(address)
    {
        return Place::Address(address);
    }
    let started = |app: &&App| opened(&app.command);
    let named = menu::named(view.task, view.apps);
    let windows = &view.seen.windows;
    let active = list::active_windows(view.seen);
    if windows.is_empty() {
        let all = || view.apps.iter().collect();
        let among: Vec<&App> = [named, menu::mentioned(view.task, view.apps)]
            .into_iter()
            .find(|apps| !apps.is_empty())
            .unwrap_or_else(all);
        let left: Vec<&App> = among.iter().copied().filter(|app| !started(app)).collect();
        let programs = if left.is_empty() { among } else { left };
        return if programs.is_empty() { Place::Here } else { Place::Programs(programs) };
    }
    let of_named = |window: &Window| named.iter().any(|app| shows(app, window));
    if named.is_empty() || named.iter().any(started) || active.iter().any(|window| of_named(window)) {
        return Place::Here;
    }
    match windows.iter().find(|window| of_named(window)) {
        Some(window) => Place::Window(window),
        None => Place::Programs(named),
    }
}

/// The question which of `apps` the task needs.
pub(super) fn question(task: &str, apps: &[&App]) -> Choice {
    let mut turns = vec![Turn::new(Speaker::System, RULES)];
    for (task, menu, answer) in EXAMPLES {
        turns.push(Turn::new(Speaker::User, asked(task, menu)));
        turns.push(Turn::new(Speaker::Assistant, answer));
    }
    let lasting = turns.len();
    let lines: Vec<String> = apps.iter().map(|app| entry(app)).collect();
    turns.push(Turn::new(Speaker::User, asked(task.trim(), &lines.join("\n"))));
    let names: Vec<&str> = apps.iter().map(|app| app.name.as_str()).collect();
    Choice::new(turns, lasting, &names)
}

fn asked(task: &str, menu: &str) -> String {
    format!("Menu:\n{menu}\nRequest: {task}\nProgram:")
}

fn entry(app: &App) -> String {
    let about = app.kind.as_ref().or(app.purpose.as_ref());
    about.map_or_else(|| format!("- {}", app.name), |about| format!("- {}: {about}", app.name))
}

fn shows(app: &App, window: &Window) -> bool {
    says(&window.title, &app.name) || command(app).is_some_and(|command| says(&window.app, command))
}

/// Whether a page is in front.
pub(super) fn is_browser(view: &PlanView<'_>) -> bool {
    let browses = |app: &App| app.kind.as_deref() == Some("Web Browser");
    let active = list::active_windows(view.seen);
    active.iter().any(|window| view.apps.iter().any(|app| browses(app) && shows(app, window)))
}

/// The task without its address, for questions that have nothing to do with where it is done.
pub(super) fn without_address(task: &str) -> String {
    address(task).map_or_else(|| task.to_owned(), |address| task.replace(address, "the page"))
}

/// The first address in the task, without what closes the sentence. One that is quoted with other words is a
/// part of a text, and no place.
fn address(task: &str) -> Option<&str> {
    let in_text = |address: &&str| {
        quotes(task).any(|quoted| quoted.trim() != *address && quoted.contains(*address))
    };
    let is_address = |word: &&str| {
        ["http://", "https://", "file:///"]
            .iter()
            .any(|scheme| word.starts_with(scheme) && word.len() > scheme.len())
    };
    let words = task.split(|c: char| c.is_whitespace() || "\"<>`'()".contains(c));
    let words = words.map(|word| word.trim_end_matches(['.', ',', ';', ':', '!', '?']));
    words.filter(is_address).find(|address| !in_text(address))
}

#[cfg(test)]
mod tests {
    use freehand_tools::element::WindowId;

    use super::menu::tests::menu;
    use super::*;

    #[test]
    fn an_address_ends_where_the_sentence_does() {
        for (task, want) in [
            ("Go to https://example.org/a?b=1, then press \"OK\".", Some("https://example.org/a?b=1")),
            ("Open \"http://127.0.0.1:80/\".", Some("http://127.0.0.1:80/")),
            ("Open file:///tmp/a.html", Some("file:///tmp/a.html")),
            ("Write about https:// and files", None),
            ("Write \"see http://shop.test/ for more\" in Jotter", None),
        ] {
            assert_eq!(address(task), want, "{task}");
        }
    }

    #[test]
    fn a_window_belongs_to_its_program() {
        let menu = menu();
        for (class, title, want) in [
            ("mousepad", "Untitled 1", Some("Mousepad")),
            ("Chromium", "Shop", Some("Chromium Web Browser")),
            ("soffice", "Untitled 1 - LibreOffice Calc", Some("LibreOffice Calc")),
            ("other", "Untitled", None),
        ] {
            let bounds = freehand_tools::geometry::Rect::new(0, 0, 9, 9);
            let (title, app) = (title.to_owned(), class.to_owned());
            let window = Window { id: WindowId(1), title, app, pid: None, bounds, focused: true };
            let of = menu.iter().find(|app| shows(app, &window)).map(|app| app.name.as_str());
            assert_eq!(of, want, "{class}");
        }
    }
}
