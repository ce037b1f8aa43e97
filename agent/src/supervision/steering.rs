//! What the person wants of a run, as the run looks at it: whether it may go on, what was said, and
//! whether somebody looks. The hub writes it, the loop reads it, and neither waits for the other.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;

use super::message::{Pace, Wait};
use super::watch::Watched;
use crate::trajectory::Intervention;

/// As long as somebody counts as present after they last said so; a view says it every few seconds.
const ATTENTION: Duration = Duration::from_secs(15);
/// Between two looks at whether somebody is present.
const TURN: Duration = Duration::from_millis(200);

/// The wishes of a person for a run. Cheap to clone; every copy is the same.
#[derive(Debug, Clone, Default)]
pub struct Steering(Arc<Wishes>);

#[derive(Debug, Default)]
struct Wishes {
    pace: watch::Sender<Pace>,
    /// Grows whenever the run is held, so that it knows of a hold that is over already.
    holds: AtomicU64,
    /// Whether the one step that was wanted is under way.
    stepped: AtomicBool,
    /// Whether any step is.
    under_way: AtomicBool,
    interventions: Mutex<Vec<Intervention>>,
    looked: Mutex<Option<Instant>>,
    watched: Watched,
}

impl Steering {
    /// At these places the run only goes on while somebody looks.
    pub fn watching(watched: Watched) -> Self {
        Self(Arc::new(Wishes { watched, ..Wishes::default() }))
    }

    /// How it is to go on.
    pub fn pace(&self) -> Pace {
        *self.0.pace.borrow()
    }

    pub(super) fn set(&self, pace: Pace) {
        if pace.holds() {
            self.0.holds.fetch_add(1, Ordering::SeqCst);
        }
        // A step that is under way is the one that was wanted.
        let under_way = self.0.under_way.load(Ordering::SeqCst) && !self.is_held();
        self.0.stepped.store(under_way, Ordering::SeqCst);
        let before = self.0.pace.send_replace(pace);
        if pace == Pace::TakenOver && before != pace {
            self.intervene(Intervention::TookOver);
        }
    }

    pub(super) fn say(&self, text: String) {
        self.intervene(Intervention::Said { text });
    }

    pub(super) fn look(&self) {
        *self.0.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now());
    }

    pub(super) fn look_away(&self) {
        *self.0.looked.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    fn intervene(&self, intervention: Intervention) {
        self.0.interventions.lock().unwrap_or_else(PoisonError::into_inner).push(intervention);
    }

    /// What the person did since the last time, for the model to be told.
    pub(crate) fn interventions(&self) -> Vec<Intervention> {
        std::mem::take(&mut self.0.interventions.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A number that is another one after the run was held.
    pub(crate) fn holds(&self) -> u64 {
        self.0.holds.load(Ordering::SeqCst)
    }

    /// Whether what is thought now will be thrown away.
    pub(crate) fn is_held(&self) -> bool {
        self.pace().holds()
    }

    /// The one step that was wanted is over: then it pauses, which is the answer.
    pub(crate) fn pauses(&self) -> Option<Pace> {
        if self.pace() == Pace::Step && self.0.stepped.load(Ordering::SeqCst) {
            self.set(Pace::Paused);
            return Some(Pace::Paused);
        }
        None
    }

    /// A step begins.
    pub(crate) fn begins(&self) {
        self.0.under_way.store(true, Ordering::SeqCst);
        self.0.stepped.store(true, Ordering::SeqCst);
    }

    /// A step is over, and the next is not known to come.
    pub(crate) fn rests(&self) {
        self.0.under_way.store(false, Ordering::SeqCst);
    }

    /// What the run waits for, if it does.
    pub(crate) fn wait(&self) -> Option<Wait> {
        match self.pace() {
            Pace::Going | Pace::Step => None,
            Pace::Paused => Some(Wait::Resume),
            Pace::TakenOver => Some(Wait::GiveBack),
        }
    }

    /// Returns once what `wait` waits for has come.
    pub(crate) async fn is_over(&self, wait: &Wait) {
        if let Wait::Presence { .. } = wait {
            while !self.is_present() {
                tokio::time::sleep(TURN).await;
            }
            return;
        }
        let mut pace = self.0.pace.subscribe();
        // This very sender keeps the channel open.
        let _ = pace.wait_for(|_| self.wait().as_ref() != Some(wait)).await;
    }

    /// Returns once it is to stand still.
    pub async fn is_to_hold(&self) {
        let _ = self.0.pace.subscribe().wait_for(|pace| pace.holds()).await;
    }

    /// Returns once the person takes over.
    pub(super) async fn is_taken_over(&self) {
        let _ = self.0.pace.subscribe().wait_for(|pace| *pace == Pace::TakenOver).await;
    }

    /// Whether somebody looks.
    pub fn is_present(&self) -> bool {
        let looked = *self.0.looked.lock().unwrap_or_else(PoisonError::into_inner);
        looked.is_some_and(|when| when.elapsed() < ATTENTION)
    }

    /// Where it goes on only while somebody looks.
    pub(crate) fn watched(&self) -> &Watched {
        &self.0.watched
    }
}
