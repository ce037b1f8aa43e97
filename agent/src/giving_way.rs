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
        let steering = self.person.steering();
        if let Some(pace) = steering.pauses() {
            self.listener.event(Event::Paced { pace, by: String::new() });
        }
        let mut held = Duration::ZERO;
        while let Some(wait) = steering.wait() {
            held += self.rest(desktop, wait).await?;
        }
        steering.begins();
        Ok(held)
    }

    /// Waits for what `wait` says, and says for how long that was.
    pub(crate) async fn rest(&self, desktop: &mut dyn Desktop, wait: Wait) -> Result<Duration, Halt> {
        let since = Instant::now();
        // Whoever has the desktop now must not find a key held down.
        desktop.release();
        self.listener.event(Event::Waiting { step: self.step, wait: wait.clone() });
        let over = tokio::select! {
            () = self.person.steering().is_over(&wait) => Ok(()),
            () = self.stop.stopped() => Err(Halt::Exit(Exit::Interrupted)),
        };
        self.listener.event(Event::WentOn { step: self.step });
        over.map(|()| since.elapsed())
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
