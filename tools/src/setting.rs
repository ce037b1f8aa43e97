//! What stands around an action and decides what it means: who acts, what the dialog says in which a
//! button is pressed, which page a browser shows, and which lines the keys would enter. A button
//! called `OK` is nothing by itself. All of it is data to the rules, never a permission.

use serde::{Deserialize, Serialize};

use crate::action::Target;
use crate::element::{BARS, Element, Role, WindowId};
use crate::geometry::ScreenRect;
use crate::observation::Observation;

/// Texts of a dialog that are kept, and characters of each.
const WORDS: usize = 12;
const WORD: usize = 240;
/// A window with more texts than this is a page to read, and no question.
const FEW: usize = 24;
/// Addresses that are kept: more fields than these above a page are no browser's.
const ADDRESSES: usize = 4;

/// Who acts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Author {
    /// A model, which nobody can vouch for.
    #[default]
    Agent,
    /// A script that a person has written.
    Workflow,
    /// Another program, by the Model Context Protocol, on whose model's word nobody can vouch for either.
    Client,
    /// A person, call by call.
    Person,
}

/// Lines that keys would enter, with what was typed before them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entered {
    /// The lines, with a line break between two of them.
    pub text: String,
    /// Whether they may differ from that: a part was pasted, completed or fetched from a history.
    #[serde(default)]
    pub unsure: bool,
}

/// What stands around an action.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Setting {
    /// Who acts; the gate knows, and the call has no say in it.
    pub author: Author,
    /// What the dialog says around the target, where it stands in one.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub words: Vec<String>,
    /// What stands in the fields above the page that the window shows. Of several, nobody knows which
    /// one is the address.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// Where the link leads that it presses, as its program tells it: the words of a link may say anything.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub leads_to: Option<String>,
    /// What was typed into that window before and not entered, which it goes on with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub begun: Option<String>,
    /// The lines that it would enter, in whatever window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub entered: Option<Entered>,
}

impl Setting {
    /// What is seen around `target`.
    pub fn of(target: &Target, seen: &Observation) -> Self {
        let Some(window) = target.window.as_ref().map(|window| window.id) else {
            return Self::default();
        };
        Self {
            words: words(target, window, seen),
            addresses: addresses(window, seen),
            ..Self::default()
        }
    }

    /// Whether nothing is known, so that nothing need be recorded.
    pub fn is_plain(&self) -> bool {
        *self == Self::default()
    }
}

fn in_window(window: WindowId, seen: &Observation) -> impl Iterator<Item = &Element> {
    seen.elements.iter().filter(move |element| element.window == Some(window))
}

/// What the smallest dialog around the target says, or the whole window where that is a small one.
fn words(target: &Target, window: WindowId, seen: &Observation) -> Vec<String> {
    let place = target.element.as_ref().map(|element| element.bounds.center()).or(target.point);
    let dialog: Option<ScreenRect> = place.and_then(|place| {
        in_window(window, seen)
            .filter(|element| element.role == Role::Dialog && element.bounds.contains(place))
            .map(|element| element.bounds)
            .min_by_key(ScreenRect::area)
    });
    let inside = |element: &&Element| {
        dialog.is_none_or(|dialog| dialog.contains(element.bounds.center()))
            && matches!(element.role, Role::Text | Role::Heading | Role::Dialog)
            && !element.name.trim().is_empty()
    };
    let texts: Vec<&Element> = in_window(window, seen).filter(inside).take(FEW + 1).collect();
    if dialog.is_none() && texts.len() > FEW {
        return Vec::new();
    }
    texts.into_iter().take(WORDS).map(|text| text.name.chars().take(WORD).collect()).collect()
}

/// What stands in the fields of a browser's own bars. A page that gives a part of itself their name only adds an
/// address, and addresses only take away from what is allowed.
fn addresses(window: WindowId, seen: &Observation) -> Vec<String> {
    in_window(window, seen)
        .filter(|element| matches!(element.role, Role::Textbox | Role::Dropdown))
        .filter(|element| element.within.as_deref() == Some(BARS))
        .filter_map(|element| element.value.as_ref())
        .filter(|value| !value.trim().is_empty())
        .take(ADDRESSES)
        .map(|value| value.chars().take(WORD).collect())
        .collect()
}
