//! What this process holds down, on every display, in one place that outlives any borrow: so that a
//! signal or a panic can let go of it while the desktop itself is busy or already gone.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::time::Duration;

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{BUTTON_RELEASE_EVENT, ConnectionExt as _, KEY_RELEASE_EVENT, Keycode};
use x11rb::protocol::xtest::ConnectionExt as _;

use super::link::{Place, Wire};
use super::spare_keys::{self, Pair};
use super::will::Will;

/// As long as letting go may wait for one answer.
pub(super) const PATIENCE: Duration = Duration::from_secs(1);

static EVERYWHERE: Mutex<Vec<Weak<Held>>> = Mutex::new(Vec::new());
/// Grows by one whenever everything is let go, so that typing under way knows that it must stop.
static ALARM: AtomicU64 = AtomicU64::new(0);

/// What is held down on one display.
#[derive(Debug)]
pub(super) struct Held {
    place: Place,
    now: Mutex<Now>,
    /// Made when something is pressed for the first time; `None` where it cannot or need not be.
    will: OnceLock<Option<Will>>,
    /// The server has not answered once: what is still down is left to the will.
    lost: AtomicBool,
}

#[derive(Debug, Default)]
struct Now {
    keys: Vec<Keycode>,
    /// The numbers that X11 gives the buttons.
    buttons: Vec<u8>,
    /// Spare keys that were given a character.
    bound: Vec<Keycode>,
}

impl Held {
    /// Nothing is held on that display yet.
    pub(super) fn on(place: Place) -> Arc<Self> {
        let (now, will, lost) = (Mutex::default(), OnceLock::new(), AtomicBool::new(false));
        let held = Arc::new(Self { place, now, will, lost });
        let mut all = everywhere();
        all.retain(|other| other.strong_count() > 0);
        all.push(Arc::downgrade(&held));
        held
    }

    fn now(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn will(&self) -> Option<&Will> {
        let make = || {
            // A display of our own ends with us.
            if self.place.cookie.is_some() {
                return None;
            }
            let made = Will::on(&self.place);
            made.inspect_err(|fault| tracing::warn!(%fault, "after a kill, keys may stay down")).ok()
        };
        self.will.get_or_init(make).as_ref()
    }

    fn change(&self, change: impl FnOnce(&mut Now)) {
        let will = self.will();
        let mut now = self.now();
        change(&mut now);
        if let Some(Err(fault)) = will.map(|will| will.amend(&now.keys, &now.buttons)) {
            tracing::warn!(%fault, "after a kill, keys may stay down");
        }
    }

    /// To be called before the key is pressed.
    pub(super) fn key_down(&self, key: Keycode) {
        self.change(|now| now.keys.push(key));
    }

    /// To be called after the key was let go.
    pub(super) fn key_up(&self, key: Keycode) {
        self.change(|now| {
            if let Some(at) = now.keys.iter().rposition(|held| *held == key) {
                now.keys.remove(at);
            }
        });
    }

    /// To be called before the button is pressed.
    pub(super) fn button_down(&self, button: u8) {
        self.change(|now| now.buttons.push(button));
    }

    /// To be called after the button was let go.
    pub(super) fn button_up(&self, button: u8) {
        self.change(|now| now.buttons.retain(|held| *held != button));
    }

    /// To be called before spare keys are given characters.
    pub(super) fn binds(&self, keys: &[Keycode]) {
        let mut now = self.now();
        now.bound.extend(keys);
        now.bound.sort_unstable();
        now.bound.dedup();
    }

    /// Lets go of everything through `wire`. What could not be sent is still counted as held.
    pub(super) fn let_go(&self, wire: &Wire, root: u32) {
        let (keys, buttons) = {
            let now = self.now();
            (now.keys.clone(), now.buttons.clone())
        };
        let nothing = keys.is_empty() && buttons.is_empty();
        if nothing || self.lost.load(Ordering::SeqCst) {
            return;
        }
        let up = |kind, detail| wire.xtest_fake_input(kind, detail, x11rb::CURRENT_TIME, root, 0, 0, 0);
        let sent = buttons
            .iter()
            .rev()
            .map(|button| (BUTTON_RELEASE_EVENT, *button))
            .chain(keys.iter().rev().map(|key| (KEY_RELEASE_EVENT, *key)))
            .try_for_each(|(kind, detail)| up(kind, detail).map(drop));
        if sent.is_ok() && arrived(wire) {
            self.change(|now| {
                now.keys.clear();
                now.buttons.clear();
            });
        } else {
            self.lost.store(true, Ordering::SeqCst);
        }
    }

    /// Takes the characters off the spare keys again.
    pub(super) fn unbind(&self, wire: &Wire) {
        let bound = std::mem::take(&mut self.now().bound);
        let empty: Vec<(Keycode, Pair)> = bound.into_iter().map(|code| (code, [0, 0])).collect();
        if let Err(fault) = spare_keys::set(wire, &empty) {
            tracing::debug!(%fault, "spare keys keep their characters");
        }
    }

    fn is_idle(&self) -> bool {
        let now = self.now();
        now.keys.is_empty() && now.buttons.is_empty() && now.bound.is_empty()
    }
}

fn arrived(wire: &Wire) -> bool {
    wire.get_input_focus().is_ok_and(|cookie| cookie.reply().is_ok())
}

fn everywhere() -> MutexGuard<'static, Vec<Weak<Held>>> {
    EVERYWHERE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// A number that is another one after everything was let go.
pub(super) fn alarm() -> u64 {
    ALARM.load(Ordering::SeqCst)
}

/// Lets go of every key and button that this process holds down, on every display, and stops what is
/// being typed. For signals and panics: it needs no desktop, opens its own short connection, and
/// gives a display that does not answer one second.
pub fn release_everything() {
    ALARM.fetch_add(1, Ordering::SeqCst);
    let all: Vec<Arc<Held>> = everywhere().iter().filter_map(Weak::upgrade).collect();
    for held in all.into_iter().filter(|held| !held.is_idle()) {
        match held.place.open(Some(PATIENCE)) {
            Ok((wire, screen)) => {
                let root = wire.setup().roots.get(screen).map_or(0, |screen| screen.root);
                held.let_go(&wire, root);
                held.unbind(&wire);
            }
            Err(fault) => tracing::warn!(display = %held.place.name, %fault, "cannot let go"),
        }
    }
    super::selection_owner::close_all();
}
