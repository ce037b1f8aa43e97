//! The live screen: one thread watches the display while anybody looks, and keeps the newest picture for
//! all who do.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use freehand_tools::desktop::DesktopError;
use freehand_tools::geometry::{ScreenPoint, ScreenRect};
use image::RgbImage;
use tokio::sync::watch;

use super::tiles::{Sent, Tiles};

/// Between two pictures at least: quick enough to follow a drag, slow enough for two cores.
const PACE: Duration = Duration::from_millis(33);
/// How often it is looked whether the pointer has moved.
const POINTER: Duration = Duration::from_millis(50);
/// How long the thread rests while nobody looks.
const REST: Duration = Duration::from_millis(250);

/// The newest picture. Cheap to clone; every copy is the same.
#[derive(Clone)]
pub struct Screen(Arc<Shared>);

struct Shared {
    seen: Mutex<Seen>,
    /// Which version there is; a look at the pointer counts too.
    latest: watch::Sender<u64>,
}

struct Seen {
    tiles: Tiles,
    pointer: Option<ScreenPoint>,
    news: u64,
}

/// What is new to one viewer.
pub(super) struct News {
    pub(super) version: u64,
    pub(super) bounds: ScreenRect,
    pub(super) pointer: Option<ScreenPoint>,
    pub(super) tiles: Vec<Sent>,
}

/// One who looks: as long as this lives, the display is watched.
pub struct Viewer {
    screen: Screen,
    latest: watch::Receiver<u64>,
    version: u64,
}

impl Screen {
    /// Watches `display` from now on, as long as anybody holds the screen.
    pub fn watch(display: String) -> Self {
        let seen = Seen { tiles: Tiles::empty(), pointer: None, news: 0 };
        let shared = Arc::new(Shared { seen: Mutex::new(seen), latest: watch::Sender::new(0) });
        let weak = Arc::downgrade(&shared);
        std::thread::spawn(move || {
            let mut eye = None;
            while let Some(shared) = weak.upgrade() {
                if shared.latest.receiver_count() == 0 {
                    drop(shared);
                    std::thread::park_timeout(REST);
                    continue;
                }
                if let Err(error) = platform::look(&mut eye, &display, &shared) {
                    tracing::warn!(%error, "the screen cannot be watched");
                    eye = None;
                    drop(shared);
                    std::thread::park_timeout(REST);
                }
            }
        });
        Self(shared)
    }

    /// Somebody looks.
    pub fn viewer(&self) -> Viewer {
        Viewer { screen: self.clone(), latest: self.0.latest.subscribe(), version: 0 }
    }
}

impl Shared {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn tell(&self, change: impl FnOnce(&mut Seen) -> bool) {
        let mut seen = self.seen();
        if change(&mut seen) {
            seen.news += 1;
            self.latest.send_replace(seen.news);
        }
    }
}

impl Viewer {
    /// Whether there is something new since the last look.
    pub fn has_news(&self) -> bool {
        self.latest.has_changed().unwrap_or(false)
    }

    /// The whole picture and the part of the desktop that it shows, in screen pixels; of no size as long
    /// as nothing was seen.
    pub fn picture(&mut self) -> (ScreenRect, RgbImage) {
        self.latest.mark_unchanged();
        let seen = self.screen.0.seen();
        (seen.tiles.bounds(), seen.tiles.pixels().clone())
    }

    /// What is new since the last time.
    pub(super) fn news(&mut self) -> News {
        self.latest.mark_unchanged();
        let mut seen = self.screen.0.seen();
        let tiles = seen.tiles.since(self.version);
        self.version = seen.tiles.version();
        News { version: self.version, bounds: seen.tiles.bounds(), pointer: seen.pointer, tiles }
    }

    /// Returns once there is something new.
    pub(super) async fn changed(&mut self) -> Option<()> {
        self.latest.changed().await.ok()
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use freehand_tools::desktop::x11::mirror::Mirror;

    use super::{DesktopError, Instant, PACE, POINTER, Shared};

    /// Takes in what changed within a moment.
    pub(super) fn look(
        eye: &mut Option<Mirror>,
        display: &str,
        shared: &Shared,
    ) -> Result<(), DesktopError> {
        let mirror = match eye {
            Some(mirror) => mirror,
            None => eye.insert(Mirror::open(display)?),
        };
        let start = Instant::now();
        let changes = mirror.changes(POINTER)?;
        let (bounds, pointer) = (mirror.bounds(), mirror.pointer()?);
        shared.tell(|seen| {
            let moved = seen.pointer.replace(pointer) != Some(pointer);
            changes.as_ref().is_some_and(|frame| seen.tiles.take(bounds, frame)) || moved
        });
        if changes.is_some() {
            std::thread::park_timeout(PACE.saturating_sub(start.elapsed()));
        }
        Ok(())
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use super::{DesktopError, PACE, Shared};

    pub(super) fn look(_: &mut Option<()>, _: &str, _: &Shared) -> Result<(), DesktopError> {
        std::thread::park_timeout(PACE);
        let reason = "only X11 on Linux is supported so far".into();
        Err(DesktopError::Unsupported { what: "watching the screen".into(), reason })
    }
}
