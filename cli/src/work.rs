//! What every command that acts needs: the terms under which it may, and a desktop behind a gate.

use std::path::PathBuf;

use anyhow::Result;
use freehand_agent::AgentError;
use freehand_agent::event::Listener;
use freehand_agent::supervision::Watched;
use freehand_agent::trajectory::Header;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_policies::PolicyError;
use freehand_policies::audit::Audit;
use freehand_policies::grants;
use freehand_policies::layers::Layers;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_policies::rulebook::Rulebook;
use freehand_tools::desktop::StopSign;
use freehand_tools::element::WindowId;
use freehand_tools::gate::{Approver, Gate, Policy, Scope};
use freehand_tools::secret::Secrets;
use freehand_tools::toolbox::Toolbox;

use crate::approval::{Answers, elsewhere};
use crate::args::GateArgs;
use crate::config::Config;
use crate::desk::{Desk, stop_sign};
use crate::display::{self, Display, Opened};
use crate::exit::{Stopped, usage};
use crate::latch::{Latch, Watching};
use crate::mcp::Client;
use crate::own_windows;
use crate::places;
use crate::presence::{Feed, Shown};
use crate::ruling::Ruling;
use crate::running::Running;
use crate::signals::Interrupt;
use crate::supervised::{ConsoleUntouched, IN_THE_TERMINAL, NobodyLooks, Supervised};
use crate::terminal::{self, Lines, Steps, Tone};
use crate::wanted::Wanted;

/// Where it works, under which rules, and who answers.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Where.
    pub display: Display,
    /// Under which policy.
    pub ruling: Ruling,
    /// All rules: the policy with the layers above it.
    pub book: Rulebook,
    /// Whose display it is.
    pub trust: DisplayTrust,
    /// Who answers what the rules ask.
    pub answers: Answers,
    /// How the person at the desk stops it.
    pub sign: StopSign,
    /// Where somebody has to look at the console.
    pub watched: Watched,
    /// The folder of the run's record, where there is one; the audit log names it.
    pub record: Option<PathBuf>,
    /// The secrets that it may type.
    pub secrets: Secrets,
    /// What the person is told on the desktop, where they are.
    pub feed: Option<Feed>,
    /// The program that acts, where it is another one: its person is asked through it.
    pub client: Option<Client>,
}

/// A desktop and the only way to act on it.
pub struct Work {
    /// The tools.
    pub toolbox: Toolbox,
    /// What every action passes.
    pub gate: Gate,
    /// What is seen and used.
    pub opened: Opened,
    /// Who shares the display.
    pub desk: Desk,
    /// The windows through which Freehand talks to the person.
    pub own: Vec<WindowId>,
    /// The secrets that it may type.
    pub secrets: Secrets,
    _shown: Option<Shown>,
    _running: Running,
    _latch: Watching,
}

impl Terms {
    /// The terms of the command line, of the configuration, and of `earlier`, in this order.
    pub fn settle(args: &GateArgs, config: &Config, earlier: Option<(Display, Ruling)>) -> Result<Self> {
        let (old_display, old_ruling) = earlier.unzip();
        let display = match (&args.display, &config.display) {
            (Some(display), _) => display.clone(),
            (None, Some(text)) if old_display.is_none() => from_config("display", text)?,
            (None, _) => old_display.unwrap_or_default(),
        };
        let display = match args.size {
            Some(size) => display.sized(size).map_err(usage)?,
            None => display,
        };
        let trust = display.trust(args.trust_display);
        let usual = if trust == DisplayTrust::Own { Preset::Unattended } else { Preset::Supervised };
        let ruling = match (&args.policy, &config.policy) {
            (Some(ruling), _) => ruling.clone(),
            (None, Some(text)) if old_ruling.is_none() => from_config("policy", text)?,
            (None, _) => old_ruling.unwrap_or(Ruling::Preset(usual)),
        };
        if trust == DisplayTrust::Users && ruling == Ruling::Preset(Preset::Unattended) {
            return Err(usage(
                "nothing is asked with `--policy unattended-in-sandbox`, so it needs a display of Freehand's own \
                 (`--display virtual`) or one that you vouch for (`--trust-display`)",
            ));
        }
        if trust == DisplayTrust::Users && args.yes {
            return Err(usage(
                "`--yes` answers every question with yes, so it needs a display of Freehand's own \
                 (`--display virtual`) or one that you vouch for (`--trust-display`)",
            ));
        }
        let wanted = match (args.presence, &config.presence) {
            (Some(wanted), _) => wanted,
            (None, Some(text)) => from_config("presence", text)?,
            (None, None) => Wanted::default(),
        };
        let answers = if args.yes { Answers::Yes } else { Answers::Person };
        let book = ruling.rulebook(args, trust)?;
        let watched = Watched::new(&config.watch_apps, &config.watch_sites);
        Ok(Self {
            display,
            ruling,
            book,
            trust,
            answers,
            sign: stop_sign(config)?,
            watched,
            record: None,
            secrets: Secrets::default(),
            feed: wanted.feed(trust),
            client: None,
        })
    }

    /// Opens the desktop and puts the gate before it.
    pub async fn open(&self, interrupt: &Interrupt) -> Result<Work> {
        self.open_with(interrupt, None).await
    }

    /// The same for a session that is watched: whoever looks is asked, and steers.
    pub async fn open_with(
        &self,
        interrupt: &Interrupt,
        supervised: Option<&Supervised>,
    ) -> Result<Work> {
        let latch = Latch::of_account()?;
        latch.check()?;
        let running = Running::register(&places::running()?)?;
        let latch = latch.watch(interrupt);
        let mut opened = display::open(&self.display, display::STEP).map_err(|error| {
            // Stopping ends a display that is just being started.
            let stopped = || Stopped("stopped before the display was there".into()).into();
            if interrupt.stop().is_stopped() { stopped() } else { error }
        })?;
        let mut desk = match self.trust {
            DisplayTrust::Own => Desk::deserted(),
            DisplayTrust::Vouched | DisplayTrust::Users => {
                Desk::watch(&self.display, &self.sign, interrupt)
            }
        };
        let own = match self.trust {
            DisplayTrust::Own => Vec::new(),
            DisplayTrust::Vouched | DisplayTrust::Users => {
                own_windows::among(&opened.desktop.observe().await?.windows)
            }
        };
        let shown = self.show(&opened, interrupt).await;
        if let Some(supervised) = supervised {
            desk.person = desk.person.steered_by(supervised.hub.steering().clone());
        } else if self.ruling == Ruling::Preset(Preset::Supervised) && !self.are_answered() {
            terminal::say(
                Tone::Faint,
                "nobody can be asked, since there is no terminal: whatever changes something is refused",
            );
        }
        let gate = self.gate(&own, interrupt, supervised)?;
        let secrets = self.secrets.clone();
        if !secrets.is_empty() {
            opened = opened.showing_none_of(&secrets);
        }
        Ok(Work {
            toolbox: Toolbox::default(),
            gate,
            opened,
            desk,
            own,
            secrets,
            _shown: shown,
            _running: running,
            _latch: latch,
        })
    }

    /// Who is told of what happens: the terminal, and the person on the desktop.
    pub fn listener(&self, json: bool) -> Box<dyn Listener> {
        self.telling(if json { Box::new(Lines) } else { Box::new(Steps::default()) })
    }

    /// The same, with `listener` in the place of the terminal.
    pub fn telling(&self, listener: Box<dyn Listener>) -> Box<dyn Listener> {
        match &self.feed {
            Some(feed) => feed.listening(listener),
            None => listener,
        }
    }

    /// Shows on the desktop that somebody is at work there, where that is wanted.
    async fn show(&self, opened: &Opened, interrupt: &Interrupt) -> Option<Shown> {
        let feed = self.feed.as_ref()?;
        feed.find_a_bell().await;
        let watched = self.trust != DisplayTrust::Own;
        let hint = if watched { format!("{} stops", self.sign.chord) } else { String::new() };
        Shown::open(&opened.name, &opened.veil, feed, hint, interrupt)
    }

    /// The person behind `client` is asked.
    fn asks(&self, client: &Client) -> Box<dyn Approver> {
        let accompanied = self.feed.as_ref().is_some_and(Feed::takes_answers);
        let client = client.clone();
        Box::new(if accompanied { client.accompanied() } else { client })
    }

    /// Whether somebody will answer, at the terminal, on the desktop or through the program that acts.
    fn are_answered(&self) -> bool {
        self.client.is_some()
            || self.answers.are_possible()
            || self.feed.as_ref().is_some_and(Feed::takes_answers)
    }

    /// Where questions are answered, other than on the desktop itself.
    fn place(&self, supervised: Option<&Supervised>) -> Option<&'static str> {
        match (supervised, &self.client) {
            (Some(supervised), _) => Some(supervised.place),
            (None, Some(_)) => Some("in the program that works with Freehand"),
            (None, None) => self.answers.are_possible().then_some(IN_THE_TERMINAL),
        }
    }

    /// A gate with no grants of this run yet; it keeps Freehand's hands off the windows `own`.
    pub fn gate(
        &self,
        own: &[WindowId],
        interrupt: &Interrupt,
        supervised: Option<&Supervised>,
    ) -> Result<Gate> {
        let mut layers: Vec<Box<dyn Policy>> = vec![Box::new(self.book.clone())];
        if supervised.is_some() {
            layers.push(Box::new(ConsoleUntouched));
        } else if !self.watched.is_empty() {
            layers.push(Box::new(NobodyLooks(self.watched.clone())));
        }
        let layers = Layers::new(layers).sparing(own.to_vec());
        let record = self.record.as_ref().map(std::path::absolute).transpose()?;
        let audit = Audit::new(places::audit()?, self.display.to_string(), self.book.digest());
        let audit = audit.of_run(record);
        let approver = match (supervised, &self.client) {
            _ if self.answers == Answers::Yes => self.answers.approver(interrupt)?,
            (Some(supervised), Some(client)) => supervised.approver_beside(client)?,
            (Some(supervised), None) => supervised.approver()?,
            (None, Some(client)) => self.asks(client),
            (None, None) if self.are_answered() && !self.answers.are_possible() => elsewhere(interrupt),
            (None, None) => self.answers.approver(interrupt)?,
        };
        let approver = match &self.feed {
            Some(feed) if self.answers != Answers::Yes => {
                let hub = supervised.map(|supervised| supervised.hub.clone());
                feed.asking(approver, hub, self.place(supervised))
            }
            _ => approver,
        };
        Ok(Gate::new(vec![Box::new(layers)], approver)
            .knowing(standing()?)
            .keeping(self.secrets.clone())
            .watched_by(Box::new(audit)))
    }
}

impl Work {
    /// Keeps the secrets out of a record.
    pub fn protect(&self, recorder: &mut Recorder) -> Result<(), AgentError> {
        for secret in self.secrets.iter() {
            recorder.protect(secret.value())?;
        }
        Ok(())
    }
}

/// What the person has allowed for good. A file that is not sound grants nothing, and is said to be so.
fn standing() -> Result<Vec<Scope>> {
    let grants = grants::read(&places::grants()?).unwrap_or_else(|error| {
        terminal::say(Tone::Bad, &format!("no grant holds, since their file is not sound: {error}"));
        Vec::new()
    });
    Ok(grants.into_iter().map(|grant| grant.scope).collect())
}

/// What stands in a record for the model and its dialect where there is none.
pub const NO_MODEL: &str = "none";

/// Where a recorded run was and under which rules. The record only says what is usual for it: what is
/// allowed where is decided anew.
pub fn recorded(header: &Header) -> Result<(Display, Ruling)> {
    let bad =
        |error: String, option: &str| usage(format!("the record: {error}; name one with {option}"));
    let display = match header.display.as_str() {
        "session" => Display::Session,
        name => name.parse().map_err(|error| bad(error, "--display"))?,
    };
    let ruling =
        header.policy.parse().map_err(|error: PolicyError| bad(error.to_string(), "--policy"))?;
    Ok((display, ruling))
}

/// A setting of the configuration file.
pub fn from_config<T: std::str::FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T> {
    text.parse().map_err(|error| usage(format!("`{field}` of the configuration: {error}")))
}
