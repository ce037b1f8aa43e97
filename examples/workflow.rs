//! A scripted workflow: `workflow FILE MODEL [NAME=VALUE …]` does the steps of a YAML file, such as
//! `workflow.yaml` beside this one, on the display in `$DISPLAY`. It does not ask, so give it a display
//! that may be used up. MODEL does the `task:` steps: a file with weights, or one with an answer a line,
//! such as `workflow.jsonl`, of a model that says what it is told to.

use std::path::Path;

use anyhow::{Context as _, Result, bail, ensure};
use async_trait::async_trait;
use freehand_agent::AgentError;
use freehand_agent::event::{Event, Listener};
use freehand_agent::limits::Limits;
use freehand_agent::outside::{Presence, Stop};
use freehand_agent::run::Run;
use freehand_agent::scripted::Scripted;
use freehand_agent::trajectory::Exit;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_agent::workflow::{TaskRunner, TaskWork, Workflow};
use freehand_model::backend::{Model, embedded, scripted};
use freehand_model::dialect::{Dialect, numbered, tools};
use freehand_policies::approver::DenyAll;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_tools::desktop::x11::X11;
use freehand_tools::gate::Gate;
use freehand_tools::toolbox::Toolbox;

struct Print;

impl Listener for Print {
    #[expect(clippy::print_stderr, reason = "an example talks to its terminal")]
    fn event(&self, event: Event) {
        if let Event::Acted { step, summary, outcome, .. } = event {
            eprintln!("{step}: {summary} -> {outcome:?}");
        }
    }
}

/// Has a model do the tasks, each within the limits that the file sets for it.
struct ByModel {
    model: Box<dyn Model>,
    dialect: Box<dyn Dialect>,
}

impl ByModel {
    async fn open(file: &Path) -> Result<Self> {
        if file.extension().is_some_and(|ending| ending == "gguf") {
            let model = embedded::Embedded::open(file, embedded::Settings::default()).await?;
            return Ok(Self { model: Box::new(model), dialect: Box::new(numbered::Numbered) });
        }
        let answers = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read the answers in `{}`", file.display()))?;
        let model = scripted::Scripted::new(answers.lines());
        Ok(Self { model: Box::new(model), dialect: Box::new(tools::Tools) })
    }
}

#[async_trait]
impl TaskRunner for ByModel {
    async fn task(&mut self, work: TaskWork<'_>) -> Result<Exit, AgentError> {
        let usual = Limits::default();
        let mut run = Run {
            desktop: work.desktop,
            toolbox: work.toolbox,
            gate: work.gate,
            model: self.model.as_ref(),
            dialect: self.dialect.as_ref(),
            recorder: work.recorder,
            listener: work.listener,
            limits: Limits { steps: work.max_steps.unwrap_or(usual.steps), ..usual },
            until: None,
            apps: &[],
            stop: Stop::default(),
            person: Presence::default(),
        };
        run.task(work.task, &[]).await
    }
}

#[tokio::main]
async fn main() -> Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(file), Some(model)) = (args.next(), args.next()) else {
        bail!("workflow FILE MODEL [NAME=VALUE …]");
    };
    let mut workflow = Workflow::load(Path::new(&file))?;
    for arg in args {
        let (name, value) = arg.split_once('=').context("a variable is given as NAME=VALUE")?;
        workflow.set(name, value)?;
    }
    let toolbox = Toolbox::default();
    workflow.check(&toolbox)?;
    let mut tasks = ByModel::open(Path::new(&model)).await?;
    let mut desktop = X11::connect(None).context("no desktop to work on")?;
    let mut gate = Gate::new(vec![Preset::Unattended.policy(DisplayTrust::Vouched)], Box::new(DenyAll));
    let mut script = Scripted {
        desktop: &mut desktop,
        toolbox: &toolbox,
        gate: &mut gate,
        recorder: &mut Recorder::off(),
        listener: &Print,
        stop: Stop::default(),
        person: Presence::default(),
    };
    let exit = workflow.run(&mut script, &mut tasks).await?;
    ensure!(matches!(exit, Exit::Done { .. }), "not done: {exit:?}");
    Ok(())
}
