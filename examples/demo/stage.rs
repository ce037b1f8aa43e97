//! The stage of one task: a display of its own, the application, the run, and the look from outside.

use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use freehand_agent::event::{Event, Listener};
use freehand_agent::limits::Limits;
use freehand_agent::outside::{Presence, Stop};
use freehand_agent::run::Run;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_agent::trajectory::{Exit, FORMAT, Header};
use freehand_model::Model;
use freehand_model::dialect::numbered::Numbered;
use freehand_policies::approver::DenyAll;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_tools::desktop::Desktop as _;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::gate::Gate;
use freehand_tools::toolbox::Toolbox;
use tempfile::TempDir;

use crate::form::Form;
use crate::{FILE, NOTE, Task};

/// As long as an application may take to show its window.
const START: Duration = Duration::from_secs(30);
/// As long as the last effect may take to arrive outside.
const ARRIVAL: Duration = Duration::from_secs(3);

struct Steps;

impl Listener for Steps {
    #[expect(clippy::print_stdout, reason = "the demonstration talks to its terminal")]
    #[expect(clippy::wildcard_enum_match_arm, reason = "only what a reader wants to follow is shown")]
    fn event(&self, event: Event) {
        match event {
            Event::Acted { step, summary, ms, .. } => {
                println!("  {step}. {summary} ({:.1} s)", ms / 1000.0);
            }
            Event::AskedDone { probability, .. } => println!("     done? {:.0} %", probability * 100.0),
            _ => {}
        }
    }
}

pub(crate) struct Stage<'a> {
    model: &'a dyn Model,
    folder: Option<PathBuf>,
}

impl<'a> Stage<'a> {
    pub(crate) fn new(model: &'a dyn Model, folder: Option<PathBuf>) -> Self {
        Self { model, folder }
    }

    /// Plays the task and says what an outside check found.
    pub(crate) async fn play(&self, task: Task) -> Result<String> {
        let display = VirtualDisplay::start(VirtualDisplay::DEFAULT_SIZE)?;
        let mut desktop = X11::on(&display)?;
        let home = TempDir::new()?;
        match task {
            Task::Editor => {
                let _editor = start(&display, &home, "mousepad", &[])?;
                self.work(&mut desktop, task).await?;
                let text = arrival(|| std::fs::read_to_string(home.path().join(FILE)).ok()).await;
                let text = text.with_context(|| format!("there is no file {FILE}"))?;
                if text.trim_end_matches('\n') != NOTE {
                    bail!("the file holds {text:?}");
                }
                Ok(format!("{FILE} holds {text:?}"))
            }
            Task::Form => {
                let form = Form::serve().await?;
                let url = format!("http://{}/", form.address);
                let _browser = browser(&display, &home, &url)?;
                self.work(&mut desktop, task).await?;
                let order = arrival(|| form.received().last().cloned()).await;
                let order = order.context("the server received no order")?;
                let wanted = "name=Grace+Hopper&seat=Window&meal=vegetarian&luggage=yes";
                if order != wanted {
                    bail!("the server received {order}");
                }
                Ok(format!("the server received {order}"))
            }
            Task::Settings => {
                let script = home.path().join("settings.py");
                std::fs::write(&script, include_str!("settings.py"))?;
                let mut dialog =
                    start(&display, &home, "/usr/bin/python3", &[&script.to_string_lossy()])?;
                self.work(&mut desktop, task).await?;
                arrival(|| dialog.0.try_wait().ok().flatten())
                    .await
                    .context("the dialog is still open")?;
                let mut said = String::new();
                std::io::Read::read_to_string(
                    &mut dialog.0.stdout.take().context("no output")?,
                    &mut said,
                )?;
                let wanted = serde_json::json!({
                    "switches": {"Start with the computer": false, "Check for updates": false, "Show hidden files": true},
                    "theme": "Dark"
                });
                if serde_json::from_str::<serde_json::Value>(&said).ok().as_ref() != Some(&wanted) {
                    bail!("the dialog said {said:?}");
                }
                Ok(format!("the dialog said {}", said.trim()))
            }
        }
    }

    async fn work(&self, desktop: &mut X11, task: Task) -> Result<()> {
        wait_for_window(desktop).await?;
        let header = Header {
            format: FORMAT,
            task: task.words(),
            until: None,
            model: self.model.capabilities().name,
            dialect: "numbered".into(),
            policy: "unattended-in-sandbox".into(),
            policy_digest: String::new(),
            display: desktop.name().into(),
            started_ms: 0,
        };
        let mut recorder = match &self.folder {
            Some(folder) => Recorder::create(folder, header)?,
            None => Recorder::off(),
        };
        let mut gate = Gate::new(vec![Preset::Unattended.policy(DisplayTrust::Own)], Box::new(DenyAll));
        let mut run = Run {
            desktop,
            toolbox: &Toolbox::default(),
            gate: &mut gate,
            model: self.model,
            dialect: &Numbered,
            recorder: &mut recorder,
            listener: &Steps,
            limits: Limits { steps: 15, ..Limits::default() },
            until: None,
            apps: &[],
            stop: Stop::default(),
            person: Presence::default(),
        };
        // The outside check is the judge, whatever the agent thinks of its work.
        let exit = run.task(&task.words(), &[]).await?;
        if matches!(exit, Exit::Done { .. } | Exit::GaveUp { .. } | Exit::Limit { .. }) {
            Ok(())
        } else {
            bail!("{exit:?}")
        }
    }
}

/// A program that is ended when the task is over.
pub(crate) struct Program(Child);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start(display: &VirtualDisplay, home: &TempDir, program: &str, args: &[&str]) -> Result<Program> {
    let child = Command::new(program)
        .args(args)
        .envs(display.environment())
        .env("HOME", home.path())
        .current_dir(home.path())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .with_context(|| format!("cannot start `{program}`"))?;
    Ok(Program(child))
}

fn browser(display: &VirtualDisplay, home: &TempDir, url: &str) -> Result<Program> {
    let profile = format!("--user-data-dir={}", home.path().join("profile").display());
    let app = format!("--app={url}");
    start(
        display,
        home,
        "chromium",
        &[
            "--no-sandbox",
            "--test-type",
            "--disable-gpu",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--password-store=basic",
            "--force-renderer-accessibility",
            &profile,
            &app,
        ],
    )
}

async fn wait_for_window(desktop: &mut X11) -> Result<()> {
    let start = std::time::Instant::now();
    while start.elapsed() < START {
        let seen = desktop.observe().await?;
        if seen.elements.iter().any(|element| element.role.takes_clicks()) {
            return Ok(());
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    bail!("the application shows nothing that can be used")
}

/// What arrives outside, waited for a little while.
async fn arrival<T>(mut look: impl FnMut() -> Option<T>) -> Option<T> {
    let start = std::time::Instant::now();
    loop {
        let found = look();
        if found.is_some() || start.elapsed() >= ARRIVAL {
            return found;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}
