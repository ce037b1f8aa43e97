//! How a test sets the simulated desktop up: what stands on it, what happens on cue, what goes wrong.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

use super::Simulated;
use super::build::WindowBuilder;
use super::scene::Scene;
use super::script::{Changes, Cue};
use crate::frame::Monitor;
use crate::geometry::{Rect, Screen, ScreenRect, Size};
use crate::key::Chord;

impl Simulated {
    /// A desktop of one monitor at the origin, `size` in screen pixels, at scale 1.
    pub fn new(size: Size<Screen>) -> Self {
        let monitor = Monitor { name: "screen".into(), bounds: Rect::of_size(size), scale: 1.0 };
        Self {
            scene: Scene::new(monitor),
            watched: 0,
            cursor: Rect::of_size(size).center(),
            pressed: Vec::new(),
            keys: Vec::new(),
            clipboard: String::new(),
            journal: Vec::new(),
            script: Vec::new(),
            due: Vec::new(),
            apps: BTreeMap::new(),
            pages: BTreeMap::new(),
            observations: 0,
            started: Instant::now(),
            life: None,
            pace: Duration::ZERO,
            fault: None,
        }
    }

    /// The first monitor draws everything larger by `scale`. Say so before its windows.
    #[must_use]
    pub fn scale(mut self, scale: f32) -> Self {
        if let Some(first) = self.scene.monitors.first_mut() {
            first.scale = scale;
        }
        self
    }

    /// One more monitor, `bounds` in screen pixels; to the left of the first it has negative ones.
    #[must_use]
    pub fn monitor(mut self, name: &str, bounds: ScreenRect, scale: f32) -> Self {
        self.scene.monitors.push(Monitor { name: name.to_owned(), bounds, scale });
        self
    }

    /// That monitor is observed instead of the first.
    #[must_use]
    pub fn watching(mut self, name: &str) -> Self {
        self.watched = self.scene.monitors.iter().position(|m| m.name == name).unwrap_or(self.watched);
        self
    }

    /// A window of `app`, in front of those before it.
    #[must_use]
    pub fn window(mut self, title: &str, app: &str, fill: impl FnOnce(&mut WindowBuilder)) -> Self {
        self.scene.open(WindowBuilder::new(title, app, fill));
        self
    }

    /// A terminal window of the program `xterm`, which records what is entered.
    #[must_use]
    pub fn terminal(self, title: &str) -> Self {
        self.window(title, "xterm", |w| {
            w.terminal();
        })
    }

    /// A program that can be launched, with the window that it opens.
    #[must_use]
    pub fn app(mut self, app: &str, title: &str, fill: impl FnOnce(&mut WindowBuilder)) -> Self {
        self.apps.insert(app.to_owned(), WindowBuilder::new(title, app, fill));
        self
    }

    /// A page that the program `browser` shows when its address is opened or linked to.
    #[must_use]
    pub fn page(mut self, url: &str, title: &str, fill: impl FnOnce(&mut WindowBuilder)) -> Self {
        self.pages.insert(url.to_owned(), WindowBuilder::new(title, "browser", fill));
        self
    }

    /// What happens whenever the widget or the entry of that name is used.
    #[must_use]
    pub fn on_click(self, name: &str, then: impl FnOnce(&mut Changes)) -> Self {
        self.when(Cue::Used(name.to_owned()), then)
    }

    /// What happens whenever that chord is pressed.
    #[must_use]
    pub fn on_keys(self, chord: Chord, then: impl FnOnce(&mut Changes)) -> Self {
        self.when(Cue::Pressed(chord), then)
    }

    /// What happens right after the desktop was observed for the `count`th time: after it was looked
    /// at, and before anything is done about it.
    #[must_use]
    pub fn after_observations(self, count: u64, then: impl FnOnce(&mut Changes)) -> Self {
        self.when(Cue::Observed(count), then)
    }

    fn when(mut self, cue: Cue, then: impl FnOnce(&mut Changes)) -> Self {
        let mut changes = Changes::default();
        then(&mut changes);
        self.script.push((cue, changes));
        self
    }

    /// A clock with seconds stands in the corner of each monitor.
    #[must_use]
    pub fn with_clock(mut self) -> Self {
        self.scene.clock = true;
        self
    }

    /// The caret blinks, twice a second.
    #[must_use]
    pub fn with_blinking_caret(mut self) -> Self {
        self.scene.blinking = true;
        self
    }

    /// Every call takes so long.
    #[must_use]
    pub fn slow(mut self, pace: Duration) -> Self {
        self.pace = pace;
        self
    }

    /// The display is lost after so many more calls.
    #[must_use]
    pub fn die_after(mut self, calls: u64) -> Self {
        self.life = Some(calls);
        self
    }
}
