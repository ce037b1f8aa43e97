//! What the model may say on this screen: each action with the elements that it can be done to. What cannot
//! be done is not offered, and what the schema does not offer cannot be said.

use freehand_tools::element::{Element, Role};
use serde_json::{Value, json};

use super::compare;
use super::named::{self, Offer};
use crate::dialect::{Barred, PlanView, Usage, list};

/// The chords that the small model may press.
const KEYS: &str = r"^((ctrl|alt|shift)\+){0,2}([a-z0-9]|f[1-9]|enter|tab|escape|space|backspace|delete|up|down|left|right|home|end|pageup|pagedown)$";
/// With more elements than this, texts are not offered for dragging.
const CROWDED: usize = 40;

/// The elements of one screen, and what can be done with them.
struct Screen<'v> {
    view: &'v PlanView<'v>,
    elements: Vec<&'v Element>,
    offer: Offer,
}

/// The schema of the answer.
pub(super) fn schema(view: &PlanView<'_>) -> Value {
    let starts = list::active_windows(view.seen).is_empty() && !view.apps.is_empty();
    let screen = Screen::of(view);
    let mut arms = screen.use_of_elements();
    if starts {
        let names: Vec<&str> = view.apps.iter().map(|app| app.command.as_str()).collect();
        arms.push(arm("open", json!({"program": {"enum": names}})));
    } else {
        screen.use_of_all(&mut arms);
    }
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
        let losers = compare::losers(view.comparison, &elements);
        elements.retain(|element| !losers.contains(&element.id));
        let mut screen = Self { view, elements, offer: Offer::Everything };
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
        let clicks = self.ids(Usage::Click, &|e| is_clickable(e) && named::offers(self.offer, task, e));
        if !clicks.is_empty() {
            arms.push(arm("click", json!({"id": {"enum": clicks}})));
        }
        let fields = self.ids(Usage::Type, &|e| self.is_fillable(e));
        if !fields.is_empty() {
            let text = json!({"type": "string", "maxLength": 400});
            arms.push(arm("type", json!({"id": {"enum": fields}, "text": text})));
        }
        for (id, options) in self.choices() {
            arms.push(arm("select", json!({"id": {"const": id}, "option": {"enum": options}})));
        }
        arms
    }

    /// A field that holds something already is left alone where others are to be filled in, unless the
    /// task names it or what it holds.
    fn is_fillable(&self, field: &Element) -> bool {
        let holds = field.value.as_deref().filter(|value| !value.trim().is_empty());
        let alone = self.elements.iter().filter(|e| e.role.takes_text()).nth(1).is_none();
        let meant =
            |value: &str| named::says(self.view.task, value) || named::says(self.view.task, &field.name);
        field.role.takes_text() && !field.states.disabled && (alone || holds.is_none_or(meant))
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
            arms.push(arm("press", json!({"keys": {"type": "string", "pattern": KEYS}})));
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

/// What a click may be aimed at. A dropdown whose options are known is not clicked but set.
pub(super) fn is_clickable(element: &Element) -> bool {
    let set = element.role == Role::Dropdown && !element.options.is_empty();
    let readable = matches!(element.role, Role::Text | Role::Image);
    !element.states.disabled && !set && (element.role.takes_clicks() || readable)
}
