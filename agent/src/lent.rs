//! The calls of another program, which has a model of its own: a script that is written while it goes, with a
//! person beside it like beside any other.
//!
//! Between two calls nothing is under way, and the person may have paused or taken over meanwhile: then
//! somebody has to rest in the program's place ([`Scripted::rest`]), or they would never be let in.

use std::time::{Duration, Instant};

use freehand_tools::call::ToolCall;
use freehand_tools::observation::Observation;
use freehand_tools::outcome::Outcome;

use crate::event::{Event, Listener};
use crate::giving_way::GivingWay;
use crate::halt::Halt;
use crate::scripted::Scripted;
use crate::step::Done;
use crate::trajectory::Intervention;

/// What looking is called in the record.
pub const LOOKING: &str = "observe";

/// What became of a call.
#[derive(Debug)]
pub struct Served {
    /// The record of it.
    pub done: Done,
    /// The screen that it was made on.
    pub before: Option<Observation>,
    /// The screen as it is now; `None` where the call meant nothing.
    pub now: Option<Observation>,
}

impl<'a> Scripted<'a> {
    /// Looks at the screen, once the person lets it.
    pub async fn show(&mut self) -> Result<Observation, Halt> {
        let open = self.begins(LOOKING);
        let (mut kept, call) = (None, ToolCall::new(LOOKING, serde_json::json!({})));
        let looked = self.read(&call, Duration::ZERO, |seen| {
            kept = Some(seen.clone());
            Ok("looked".into())
        });
        let _ = looked.await?;
        self.is_over(open);
        match kept {
            Some(seen) => Ok(seen),
            None => Ok(self.desktop.observe().await?),
        }
    }

    /// Does what is called for, once the person lets it.
    pub async fn serve(&mut self, call: &ToolCall) -> Result<Served, Halt> {
        let open = self.begins(&call.tool);
        let mut before = None;
        let done = self.act(call, Duration::ZERO, |seen| {
            before = Some(seen.clone());
            Ok(call.clone())
        });
        let done = done.await?;
        let now = match &done.judged.action {
            Some(_) => Some(self.desktop.observe().await?),
            None => None,
        };
        self.is_over(open);
        Ok(Served { done, before, now })
    }

    /// Stands still between two calls as long as the person wants it to.
    pub async fn rest(&mut self) -> Result<(), Halt> {
        let step = self.recorder.last() + 1;
        let way = GivingWay { person: &self.person, listener: self.listener, stop: &self.stop, step };
        way.between_steps(self.desktop).await.map(drop)
    }

    /// How the person came between since this was asked last: what they said, and that they had the desktop.
    pub fn heard(&self) -> Vec<Intervention> {
        self.person.steering().interventions()
    }

    fn begins(&self, what: &str) -> Underway<'a> {
        let step = self.recorder.last() + 1;
        Underway { listener: Some(self.listener), step, what: what.to_owned(), since: Instant::now() }
    }

    fn is_over(&self, mut open: Underway<'a>) {
        open.listener = None;
        self.person.steering().rests();
        let step = self.recorder.last();
        let way = GivingWay { person: &self.person, listener: self.listener, stop: &self.stop, step };
        way.pause_after_step();
    }
}

/// A call that is under way. One that is broken off is told of as such.
struct Underway<'l> {
    listener: Option<&'l dyn Listener>,
    step: u32,
    what: String,
    since: Instant,
}

impl Drop for Underway<'_> {
    fn drop(&mut self) {
        let Some(listener) = self.listener else { return };
        listener.event(Event::Acted {
            step: self.step,
            summary: std::mem::take(&mut self.what),
            outcome: Outcome::failed("it was broken off"),
            ms: self.since.elapsed().as_secs_f64() * 1000.0,
        });
    }
}
