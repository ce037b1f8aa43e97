//! A person beside the run: the hub of a session, and the console that it is served through.

use anyhow::Result;
use freehand_agent::event::Listener;
use freehand_agent::outside::Stop;
use freehand_agent::supervision::{Asked, Hub, Steering, Watched};
use freehand_policies::preset::DisplayTrust;
use freehand_tools::action::{Action, EffectClass};
use freehand_tools::gate::{Approver, Decision, Evaluation, Policy};

use crate::approval::keeping;
use crate::args::ConsoleOptions;
use crate::chance;
use crate::config::Config;
use crate::console::{Console, Stage, TITLE};
use crate::display::{self, Display};
use crate::mcp::{Beside, Client};
use crate::places;
use crate::terminal::{self, Tone};
use crate::work::{Terms, Work};

/// A session that somebody watches and steers.
pub struct Supervised {
    /// The session.
    pub hub: Hub,
    /// Where its questions are answered, in words.
    pub place: &'static str,
    options: ConsoleOptions,
}

/// Where questions are answered.
pub const IN_THE_TERMINAL: &str = "in the terminal that it was started from";
/// The same, by the program that has started it.
pub const IN_A_PROGRAM: &str = "in the program that it was started from";
/// The same, with a page.
pub const IN_THE_CONSOLE: &str = "in the console";
/// The same, by the program that works with Freehand or in the page beside it.
pub const BESIDE_A_PROGRAM: &str = "in the console, or in the program that works with Freehand";
/// The same, in the page and in a terminal.
pub const IN_BOTH: &str = "in the console, or in the terminal that it was started from";

impl Supervised {
    /// A new session under `terms`, which is answered in `place`; `listener` is told all that happens in it.
    pub fn new(
        options: &ConsoleOptions,
        terms: &Terms,
        place: &'static str,
        listener: Box<dyn Listener>,
    ) -> Result<Self> {
        let name = chance::hex::<8>()?;
        let watched = Watched::new(&options.watch_app, &options.watch_site).and(&terms.watched);
        let hub = Hub::new(name, Steering::watching(watched)).echoing(listener.into());
        Ok(Self { hub, place, options: options.clone() })
    }

    /// The one who is asked.
    pub fn approver(&self) -> Result<Box<dyn Approver>> {
        keeping(Box::new(Asked::through(self.hub.clone())))
    }

    /// The same where another program acts, through which its person is asked as well.
    pub fn approver_beside(&self, client: &Client) -> Result<Box<dyn Approver>> {
        keeping(Box::new(Beside::new(self.hub.clone(), client.clone())))
    }

    /// The way to stop the run that comes next. What is being typed stops at once too.
    pub fn stop(&self) -> Stop {
        let stop = Stop::default();
        self.stops(&stop);
        stop
    }

    /// The run that comes next is stopped through this.
    pub fn stops(&self, stop: &Stop) {
        self.hub.stops(stop.clone());
        let stop = stop.clone();
        tokio::spawn(async move {
            stop.stopped().await;
            tokio::task::spawn_blocking(display::release_everything);
        });
    }

    /// Serves the console and says where.
    pub async fn serve(&self, terms: &Terms, work: &Work, config: &Config) -> Result<Console> {
        let own = terms.trust == DisplayTrust::Own;
        let stage = Stage {
            hub: self.hub.clone(),
            display: watched_display(terms, work),
            hands: own || terms.trust != DisplayTrust::Users,
            runs: config.runs.clone().map_or_else(places::runs, Ok)?,
        };
        let console = Console::open(self.options.port.unwrap_or(0), stage).await?;
        terminal::say(Tone::Strong, &format!("the console: {}", console.address));
        if !self.options.no_open {
            open_in_browser(&console.address);
        }
        Ok(console)
    }
}

/// The display that a view watches; none where the person sees it themself: a picture of the view in the
/// view would change for ever.
pub fn watched_display(terms: &Terms, work: &Work) -> Option<String> {
    (terms.display != Display::Session).then(|| work.opened.name.clone())
}

/// Keeps the agent off the console's own window, where it could answer its own questions.
#[derive(Debug, Clone, Copy)]
pub struct ConsoleUntouched;

impl Policy for ConsoleUntouched {
    fn evaluate(&self, action: &Action) -> Evaluation {
        let title = action.target.window.as_ref().map(|window| window.title.as_str());
        if title.is_some_and(|title| title.contains(TITLE)) && action.effects != EffectClass::Nothing {
            let because = "the console is the person's, and no model answers its own questions";
            return Evaluation::by(Decision::Deny, "built-in:console", because);
        }
        Evaluation { decision: Decision::Allow, reasons: Vec::new() }
    }
}

/// Keeps the agent out of the places where somebody has to look, where nobody can.
#[derive(Debug, Clone)]
pub struct NobodyLooks(pub Watched);

impl Policy for NobodyLooks {
    fn evaluate(&self, action: &Action) -> Evaluation {
        match self.0.holding(&action.target, &action.setting) {
            Some(place) if action.effects != EffectClass::Nothing => {
                let because =
                    format!("`{place}` is watched: use the console, so that somebody can look");
                Evaluation::by(Decision::Deny, "built-in:watch", because)
            }
            _ => Evaluation { decision: Decision::Allow, reasons: Vec::new() },
        }
    }
}

/// Opens the page for the person. Without a screen of theirs the address on the terminal has to do.
fn open_in_browser(address: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let has_screen = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    if !has_screen {
        return;
    }
    let started = tokio::process::Command::new(opener)
        .arg(address)
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn();
    if started.is_err() {
        terminal::say(Tone::Faint, "no browser could be opened; open that address yourself");
    }
}
