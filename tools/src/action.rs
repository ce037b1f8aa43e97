//! The grounded action: what would really happen, where, and to what. The gate judges this and
//! never the model's words.

use serde::{Deserialize, Serialize};

use crate::call::ToolCall;
use crate::desktop::uncovered;
use crate::element::{Element, ElementId, ElementKey, Role, Source, WindowId};
use crate::frame::Digest;
use crate::geometry::{ScreenPoint, ScreenRect};
use crate::key::{KeySequence, Modifier};
use crate::observation::{Observation, ObservationId};
use crate::secret;
use crate::setting::Setting;

/// A button of the mouse.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Button {
    /// The main one.
    #[default]
    Left,
    /// The wheel.
    Middle,
    /// The one for context menus.
    Right,
    /// The thumb button that goes back.
    Back,
    /// The thumb button that goes forward.
    Forward,
}

/// What a wait waits for.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// Nothing but the time.
    Elapsed,
    /// A text is somewhere in the list or in a title.
    Text(String),
    /// An element whose name or role holds these words is in the list.
    Element(String),
    /// A window whose title or program holds these words is there.
    Window(String),
}

/// How a run ends, as its author states it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// The task is done.
    Success,
    /// The task cannot be done.
    Failure,
}

/// What would be done.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum ActionKind {
    /// Press and release a button.
    Click {
        /// Which one.
        button: Button,
        /// How often: 1 to 3.
        count: u8,
        /// Held meanwhile.
        modifiers: Vec<Modifier>,
        /// How long the button is held, in ms.
        #[serde(default)]
        hold_ms: u32,
    },
    /// Put the pointer somewhere.
    Move,
    /// Press a button, move, release it.
    Drag {
        /// Where the pointer goes after the target, in screen pixels; the last one is where it is released.
        path: Vec<ScreenPoint>,
        /// Which button.
        button: Button,
        /// Held meanwhile.
        modifiers: Vec<Modifier>,
    },
    /// Turn the wheel.
    Scroll {
        /// Notches to the right; negative to the left.
        dx: i32,
        /// Notches down; negative up.
        dy: i32,
        /// Held meanwhile.
        #[serde(default)]
        modifiers: Vec<Modifier>,
    },
    /// Type text.
    TypeText {
        /// What is typed.
        text: String,
        /// Whether Enter follows.
        submit: bool,
        /// Whether what stands there is replaced.
        clear: bool,
    },
    /// Choose an option of a dropdown.
    SelectOption {
        /// The option's text.
        option: String,
    },
    /// Press chords.
    PressKeys {
        /// Which ones.
        keys: KeySequence,
        /// How long the last one is held, in ms.
        hold_ms: u32,
        /// How often the sequence is repeated.
        times: u16,
    },
    /// Wait.
    Wait {
        /// For what.
        until: Condition,
        /// Whether it is to be gone and not there.
        gone: bool,
        /// At most so long, in ms.
        timeout_ms: u32,
    },
    /// Look at a region at its native resolution.
    Zoom {
        /// The region in screen pixels.
        region: ScreenRect,
    },
    /// Start a program.
    OpenApp {
        /// Its name, with its arguments.
        command: String,
    },
    /// Open an address in the browser.
    OpenUrl {
        /// The address.
        url: String,
    },
    /// Bring a window to the front.
    FocusWindow,
    /// Read the clipboard.
    ReadClipboard,
    /// Put text on the clipboard.
    WriteClipboard {
        /// The text.
        text: String,
    },
    /// Remember a fact for later steps.
    Note {
        /// The fact.
        text: String,
    },
    /// Ask the person.
    AskUser {
        /// The question.
        question: String,
    },
    /// End the run.
    Finish {
        /// How it ended.
        status: Status,
        /// What shows it: texts that are on the screen.
        evidence: Vec<String>,
        /// What the person is told.
        answer: String,
    },
}

/// What an action would change: the classes that a policy speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EffectClass {
    /// Nothing outside of Freehand: looking, waiting, remembering, asking, ending.
    Nothing,
    /// Input to what is on the screen.
    Input,
    /// Input to a point that nothing is known about.
    BlindInput,
    /// A program or an address is opened.
    Launch,
    /// The clipboard is read, which may hold a secret.
    ReadClipboard,
    /// The clipboard is changed.
    WriteClipboard,
}

/// The element under an action, as it was when the action was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetElement {
    /// Its number.
    pub id: ElementId,
    /// What identifies it.
    pub key: ElementKey,
    /// Its role.
    pub role: Role,
    /// Its name.
    pub name: String,
    /// What it looks like, where it has no name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub looks: Option<String>,
    /// The nearest named container.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// How it is known.
    #[serde(default)]
    pub source: Source,
    /// Where it was, in screen pixels.
    pub bounds: ScreenRect,
}

impl TargetElement {
    /// How a sentence names it: `button "Save"`, `image (red circle)`.
    pub fn describe(&self) -> String {
        match &self.looks {
            Some(looks) if self.name.is_empty() => format!("{} ({looks})", self.role.word()),
            _ => format!("{} \"{}\"", self.role.word(), self.name),
        }
    }
}

impl From<&Element> for TargetElement {
    fn from(element: &Element) -> Self {
        Self {
            id: element.id,
            key: element.key.clone(),
            role: element.role,
            name: element.name.clone(),
            looks: element.looks.clone(),
            within: element.within.clone(),
            source: element.source,
            bounds: element.bounds,
        }
    }
}

/// The window under an action, as it was when the action was judged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct TargetWindow {
    /// The window system's number.
    pub id: WindowId,
    /// The program.
    pub app: String,
    /// The title bar.
    pub title: String,
}

/// Where an action lands. All `None`: it lands nowhere on the screen.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Target {
    /// The pixel, in screen pixels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point: Option<ScreenPoint>,
    /// What is under that pixel, or has the keyboard for actions of the keyboard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub element: Option<TargetElement>,
    /// The window.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub window: Option<TargetWindow>,
    /// What lies at the end of a drag.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub destination: Option<TargetElement>,
}

impl Target {
    /// What lies at `point`.
    pub fn at(point: ScreenPoint, observation: &Observation) -> Self {
        Self {
            point: Some(point),
            element: observation.element_at(point).map(TargetElement::from),
            window: observation.window_at(point).map(Self::window),
            destination: None,
        }
    }

    /// The middle of `element`, or of the part of it that Freehand's own windows leave free.
    pub fn of(element: &Element, observation: &Observation) -> Self {
        let free = uncovered::largest(element.bounds, &observation.hidden.own);
        let point = free.unwrap_or(element.bounds).center();
        let window = element.window.and_then(|id| observation.window(id));
        Self {
            point: Some(point),
            element: Some(element.into()),
            window: window.or_else(|| observation.window_at(point)).map(Self::window),
            destination: None,
        }
    }

    /// What has the keyboard.
    pub fn focused(observation: &Observation) -> Self {
        Self {
            point: None,
            element: observation.focus.and_then(|id| observation.element(id)).map(TargetElement::from),
            window: observation.focused_window().map(Self::window),
            destination: None,
        }
    }

    /// The window as a target records it.
    pub fn window(window: &crate::element::Window) -> TargetWindow {
        TargetWindow { id: window.id, app: window.app.clone(), title: window.title.clone() }
    }

    /// Whether something is known of what is there. What was found by its look alone is not known.
    pub fn is_known(&self) -> bool {
        let known = |element: &TargetElement| element.source != Source::Vision;
        self.point.is_none() || self.element.as_ref().is_some_and(known)
    }

    /// Whether what is typed there is a secret.
    pub fn is_protected(&self) -> bool {
        self.element.as_ref().is_some_and(|element| element.role == Role::Password)
    }
}

/// The observation that an action was grounded on; a permit is good for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Basis {
    /// Which observation.
    pub observation: ObservationId,
    /// Which pixels.
    pub frame: Digest,
}

/// One grounded action.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Action {
    /// The call that it came from.
    pub call: ToolCall,
    /// What would be done.
    pub kind: ActionKind,
    /// Where.
    pub target: Target,
    /// What it would change.
    pub effects: EffectClass,
    /// The whole of it in one sentence for a person.
    pub summary: String,
    /// What it was grounded on.
    pub basis: Basis,
    /// What stands around it.
    #[serde(default, skip_serializing_if = "Setting::is_plain")]
    pub setting: Setting,
}

impl Action {
    /// Whether the text that it types is a secret.
    pub fn is_protected(&self) -> bool {
        let ActionKind::TypeText { text, .. } = &self.kind else { return false };
        self.target.is_protected() || secret::named(text).is_some()
    }
}
