//! Automates a desktop task: `automate WEIGHTS TASK [FOLDER]` works on the display in `$DISPLAY` until
//! the task is done, and records what it did in FOLDER. It does not ask, so give it a display that may be
//! used up.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use freehand_agent::event::{Event, Listener};
use freehand_agent::limits::Limits;
use freehand_agent::outside::{Presence, Stop};
use freehand_agent::run::Run;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_agent::trajectory::{Exit, Header};
use freehand_model::backend::embedded::{Embedded, Settings};
use freehand_model::dialect::numbered::Numbered;
use freehand_policies::approver::DenyAll;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_tools::desktop::x11::X11;
use freehand_tools::gate::Gate;
use freehand_tools::toolbox::Toolbox;

struct Print;

impl Listener for Print {
    #[expect(clippy::print_stderr, reason = "an example talks to its terminal")]
    #[expect(clippy::wildcard_enum_match_arm, reason = "only what a reader wants to follow is shown")]
    fn event(&self, event: Event) {
        match event {
            Event::AskedDone { step, probability } => eprintln!("{step}: done? {probability:.2}"),
            Event::Acted { step, summary, outcome, ms } => {
                eprintln!("{step}: {summary} -> {outcome:?} ({ms:.0} ms)");
            }
            Event::Ended { exit, .. } => eprintln!("{exit:?}"),
            _ => {}
        }
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(weights), Some(task)) = (args.next(), args.next()) else {
        bail!("automate WEIGHTS TASK [FOLDER]")
    };
    let model = Embedded::open(&weights, Settings::default()).await?;
    let mut desktop = X11::connect(None).context("no desktop to work on")?;
    let header = Header {
        format: freehand_agent::trajectory::FORMAT,
        task: task.clone(),
        until: None,
        model: weights,
        dialect: "numbered".into(),
        policy: "unattended-in-sandbox".into(),
        policy_digest: String::new(),
        display: desktop.name().into(),
        started_ms: 0,
    };
    let mut recorder = match args.next() {
        Some(folder) => Recorder::create(Path::new(&folder), header)?,
        None => Recorder::off(),
    };
    let mut gate = Gate::new(vec![Preset::Unattended.policy(DisplayTrust::Vouched)], Box::new(DenyAll));
    let mut run = Run {
        desktop: &mut desktop,
        toolbox: &Toolbox::default(),
        gate: &mut gate,
        model: &model,
        dialect: &Numbered,
        recorder: &mut recorder,
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
