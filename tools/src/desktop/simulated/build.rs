//! How a test says what stands in a window: one line for each widget, from the top to the bottom.

use super::field::{Field, Shape};
use super::scene::TITLE;
use super::widget::{CHAR, Choice, Kind, Logical, PAD, ROW, Widget};
use crate::geometry::{Rect, ScreenPoint, Size};

const MARGIN: i32 = 12;
const GAP: i32 = 8;
const HEIGHT: u32 = 24;
const FIELD: u32 = 240;

/// A window in the making. Lengths are logical pixels: screen pixels at scale 1.
#[derive(Debug, Clone)]
pub struct WindowBuilder {
    pub(super) title: String,
    pub(super) app: String,
    pub(super) widgets: Vec<Widget>,
    pub(super) origin: Option<ScreenPoint>,
    pub(super) listed: bool,
    pub(super) behind: bool,
    size: Option<Size<Logical>>,
    x: i32,
    y: i32,
    row: Option<u32>,
    page: Option<usize>,
    within: Option<String>,
    at: Option<Rect<Logical>>,
    tabs: Option<Tabs>,
}

#[derive(Debug, Clone, Copy)]
struct Tabs {
    x: i32,
    y: i32,
    bottom: i32,
    count: usize,
}

fn px(length: u32) -> i32 {
    i32::try_from(length).unwrap_or(i32::MAX)
}

fn text_width(text: &str) -> u32 {
    u32::try_from(text.chars().count()).unwrap_or(u32::MAX).saturating_mul(CHAR)
}

impl WindowBuilder {
    pub(super) fn new(title: &str, app: &str, fill: impl FnOnce(&mut Self)) -> Self {
        let mut window = Self {
            title: title.to_owned(),
            app: app.to_owned(),
            widgets: Vec::new(),
            origin: None,
            listed: true,
            behind: false,
            size: None,
            x: MARGIN,
            y: px(TITLE) + MARGIN,
            row: None,
            page: None,
            within: None,
            at: None,
            tabs: None,
        };
        fill(&mut window);
        window
    }

    /// The size that it was given, or else what its widgets need.
    pub(super) fn extent(&self) -> Size<Logical> {
        let right = self.widgets.iter().map(|w| w.area.right()).max().unwrap_or(0) + MARGIN;
        let bottom = self.widgets.iter().map(|w| w.area.bottom()).max().unwrap_or(0) + MARGIN;
        let title = px(text_width(&self.title)) + 2 * MARGIN;
        let fit = || Size::new(right.max(title).max(160).unsigned_abs(), bottom.max(80).unsigned_abs());
        self.size.unwrap_or_else(fit)
    }

    /// Puts the window's top left corner there, in screen pixels.
    pub fn place(&mut self, x: i32, y: i32) -> &mut Self {
        self.origin = Some(ScreenPoint::new(x, y));
        self
    }

    /// Gives the window a size instead of the one that its widgets need.
    pub fn size(&mut self, width: u32, height: u32) -> &mut Self {
        self.size = Some(Size::new(width, height));
        self
    }

    /// The window opens behind all others and does not take the keyboard.
    pub fn behind(&mut self) -> &mut Self {
        self.behind = true;
        self
    }

    /// The window says nothing to the accessibility bus: only its pixels can be seen.
    pub fn unlisted(&mut self) -> &mut Self {
        self.listed = false;
        self
    }

    /// The next widget stands exactly there in the window, over whatever is there already.
    pub fn at(&mut self, x: i32, y: i32, width: u32, height: u32) -> &mut Self {
        self.at = Some(Rect::new(x, y, width, height));
        self
    }

    /// The widgets stand side by side.
    pub fn row(&mut self, fill: impl FnOnce(&mut Self)) -> &mut Self {
        self.row = Some(0);
        fill(self);
        self.x = MARGIN;
        self.y += px(self.row.take().unwrap_or(0)) + GAP;
        self
    }

    /// The widgets stand in a group of that name.
    pub fn group(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let outer = self.within.replace(name.to_owned());
        fill(self);
        self.within = outer;
        self
    }

    /// The widgets stand on a tab of that name; the first tab is the open one.
    pub fn tab(&mut self, name: &str, fill: impl FnOnce(&mut Self)) -> &mut Self {
        let tabs = self.tabs.unwrap_or(Tabs { x: MARGIN, y: self.y, bottom: self.y, count: 0 });
        let width = text_width(name) + 24;
        self.at(tabs.x, tabs.y, width, HEIGHT).put(
            Kind::Tab { page: tabs.count, on: tabs.count == 0 },
            name,
            (0, 0),
        );
        (self.y, self.page) = (tabs.y + px(HEIGHT) + GAP, Some(tabs.count));
        fill(self);
        self.page = None;
        let bottom = self.y.max(tabs.bottom);
        self.tabs = Some(Tabs { x: tabs.x + px(width) + 2, bottom, count: tabs.count + 1, ..tabs });
        self.y = bottom;
        self
    }

    /// Words to read.
    pub fn label(&mut self, text: &str) -> &mut Self {
        self.put(Kind::Label, text, (text_width(text), 16))
    }

    /// A heading.
    pub fn heading(&mut self, text: &str) -> &mut Self {
        self.put(Kind::Heading, text, (text_width(text), HEIGHT))
    }

    /// A button.
    pub fn button(&mut self, name: &str) -> &mut Self {
        self.put(Kind::Button { is_default: false }, name, (text_width(name) + 24, HEIGHT))
    }

    /// The button that Return presses from any field of the window.
    pub fn default_button(&mut self, name: &str) -> &mut Self {
        self.put(Kind::Button { is_default: true }, name, (text_width(name) + 24, HEIGHT))
    }

    /// A box to tick.
    pub fn checkbox(&mut self, name: &str, on: bool) -> &mut Self {
        self.put(Kind::Checkbox { on }, name, (text_width(name) + 28, ROW))
    }

    /// One radio for each option, the first of them chosen.
    pub fn radios(&mut self, group: &str, options: &[&str]) -> &mut Self {
        self.group(group, |w| {
            for (i, option) in options.iter().enumerate() {
                w.put(Kind::Radio { on: i == 0 }, option, (text_width(option) + 28, ROW));
            }
        })
    }

    /// An empty field for one line.
    pub fn textbox(&mut self, name: &str) -> &mut Self {
        self.textbox_with(name, "")
    }

    /// A field for one line that holds a text.
    pub fn textbox_with(&mut self, name: &str, text: &str) -> &mut Self {
        self.put(Kind::Field(Field::new(Shape::Line, text)), name, (FIELD, HEIGHT))
    }

    /// A field for many lines that holds a text.
    pub fn textarea(&mut self, name: &str, text: &str) -> &mut Self {
        self.put(Kind::Field(Field::new(Shape::Lines, text)), name, (FIELD + 120, 8 * ROW))
    }

    /// An empty field for a secret.
    pub fn password(&mut self, name: &str) -> &mut Self {
        self.put(Kind::Field(Field::new(Shape::Secret, "")), name, (FIELD, HEIGHT))
    }

    /// A closed list of options with the first of them chosen.
    pub fn dropdown(&mut self, name: &str, options: &[&str]) -> &mut Self {
        let chosen = (!options.is_empty()).then_some(0);
        self.put(
            Kind::Dropdown { options: Choice::all(options), chosen, open: false },
            name,
            (FIELD, HEIGHT),
        )
    }

    /// A link.
    pub fn link(&mut self, name: &str, url: &str) -> &mut Self {
        self.put(Kind::Link { url: url.to_owned() }, name, (text_width(name), 16))
    }

    /// A list that shows so many of its entries at a time.
    pub fn list(&mut self, name: &str, items: &[&str], rows: u32) -> &mut Self {
        let kind = Kind::List { items: Choice::all(items), top: 0, chosen: None };
        self.put(kind, name, (FIELD, rows.max(1).saturating_mul(ROW)))
    }

    /// A number from 0 to 100 that is set by dragging.
    pub fn slider(&mut self, name: &str, value: u32) -> &mut Self {
        self.put(Kind::Slider { value: value.min(100) }, name, (FIELD, ROW))
    }

    /// A terminal that records what is entered and runs nothing. No list speaks of it.
    pub fn terminal(&mut self) -> &mut Self {
        let kind = Kind::Terminal { lines: Vec::new(), input: Field::default() };
        self.put(kind, "terminal", (400, 200))
    }

    /// An area of pixels that no list speaks of.
    pub fn canvas(&mut self, name: &str, width: u32, height: u32) -> &mut Self {
        self.put(Kind::Canvas { shade: 0 }, name, (width, height))
    }

    /// An area of pixels that never rests.
    pub fn film(&mut self, name: &str, width: u32, height: u32) -> &mut Self {
        self.put(Kind::Film, name, (width, height))
    }

    /// The widget before this is shown but out of use.
    pub fn disabled(&mut self) -> &mut Self {
        if let Some(last) = self.widgets.last_mut() {
            last.disabled = true;
        }
        self
    }

    fn put(&mut self, kind: Kind, name: &str, (width, height): (u32, u32)) -> &mut Self {
        let area = self.at.take().unwrap_or_else(|| self.flow(width, height));
        let (page, within) = (self.page, self.within.clone());
        let name = name.to_owned();
        self.widgets.push(Widget { number: 0, kind, name, area, page, within, disabled: false });
        self
    }

    fn flow(&mut self, width: u32, height: u32) -> Rect<Logical> {
        let area = Rect::new(self.x, self.y, width.max(CHAR), height);
        match &mut self.row {
            Some(tallest) => {
                *tallest = height.max(*tallest);
                self.x = area.right() + PAD + GAP;
            }
            None => self.y = area.bottom() + GAP,
        }
        area
    }
}
