//! What every command that acts needs: the terms under which it may, and a desktop behind a gate.

use anyhow::Result;
use freehand_agent::event::Listener;
use freehand_agent::trajectory::Header;
use freehand_policies::PolicyError;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_tools::gate::Gate;
use freehand_tools::toolbox::Toolbox;

use crate::approval::Answers;
use crate::args::GateArgs;
use crate::config::Config;
use crate::display::{self, Display, Opened};
use crate::exit::usage;
use crate::own_windows;
use crate::signals::Interrupt;
use crate::terminal::{self, Lines, Steps, Tone};

/// Where it works, under which rules, and who answers.
#[derive(Debug, Clone)]
pub struct Terms {
    /// Where.
    pub display: Display,
    /// Under which rules.
    pub preset: Preset,
    /// Whose display it is.
    pub trust: DisplayTrust,
    /// Who answers what the rules ask.
    pub answers: Answers,
}

/// A desktop and the only way to act on it.
pub struct Work {
    /// The tools.
    pub toolbox: Toolbox,
    /// What every action passes.
    pub gate: Gate,
    /// What is seen and used.
    pub opened: Opened,
}

impl Terms {
    /// The terms of the command line, of the configuration, and of `earlier`, in this order.
    pub fn settle(args: &GateArgs, config: &Config, earlier: Option<(Display, Preset)>) -> Result<Self> {
        let (old_display, old_preset) = earlier.unzip();
        let display = match (&args.display, &config.display) {
            (Some(display), _) => display.clone(),
            (None, Some(text)) if old_display.is_none() => from_config("display", text)?,
            (None, _) => old_display.unwrap_or_default(),
        };
        let trust = display.trust(args.trust_display);
        let usual = if trust == DisplayTrust::Own { Preset::Unattended } else { Preset::Supervised };
        let preset = match (args.policy, &config.policy) {
            (Some(preset), _) => preset,
            (None, Some(text)) if old_preset.is_none() => from_config("policy", text)?,
            (None, _) => old_preset.unwrap_or(usual),
        };
        if trust == DisplayTrust::Users && preset == Preset::Unattended {
            return Err(usage(
                "nothing is asked with `--policy unattended`, so it needs a display of Freehand's own \
                 (`--display virtual`) or one that you vouch for (`--trust-display`)",
            ));
        }
        if trust == DisplayTrust::Users && args.yes {
            return Err(usage(
                "`--yes` answers every question with yes, so it needs a display of Freehand's own \
                 (`--display virtual`) or one that you vouch for (`--trust-display`)",
            ));
        }
        let answers = if args.yes { Answers::Yes } else { Answers::Person };
        Ok(Self { display, preset, trust, answers })
    }

    /// Opens the desktop and puts the gate before it.
    pub async fn open(&self, interrupt: &Interrupt) -> Result<Work> {
        let mut opened = display::open(&self.display, display::STEP)?;
        let own = match self.trust {
            DisplayTrust::Own => Vec::new(),
            DisplayTrust::Vouched | DisplayTrust::Users => {
                own_windows::among(&opened.desktop.observe().await?.windows)
            }
        };
        if self.preset == Preset::Supervised && !self.answers.are_possible() {
            terminal::say(
                Tone::Faint,
                "nobody can be asked, since there is no terminal: whatever changes something is refused",
            );
        }
        let policies = vec![self.preset.policy_sparing(self.trust, own)];
        let gate = Gate::new(policies, self.answers.approver(interrupt));
        Ok(Work { toolbox: Toolbox::default(), gate, opened })
    }
}

/// What stands in a record for the model and its dialect where there is none.
pub const NO_MODEL: &str = "none";

/// Where a recorded run was and under which rules. The record only says what is usual for it: what is
/// allowed where is decided anew.
pub fn recorded(header: &Header) -> Result<(Display, Preset)> {
    let bad =
        |error: String, option: &str| usage(format!("the record: {error}; name one with {option}"));
    let display = match header.display.as_str() {
        "session" => Display::Session,
        name => name.parse().map_err(|error| bad(error, "--display"))?,
    };
    let preset =
        header.policy.parse().map_err(|error: PolicyError| bad(error.to_string(), "--policy"))?;
    Ok((display, preset))
}

/// A setting of the configuration file.
pub fn from_config<T: std::str::FromStr<Err: std::fmt::Display>>(field: &str, text: &str) -> Result<T> {
    text.parse().map_err(|error| usage(format!("`{field}` of the configuration: {error}")))
}

/// Who watches a run.
pub fn listener(json: bool) -> Box<dyn Listener> {
    if json { Box::new(Lines) } else { Box::new(Steps::default()) }
}
