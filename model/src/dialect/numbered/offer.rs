//! What the model may say on this screen: each action with the elements that it can be done to. What cannot
//! be done is not offered, and what the schema does not offer cannot be said.

use freehand_tools::element::{Element, ElementId, Role};
use serde_json::{Value, json};

use super::compare;
use super::files;
use super::named::{self, Offer};
use super::program::{self, Place};
use super::quotes::{quotes, without_quotes};
use crate::dialect::{Barred, PlanView, Usage, list};

/// The chords that the small model may press.
const KEYS: &str = r"^((ctrl|alt|shift)\+){0,2}([a-z0-9]|f[1-9]|enter|tab|escape|space|backspace|delete|up|down|left|right|home|end|pageup|pagedown)$";
/// The same, where nothing is to be saved: a page that is saved by mistake opens a dialog.
const KEYS_BUT_SAVE: &str = r"^((ctrl|alt|shift)\+){0,2}([a-rt-z0-9]|f[1-9]|enter|tab|escape|space|backspace|delete|up|down|left|right|home|end|pageup|pagedown)$";
/// What answers a dialog: no chord that is meant for the document behind it.
const KEYS_OF_DIALOGS: &str = r"^(enter|escape|tab)$";
/// With more elements than this, texts are not offered for dragging.
const CROWDED: usize = 40;

/// The elements of one screen, and what can be done with them.
struct Screen<'v> {
    view: &'v PlanView<'v>,
    elements: Vec<&'v Element>,
    offer: Offer,
    /// What the task means of several that are called alike: nothing else is clicked before it.
    meant: Vec<ElementId>,
}

/// The schema of the answer. Elsewhere than where the task is to be done nothing else is offered than the
/// way there.
pub(super) fn schema(view: &PlanView<'_>) -> Value {
    let arms = match program::place(view) {
        Place::Here => {
            let screen = Screen::of(view);
            let mut arms = screen.use_of_elements();
            if !screen.is_between() || arms.is_empty() {
                screen.use_of_all(&mut arms);
            }
            arms
        }
        Place::Address(address) => vec![arm("visit", json!({"address": {"const": address}}))],
        Place::Window(window) => vec![arm("show", json!({"window": {"const": window.title}}))],
        Place::Programs(apps) => {
            let chosen = apps.iter().find(|app| Some(app.command.as_str()) == view.program);
            let commands = apps.iter().map(|app| app.command.as_str());
            let offered: Vec<&str> =
                chosen.map_or_else(|| commands.collect(), |app| vec![app.command.as_str()]);
            vec![arm("open", json!({"program": {"enum": offered}}))]
        }
    };
    json!({"anyOf": arms})
}

fn arm(action: &str, fields: Value) -> Value {
    let mut properties = json!({"action": {"const": action}});
    if let (Some(properties), Value::Object(fields)) = (properties.as_object_mut(), fields) {
        properties.extend(fields);
    }
    let names: Vec<String> =
        properties.as_object().map(|p| p.keys().cloned().collect()).unwrap_or_default();
    json!({"type": "object", "properties": properties, "required": names, "additionalProperties": false})
}

/// What is listed, without the texts that say the task again: they are no target.
pub(super) fn own<'v>(view: &PlanView<'v>) -> Vec<&'v Element> {
    let mut elements = list::listed(view.seen);
    elements.retain(|element| !list::task::echoes(view.task, element));
    elements
}

impl<'v> Screen<'v> {
    fn of(view: &'v PlanView<'v>) -> Self {
        let mut elements = own(view);
        let said = [
            compare::outcome(view.comparison, &elements),
            named::rivals(view.task, &elements),
            named::twins(view.task, &elements),
        ];
        let (meant, beaten): (Vec<_>, Vec<_>) = said.into_iter().unzip();
        let (meant, beaten) = (meant.concat(), beaten.concat());
        elements.retain(|element| !beaten.contains(&element.id));
        let mut screen = Self { view, elements, offer: Offer::Everything, meant };
        let left: Vec<&Element> = screen.all(Usage::Click, &is_clickable);
        let done: Vec<&str> = view.steps.iter().map(|step| step.did.as_str()).collect();
        screen.offer = named::narrow(view.task, &left, &screen.elements, &done);
        screen
    }

    /// The elements that `fits` and that were not just used so without effect.
    fn all(&self, usage: Usage, fits: &dyn Fn(&Element) -> bool) -> Vec<&'v Element> {
        let free =
            |e: &&Element| fits(e) && !self.view.barred.contains(&Barred { id: Some(e.id), usage });
        self.elements.iter().copied().filter(free).collect()
    }

    fn ids(&self, usage: Usage, fits: &dyn Fn(&Element) -> bool) -> Vec<u32> {
        self.all(usage, fits).iter().map(|element| element.id.0).collect()
    }

    /// Clicking, typing, choosing.
    fn use_of_elements(&self) -> Vec<Value> {
        let mut arms = Vec::new();
        let task = self.view.task;
        let between = self.is_between();
        let fits = |e: &Element| if between { e.role.takes_clicks() } else { is_clickable(e) };
        let offered =
            |e: &Element| fits(e) && named::offers(self.offer, task, e) && !(between && self.is_worn(e));
        let meant = self.ids(Usage::Click, &|e| self.meant.contains(&e.id));
        let clicks = if meant.is_empty() { self.ids(Usage::Click, &offered) } else { meant };
        if !clicks.is_empty() {
            arms.push(arm("click", json!({"id": {"enum": clicks}})));
        }
        if let Some((page, draft)) = self.draft() {
            arms.push(arm("type", json!({"id": {"const": page}, "text": {"const": draft}})));
        } else {
            let fields = self.ids(Usage::Type, &|e| self.is_fillable(e));
            if !fields.is_empty() {
                let text = json!({"type": "string", "maxLength": 400});
                arms.push(arm("type", json!({"id": {"enum": fields}, "text": text})));
            }
        }
        for (id, options) in self.choices() {
            arms.push(arm("select", json!({"id": {"const": id}, "option": {"enum": options}})));
        }
        arms
    }

    /// A field that holds something already is left alone where others are to be filled in, unless the
    /// task names it or what it holds.
    fn is_fillable(&self, field: &Element) -> bool {
        let holds = field.holds().filter(|held| !held.trim().is_empty());
        let alone = self.elements.iter().filter(|e| e.takes_text()).nth(1).is_none();
        let meant =
            |value: &str| named::says(self.view.task, value) || named::says(self.view.task, &field.name);
        let is_due = if field.role.takes_text() {
            !self.is_beside_a_page(field) || named::says(self.view.task, &field.name)
        } else {
            self.has_more_to_write()
        };
        field.takes_text() && is_due && !field.states.disabled && (alone || holds.is_none_or(meant))
    }

    /// Whether it is the field of a search, or the like, in an editor whose page is still to be saved: the name
    /// of the file is asked for in a window of its own.
    fn is_beside_a_page(&self, field: &Element) -> bool {
        let window = field.window.and_then(|window| self.view.seen.window(window));
        let page = |e: &&Element| e.states.multiline && e.window == field.window;
        !field.states.multiline
            && window.is_some_and(|window| files::is_marked(&window.title))
            && self.elements.iter().any(page)
            && files::is_unsaved(self.view.task, self.view.seen)
    }

    /// The empty page of an editor and what the task wants saved from it, before it is written: neither the
    /// name of the file goes there, nor the text into the field of a search beside it.
    fn draft(&self) -> Option<(u32, &'v str)> {
        let draft = files::draft(self.view.task).filter(|draft| !self.is_written(draft))?;
        let pages =
            self.all(Usage::Type, &|e| e.states.multiline && e.takes_text() && !e.states.disabled);
        let [page] = pages.as_slice() else { return None };
        let is_empty = page.holds().is_none_or(|held| held.trim().is_empty());
        is_empty.then_some((page.id.0, draft))
    }

    /// Whether the task gives a text or a number that was not written yet, or gives none at all. There is always
    /// one more empty cell in a sheet, and it would take the name of the file as well.
    fn has_more_to_write(&self) -> bool {
        let task = self.view.task;
        let bare = without_quotes(task);
        let given = quotes(task).filter(|text| files::named(text).next().is_none());
        let mut given = given.chain(bare.split_whitespace().filter_map(number)).peekable();
        given.peek().is_none() || given.any(|text| !self.is_written(text))
    }

    fn is_written(&self, text: &str) -> bool {
        let whole = format!("\"{text}\"");
        self.view.steps.iter().any(|step| named::says(&step.did, text) || step.did.contains(&whole))
    }

    /// Whether it was just pressed again and again, so that it answers nothing: the next tip, the next page.
    fn is_worn(&self, button: &Element) -> bool {
        let pressed = format!("clicked {} \"{}\"", button.role.word(), button.name);
        self.view.steps.last().is_some_and(|step| step.times > 1 && step.did == pressed)
    }

    /// Whether a dialog without a field is in front of another window of its program: it has to be
    /// answered, and nothing else goes.
    fn is_between(&self) -> bool {
        self.is_dialog() && !self.elements.iter().any(|element| element.role.takes_text())
    }

    /// Whether a window with buttons is in front of a larger one of its program.
    fn is_dialog(&self) -> bool {
        let windows = list::active_windows(self.view.seen);
        let [front] = windows.as_slice() else { return false };
        let owner = self.view.seen.windows.iter().any(|other| {
            other.pid.is_some() && other.pid == front.pid && other.bounds.area() > front.bounds.area()
        });
        owner && self.elements.iter().any(|element| element.role == Role::Button)
    }

    /// What is done to texts, to places, and to no element at all.
    fn use_of_all(&self, arms: &mut Vec<Value>) {
        let readable = |e: &Element| matches!(e.role, Role::Text | Role::Heading | Role::Cell);
        let offered = |usage: Usage| !self.view.barred.contains(&Barred { id: None, usage });
        let texts = self.ids(Usage::Highlight, &readable);
        if !texts.is_empty() && offered(Usage::Highlight) {
            arms.push(arm("highlight", json!({"id": {"enum": texts}})));
        }
        let movable = |e: &Element| e.role != Role::Text || self.elements.len() < CROWDED;
        let drags = self.ids(Usage::Drag, &movable);
        let ends: Vec<u32> =
            self.elements.iter().filter(|e| movable(e)).map(|element| element.id.0).collect();
        if !drags.is_empty() && ends.len() > 1 {
            arms.push(arm("drag", json!({"id": {"enum": drags}, "to": {"enum": ends}})));
        }
        // What is looked for behind something is not looked for elsewhere.
        let searches = matches!(self.offer, Offer::Closed | Offer::Onward);
        if offered(Usage::Press) && !searches {
            let saves = files::saves(self.view.task) && !program::is_browser(self.view);
            let keys = match saves {
                _ if self.is_dialog() => KEYS_OF_DIALOGS,
                true => KEYS,
                false => KEYS_BUT_SAVE,
            };
            arms.push(arm("press", json!({"keys": {"type": "string", "pattern": keys}})));
        }
        if offered(Usage::Scroll) && !searches || arms.is_empty() {
            arms.push(arm("scroll", json!({"direction": {"enum": ["down", "up"]}})));
        }
    }

    /// What can be chosen in which dropdown: the options that the task names, where it names any.
    fn choices(&self) -> Vec<(u32, Vec<&'v String>)> {
        let task = self.view.task;
        let open = self.all(Usage::Select, &|e| e.role == Role::Dropdown && !e.states.disabled);
        let options = |e: &'v Element, fits: &dyn Fn(&String) -> bool| -> (u32, Vec<&'v String>) {
            (e.id.0, e.options.iter().filter(|o| e.value.as_ref() != Some(o) && fits(o)).collect())
        };
        // An option that is already chosen counts as named too: its dropdown is done.
        let is_named = |e: &&'v Element| e.options.iter().any(|option| named::says(task, option));
        let mut all: Vec<(u32, Vec<&'v String>)> = if open.iter().any(is_named) {
            let named = open.iter().copied().filter(is_named);
            named.map(|e| options(e, &|option| named::says(task, option))).collect()
        } else if matches!(self.offer, Offer::Everything | Offer::Here) {
            open.into_iter().map(|e| options(e, &|_| true)).collect()
        } else {
            Vec::new()
        };
        all.retain(|(_, options)| !options.is_empty());
        all
    }
}

/// A word that is a number, without the marks around it.
fn number(word: &str) -> Option<&str> {
    let word = word.trim_matches(|c: char| !c.is_alphanumeric() && c != '-');
    let is_number = word.chars().any(|c| c.is_ascii_digit())
        && word.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | '-'));
    is_number.then_some(word)
}

/// What a click may be aimed at. A dropdown whose options are known is not clicked but set.
pub(super) fn is_clickable(element: &Element) -> bool {
    let set = element.role == Role::Dropdown && !element.options.is_empty();
    let readable = matches!(element.role, Role::Text | Role::Image);
    !element.states.disabled && !set && (element.role.takes_clicks() || readable)
}
