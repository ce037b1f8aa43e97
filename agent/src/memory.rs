//! What the loop remembers between steps: what was done, in words for the model, and what it has tried
//! already on which screen, so that it is not offered again.

use std::collections::{HashMap, HashSet};

use freehand_model::dialect::{Barred, PastStep, Usage};
use freehand_tools::action::{Action, ActionKind, Target};
use freehand_tools::element::{Element, ElementId, Role, WindowId};
use freehand_tools::observation::Observation;
use freehand_tools::outcome::{Effect, Outcome};

use crate::trajectory::{Intervention, Judged, Step};

/// As many earlier steps as the model is shown.
const SHOWN: usize = 20;
/// So many times the same, one after the other, is said once.
const SAME: usize = 3;

/// What is known of the run so far.
#[derive(Debug, Default)]
pub struct Memory {
    steps: Vec<PastStep>,
    notes: Vec<String>,
    tried: HashMap<String, HashSet<Barred>>,
    switched: HashSet<ElementId>,
    dragged: HashSet<ElementId>,
    filled: HashMap<ElementId, String>,
    opened: HashSet<ElementId>,
    /// What was filled in or switched since a button was last pressed, and whether one just was.
    worked: HashMap<ElementId, Option<WindowId>>,
    committed: HashSet<ElementId>,
    /// Whether the last thing done was to fill in a field.
    unsent: bool,
    /// The entry of a menu bar that was clicked last; once more would close its menu.
    menu: Option<ElementId>,
}

impl Memory {
    /// The memory of a run that is resumed.
    pub fn of(steps: &[Step]) -> Self {
        let mut memory = Self::default();
        for step in steps {
            if step.interventions.contains(&Intervention::TookOver) {
                memory.taken_over();
            }
            for judged in &step.actions {
                memory.remember(&step.list, judged);
            }
        }
        memory
    }

    /// The person has used the desktop: nothing that was tried or filled in is known any more.
    pub fn taken_over(&mut self) {
        let Self { steps, notes, .. } = std::mem::take(self);
        *self = Self { steps, notes, ..Self::default() };
        let did = "the person took over mouse and keyboard, and gave them back".into();
        self.steps.push(PastStep { did, result: None, effective: true, opened: None, times: 1 });
    }

    /// What was done, oldest first, as much as a model is shown.
    pub fn steps(&self) -> &[PastStep] {
        self.steps.get(self.steps.len().saturating_sub(SHOWN)..).unwrap_or_default()
    }

    /// What the model wanted to keep.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Takes in what became of one call on the screen that `list` shows.
    pub fn remember(&mut self, list: &str, judged: &Judged) {
        let result = match &judged.outcome {
            Outcome::Done { effect: Effect::NoVisibleEffect, .. } => Some("nothing changed".to_owned()),
            Outcome::Done { answer, .. } => answer.clone(),
            Outcome::Failed { reason, .. } => Some(format!("failed: {reason}")),
            Outcome::Refused { reason } => Some(format!("not allowed: {reason}")),
        };
        let did = match &judged.action {
            Some(action) => past(action),
            None => format!("called {}", judged.call.tool),
        };
        let missed = matches!(&judged.outcome, Outcome::Done { effect: Effect::NoVisibleEffect, .. });
        let effective = judged.outcome.is_done() && !missed;
        let opened = judged.action.as_ref().and_then(|action| opened(&action.kind));
        self.push(PastStep { did, result, effective, opened, times: 1 });
        if let Some(action) = &judged.action {
            self.note_use(list, action, judged.outcome.is_done());
        }
    }

    fn push(&mut self, step: PastStep) {
        let last = self.steps.iter().rev();
        let same: Vec<u32> = last
            .map_while(|old| (PastStep { times: 1, ..old.clone() } == step).then_some(old.times))
            .collect();
        let times = same.iter().sum::<u32>().saturating_add(1);
        if times as usize >= SAME {
            self.steps.truncate(self.steps.len() - same.len());
            self.steps.push(PastStep { times, ..step });
        } else {
            self.steps.push(step);
        }
    }

    fn note_use(&mut self, list: &str, action: &Action, done: bool) {
        if let ActionKind::Note { text } = &action.kind {
            self.notes.push(text.clone());
        }
        let Some(usage) = usage(&action.kind) else { return };
        let sends = matches!(action.kind, ActionKind::TypeText { submit: true, .. });
        self.unsent = matches!(usage, Usage::Type | Usage::Select) && !sends;
        // Of several texts at most one stays highlighted.
        let aimless = matches!(usage, Usage::Press | Usage::Scroll | Usage::Highlight);
        let element = action.target.element.as_ref().filter(|_| !aimless);
        let barred = Barred { id: element.map(|element| element.id), usage };
        self.tried.entry(list.to_owned()).or_default().insert(barred);
        self.menu = element.filter(|e| e.role == Role::MenuItem).map(|element| element.id);
        let Some(element) = element else { return };
        self.committed.clear();
        // What has no name is a thing that is picked, and picking it again lets it go.
        let nameless = element.role == Role::Clickable && element.name.is_empty();
        let rested = action.kind == ActionKind::Move;
        let switch =
            nameless || rested || matches!(element.role, Role::Checkbox | Role::Radio | Role::Toggle);
        let window = action.target.window.as_ref().map(|window| window.id);
        if usage == Usage::Click {
            self.opened.insert(element.id);
        }
        match (usage, element.role) {
            // Pressing something may ask for a new text in the same field.
            (Usage::Click, Role::Button | Role::Link) => {
                self.filled.clear();
                self.switched.clear();
                self.dragged.clear();
                let accepts = |(_, place): &(&ElementId, &Option<WindowId>)| **place == window;
                self.committed = self.worked.iter().filter(accepts).map(|(id, _)| *id).collect();
                self.worked.clear();
            }
            (Usage::Click, _) if switch => {
                self.switched.insert(element.id);
                self.worked.insert(element.id, window);
            }
            (Usage::Drag, _) => {
                self.dragged.insert(element.id);
            }
            (Usage::Type | Usage::Select, _) => {
                self.worked.insert(element.id, window);
            }
            _ => {}
        }
        if let ActionKind::TypeText { text: value, .. } | ActionKind::SelectOption { option: value } =
            &action.kind
            && done
        {
            self.filled.insert(element.id, value.clone());
        }
    }

    /// Whether a button was just pressed and all that was filled in before it has left the screen: the
    /// form or the dialog was accepted.
    pub fn is_accepted(&self, seen: &Observation) -> bool {
        !self.committed.is_empty() && self.committed.iter().all(|id| seen.element(*id).is_none())
    }

    /// Whether a field was filled in and nothing was done with it yet.
    pub const fn is_unsent(&self) -> bool {
        self.unsent
    }

    /// What makes no sense on this screen.
    pub fn barred(&self, list: &str, seen: &Observation) -> Vec<Barred> {
        let mut barred: Vec<Barred> = self.tried.get(list).into_iter().flatten().copied().collect();
        for element in &seen.elements {
            let rests = self.switched.contains(&element.id);
            let searched = is_container(element)
                && self.opened.contains(&element.id)
                && seen.elements.iter().any(|other| {
                    other.role == element.role && is_container(other) && !self.opened.contains(&other.id)
                });
            let opens = self.menu == Some(element.id);
            if rests || searched || opens {
                barred.push(Barred { id: Some(element.id), usage: Usage::Click });
            }
            if self.dragged.contains(&element.id) {
                barred.push(Barred { id: Some(element.id), usage: Usage::Drag });
            }
            if self.is_filled(element) {
                barred.push(Barred { id: Some(element.id), usage: Usage::Type });
                barred.push(Barred { id: Some(element.id), usage: Usage::Select });
            }
        }
        barred
    }

    fn is_filled(&self, element: &Element) -> bool {
        self.filled
            .get(&element.id)
            .is_some_and(|text| element.is_protected() || element.holds() == Some(text.as_str()))
    }
}

/// A tab or a section, which is opened to see what is in it: those that were not looked into come first.
fn is_container(element: &Element) -> bool {
    element.role == Role::Tab || element.states.expanded.is_some() && element.role != Role::Dropdown
}

const fn usage(kind: &ActionKind) -> Option<Usage> {
    match kind {
        ActionKind::Click { count: 3, .. } => Some(Usage::Highlight),
        // An entry that opens a menu is rested on instead of clicked.
        ActionKind::Click { .. } | ActionKind::Move => Some(Usage::Click),
        ActionKind::TypeText { .. } => Some(Usage::Type),
        ActionKind::SelectOption { .. } => Some(Usage::Select),
        ActionKind::Drag { .. } => Some(Usage::Drag),
        ActionKind::Scroll { .. } => Some(Usage::Scroll),
        ActionKind::PressKeys { .. } => Some(Usage::Press),
        ActionKind::Wait { .. }
        | ActionKind::Zoom { .. }
        | ActionKind::OpenApp { .. }
        | ActionKind::OpenUrl { .. }
        | ActionKind::FocusWindow
        | ActionKind::ReadClipboard
        | ActionKind::WriteClipboard { .. }
        | ActionKind::Note { .. }
        | ActionKind::AskUser { .. }
        | ActionKind::Finish { .. } => None,
    }
}

fn opened(kind: &ActionKind) -> Option<String> {
    if let ActionKind::OpenApp { command: what } | ActionKind::OpenUrl { url: what } = kind {
        return Some(what.clone());
    }
    None
}

fn name(target: &Target) -> String {
    match (&target.element, target.point) {
        (Some(element), _) if element.looks.is_some() => element.describe(),
        (Some(element), _) if element.name.is_empty() => {
            format!("{} [{}]", element.role.word(), element.id)
        }
        (Some(element), _) => format!("{} \"{}\"", element.role.word(), element.name),
        (None, Some(point)) => format!("the point {point}"),
        (None, None) => "what has the keyboard".into(),
    }
}

/// The action in the past tense.
fn past(action: &Action) -> String {
    let target = &action.target;
    match &action.kind {
        ActionKind::Click { count: 3, .. } => format!("highlighted {}", name(target)),
        ActionKind::Click { count: 2, .. } => format!("double-clicked {}", name(target)),
        ActionKind::Click { .. } => format!("clicked {}", name(target)),
        ActionKind::TypeText { text, submit, .. } => {
            let and = if *submit { " and pressed enter" } else { "" };
            format!("typed \"{text}\" into {}{and}", name(target))
        }
        ActionKind::SelectOption { option } => format!("chose \"{option}\" in {}", name(target)),
        ActionKind::PressKeys { keys, .. } => format!("pressed {keys}"),
        ActionKind::Scroll { dy, .. } if *dy < 0 => "scrolled up".into(),
        ActionKind::Scroll { .. } => "scrolled down".into(),
        ActionKind::Drag { .. } => {
            let to =
                target.destination.as_ref().map_or_else(String::new, |e| format!(" to \"{}\"", e.name));
            format!("dragged {}{to}", name(target))
        }
        ActionKind::OpenApp { command } => format!("started {command}"),
        ActionKind::Move => format!("pointed at {}", name(target)),
        ActionKind::Wait { .. }
        | ActionKind::Zoom { .. }
        | ActionKind::OpenUrl { .. }
        | ActionKind::FocusWindow
        | ActionKind::ReadClipboard
        | ActionKind::WriteClipboard { .. }
        | ActionKind::Note { .. }
        | ActionKind::AskUser { .. }
        | ActionKind::Finish { .. } => action.summary.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_again_and_again_is_said_once() {
        let mut memory = Memory::default();
        for did in ["a", "b", "b", "b", "b", "c", "c", "b"] {
            let (did, opened) = (did.to_owned(), None);
            memory.push(PastStep { did, result: None, effective: true, opened, times: 1 });
        }
        let steps: Vec<(&str, u32)> =
            memory.steps().iter().map(|step| (step.did.as_str(), step.times)).collect();
        assert_eq!(steps, [("a", 1), ("b", 4), ("c", 1), ("c", 1), ("b", 1)]);
    }
}
