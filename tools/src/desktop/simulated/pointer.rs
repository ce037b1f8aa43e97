//! The mouse: a click is a press and a release on the same thing, and everything else follows from
//! what lies under the pointer at that moment.

use super::Simulated;
use super::event::SimEvent;
use super::scene::{Place, TITLE};
use super::widget::Kind;
use crate::action::Button;
use crate::desktop::PointerInput;
use crate::geometry::ScreenPoint;
use crate::key::{Key, Modifier};

/// A button that is down.
#[derive(Debug, Clone)]
pub(super) struct Press {
    pub(super) button: Button,
    at: ScreenPoint,
    place: Option<Place>,
    /// Where its window was when the button went down.
    origin: ScreenPoint,
}

impl Simulated {
    pub(super) fn mouse(&mut self, input: PointerInput) {
        match input {
            PointerInput::MoveTo(point) => self.move_pointer(point),
            PointerInput::Down(button) => self.button_down(button, 1),
            PointerInput::Up(button) => self.button_up(button, 1),
            PointerInput::Click(button, count) => {
                for n in 1..=count {
                    self.button_down(button, n);
                    self.button_up(button, n);
                }
            }
            PointerInput::Scroll(dx, dy) => self.wheel(dx, dy),
        }
    }

    fn move_pointer(&mut self, point: ScreenPoint) {
        let inside = self.scene.monitors.iter().any(|m| m.bounds.contains(point));
        // The pointer cannot leave the desktop: it stops at the nearest pixel of the nearest monitor.
        let nearest = || {
            let points = self.scene.monitors.iter().map(|m| m.bounds.clamp(point));
            let far = |p: &ScreenPoint| {
                let (dx, dy) =
                    (i64::from(p.x) - i64::from(point.x), i64::from(p.y) - i64::from(point.y));
                dx.abs() + dy.abs()
            };
            points.min_by_key(far).unwrap_or(point)
        };
        let point = if inside { point } else { nearest() };
        self.cursor = point;
        self.journal.push(SimEvent::Moved(point));
        if let Some(press) = self.pressed.iter().find(|press| press.button == Button::Left).cloned() {
            self.drag(&press, point);
        }
    }

    fn drag(&mut self, press: &Press, to: ScreenPoint) {
        let Some(place) = &press.place else { return };
        let Some(number) = place.widget else {
            if place.local.y < TITLE.cast_signed() {
                let (dx, dy) = (to.x.saturating_sub(press.at.x), to.y.saturating_sub(press.at.y));
                self.scene.move_to(place.window, press.origin.offset(dx, dy));
            }
            return;
        };
        let Some(window) = self.scene.window_mut(place.window) else { return };
        let local = window.to_local(to);
        let Some(widget) = window.widget_mut(number).filter(|widget| !widget.disabled) else { return };
        let at = widget.char_at(local);
        let along = local
            .x
            .saturating_sub(widget.area.x)
            .clamp(0, widget.area.width.cast_signed())
            .unsigned_abs();
        if let Kind::Field(field) = &mut widget.kind {
            field.go(at, true);
        }
        if let Kind::Slider { value } = &mut widget.kind {
            *value = along * 100 / widget.area.width.max(1);
        }
    }

    fn button_down(&mut self, button: Button, count: u8) {
        self.journal.push(SimEvent::ButtonDown(button, self.cursor));
        let place = self.scene.place(self.cursor);
        let mut origin = self.cursor;
        if let Some(place) = &place {
            self.scene.raise(place.window);
            origin = self.scene.window(place.window).map_or(origin, |w| w.origin);
            self.fold(place.window, place.widget);
            if let Some(number) = place.widget {
                self.focus(place.window, number);
                if button == Button::Left {
                    self.put_caret(place, number, count);
                }
            }
        }
        self.pressed.retain(|press| press.button != button);
        self.pressed.push(Press { button, at: self.cursor, place, origin });
    }

    fn put_caret(&mut self, place: &Place, number: u32, count: u8) {
        let extend = self.modifiers().contains(&Modifier::Shift);
        let Some(window) = self.scene.window_mut(place.window) else { return };
        let Some(widget) = window.widget_mut(number).filter(|widget| !widget.disabled) else { return };
        let at = widget.char_at(place.local);
        if let Kind::Field(field) = &mut widget.kind {
            match count {
                0 | 1 => field.go(at, extend),
                2 => field.select_word(),
                _ => field.select_all(),
            }
        }
    }

    fn button_up(&mut self, button: Button, count: u8) {
        let Some(at) = self.pressed.iter().position(|press| press.button == button) else { return };
        let press = self.pressed.remove(at);
        self.journal.push(SimEvent::ButtonUp(button, self.cursor));
        let place = self.scene.place(self.cursor);
        let on = |place: &Option<Place>| place.as_ref().map(|p| (p.window, p.widget, p.entry));
        let moved = press.at != self.cursor;
        if on(&press.place) != on(&place) || (moved && place.as_ref().is_none_or(|p| p.widget.is_none()))
        {
            self.journal.push(SimEvent::Dragged { from: press.at, to: self.cursor, button });
            return;
        }
        let (window, target) = self.names(place.as_ref());
        let modifiers = self.modifiers();
        self.journal.push(SimEvent::Clicked {
            window,
            target,
            button,
            count,
            at: self.cursor,
            modifiers,
        });
        if let Some(Place { window, widget: Some(number), entry, local }) = place
            && button == Button::Left
        {
            if !moved {
                self.set_slider(window, number, local.x);
            }
            self.activate(window, number, entry);
        }
    }

    fn set_slider(&mut self, window: crate::element::WindowId, number: u32, x: i32) {
        let widget = self.scene.window_mut(window).and_then(|w| w.widget_mut(number));
        if let Some(widget) = widget.filter(|widget| !widget.disabled)
            && let Kind::Slider { value } = &mut widget.kind
        {
            *value =
                x.saturating_sub(widget.area.x).max(0).unsigned_abs() * 100 / widget.area.width.max(1);
        }
    }

    /// How a person names what is there.
    pub(super) fn names(&self, place: Option<&Place>) -> (Option<String>, Option<String>) {
        let Some(place) = place else { return (None, None) };
        let Some(window) = self.scene.window(place.window) else { return (None, None) };
        let widget = place.widget.and_then(|number| window.widget(number));
        let target = widget.map(|widget| {
            let entry = widget.choices().and_then(|(all, _)| all.get(place.entry?));
            entry.map_or(&widget.name, |choice| &choice.text).clone()
        });
        (Some(window.title.clone()), target)
    }

    fn wheel(&mut self, dx: i32, dy: i32) {
        let place = self.scene.place(self.cursor);
        let (_, target) =
            self.names(place.as_ref().map(|p| Place { entry: None, ..p.clone() }).as_ref());
        self.journal.push(SimEvent::Scrolled { target, dx, dy });
        if let Some(Place { window, widget: Some(number), .. }) = place
            && let Some(widget) = self.scene.window_mut(window).and_then(|w| w.widget_mut(number))
        {
            widget.scroll(dy);
        }
    }

    /// The modifiers that are held now.
    pub(super) fn modifiers(&self) -> Vec<Modifier> {
        let modifier = |key: &Key| match key {
            Key::Modifier(modifier) => Some(*modifier),
            Key::Char(_) | Key::Function(_) | Key::Named(_) => None,
        };
        let mut all: Vec<Modifier> = self.keys.iter().filter_map(modifier).collect();
        all.sort_unstable();
        all
    }
}
