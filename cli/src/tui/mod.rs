//! The terminal view: a supervised run on one screen, as a view of the hub like any other. It runs on a
//! thread of its own, since drawing and reading a terminal block, and it gives the terminal back however
//! it ends.

use std::io::Stdout;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, TryRecvError, channel};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use freehand_agent::supervision::{Hub, Pace, ToView};
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use ratatui::crossterm::event::{self, Event, KeyEventKind};

use crate::console::Screen;
use crate::signals::Interrupt;
use crate::terminal;

mod ability;
mod draw;
mod handover;
mod keys;
mod line;
mod past;
mod picture;
mod pixels;
mod seen;
mod stage;

use handover::Handover;
use keys::Keys;
use picture::Picture;
use seen::Seen;
pub use stage::give_back;

/// As long as it waits for a key before it looks at the rest.
const TURN: Duration = Duration::from_millis(40);
/// How often it is drawn while nothing happens, for the time that passes.
const TICK: Duration = Duration::from_secs(1);
/// As long as it may take to end.
const PATIENCE: Duration = Duration::from_secs(1);

/// What a view is of.
pub struct Stage {
    /// The display to be watched, where it is not the one that the person sees anyway.
    pub display: Option<String>,
    /// The folder with the records of runs.
    pub runs: PathBuf,
    /// Whether tasks are begun here.
    pub begins: bool,
}

/// A view that is shown as long as this lives.
pub struct View {
    ends: Arc<AtomicBool>,
    /// Closed once its thread has ended.
    alive: Receiver<()>,
    messages: tokio::task::JoinHandle<()>,
}

/// Whether a view can be shown: there is a terminal on both sides, and it can do more than print.
pub fn is_possible() -> bool {
    use std::io::IsTerminal as _;
    let both = std::io::stdin().is_terminal() && std::io::stdout().is_terminal();
    let able = std::env::var("TERM").is_ok_and(|name| !name.is_empty() && name != "dumb");
    both && std::io::stderr().is_terminal() && able
}

impl View {
    /// Shows `hub` on `stage`.
    pub fn open(hub: &Hub, stage: Stage, interrupt: &Interrupt) -> Result<Self> {
        let Stage { display, runs, begins } = stage;
        let (send, receive) = channel();
        let mut updates = hub.join(None);
        let messages = tokio::spawn(async move { while send.send(updates.next().await).is_ok() {} });
        let ends = Arc::new(AtomicBool::new(false));
        let handover = display.clone().map(|display| Handover::to(display, hub));
        let screen = display.map(Screen::watch);
        let (seen, keys) = (Seen::of(begins), Keys::over(runs));
        stage::take().context("the terminal cannot be used; use --plain")?;
        let (hub, until, interrupt) = (hub.clone(), Arc::clone(&ends), interrupt.clone());
        let (lives, alive) = channel();
        std::thread::spawn(move || {
            let _lives: Sender<()> = lives;
            let end = Ending { until: Arc::clone(&until), interrupt: interrupt.clone() };
            let shown = Shown::new(hub, seen, keys, screen.as_ref(), handover, interrupt)
                .and_then(|mut shown| shown.run(&receive, &until));
            if let Err(error) = shown {
                tracing::error!(%error, "the terminal view has ended");
            }
            drop(end);
        });
        Ok(Self { ends, alive, messages })
    }
}

impl Drop for View {
    fn drop(&mut self) {
        self.ends.store(true, Ordering::SeqCst);
        self.messages.abort();
        // Reading the keys of a terminal that has gone never ends (crossterm reads the end again and again),
        // so it is waited for and not joined; it ends with the program.
        let _ = self.alive.recv_timeout(PATIENCE);
        stage::give_back();
    }
}

/// A view that ends before it is told to, by a fault or since the terminal has gone, ends the run:
/// nobody would see its questions.
struct Ending {
    until: Arc<AtomicBool>,
    interrupt: Interrupt,
}

impl Drop for Ending {
    fn drop(&mut self) {
        stage::give_back();
        if !self.until.load(Ordering::SeqCst) {
            self.interrupt.ask("stopping, since the terminal view has ended");
        }
    }
}

struct Shown {
    terminal: Terminal<CrosstermBackend<Stdout>>,
    hub: Hub,
    seen: Seen,
    keys: Keys,
    picture: Picture,
    /// The way to the display, where the person sees it only here.
    handover: Option<Handover>,
    interrupt: Interrupt,
}

impl Shown {
    fn new(
        hub: Hub,
        seen: Seen,
        keys: Keys,
        screen: Option<&Screen>,
        handover: Option<Handover>,
        interrupt: Interrupt,
    ) -> Result<Self> {
        let picture = Picture::of(screen);
        let terminal = Terminal::new(CrosstermBackend::new(std::io::stdout()))?;
        Ok(Self { terminal, hub, seen, keys, picture, handover, interrupt })
    }

    fn run(&mut self, messages: &Receiver<ToView>, until: &AtomicBool) -> Result<()> {
        self.terminal.clear()?;
        let mut drawn: Option<Instant> = None;
        while !until.load(Ordering::SeqCst) {
            let mut new = self.hear(messages) | self.picture.look(self.seen.state.intent.as_ref());
            new |= drawn.is_none_or(|drawn| drawn.elapsed() >= TICK);
            self.keys.looks(&self.hub);
            if let Some(handover) = &mut self.handover {
                handover.set(self.seen.state.pace == Pace::TakenOver)?;
            }
            if new {
                self.draw()?;
                drawn = Some(Instant::now());
            }
            if event::poll(TURN)? {
                self.take(&event::read()?);
                drawn = None;
            }
        }
        Ok(())
    }

    /// Takes in what has happened; whether anything has.
    fn hear(&mut self, messages: &Receiver<ToView>) -> bool {
        let mut new = false;
        loop {
            match messages.try_recv() {
                Ok(message) => self.seen.take(message),
                Err(TryRecvError::Empty | TryRecvError::Disconnected) => return new,
            }
            new = true;
        }
    }

    fn take(&mut self, event: &Event) {
        let open = self.handover.as_ref().filter(|handover| handover.is_open());
        match (event, open) {
            (Event::Key(key), Some(_)) if handover::gives_back(*key) => self.keys.give_back(&self.hub),
            (Event::Key(key), Some(open)) if key.kind != KeyEventKind::Release => open.key(*key),
            (Event::Paste(text), Some(open)) => open.paste(text),
            (Event::Mouse(used), Some(open)) => {
                if let Some(at) = self.picture.point(used.column, used.row) {
                    open.mouse(*used, at);
                }
            }
            (event, _) => self.own(event),
        }
    }

    /// What is meant for the view itself.
    fn own(&mut self, event: &Event) {
        match event {
            Event::Key(key) if key.kind != KeyEventKind::Release => {
                self.keys.press(*key, &self.seen, &self.hub, &self.interrupt);
            }
            Event::Paste(text) => self.keys.paste(text),
            Event::FocusGained => self.keys.comes(),
            Event::FocusLost => self.keys.leaves(&self.hub),
            Event::Resize(..) => self.picture.forget(),
            Event::Key(_) | Event::Mouse(_) => {}
        }
    }

    fn draw(&mut self) -> Result<()> {
        let Self { terminal, seen, keys, picture, .. } = self;
        let told = terminal::last_held();
        terminal.draw(|frame| draw::all(frame, seen, keys, picture, told.as_deref()))?;
        picture.show()?;
        Ok(())
    }
}
