//! What stands on the simulated desktop and what lies over what. One place answers "what is at this
//! point", for the mouse as for the list, so the two cannot disagree.

use std::time::Duration;

use super::build::WindowBuilder;
use super::widget::{Kind, Logical, Part, Widget};
use crate::desktop::uncovered;
use crate::element::{Element, ElementId, ElementKey, Source, Window, WindowId};
use crate::frame::Monitor;
use crate::geometry::{Point, Rect, ScreenPoint, ScreenRect, Size};

/// Height of a title bar, in logical pixels.
pub(super) const TITLE: u32 = 24;

#[derive(Debug, Clone)]
pub(super) struct SimWindow {
    pub(super) id: WindowId,
    pub(super) title: String,
    pub(super) app: String,
    pub(super) origin: ScreenPoint,
    pub(super) size: Size<Logical>,
    pub(super) scale: f32,
    pub(super) widgets: Vec<Widget>,
    /// The number of the widget that has the keyboard while the window has it.
    pub(super) focus: Option<u32>,
    /// Whether it tells the accessibility bus what it shows.
    pub(super) listed: bool,
}

/// Where a point falls.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Place {
    pub(super) window: WindowId,
    /// The widget there.
    pub(super) widget: Option<u32>,
    /// Its entry there.
    pub(super) entry: Option<usize>,
    pub(super) local: Point<Logical>,
}

impl SimWindow {
    pub(super) fn to_screen(&self, area: &Rect<Logical>) -> ScreenRect {
        let at = |v: i32| scaled(v, self.scale);
        let (left, top) = (at(area.x), at(area.y));
        let extent = |end: i32, start: i32| at(end).saturating_sub(start).max(0).unsigned_abs();
        let (width, height) = (extent(area.right(), left), extent(area.bottom(), top));
        let origin = self.origin.offset(left, top);
        Rect::new(origin.x, origin.y, width, height)
    }

    pub(super) fn to_local(&self, point: ScreenPoint) -> Point<Logical> {
        // The middle of the pixel, so that it falls into the area whose rounded edges hold it.
        let back = |v: i32, origin: i32| unscaled(v.saturating_sub(origin), self.scale);
        Point::new(back(point.x, self.origin.x), back(point.y, self.origin.y))
    }

    pub(super) fn bounds(&self) -> ScreenRect {
        self.to_screen(&Rect::of_size(self.size))
    }

    pub(super) fn widget(&self, number: u32) -> Option<&Widget> {
        self.widgets.iter().find(|widget| widget.number == number)
    }

    pub(super) fn widget_mut(&mut self, number: u32) -> Option<&mut Widget> {
        self.widgets.iter_mut().find(|widget| widget.number == number)
    }

    pub(super) fn focused(&mut self) -> Option<&mut Widget> {
        self.focus.and_then(|number| self.widget_mut(number))
    }

    /// Whether the tab that it stands on is the open one.
    pub(super) fn shows(&self, widget: &Widget) -> bool {
        let open =
            |w: &Widget| matches!(w.kind, Kind::Tab { page, on: true } if Some(page) == widget.page);
        widget.page.is_none() || self.widgets.iter().any(open)
    }

    pub(super) fn shown(&self) -> impl DoubleEndedIterator<Item = &Widget> {
        self.widgets.iter().filter(|widget| self.shows(widget))
    }

    /// The widget that has the keyboard when the window is new.
    fn first_stop(&self) -> Option<u32> {
        self.shown().find(|w| w.takes_focus()).map(|w| w.number)
    }

    fn place(&self, point: ScreenPoint) -> Place {
        let local = self.to_local(point);
        let covers = |area: Rect<Logical>| self.to_screen(&area).contains(point);
        let over = self.shown().rev().find(|w| w.overlay().is_some_and(covers));
        let found = over.or_else(|| self.shown().rev().find(|w| covers(w.area)));
        let entry = found.and_then(|w| w.entry_areas().find(|(_, area)| covers(*area)));
        let entry = entry.map(|(i, _)| i);
        Place { window: self.id, widget: found.map(|w| w.number), entry, local }
    }

    /// The part of `part` that nothing in its own window lies over.
    fn uncovered(&self, owner: usize, part: &Part) -> Option<ScreenRect> {
        let whole = self.bounds().intersect(&self.to_screen(&part.area))?;
        let later = self.widgets.iter().enumerate().skip(owner + 1).filter(|(_, w)| self.shows(w));
        let covers = later.map(|(_, w)| w.area).filter(|_| !part.overlay);
        let overlays =
            self.shown().filter(|w| Some(w.number) != self.widgets.get(owner).map(|o| o.number));
        let overlays = overlays.filter_map(Widget::overlay);
        let over: Vec<ScreenRect> = covers.chain(overlays).map(|area| self.to_screen(&area)).collect();
        uncovered::largest(whole, &over)
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "screen coordinates are small"
)]
pub(super) fn scaled(value: i32, scale: f32) -> i32 {
    (value as f32 * scale).round() as i32
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    reason = "screen coordinates are small"
)]
fn unscaled(value: i32, scale: f32) -> i32 {
    ((value as f32 + 0.5) / scale).floor() as i32
}

#[derive(Debug)]
pub(super) struct Scene {
    pub(super) monitors: Vec<Monitor>,
    /// Front to back.
    pub(super) windows: Vec<SimWindow>,
    /// Kept so that a test can ask what stood in them.
    pub(super) closed: Vec<SimWindow>,
    pub(super) active: Option<WindowId>,
    /// How long the desktop has been there, as its clock and its caret show it.
    pub(super) age: Duration,
    pub(super) clock: bool,
    pub(super) blinking: bool,
    next_window: u64,
    next_number: u32,
}

impl Scene {
    pub(super) fn new(monitor: Monitor) -> Self {
        Self {
            monitors: vec![monitor],
            windows: Vec::new(),
            closed: Vec::new(),
            active: None,
            age: Duration::ZERO,
            clock: false,
            blinking: false,
            next_window: 1,
            next_number: 1,
        }
    }

    fn scale_at(&self, point: ScreenPoint) -> f32 {
        self.monitors.iter().find(|m| m.bounds.contains(point)).map_or(1.0, |m| m.scale)
    }

    /// Puts a window in front of all others and gives it the keyboard.
    pub(super) fn open(&mut self, plan: WindowBuilder) -> WindowId {
        let id = WindowId(self.next_window);
        self.next_window += 1;
        let count = i32::try_from(self.windows.len()).unwrap_or(0);
        let first = self.monitors.first().map_or(Point::new(0, 0), |m| m.bounds.origin());
        let origin = plan.origin.unwrap_or_else(|| first.offset(40 + 30 * count, 40 + 30 * count));
        let mut window = SimWindow {
            id,
            origin,
            size: plan.extent(),
            scale: self.scale_at(origin),
            focus: None,
            listed: plan.listed,
            title: plan.title,
            app: plan.app,
            widgets: plan.widgets,
        };
        self.number(&mut window.widgets);
        window.focus = window.first_stop();
        if plan.behind && !self.windows.is_empty() {
            self.windows.push(window);
        } else {
            self.windows.insert(0, window);
            self.active = Some(id);
        }
        id
    }

    /// Replaces what a window shows, as a page that loads does.
    pub(super) fn fill(&mut self, id: WindowId, plan: WindowBuilder) {
        let (title, mut widgets) = (plan.title, plan.widgets);
        self.number(&mut widgets);
        let Some(window) = self.window_mut(id) else { return };
        (window.title, window.widgets) = (title, widgets);
        window.focus = window.first_stop();
    }

    fn number(&mut self, widgets: &mut [Widget]) {
        let mut next = || {
            self.next_number += 1;
            self.next_number - 1
        };
        for widget in widgets {
            widget.number = next();
            if let Kind::Dropdown { options: all, .. } | Kind::List { items: all, .. } = &mut widget.kind
            {
                for choice in all {
                    choice.number = next();
                }
            }
        }
    }

    pub(super) fn move_to(&mut self, id: WindowId, origin: ScreenPoint) {
        let scale = self.scale_at(origin);
        if let Some(window) = self.window_mut(id) {
            (window.origin, window.scale) = (origin, scale);
        }
    }

    pub(super) fn raise(&mut self, id: WindowId) {
        if let Some(at) = self.windows.iter().position(|w| w.id == id) {
            let window = self.windows.remove(at);
            self.windows.insert(0, window);
            self.active = Some(id);
        }
    }

    pub(super) fn close(&mut self, id: WindowId) {
        if let Some(at) = self.windows.iter().position(|w| w.id == id) {
            self.closed.push(self.windows.remove(at));
            if self.active == Some(id) {
                self.active = self.windows.first().map(|w| w.id);
            }
        }
    }

    pub(super) fn window(&self, id: WindowId) -> Option<&SimWindow> {
        self.windows.iter().find(|w| w.id == id)
    }

    pub(super) fn window_mut(&mut self, id: WindowId) -> Option<&mut SimWindow> {
        self.windows.iter_mut().find(|w| w.id == id)
    }

    pub(super) fn titled(&self, title: &str) -> Option<WindowId> {
        self.windows.iter().find(|w| w.title == title).map(|w| w.id)
    }

    pub(super) fn active(&mut self) -> Option<&mut SimWindow> {
        self.active.and_then(|id| self.window_mut(id))
    }

    /// The widget of that name, the front one first, and of several the one that can be used.
    pub(super) fn named(&self, name: &str) -> Option<(WindowId, u32)> {
        let all = self.windows.iter().flat_map(|w| w.widgets.iter().map(move |widget| (w.id, widget)));
        all.filter(|(_, widget)| widget.name == name)
            .min_by_key(|(_, widget)| matches!(widget.kind, Kind::Label | Kind::Heading))
            .map(|(id, widget)| (id, widget.number))
    }

    /// What is at `point`; `None` for the bare desktop.
    pub(super) fn place(&self, point: ScreenPoint) -> Option<Place> {
        self.windows.iter().find(|w| w.bounds().contains(point)).map(|w| w.place(point))
    }

    pub(super) fn list_windows(&self) -> Vec<Window> {
        self.windows.iter().map(|window| self.describe(window)).collect()
    }

    pub(super) fn describe(&self, window: &SimWindow) -> Window {
        Window {
            id: window.id,
            title: window.title.clone(),
            app: window.app.clone(),
            pid: u32::try_from(window.id.0).ok().map(|n| 1000 + n),
            bounds: window.bounds(),
            focused: self.active == Some(window.id),
        }
    }

    /// What can be read or used inside `view`, in reading order, the front window first.
    pub(super) fn elements(&self, view: &ScreenRect) -> Vec<Element> {
        let mut found = Vec::new();
        for (depth, window) in self.windows.iter().enumerate().filter(|(_, w)| w.listed) {
            let mut here = Vec::new();
            for (owner, widget) in window.widgets.iter().enumerate().filter(|(_, w)| window.shows(w)) {
                let focused = self.active == Some(window.id) && window.focus == Some(widget.number);
                let parts = widget.parts(focused);
                here.extend(parts.into_iter().filter_map(|part| {
                    let inside = window.uncovered(owner, &part).and_then(|r| r.intersect(view));
                    let front: Vec<ScreenRect> =
                        self.windows.iter().take(depth).map(SimWindow::bounds).collect();
                    let bounds = uncovered::largest(inside?, &front)?;
                    Some(element(part, bounds, widget, window))
                }));
            }
            here.sort_by_key(|e: &Element| (e.bounds.y, e.bounds.x));
            found.extend(here);
        }
        found
    }
}

fn element(part: Part, bounds: ScreenRect, widget: &Widget, window: &SimWindow) -> Element {
    let within =
        if part.number == widget.number { widget.within.clone() } else { Some(widget.name.clone()) };
    Element {
        id: ElementId(part.number),
        key: ElementKey(format!("sim:{}", part.number)),
        role: part.role,
        name: part.name,
        value: part.value,
        description: None,
        looks: None,
        options: part.options,
        actions: Vec::new(),
        states: part.states,
        bounds,
        source: Source::Accessibility,
        window: Some(window.id),
        within,
        region: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scaled_points_come_back_to_their_area() {
        for scale in [1.0, 1.25, 1.5, 2.0] {
            for v in -50..50 {
                assert_eq!(unscaled(scaled(v, scale), scale), v, "{v} at {scale}");
            }
        }
    }
}
