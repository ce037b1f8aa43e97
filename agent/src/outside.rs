//! What comes to a run from outside while it goes on: the wish to stop it, and the person who uses the
//! mouse or the keyboard that it shares.

use std::time::{Duration, Instant};

use freehand_tools::action::Target;
use freehand_tools::observation::Observation;
use tokio::sync::watch;

use crate::supervision::Steering;

/// As long as mouse and keyboard must rest before a run goes on.
const REST: Duration = Duration::from_millis(1500);
/// Between two looks at the clock.
const TURN: Duration = Duration::from_millis(50);

/// Stops a run from outside: cheap to clone, may be set at any moment.
#[derive(Debug, Clone)]
pub struct Stop(watch::Sender<bool>);

impl Default for Stop {
    fn default() -> Self {
        Self(watch::Sender::new(false))
    }
}

impl Stop {
    /// Asks the run to stop; it does within one token of the model.
    pub fn stop(&self) {
        self.0.send_replace(true);
    }

    /// Whether it was asked.
    pub fn is_stopped(&self) -> bool {
        *self.0.borrow()
    }

    /// Returns once it was asked.
    pub async fn stopped(&self) {
        // This very sender keeps the channel open.
        let _ = self.0.subscribe().wait_for(|stopped| *stopped).await;
    }
}

/// The person beside the run: when they last used mouse or keyboard, and what they want of it. Nobody
/// is watched unless it is said where, and nobody is obeyed unless it is said through what.
#[derive(Debug, Clone, Default)]
pub struct Presence {
    devices: Option<watch::Receiver<Option<Instant>>>,
    steering: Steering,
}

impl Presence {
    /// The person whose last use of the devices is told by `seen`.
    pub fn told_by(seen: watch::Receiver<Option<Instant>>) -> Self {
        Self { devices: Some(seen), ..Self::default() }
    }

    /// The same person, whose wishes come through `steering`.
    #[must_use]
    pub fn steered_by(self, steering: Steering) -> Self {
        Self { steering, ..self }
    }

    /// What they want.
    pub(crate) const fn steering(&self) -> &Steering {
        &self.steering
    }

    /// The watched place that has the keyboard in `seen`, or that `target` lies in, while nobody looks.
    pub(crate) fn unwatched(&self, seen: &Observation, target: Option<&Target>) -> Option<String> {
        if self.steering.is_present() { None } else { self.steering.watched().place(seen, target) }
    }

    fn last(&self) -> Option<Instant> {
        self.devices.as_ref().and_then(|seen| *seen.borrow())
    }

    /// Whether the devices were used after `when`.
    pub(crate) fn was_active_since(&self, when: Instant) -> bool {
        self.last().is_some_and(|last| last > when)
    }

    /// Whether the devices are in use.
    pub(crate) fn is_active(&self) -> bool {
        self.last().is_some_and(|last| last.elapsed() < REST)
    }

    /// Returns once the devices have rested for a while.
    pub async fn rests(&self) {
        while self.is_active() {
            tokio::time::sleep(TURN).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stop_is_seen_by_every_copy() {
        let stop = Stop::default();
        let other = stop.clone();
        assert!(!other.is_stopped());
        stop.stop();
        assert!(other.is_stopped());
    }

    #[tokio::test]
    async fn a_run_waits_until_the_devices_rest() {
        let (sender, seen) = watch::channel(None);
        let person = Presence::told_by(seen);
        let before = Instant::now();
        assert!(!person.is_active() && !person.was_active_since(before));
        sender.send_replace(Some(Instant::now()));
        assert!(person.is_active() && person.was_active_since(before));
        sender.send_replace(Instant::now().checked_sub(REST));
        person.rests().await;
        assert!(!person.is_active());
        assert!(!Presence::default().was_active_since(before));
    }
}
