//! What the person at the desk sees of a run on their own display: the strip that says what comes next and
//! how to stop it, the ring where it will click, and notifications for its questions.

use std::fmt;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use freehand_agent::event::{Event, Listener};
use freehand_policies::preset::DisplayTrust;
use freehand_tools::desktop::presence::Words;
use freehand_tools::desktop::veil::Veil;
use freehand_tools::geometry::ScreenPoint;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::Instant;

use crate::display::{self, Presence};
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};
use crate::wanted::Wanted;

mod asking;
mod bell;
mod said;

use bell::Bell;
use said::Said;

/// As long as the ring is there at least, so that an eye can find it.
const LINGERS: Duration = Duration::from_millis(600);
/// As long as a compositing manager lets windows fade that have been closed: a third of a second is usual.
const FADES: Duration = Duration::from_millis(500);

impl Wanted {
    /// What is to be said on a display of this kind, if anything: by itself where Freehand did not start it.
    pub fn feed(self, trust: DisplayTrust) -> Option<Feed> {
        let shown = match self {
            Self::Auto => trust != DisplayTrust::Own,
            Self::On => true,
            Self::Off => false,
        };
        shown.then(Feed::default)
    }
}

/// What the person is told, as the run goes on. Cheap to clone; every copy is the same.
#[derive(Debug, Clone, Default)]
pub struct Feed {
    said: watch::Sender<Said>,
    bell: Arc<OnceLock<Bell>>,
    /// What shows on the display.
    veil: Arc<OnceLock<Veil>>,
}

impl Feed {
    /// The same as `listener`, with the person told as well.
    pub fn listening(&self, listener: Box<dyn Listener>) -> Box<dyn Listener> {
        Box::new(Heard { feed: self.clone(), listener })
    }

    /// Looks for whoever shows notifications.
    pub async fn find_a_bell(&self) {
        if let Some(bell) = Bell::find().await {
            let _ = self.bell.set(bell);
        }
    }

    /// Returns once a notification that was closed is not seen any more.
    async fn has_faded(&self) {
        if self.veil.get().is_some_and(Veil::is_composed) {
            tokio::time::sleep(FADES).await;
        }
    }

    /// Whether questions can be answered where they are notified of.
    pub fn takes_answers(&self) -> bool {
        self.bell.get().is_some_and(Bell::takes_answers)
    }
}

/// A listener whose events the person is told too.
struct Heard {
    feed: Feed,
    listener: Box<dyn Listener>,
}

impl Listener for Heard {
    fn event(&self, event: Event) {
        self.feed.said.send_if_modified(|said| said.take(&event));
        self.listener.event(event);
    }
}

/// Strip and ring, shown as long as this lives.
pub struct Shown(JoinHandle<()>);

impl Drop for Shown {
    fn drop(&mut self) {
        self.0.abort();
    }
}

impl Shown {
    /// Shows what is fed on the display `name`; `hint` says how the run is stopped there. Where that is not
    /// possible the run goes on without, and says so.
    pub fn open(
        name: &str,
        veil: &Veil,
        feed: &Feed,
        hint: String,
        interrupt: &Interrupt,
    ) -> Option<Self> {
        let presence = match display::show_presence(name, veil) {
            Ok(presence) => presence,
            Err(error) => {
                terminal::say(Tone::Faint, &format!("no strip says that Freehand is at work: {error}"));
                return None;
            }
        };
        let _ = feed.veil.set(veil.clone());
        let told = Teller { presence, hint, ring: None };
        let (said, interrupt) = (feed.said.subscribe(), interrupt.clone());
        Some(Self(tokio::spawn(told.tell(said, interrupt))))
    }
}

/// What may come next.
enum Turn {
    /// Something else is said.
    Said,
    /// The ring was there for long enough.
    Enough,
    /// The person has pressed `Stop`.
    Pressed,
    /// The run was stopped otherwise.
    Stopped,
}

/// Returns once `Stop` was pressed.
async fn pressed(stops: &mut watch::Receiver<bool>) {
    if stops.wait_for(|stopped| *stopped).await.is_err() {
        // The display has gone, and nobody can press anything there.
        std::future::pending::<()>().await;
    }
}

/// Keeps what shows up with what is said.
struct Teller {
    presence: Presence,
    hint: String,
    /// Where the ring is, and since when.
    ring: Option<(ScreenPoint, Instant)>,
}

impl Teller {
    async fn tell(mut self, mut said: watch::Receiver<Said>, interrupt: Interrupt) {
        let mut stops = self.presence.stops();
        loop {
            let now = said.borrow_and_update().clone();
            self.show(&now);
            let leftover = self.ring.filter(|_| now.at.is_none()).map(|(_, since)| since + LINGERS);
            let turn = tokio::select! {
                changed = said.changed() => if changed.is_ok() { Turn::Said } else { return },
                () = tokio::time::sleep_until(leftover.unwrap_or_else(Instant::now)), if leftover.is_some() => {
                    Turn::Enough
                }
                () = pressed(&mut stops) => Turn::Pressed,
                () = interrupt.asked() => Turn::Stopped,
            };
            match turn {
                Turn::Said => {}
                Turn::Enough => self.move_ring(None),
                Turn::Pressed => {
                    interrupt.ask("stopping, since you pressed Stop; Ctrl-C stops at once");
                    return self.stay_stopped().await;
                }
                Turn::Stopped => return self.stay_stopped().await,
            }
        }
    }

    fn show(&mut self, now: &Said) {
        let words = Words { mood: now.mood, text: now.text.clone(), hint: self.hint.clone() };
        note(self.presence.say(words));
        if now.at.is_some() && self.ring.map(|(at, _)| at) != now.at {
            self.move_ring(now.at);
        }
    }

    fn move_ring(&mut self, to: Option<ScreenPoint>) {
        note(self.presence.ring(to));
        self.ring = to.map(|at| (at, Instant::now()));
    }

    /// As long as it takes until the program ends.
    async fn stay_stopped(mut self) {
        self.move_ring(None);
        self.show(&Said::stopped());
        std::future::pending::<()>().await;
    }
}

/// What becomes of what is shown must not hold the run up.
fn note<E: fmt::Display>(result: Result<(), E>) {
    if let Err(error) = result {
        tracing::debug!(%error, "the strip does not show what it should");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_for_displays_of_others_unless_one_says_otherwise() {
        use DisplayTrust::{Own, Users, Vouched};
        for (wanted, expected) in [("auto", [false, true, true]), ("on", [true; 3]), ("off", [false; 3])]
        {
            let wanted: Wanted = wanted.parse().unwrap();
            assert_eq!([Own, Vouched, Users].map(|trust| wanted.feed(trust).is_some()), expected);
        }
        assert!("yes".parse::<Wanted>().is_err());
    }
}
