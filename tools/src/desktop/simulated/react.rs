//! What a widget does when it is used, whether by the mouse or by the keyboard.

use super::Simulated;
use super::event::SimEvent;
use super::script::Cue;
use super::widget::Kind;
use crate::element::WindowId;

/// What using one widget does to others.
enum Ripple {
    Nothing,
    Radio(Option<String>),
    Tab(usize),
    Visit(String),
}

impl Simulated {
    /// Uses the widget `number` of `window`, or entry `entry` of it.
    pub(super) fn activate(&mut self, window: WindowId, number: u32, entry: Option<usize>) {
        let found = self.scene.window_mut(window).and_then(|w| w.widget_mut(number));
        let Some(widget) = found.filter(|widget| !widget.disabled) else { return };
        let mut name = widget.name.clone();
        let mut ripple = Ripple::Nothing;
        match &mut widget.kind {
            Kind::Button { .. } => self.journal.push(SimEvent::Pressed(name.clone())),
            Kind::Checkbox { on } => {
                *on = !*on;
                self.journal.push(SimEvent::Toggled(name.clone(), *on));
            }
            Kind::Radio { .. } => ripple = Ripple::Radio(widget.within.clone()),
            Kind::Tab { page, .. } => ripple = Ripple::Tab(*page),
            Kind::Link { url } => {
                self.journal.push(SimEvent::Followed(url.clone()));
                ripple = Ripple::Visit(url.clone());
            }
            Kind::Dropdown { open, .. } if entry.is_none() => *open = !*open,
            Kind::Dropdown { options: all, chosen, .. } | Kind::List { items: all, chosen, .. } => {
                let Some((i, choice)) = entry.and_then(|i| all.get(i).map(|choice| (i, choice))) else {
                    return;
                };
                *chosen = Some(i);
                let of = std::mem::replace(&mut name, choice.text.clone());
                self.journal.push(SimEvent::Chosen { of, option: name.clone() });
                if let Kind::Dropdown { open, .. } = &mut widget.kind {
                    *open = false;
                }
            }
            Kind::Label
            | Kind::Heading
            | Kind::Field(_)
            | Kind::Slider { .. }
            | Kind::Terminal { .. }
            | Kind::Canvas { .. }
            | Kind::Film => {}
        }
        self.spread(window, number, &name, ripple);
        self.cue(&Cue::Used(name));
    }

    fn spread(&mut self, window: WindowId, number: u32, name: &str, ripple: Ripple) {
        let Some(window) = self.scene.window_mut(window) else { return };
        match ripple {
            Ripple::Nothing => {}
            Ripple::Radio(group) => {
                for other in window.widgets.iter_mut().filter(|w| w.within == group) {
                    if let Kind::Radio { on } = &mut other.kind {
                        *on = other.number == number;
                    }
                }
                let of = group.unwrap_or_default();
                self.journal.push(SimEvent::Chosen { of, option: name.to_owned() });
            }
            Ripple::Tab(open) => {
                for other in &mut window.widgets {
                    if let Kind::Tab { page, on } = &mut other.kind {
                        *on = *page == open;
                    }
                }
                self.journal.push(SimEvent::Chosen { of: String::new(), option: name.to_owned() });
            }
            Ripple::Visit(url) => {
                self.visit(&url);
            }
        }
    }

    /// Shows the page of that address in the browser; whether there is one.
    pub(super) fn visit(&mut self, url: &str) -> bool {
        let Some(page) = self.pages.get(url).cloned() else { return false };
        let browser = self.scene.windows.iter().find(|w| w.app == page.app).map(|w| w.id);
        match browser {
            Some(id) => {
                self.scene.fill(id, page);
                self.scene.raise(id);
            }
            None => self.open_window(page),
        }
        true
    }

    /// Gives the keyboard within `window` to a widget.
    pub(super) fn focus(&mut self, window: WindowId, number: u32) {
        if let Some(window) = self.scene.window_mut(window)
            && window.widget(number).is_some_and(super::widget::Widget::takes_focus)
        {
            window.focus = Some(number);
        }
    }

    /// Closes the open dropdowns of `window` but for `except`; whether there was one.
    pub(super) fn fold(&mut self, window: WindowId, except: Option<u32>) -> bool {
        let mut folded = false;
        for widget in self.scene.window_mut(window).into_iter().flat_map(|w| &mut w.widgets) {
            if let Kind::Dropdown { open, .. } = &mut widget.kind
                && *open
                && Some(widget.number) != except
            {
                *open = false;
                folded = true;
            }
        }
        folded
    }
}
