//! The journal: what really arrived at the simulated desktop, for tests that judge from outside.

use crate::action::Button;
use crate::desktop::Launch;
use crate::geometry::ScreenPoint;
use crate::key::{Chord, Key, Modifier};

/// One thing that happened on the simulated desktop. Windows are named by their title and widgets by
/// their name, as a person would name them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SimEvent {
    /// The pointer was put there.
    Moved(ScreenPoint),
    /// A button went down.
    ButtonDown(Button, ScreenPoint),
    /// A button came up.
    ButtonUp(Button, ScreenPoint),
    /// A button went down and up on the same thing.
    Clicked {
        /// The window; `None` for the bare desktop.
        window: Option<String>,
        /// The widget or the entry of one; `None` for an empty place.
        target: Option<String>,
        /// Which button.
        button: Button,
        /// 1 for a single click, 2 for the second of a double click.
        count: u8,
        /// Where, in screen pixels.
        at: ScreenPoint,
        /// What was held meanwhile.
        modifiers: Vec<Modifier>,
    },
    /// A button went down at one place and up at another.
    Dragged {
        /// Where it went down, in screen pixels.
        from: ScreenPoint,
        /// Where it came up, in screen pixels.
        to: ScreenPoint,
        /// Which button.
        button: Button,
    },
    /// The wheel was turned.
    Scrolled {
        /// The widget under the pointer that took it.
        target: Option<String>,
        /// Notches to the right.
        dx: i32,
        /// Notches down.
        dy: i32,
    },
    /// A key went down and stays down.
    KeyDown(Key),
    /// A key came up.
    KeyUp(Key),
    /// A chord reached a window.
    Chord {
        /// The window that had the keyboard.
        window: Option<String>,
        /// What was pressed, with what was held.
        chord: Chord,
    },
    /// Text arrived.
    Typed {
        /// The window that had the keyboard.
        window: Option<String>,
        /// The field that took it; `None` when nothing did and the text is lost.
        field: Option<String>,
        /// The text.
        text: String,
    },
    /// A line was entered in a terminal: a real one would run it.
    Committed {
        /// The terminal's title.
        window: String,
        /// The line.
        line: String,
    },
    /// A button was pressed, by mouse or by keyboard.
    Pressed(String),
    /// A checkbox changed.
    Toggled(String, bool),
    /// An option, an entry, a radio or a tab was chosen.
    Chosen {
        /// The dropdown, the list or the group.
        of: String,
        /// What was chosen.
        option: String,
    },
    /// A link was followed.
    Followed(String),
    /// A window appeared.
    Opened(String),
    /// A window went.
    Closed(String),
    /// A window was brought to the front.
    Raised(String),
    /// A widget copied or cut something.
    Copied(String),
    /// Freehand read the clipboard.
    ClipboardRead,
    /// Freehand replaced the clipboard.
    ClipboardWritten(String),
    /// Something was to be opened.
    Launched(Launch),
    /// Everything that was held was let go.
    Released,
}

impl SimEvent {
    /// The line that was entered in a terminal.
    pub(super) fn entered(&self) -> Option<&str> {
        let Self::Committed { line, .. } = self else { return None };
        Some(line)
    }
}
