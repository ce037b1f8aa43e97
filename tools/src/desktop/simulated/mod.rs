//! A desktop in memory: windows, widgets, a terminal, several monitors, drawn to a real framebuffer.
//! Every rule and every loop can be tried on it with no display, and things happen on it on cue that
//! on a real one happen by bad luck.
//!
//! It is used through the same [`Desktop`] as the real one. What really arrived is in [`events`]
//! and [`value`], which no code under test can see.
//!
//! ```
//! use freehand_tools::desktop::{Desktop, simulated::Simulated};
//! use freehand_tools::geometry::Size;
//! # tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(async {
//! let mut desktop = Simulated::new(Size::new(800, 600))
//!     .window("Form", "form-app", |w| {
//!         w.label("Name").textbox("Name").checkbox("Agree", false).default_button("OK");
//!     })
//!     .on_click("OK", |then| {
//!         then.open("Thanks", "form-app", |w| {
//!             w.label("Saved");
//!         });
//!     });
//! let seen = desktop.observe().await.unwrap();
//! assert_eq!(seen.elements.len(), 4);
//! assert_eq!(desktop.value("Agree").as_deref(), Some("false"));
//! # });
//! ```
//!
//! [`events`]: Simulated::events
//! [`value`]: Simulated::value

use std::collections::BTreeMap;
use std::time::Duration;

use async_trait::async_trait;
use tokio::time::Instant;

use super::{ClipboardUse, Desktop, DesktopError, Hit, KeyboardInput, Launch, PointerInput};
use crate::desktop::curtain::Hidden;
use crate::element::ElementKey;
use crate::frame::{Frame, Monitor};
use crate::geometry::{ScreenPoint, ScreenRect};
use crate::key::Key;
use crate::observation::{Observation, ObservationId};
use crate::permit::Redeemed;

mod build;
mod event;
mod field;
mod keyboard;
mod oracle;
mod paint;
mod pointer;
mod react;
mod scene;
mod script;
mod setup;
mod widget;

pub use build::WindowBuilder;
pub use event::SimEvent;
pub use script::Changes;

use pointer::Press;
use scene::Scene;
use script::{Change, Cue};

/// A desktop in memory.
#[derive(Debug)]
pub struct Simulated {
    scene: Scene,
    /// Which monitor is observed.
    watched: usize,
    cursor: ScreenPoint,
    pressed: Vec<Press>,
    keys: Vec<Key>,
    clipboard: String,
    journal: Vec<SimEvent>,
    script: Vec<(Cue, Changes)>,
    /// Changes under way, with the age of the desktop at which they happen.
    due: Vec<(Duration, Change)>,
    apps: BTreeMap<String, WindowBuilder>,
    pages: BTreeMap<String, WindowBuilder>,
    observations: u64,
    started: Instant,
    /// How many calls are still answered.
    life: Option<u64>,
    pace: Duration,
    fault: Option<String>,
}

impl Simulated {
    fn grow(&mut self) {
        self.scene.age = self.started.elapsed();
        self.catch_up();
    }

    /// What every call begins with.
    async fn enter(&mut self) -> Result<(), DesktopError> {
        if let Some(life) = &mut self.life {
            *life =
                life.checked_sub(1).ok_or_else(|| DesktopError::Lost("it was switched off".into()))?;
        }
        if !self.pace.is_zero() {
            tokio::time::sleep(self.pace).await;
        }
        self.grow();
        Ok(())
    }

    async fn enter_input(&mut self, what: &str) -> Result<(), DesktopError> {
        self.enter().await?;
        self.fault.take().map_or(Ok(()), |reason| Err(DesktopError::failed(what, reason)))
    }

    fn view(&self) -> Result<Monitor, DesktopError> {
        let lost = || DesktopError::Lost("it has no monitor".into());
        self.scene.monitors.get(self.watched).cloned().ok_or_else(lost)
    }

    fn frame(&self, monitor: Monitor) -> Frame {
        let pixels = paint::paint(&self.scene, monitor.bounds);
        Frame::new(monitor, pixels)
    }
}

#[async_trait]
impl Desktop for Simulated {
    async fn observe(&mut self) -> Result<Observation, DesktopError> {
        self.enter().await?;
        let monitor = self.view()?;
        let elements = self.scene.elements(&monitor.bounds);
        let observation = Observation {
            id: ObservationId::next(),
            windows: self.scene.list_windows(),
            focus: elements.iter().find(|e| e.states.focused).map(|e| e.id),
            elements,
            frame: self.frame(monitor),
            cursor: self.cursor,
            gaps: Vec::new(),
            more: Vec::new(),
            hidden: Hidden::default(),
        };
        self.observations += 1;
        self.cue(&Cue::Observed(self.observations));
        Ok(observation)
    }

    async fn capture(&mut self, region: Option<ScreenRect>) -> Result<Frame, DesktopError> {
        self.enter().await?;
        let watched = self.view()?;
        let Some(region) = region else { return Ok(self.frame(watched)) };
        let shared =
            |m: &Monitor| m.bounds.intersect(&region).map(|bounds| Monitor { bounds, ..m.clone() });
        let parts = std::iter::once(&watched).chain(&self.scene.monitors).filter_map(shared);
        match parts.max_by_key(|part| part.bounds.area()) {
            Some(part) => Ok(self.frame(part)),
            None => Err(DesktopError::failed("the capture", format!("no monitor shows {region}"))),
        }
    }

    async fn element_at(
        &mut self,
        point: Option<ScreenPoint>,
        expected: Option<&ElementKey>,
    ) -> Result<Hit, DesktopError> {
        self.enter().await?;
        let window = point.and_then(|p| self.scene.windows.iter().find(|w| w.bounds().contains(p)));
        let keyboard = self.scene.active.and_then(|id| self.scene.window(id));
        let owner = if point.is_some() { window } else { keyboard }.map(|w| w.id);
        let everywhere = |m: &Monitor| self.scene.elements(&m.bounds);
        let all: Vec<_> = self.scene.monitors.iter().flat_map(everywhere).collect();
        let here = |e: &&crate::element::Element| match point {
            Some(point) => e.bounds.contains(point) && e.window == owner,
            None => true,
        };
        let same = expected.and_then(|key| all.iter().filter(here).find(|e| e.key == *key));
        let other = || match point {
            Some(_) => all.iter().filter(here).min_by_key(|e| e.bounds.area()),
            None => all.iter().find(|e| e.states.focused),
        };
        Ok(Hit {
            element: same.or_else(other).cloned(),
            window: window.map(|w| self.scene.describe(w)),
            keyboard: keyboard.map(|w| self.scene.describe(w)),
        })
    }

    async fn pointer(&mut self, _permit: &Redeemed, input: PointerInput) -> Result<(), DesktopError> {
        self.enter_input("the mouse").await?;
        self.mouse(input);
        Ok(())
    }

    async fn keyboard(&mut self, _permit: &Redeemed, input: KeyboardInput) -> Result<(), DesktopError> {
        self.enter_input("the keyboard").await?;
        self.keys(input);
        Ok(())
    }

    async fn clipboard(
        &mut self,
        _permit: &Redeemed,
        usage: ClipboardUse,
    ) -> Result<Option<String>, DesktopError> {
        self.enter_input("the clipboard").await?;
        match usage {
            ClipboardUse::Read => {
                self.journal.push(SimEvent::ClipboardRead);
                Ok(Some(self.clipboard.clone()))
            }
            ClipboardUse::Write(text) => {
                self.journal.push(SimEvent::ClipboardWritten(text.clone()));
                self.clipboard = text;
                Ok(None)
            }
        }
    }

    async fn launch(&mut self, _permit: &Redeemed, what: Launch) -> Result<(), DesktopError> {
        self.enter_input("the launch").await?;
        self.journal.push(SimEvent::Launched(what.clone()));
        match what {
            Launch::App(command) => {
                let name =
                    command.first().map(|name| name.rsplit('/').next().unwrap_or(name).to_owned());
                let plan = name.as_ref().and_then(|name| self.apps.get(name)).cloned();
                let missing = || format!("there is no program `{}`", name.unwrap_or_default());
                self.open_window(plan.ok_or_else(|| DesktopError::failed("the launch", missing()))?);
            }
            Launch::Url(url) if self.visit(&url) => {}
            Launch::Url(url) => {
                return Err(DesktopError::failed("the launch", format!("nothing answers at `{url}`")));
            }
            Launch::Window(id) => {
                let title = self.scene.window(id).map(|w| w.title.clone());
                let gone = || DesktopError::failed("raising a window", "it is not there any more");
                self.raise_window(&title.ok_or_else(gone)?);
            }
        }
        Ok(())
    }

    fn release(&mut self) {
        self.journal.push(SimEvent::Released);
        self.keys.clear();
        // A button that comes up over what it went down on has clicked it, here as on a real desktop.
        while let Some(press) = self.pressed.last() {
            self.mouse(PointerInput::Up(press.button));
        }
    }
}
