//! Interactive supervised mode: `supervised MODEL TASK` works on the display in `$DISPLAY` and asks at
//! this terminal before it changes anything. `y` allows it once, `r` its like for the rest of the run,
//! `n` with a reason refuses it, and the model is told the reason. MODEL is a file with weights, or one
//! with an answer a line of a model that says what it is told to.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use freehand_agent::event::{Event, Listener};
use freehand_agent::limits::Limits;
use freehand_agent::outside::{Presence, Stop};
use freehand_agent::run::Run;
use freehand_agent::trajectory::Exit;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_model::backend::{Model, embedded, scripted};
use freehand_model::dialect::{Dialect, numbered, tools};
use freehand_policies::approver::Terminal;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_tools::desktop::x11::X11;
use freehand_tools::element::WindowId;
use freehand_tools::gate::Gate;
use freehand_tools::toolbox::Toolbox;
use rustix::termios::{QueueSelector, tcflush};

struct Print;

impl Listener for Print {
    #[expect(clippy::print_stderr, reason = "an example talks to its terminal")]
    fn event(&self, event: Event) {
        if let Event::Acted { step, summary, outcome, .. } = event {
            eprintln!("{step}: {summary} -> {outcome:?}");
        }
    }
}

async fn open(file: &Path) -> Result<(Box<dyn Model>, Box<dyn Dialect>)> {
    if file.extension().is_some_and(|ending| ending == "gguf") {
        let model = embedded::Embedded::open(file, embedded::Settings::default()).await?;
        return Ok((Box::new(model), Box::new(numbered::Numbered)));
    }
    let answers = std::fs::read_to_string(file)
        .with_context(|| format!("cannot read the answers in `{}`", file.display()))?;
    Ok((Box::new(scripted::Scripted::new(answers.lines())), Box::new(tools::Tools)))
}

/// The person at this terminal. What was typed before a question is shown is thrown away: the agent
/// itself may have typed it.
fn person() -> Terminal<tokio::io::Stdin, tokio::io::Stderr> {
    Terminal::new(tokio::io::stdin(), tokio::io::stderr()).discarding(|| {
        let _ = tcflush(std::io::stdin(), QueueSelector::IFlush);
    })
}

/// The window of this terminal, as terminals tell it: the agent must not answer its own questions.
fn own_window() -> Option<WindowId> {
    std::env::var("WINDOWID").ok()?.parse().ok().map(WindowId)
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(model), Some(task)) = (args.next(), args.next()) else { bail!("supervised MODEL TASK") };
    let (model, dialect) = open(Path::new(&model)).await?;
    let mut desktop = X11::connect(None).context("no desktop to work on")?;
    let own = own_window().into_iter().collect();
    let rules = Preset::Supervised.policy_sparing(DisplayTrust::Users, own);
    let mut gate = Gate::new(vec![rules], Box::new(person()));
    let mut run = Run {
        desktop: &mut desktop,
        toolbox: &Toolbox::default(),
        gate: &mut gate,
        model: model.as_ref(),
        dialect: dialect.as_ref(),
        recorder: &mut Recorder::off(),
        listener: &Print,
        limits: Limits::default(),
        until: None,
        apps: &[],
        stop: Stop::default(),
        person: Presence::default(),
    };
    let exit = run.task(&task, &[]).await?;
    ensure!(matches!(exit, Exit::Done { .. }), "not done: {exit:?}");
    Ok(())
}
