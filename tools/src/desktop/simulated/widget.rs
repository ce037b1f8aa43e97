//! The widgets of a simulated window and what each of them tells the list of elements.

use super::field::{Field, Shape};
use crate::element::{Role, States};
use crate::geometry::{Point, Rect};

/// Pixels of a window at scale 1, counted from its top left corner.
#[derive(Debug, Clone, Copy)]
pub(super) enum Logical {}

/// Width and height of one character, in logical pixels.
pub(super) const CHAR: u32 = 8;
/// Height of a row of a list, in logical pixels.
pub(super) const ROW: u32 = 20;
/// Height of a line of text, in logical pixels.
pub(super) const LINE: u32 = 12;
/// Distance of a text from the edge of its widget, in logical pixels.
pub(super) const PAD: i32 = 4;

/// One entry of a list or one option of a dropdown.
#[derive(Debug, Clone)]
pub(super) struct Choice {
    pub(super) number: u32,
    pub(super) text: String,
}

impl Choice {
    pub(super) fn all(texts: &[&str]) -> Vec<Self> {
        texts.iter().map(|text| Self { number: 0, text: (*text).to_owned() }).collect()
    }
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Label,
    Heading,
    Button {
        is_default: bool,
    },
    Checkbox {
        on: bool,
    },
    Radio {
        on: bool,
    },
    Field(Field),
    Dropdown {
        options: Vec<Choice>,
        chosen: Option<usize>,
        open: bool,
    },
    Tab {
        page: usize,
        on: bool,
    },
    Link {
        url: String,
    },
    List {
        items: Vec<Choice>,
        top: usize,
        chosen: Option<usize>,
    },
    Slider {
        value: u32,
    },
    Terminal {
        lines: Vec<String>,
        input: Field,
    },
    /// Pixels that no list speaks of; the number is what they show.
    Canvas {
        shade: u32,
    },
    /// Pixels that never rest.
    Film,
}

#[derive(Debug, Clone)]
pub(super) struct Widget {
    pub(super) number: u32,
    pub(super) kind: Kind,
    pub(super) name: String,
    pub(super) area: Rect<Logical>,
    /// The tab that it stands on; `None` when it shows on all.
    pub(super) page: Option<usize>,
    pub(super) within: Option<String>,
    pub(super) disabled: bool,
}

/// One thing that a click can meet: a widget, or one entry of it.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) number: u32,
    pub(super) role: Role,
    pub(super) name: String,
    pub(super) value: Option<String>,
    pub(super) options: Vec<String>,
    pub(super) states: States,
    pub(super) area: Rect<Logical>,
    /// Whether it lies over its neighbours, as the options of an open dropdown do.
    pub(super) overlay: bool,
}

impl Widget {
    /// The role in the list; `None` for what no list speaks of.
    pub(super) fn role(&self) -> Option<Role> {
        Some(match &self.kind {
            Kind::Label => Role::Text,
            Kind::Heading => Role::Heading,
            Kind::Button { .. } => Role::Button,
            Kind::Checkbox { .. } => Role::Checkbox,
            Kind::Radio { .. } => Role::Radio,
            Kind::Field(field) if field.shape == Shape::Secret => Role::Password,
            Kind::Field(_) => Role::Textbox,
            Kind::Dropdown { .. } => Role::Dropdown,
            Kind::Tab { .. } => Role::Tab,
            Kind::Link { .. } => Role::Link,
            Kind::List { .. } => Role::List,
            Kind::Slider { .. } => Role::Slider,
            Kind::Terminal { .. } | Kind::Canvas { .. } | Kind::Film => return None,
        })
    }

    pub(super) fn takes_focus(&self) -> bool {
        let shows = !matches!(self.kind, Kind::Label | Kind::Heading | Kind::Canvas { .. } | Kind::Film);
        shows && !self.disabled
    }

    /// Its entries and the chosen one, for a list or a dropdown.
    pub(super) fn choices(&self) -> Option<(&[Choice], Option<usize>)> {
        let (Kind::Dropdown { options: all, chosen, .. } | Kind::List { items: all, chosen, .. }) =
            &self.kind
        else {
            return None;
        };
        Some((all, *chosen))
    }

    /// What it holds, as somebody in front of the screen would say who can see secrets too.
    pub(super) fn value(&self) -> Option<String> {
        if let Some((all, chosen)) = self.choices() {
            return Some(chosen.and_then(|i| all.get(i)).map_or_else(String::new, |c| c.text.clone()));
        }
        match &self.kind {
            Kind::Checkbox { on } | Kind::Radio { on } | Kind::Tab { on, .. } => Some(on.to_string()),
            Kind::Field(field) | Kind::Terminal { input: field, .. } => Some(field.text()),
            Kind::Slider { value } => Some(value.to_string()),
            Kind::Label
            | Kind::Heading
            | Kind::Button { .. }
            | Kind::Link { .. }
            | Kind::Dropdown { .. }
            | Kind::List { .. }
            | Kind::Canvas { .. }
            | Kind::Film => None,
        }
    }

    fn states(&self, focused: bool) -> States {
        let mut states = States { focused, disabled: self.disabled, ..States::default() };
        if let Kind::Checkbox { on } | Kind::Radio { on } = &self.kind {
            states.checked = Some(*on);
        }
        if let Kind::Tab { on, .. } = &self.kind {
            states.selected = Some(*on);
        }
        if let Kind::Dropdown { open, .. } = &self.kind {
            states.expanded = Some(*open);
        }
        if let Kind::Field(field) = &self.kind {
            states.editable = true;
            states.multiline = field.shape == Shape::Lines;
        }
        states
    }

    /// What the list says of it: itself first, then its entries that show.
    pub(super) fn parts(&self, focused: bool) -> Vec<Part> {
        let Some(role) = self.role() else { return Vec::new() };
        let value = match (&self.kind, role) {
            (_, Role::Password) | (Kind::Checkbox { .. } | Kind::Radio { .. } | Kind::Tab { .. }, _) => {
                None
            }
            _ => self.value(),
        };
        let all = self.choices().filter(|_| role == Role::Dropdown).map_or(&[][..], |(all, _)| all);
        let options = all.iter().map(|choice| choice.text.clone()).collect();
        let states = self.states(focused);
        let own = Part {
            number: self.number,
            role,
            name: self.name.clone(),
            value,
            options,
            states,
            area: self.area,
            overlay: false,
        };
        std::iter::once(own).chain(self.entries()).collect()
    }

    fn entries(&self) -> Vec<Part> {
        let Some((choices, chosen)) = self.choices() else { return Vec::new() };
        let is_list = matches!(self.kind, Kind::List { .. });
        let role = if is_list { Role::ListItem } else { Role::Option };
        let part = |(i, choice): (usize, &Choice)| {
            let area = self.entry_area(i)?;
            let selected = Some(chosen == Some(i));
            Some(Part {
                number: choice.number,
                role,
                name: choice.text.clone(),
                value: None,
                options: Vec::new(),
                states: States { selected, ..States::default() },
                area,
                overlay: role == Role::Option,
            })
        };
        choices.iter().enumerate().filter_map(part).collect()
    }

    /// Where entry `i` is; `None` when it does not show.
    pub(super) fn entry_area(&self, i: usize) -> Option<Rect<Logical>> {
        let Rect { x, y, width, height, .. } = self.area;
        let (row, below) = if let Kind::List { top, .. } = &self.kind {
            (i.checked_sub(*top)?, 0)
        } else if let Kind::Dropdown { open: true, .. } = &self.kind {
            (i, height)
        } else {
            return None;
        };
        let offset = below + u32::try_from(row).ok()?.checked_mul(ROW)?;
        let area = Rect::new(x, y.checked_add_unsigned(offset)?, width, ROW);
        (below > 0 || offset + ROW <= height).then_some(area)
    }

    /// Where the open part of it lies over its neighbours.
    pub(super) fn overlay(&self) -> Option<Rect<Logical>> {
        let Kind::Dropdown { options, open: true, .. } = &self.kind else { return None };
        let first = self.entry_area(0)?;
        Some(first.union(&self.entry_area(options.len().saturating_sub(1))?))
    }

    /// Its entries that show, with where they are.
    pub(super) fn entry_areas(&self) -> impl Iterator<Item = (usize, Rect<Logical>)> + '_ {
        let count = self.choices().map_or(0, |(all, _)| all.len());
        (0..count).filter_map(|i| self.entry_area(i).map(|area| (i, area)))
    }

    /// Which character of its text is at `point`.
    pub(super) fn char_at(&self, point: Point<Logical>) -> usize {
        let Kind::Field(field) = &self.kind else { return 0 };
        let half = i32::try_from(CHAR / 2).unwrap_or(0);
        let column = (point.x - self.area.x - PAD + half).max(0).unsigned_abs() / CHAR;
        let row = (point.y - self.area.y - PAD).max(0).unsigned_abs() / LINE;
        let line = if field.shape == Shape::Lines { field.top + row as usize } else { 0 };
        field.index_of(line, column as usize)
    }

    /// Scrolls by `rows` rows, if it can.
    pub(super) fn scroll(&mut self, rows: i32) {
        let shown = |step: u32| (self.area.height / step).max(1) as usize;
        let moved = |top: usize, count: usize, shown: usize| {
            let rows = isize::try_from(rows).unwrap_or(0);
            top.saturating_add_signed(rows).min(count.saturating_sub(shown))
        };
        if let Kind::List { items, top, .. } = &mut self.kind {
            *top = moved(*top, items.len(), shown(ROW));
        }
        if let Kind::Field(field) = &mut self.kind
            && field.shape == Shape::Lines
        {
            field.top = moved(field.top, field.lines(), shown(LINE));
        }
    }

    /// Scrolls a list until its entry `i` shows.
    pub(super) fn show_entry(&mut self, i: usize) {
        let rows = (self.area.height / ROW).max(1) as usize;
        if let Kind::List { top, .. } = &mut self.kind {
            *top = (*top).min(i).max((i + 1).saturating_sub(rows));
        }
    }
}
