//! Ctrl-C and its like. The first asks what is under way to end cleanly, with nothing held down and the
//! record whole; the second ends the program where it stands.

use std::time::Duration;

use anyhow::{Context as _, Result};
use freehand_agent::run::Stop;
use tokio::sync::watch;

use crate::display;
use crate::exit::Code;
use crate::terminal::{self, Tone};

/// As long as a run may take to end by itself once it was asked.
const GRACE: Duration = Duration::from_secs(3);

/// Knows whether the person wants to stop. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Interrupt {
    stop: Stop,
    asked: watch::Receiver<bool>,
}

impl Interrupt {
    /// Listens from now on, as long as the program runs.
    pub fn listen() -> Result<Self> {
        let mut signals = Signals::new().context("cannot listen for signals")?;
        let (sender, asked) = watch::channel(false);
        let stop = Stop::default();
        let this = Self { stop: stop.clone(), asked };
        tokio::spawn(async move {
            signals.next().await;
            stop.stop();
            let _ = sender.send(true);
            terminal::say(Tone::Strong, "stopping; once more stops at once");
            // Typing that is under way ends with it.
            let released = tokio::task::spawn_blocking(display::release_everything);
            signals.next().await;
            drop(released);
            display::release_everything();
            std::process::exit(Code::Interrupted as i32);
        });
        Ok(this)
    }

    /// What a run looks at.
    pub fn stop(&self) -> Stop {
        self.stop.clone()
    }

    /// Returns once it was asked to stop.
    pub async fn asked(&self) {
        let mut asked = self.asked.clone();
        if asked.wait_for(|asked| *asked).await.is_err() {
            // Nobody listens any more, so nobody will ask.
            std::future::pending::<()>().await;
        }
    }

    /// Returns once it was asked and has had time to end by itself.
    pub async fn overdue(&self) {
        self.asked().await;
        tokio::time::sleep(GRACE).await;
    }
}

#[cfg(unix)]
struct Signals([tokio::signal::unix::Signal; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self([
            signal(SignalKind::interrupt())?,
            signal(SignalKind::terminate())?,
            signal(SignalKind::hangup())?,
        ]))
    }

    async fn next(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
