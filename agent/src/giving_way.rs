//! Giving way to the person, the same for a model's run and for a script: it stands still while it is held,
//! while somebody has to look and nobody does, and while mouse or keyboard are in use.

use std::time::{Duration, Instant};

use freehand_tools::desktop::Desktop;

use crate::event::{Event, Listener};
use crate::halt::Halt;
use crate::outside::{Presence, Stop};
use crate::supervision::Wait;
use crate::trajectory::Exit;

/// Who gives way to whom, and who is told of it.
pub(crate) struct GivingWay<'a> {
    pub(crate) person: &'a Presence,
    pub(crate) listener: &'a dyn Listener,
    pub(crate) stop: &'a Stop,
    pub(crate) step: u32,
}

impl GivingWay<'_> {
    /// Waits while it is held, and says for how long that was.
    pub(crate) async fn while_held(&self, desktop: &mut dyn Desktop) -> Result<Duration, Halt> {
        self.pause_after_step();
        let held = self.between_steps(desktop).await?;
        self.person.steering().begins();
        Ok(held)
    }

    /// The same where no step begins after it.
    pub(crate) async fn between_steps(&self, desktop: &mut dyn Desktop) -> Result<Duration, Halt> {
        let mut held = Duration::ZERO;
        while let Some(wait) = self.person.steering().wait() {
            held += self.rest(desktop, wait).await?;
        }
        Ok(held)
    }

    /// Pauses where the one step that was wanted is over.
    pub(crate) fn pause_after_step(&self) {
        if let Some(pace) = self.person.steering().pauses() {
            self.listener.event(Event::Paced { pace, by: String::new() });
        }
    }

    /// Waits for what `wait` says, and says for how long that was.
    pub(crate) async fn rest(&self, desktop: &mut dyn Desktop, wait: Wait) -> Result<Duration, Halt> {
        let since = Instant::now();
        // Whoever has the desktop now must not find a key held down.
        desktop.release();
        self.listener.event(Event::Waiting { step: self.step, wait: wait.clone() });
        let _waiting = Waiting(self);
        tokio::select! {
            () = self.person.steering().is_over(&wait) => Ok(since.elapsed()),
            () = self.stop.stopped() => Err(Halt::Exit(Exit::Interrupted)),
        }
    }

    /// Waits while the person uses mouse or keyboard.
    pub(crate) async fn while_in_use(&self) -> Result<(), Halt> {
        if !self.person.is_active() {
            return Ok(());
        }
        self.listener.event(Event::Yielded { step: self.step });
        tokio::select! {
            () = self.person.rests() => Ok(()),
            () = self.stop.stopped() => Err(Halt::Exit(Exit::Interrupted)),
        }
    }
}

/// However the waiting ends, also where it is not waited for any more, that is told.
struct Waiting<'w, 'a>(&'w GivingWay<'a>);

impl Drop for Waiting<'_, '_> {
    fn drop(&mut self) {
        self.0.listener.event(Event::WentOn { step: self.0.step });
    }
}
