//! What can be read or used on the screen, and the windows it stands in.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::geometry::ScreenRect;
use crate::quote::named;

/// The number by which the model names an element; it stays with its element from step to step.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct ElementId(pub u32);

impl fmt::Display for ElementId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number that the window system gives a window.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct WindowId(pub u64);

/// What kind of thing an element is, in the words that a model reads.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Role {
    /// Pressed to make something happen.
    Button,
    /// On or off.
    Checkbox,
    /// One of a group.
    Radio,
    /// A button that stays down.
    Toggle,
    /// Goes somewhere.
    Link,
    /// A field for text.
    Textbox,
    /// A field for a secret: its text is never shown, recorded or read back.
    Password,
    /// A field for a date or a time, made of parts that are filled one after another.
    Moment,
    /// A closed list of options.
    Dropdown,
    /// One option of an open list.
    Option,
    /// A list to choose from.
    List,
    /// One entry of a list.
    ListItem,
    /// An entry of a menu.
    MenuItem,
    /// A bar or a pop-up of entries.
    Menu,
    /// One page of several.
    Tab,
    /// A number set by dragging.
    Slider,
    /// A number with arrows.
    Spinner,
    /// A table.
    Table,
    /// One field of a table.
    Cell,
    /// The head of a column or of a row.
    Header,
    /// A node of a tree.
    TreeItem,
    /// A picture.
    Image,
    /// A heading.
    Heading,
    /// Words that can only be read.
    Text,
    /// The state of something under way.
    Progress,
    /// A bar for scrolling.
    Scrollbar,
    /// A box that asks something.
    Dialog,
    /// An area with no better name that reacts to clicks.
    Clickable,
    /// Something that holds other things.
    Group,
    /// A whole page.
    Document,
    /// A window's frame.
    Frame,
    /// Anything else.
    Other,
}

impl Role {
    /// The word that stands in the list.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Button => "button",
            Self::Checkbox => "checkbox",
            Self::Radio => "radio",
            Self::Toggle => "toggle",
            Self::Link => "link",
            Self::Textbox => "textbox",
            Self::Password => "password field",
            Self::Moment => "date/time field",
            Self::Dropdown => "dropdown",
            Self::Option => "option",
            Self::List => "list",
            Self::ListItem => "list item",
            Self::MenuItem => "menu item",
            Self::Menu => "menu",
            Self::Tab => "tab",
            Self::Slider => "slider",
            Self::Spinner => "spinner",
            Self::Table => "table",
            Self::Cell => "cell",
            Self::Header => "header",
            Self::TreeItem => "tree item",
            Self::Image => "image",
            Self::Heading => "heading",
            Self::Text => "text",
            Self::Progress => "progress",
            Self::Scrollbar => "scrollbar",
            Self::Dialog => "dialog",
            Self::Clickable => "clickable",
            Self::Group => "group",
            Self::Document => "document",
            Self::Frame => "window",
            Self::Other => "item",
        }
    }

    /// Whether text can be typed into it.
    pub const fn takes_text(self) -> bool {
        matches!(self, Self::Textbox | Self::Password | Self::Moment | Self::Spinner)
    }

    /// Whether it is made to be clicked.
    pub const fn takes_clicks(self) -> bool {
        matches!(
            self,
            Self::Button
                | Self::Checkbox
                | Self::Radio
                | Self::Toggle
                | Self::Link
                | Self::Textbox
                | Self::Password
                | Self::Moment
                | Self::Dropdown
                | Self::Option
                | Self::ListItem
                | Self::MenuItem
                | Self::Menu
                | Self::Tab
                | Self::Slider
                | Self::Spinner
                | Self::Cell
                | Self::TreeItem
                | Self::Clickable
        )
    }
}

impl Element {
    /// Whether text can be typed into it: a field, or a cell of a sheet.
    pub const fn takes_text(&self) -> bool {
        self.role.takes_text() || matches!(self.role, Role::Cell) && self.states.editable
    }

    /// What it holds. A cell of a sheet is called by what it holds, and then says beside it where it is.
    pub fn holds(&self) -> Option<&str> {
        let full = self.role == Role::Cell && self.description.is_some();
        self.value.as_deref().or(full.then_some(self.name.as_str()))
    }
}

/// Where the knowledge of an element comes from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    /// The program told the accessibility bus.
    #[default]
    Accessibility,
    /// Read off the pixels.
    Ocr,
    /// Found in the pixels by shape.
    Vision,
}

/// The states that matter to somebody who reads the list. `None` means that the state does not apply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a state of its own, in any combination")]
pub struct States {
    /// Ticked or pressed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checked: Option<bool>,
    /// Chosen among its kind.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub selected: Option<bool>,
    /// Open, for what can be opened and closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expanded: Option<bool>,
    /// An entry of a menu that opens a menu of its own where the pointer rests on it.
    #[serde(skip_serializing_if = "is_false")]
    pub has_menu: bool,
    /// Has the keyboard.
    pub focused: bool,
    /// Shown but out of use.
    pub disabled: bool,
    /// Can be edited.
    pub editable: bool,
    /// Takes several lines.
    pub multiline: bool,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the shape that serde takes")]
const fn is_false(value: &bool) -> bool {
    !*value
}

/// What kind of part of a window it is that holds several things.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum RegionKind {
    /// A box that asks something.
    Dialog,
    /// A bar of buttons.
    Toolbar,
    /// What leads to other pages.
    Navigation,
    /// What the page is for.
    Main,
    /// Where something is looked for.
    Search,
    /// What stands beside it.
    Aside,
    /// The head of a page.
    Header,
    /// The foot of a page.
    Footer,
    /// Fields that belong together.
    Form,
    /// Things with a name in common.
    Group,
}

impl RegionKind {
    /// The word for it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Dialog => "dialog",
            Self::Toolbar => "toolbar",
            Self::Navigation => "navigation",
            Self::Main => "main part",
            Self::Search => "search",
            Self::Aside => "side part",
            Self::Header => "page header",
            Self::Footer => "page footer",
            Self::Form => "form",
            Self::Group => "group",
        }
    }
}

/// A part of a window that holds several things.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub struct Region {
    /// What kind of part it is.
    pub kind: RegionKind,
    /// What it is called; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// What identifies an element beyond one observation: the way to it on the accessibility bus, or a
/// digest of how it looks.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(transparent)]
pub struct ElementKey(pub String);

/// What stands in a browser's own bars is said to be within this.
pub(crate) const BARS: &str = "toolbar";

/// One thing on the screen that can be read or used.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Element {
    /// Its number in the list.
    pub id: ElementId,
    /// What identifies it beyond this observation.
    pub key: ElementKey,
    /// What kind of thing it is.
    pub role: Role,
    /// What it is called; may be empty.
    pub name: String,
    /// What it holds, for fields, sliders and the like. Never filled for a password.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// A longer text that the program gives, a tooltip for example.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// What it looks like, where it has no name: `red box`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<String>,
    /// The options that a dropdown would show.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<String>,
    /// What its program says can be done with it, in the program's own words: `click`, `expand or contract`.
    /// At a look this is asked only of what has no kind that says it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub actions: Vec<String>,
    /// Its states.
    #[serde(default)]
    pub states: States,
    /// Where it is, in screen pixels; only the part that shows.
    pub bounds: ScreenRect,
    /// How it is known.
    pub source: Source,
    /// The window it stands in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<WindowId>,
    /// The nearest container with a name, for telling twins apart, for example a table row or a
    /// named group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// The part of its window that it stands in, where that has more in it than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub region: Option<Region>,
}

impl Element {
    /// Whether it holds a secret.
    pub fn is_protected(&self) -> bool {
        self.role == Role::Password
    }

    /// How a sentence names it: `button "Save"`.
    pub fn describe(&self) -> String {
        if self.name.is_empty() {
            return format!("{} [{}]", self.role.word(), self.id);
        }
        format!("{} {}", self.role.word(), named(&self.name, usize::MAX))
    }
}

/// One top-level window.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// The window system's number.
    pub id: WindowId,
    /// The text of its title bar.
    pub title: String,
    /// The program, by its window class or its executable.
    pub app: String,
    /// The process that owns it, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
    /// Where it is, in screen pixels.
    pub bounds: ScreenRect,
    /// Whether it has the keyboard.
    pub focused: bool,
}
