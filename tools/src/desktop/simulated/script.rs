//! What happens on the simulated desktop by itself: when somebody clicks, when it has been looked at
//! so often, or some time later. Tests of races are written with this and need no luck.

use std::time::Duration;

use super::Simulated;
use super::build::WindowBuilder;
use super::event::SimEvent;
use super::widget::{Kind, Widget};
use crate::geometry::ScreenPoint;
use crate::key::Chord;

/// What starts a change.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cue {
    /// A widget or an entry of this name was used.
    Used(String),
    /// A chord was pressed.
    Pressed(Chord),
    /// The desktop has been observed so often.
    Observed(u64),
}

#[derive(Debug, Clone)]
pub(super) enum Change {
    Open(Box<WindowBuilder>),
    Fill(String, Box<WindowBuilder>),
    Close(String),
    Raise(String),
    Move(String, ScreenPoint),
    Retitle(String, String),
    Relabel(String, String),
    Set(String, String),
    Remove(String),
    Disable(String, bool),
    Focus(String),
    Repaint(String),
    Clipboard(String),
}

/// Changes that happen one after another. Windows are named by their title, widgets by their name.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    pub(super) list: Vec<(Duration, Change)>,
    delay: Duration,
}

impl Changes {
    fn with(&mut self, change: Change) -> &mut Self {
        self.list.push((self.delay, change));
        self
    }

    /// What follows happens so much later.
    pub fn after(&mut self, delay: Duration) -> &mut Self {
        self.delay += delay;
        self
    }

    /// A window of `app` opens in front.
    pub fn open(&mut self, title: &str, app: &str, fill: impl FnOnce(&mut WindowBuilder)) -> &mut Self {
        self.with(Change::Open(Box::new(WindowBuilder::new(title, app, fill))))
    }

    /// A window shows something else from now on, and is called `new_title`.
    pub fn page(
        &mut self,
        title: &str,
        new_title: &str,
        fill: impl FnOnce(&mut WindowBuilder),
    ) -> &mut Self {
        self.with(Change::Fill(title.to_owned(), Box::new(WindowBuilder::new(new_title, "", fill))))
    }

    /// A window goes.
    pub fn close(&mut self, title: &str) -> &mut Self {
        self.with(Change::Close(title.to_owned()))
    }

    /// A window comes to the front and takes the keyboard.
    pub fn raise(&mut self, title: &str) -> &mut Self {
        self.with(Change::Raise(title.to_owned()))
    }

    /// A window moves there, in screen pixels.
    pub fn shift(&mut self, title: &str, x: i32, y: i32) -> &mut Self {
        self.with(Change::Move(title.to_owned(), ScreenPoint::new(x, y)))
    }

    /// A window gets another title.
    pub fn retitle(&mut self, title: &str, new: &str) -> &mut Self {
        self.with(Change::Retitle(title.to_owned(), new.to_owned()))
    }

    /// A widget gets another name.
    pub fn relabel(&mut self, name: &str, new: &str) -> &mut Self {
        self.with(Change::Relabel(name.to_owned(), new.to_owned()))
    }

    /// A field, a dropdown, a box or a slider gets another value.
    pub fn set(&mut self, name: &str, value: &str) -> &mut Self {
        self.with(Change::Set(name.to_owned(), value.to_owned()))
    }

    /// A widget goes.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.with(Change::Remove(name.to_owned()))
    }

    /// A widget goes out of use.
    pub fn disable(&mut self, name: &str) -> &mut Self {
        self.with(Change::Disable(name.to_owned(), true))
    }

    /// A widget can be used again.
    pub fn enable(&mut self, name: &str) -> &mut Self {
        self.with(Change::Disable(name.to_owned(), false))
    }

    /// A widget takes the keyboard, and its window with it.
    pub fn focus(&mut self, name: &str) -> &mut Self {
        self.with(Change::Focus(name.to_owned()))
    }

    /// A canvas looks different.
    pub fn repaint(&mut self, name: &str) -> &mut Self {
        self.with(Change::Repaint(name.to_owned()))
    }

    /// Another program puts text on the clipboard.
    pub fn clipboard(&mut self, text: &str) -> &mut Self {
        self.with(Change::Clipboard(text.to_owned()))
    }
}

impl Simulated {
    /// Starts what waits for `cue`.
    pub(super) fn cue(&mut self, cue: &Cue) {
        let waiting = self.script.iter().filter(|(when, _)| when == cue);
        let changes: Vec<Changes> = waiting.map(|(_, changes)| changes.clone()).collect();
        for changes in changes {
            self.schedule(changes);
        }
    }

    pub(super) fn schedule(&mut self, changes: Changes) {
        let now = self.scene.age;
        self.due.extend(changes.list.into_iter().map(|(delay, change)| (now + delay, change)));
        self.catch_up();
    }

    /// Lets happen what is due by now.
    pub(super) fn catch_up(&mut self) {
        while let Some(at) = self.due.iter().position(|(due, _)| *due <= self.scene.age) {
            let (_, change) = self.due.remove(at);
            self.apply(change);
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Open(plan) => self.open_window(*plan),
            Change::Fill(title, plan) => {
                if let Some(id) = self.scene.titled(&title) {
                    self.scene.fill(id, *plan);
                }
            }
            Change::Close(title) => self.close_window(&title),
            Change::Raise(title) => self.raise_window(&title),
            Change::Move(title, to) => {
                if let Some(id) = self.scene.titled(&title) {
                    self.scene.move_to(id, to);
                }
            }
            Change::Retitle(title, new) => {
                if let Some(window) = self.scene.titled(&title).and_then(|id| self.scene.window_mut(id))
                {
                    window.title = new;
                }
            }
            Change::Relabel(name, new) => self.with_widget(&name, |widget| widget.name = new),
            Change::Set(name, value) => self.with_widget(&name, |widget| set(widget, &value)),
            Change::Remove(name) => {
                if let Some((window, number)) = self.scene.named(&name)
                    && let Some(window) = self.scene.window_mut(window)
                {
                    window.widgets.retain(|widget| widget.number != number);
                }
            }
            Change::Disable(name, disabled) => {
                self.with_widget(&name, |widget| widget.disabled = disabled);
            }
            Change::Focus(name) => {
                if let Some((window, number)) = self.scene.named(&name) {
                    self.scene.active = Some(window);
                    self.focus(window, number);
                }
            }
            Change::Repaint(name) => self.with_widget(&name, |widget| {
                if let Kind::Canvas { shade } = &mut widget.kind {
                    *shade += 1;
                }
            }),
            Change::Clipboard(text) => self.clipboard = text,
        }
    }

    fn with_widget(&mut self, name: &str, change: impl FnOnce(&mut Widget)) {
        let found = self.scene.named(name);
        let window = found.and_then(|(id, number)| self.scene.window_mut(id).map(|w| (w, number)));
        if let Some(widget) = window.and_then(|(window, number)| window.widget_mut(number)) {
            change(widget);
        }
    }

    pub(super) fn open_window(&mut self, plan: WindowBuilder) {
        self.journal.push(SimEvent::Opened(plan.title.clone()));
        self.scene.open(plan);
    }

    pub(super) fn close_window(&mut self, title: &str) {
        if let Some(id) = self.scene.titled(title) {
            self.journal.push(SimEvent::Closed(title.to_owned()));
            self.scene.close(id);
        }
    }

    pub(super) fn raise_window(&mut self, title: &str) {
        if let Some(id) = self.scene.titled(title) {
            self.journal.push(SimEvent::Raised(title.to_owned()));
            self.scene.raise(id);
        }
    }
}

fn set(widget: &mut Widget, to: &str) {
    match &mut widget.kind {
        Kind::Field(field) => field.set(to),
        Kind::Dropdown { options: all, chosen, .. } | Kind::List { items: all, chosen, .. } => {
            *chosen = all.iter().position(|choice| choice.text == to);
        }
        Kind::Checkbox { on } | Kind::Radio { on } => *on = to == "true",
        Kind::Slider { value } => *value = to.parse().unwrap_or(*value),
        Kind::Label
        | Kind::Heading
        | Kind::Button { .. }
        | Kind::Tab { .. }
        | Kind::Link { .. }
        | Kind::Terminal { .. }
        | Kind::Canvas { .. }
        | Kind::Film => {}
    }
}
