//! How a test reaches into the simulated desktop while it runs, and judges it from outside.

use super::Simulated;
use super::event::SimEvent;
use super::script::Changes;
use super::widget::{Kind, Widget};
use crate::action::Button;
use crate::geometry::ScreenPoint;
use crate::key::Key;

impl Simulated {
    /// Lets something happen now.
    pub fn change(&mut self, what: impl FnOnce(&mut Changes)) {
        let mut changes = Changes::default();
        what(&mut changes);
        self.grow();
        self.schedule(changes);
    }

    /// The next input fails with `reason`; the desktop lives on.
    pub fn fail_next(&mut self, reason: &str) {
        self.fault = Some(reason.to_owned());
    }

    /// Everything that happened, the oldest first.
    pub fn events(&self) -> &[SimEvent] {
        &self.journal
    }

    /// What the widget of that name holds, secrets too, in the front window that has one; a closed
    /// window is asked last. For a group of radios, the chosen one.
    pub fn value(&self, name: &str) -> Option<String> {
        let windows = self.scene.windows.iter().chain(self.scene.closed.iter().rev());
        let all: Vec<_> = windows.flat_map(|window| &window.widgets).collect();
        let chosen = |w: &&&Widget| matches!(w.kind, Kind::Radio { on: true });
        let group = || all.iter().filter(chosen).find(|w| w.within.as_deref() == Some(name));
        let named = all.iter().filter(|w| w.name == name).find_map(|w| w.value());
        named.or_else(|| group().map(|w| w.name.clone()))
    }

    /// The lines that were entered in terminals.
    pub fn entered(&self) -> Vec<&str> {
        self.journal.iter().filter_map(SimEvent::entered).collect()
    }

    /// The titles of the windows, the front one first.
    pub fn titles(&self) -> Vec<&str> {
        self.scene.windows.iter().map(|w| w.title.as_str()).collect()
    }

    /// The text on the clipboard.
    pub fn clipboard_text(&self) -> &str {
        &self.clipboard
    }

    /// Where the pointer is.
    pub fn cursor(&self) -> ScreenPoint {
        self.cursor
    }

    /// The keys and the buttons that are down.
    pub fn held(&self) -> (Vec<Key>, Vec<Button>) {
        (self.keys.clone(), self.pressed.iter().map(|press| press.button).collect())
    }
}
