//! The person's mouse and keyboard, put through to the display: only while they have taken over and the
//! run stands still, which is looked at anew before each act. Nothing of it is kept.

use freehand_agent::supervision::Hub;
use serde::Deserialize;
use tokio::sync::mpsc;

/// Acts that may wait; more means that the display does not answer, and they are lost.
const WAITING: usize = 1_024;

/// One act of the person in a view.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind", deny_unknown_fields)]
pub enum Touch {
    /// The pointer goes there, in screen pixels.
    Move { x: i32, y: i32 },
    /// A button goes down there.
    Down { x: i32, y: i32, button: freehand_tools::action::Button },
    /// A button comes up there.
    Up { x: i32, y: i32, button: freehand_tools::action::Button },
    /// Notches to the right, notches down.
    Scroll { dx: i32, dy: i32 },
    /// A text is typed.
    Text { text: String },
    /// A chord such as `ctrl+a` is pressed.
    Chord { keys: String },
}

enum Errand {
    Touch(Touch),
    LetGo,
}

/// The way to the display. Cheap to clone; every copy is the same.
#[derive(Clone)]
pub struct Hands(mpsc::Sender<Errand>);

impl Hands {
    /// The way to `display`, as long as `hub` says that the person has it.
    pub fn on(display: String, hub: Hub) -> Self {
        let (send, errands) = mpsc::channel(WAITING);
        tokio::spawn(platform::serve(display, hub, errands));
        Self(send)
    }

    /// Does that, if the person has the desktop.
    pub fn touch(&self, touch: Touch) {
        let _ = self.0.try_send(Errand::Touch(touch));
    }

    /// The view has gone, perhaps with a button held down.
    pub fn let_go(&self) {
        let _ = self.0.try_send(Errand::LetGo);
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::time::Duration;

    use freehand_tools::desktop::DesktopError;
    use freehand_tools::desktop::x11::passage::{Passage, PersonalInput};
    use freehand_tools::geometry::ScreenPoint;

    use super::{Errand, Hub, Touch, mpsc};

    /// How often it is looked whether the desktop was given back with something held down.
    const TURN: Duration = Duration::from_millis(200);

    pub(super) async fn serve(display: String, hub: Hub, mut errands: mpsc::Receiver<Errand>) {
        let mut passage = None;
        loop {
            let errand = tokio::time::timeout(TURN, errands.recv()).await;
            if !hub.is_handed_over() {
                // Lets go of everything.
                passage = None;
            }
            match errand {
                Ok(None) => return,
                Ok(Some(Errand::LetGo)) => passage = None,
                Ok(Some(Errand::Touch(touch))) if hub.is_handed_over() => {
                    // What the person typed must not stand in a log: only that it failed.
                    if let Err(error) = put_through(&mut passage, &display, touch).await {
                        tracing::warn!(fatal = error.is_fatal(), "an act of the person did not arrive");
                        passage = None;
                    }
                }
                Ok(Some(Errand::Touch(_))) | Err(_) => {}
            }
        }
    }

    async fn put_through(
        passage: &mut Option<Passage>,
        display: &str,
        touch: Touch,
    ) -> Result<(), DesktopError> {
        let way = match passage {
            Some(way) => way,
            None => passage.insert(Passage::open(display)?),
        };
        let input = match touch {
            Touch::Move { x, y } => PersonalInput::Move(ScreenPoint::new(x, y)),
            Touch::Down { x, y, button } => PersonalInput::Down(ScreenPoint::new(x, y), button),
            Touch::Up { x, y, button } => PersonalInput::Up(ScreenPoint::new(x, y), button),
            Touch::Scroll { dx, dy } => PersonalInput::Scroll(dx, dy),
            Touch::Text { text } => PersonalInput::Text(text),
            Touch::Chord { keys } => match keys.parse() {
                Ok(chord) => PersonalInput::Chord(chord),
                // A key that only browsers know.
                Err(_) => return Ok(()),
            },
        };
        way.put_through(input).await
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::{Errand, Hub, mpsc};

    pub(super) async fn serve(_: String, _: Hub, mut errands: mpsc::Receiver<Errand>) {
        while errands.recv().await.is_some() {}
    }
}
