//! `freehand workflow run`: a script of calls, and a model for the tasks in it, which is read only when
//! the first of them comes.

use std::path::Path;

use anyhow::Result;
use async_trait::async_trait;
use freehand_agent::AgentError;
use freehand_agent::event::{Event, Listener};
use freehand_agent::limits::Limits;
use freehand_agent::outside::{Presence, Stop};
use freehand_agent::run::Run;
use freehand_agent::scripted::Scripted;
use freehand_agent::trajectory::Exit;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_agent::workflow::{TaskRunner, TaskWork, Work as StepWork, Workflow};
use freehand_tools::apps::App;
use freehand_tools::toolbox::Toolbox;

use super::run::{choice, conclude, end, folder, header, limits};
use crate::args::WorkflowRunArgs;
use crate::config::Config;
use crate::exit::{Code, words};
use crate::model_choice::{ModelChoice, Ready};
use crate::places;
use crate::secrets;
use crate::signals::{Interrupt, overdue};
use crate::views::{self, Views};
use crate::work::{NO_MODEL, Terms, Work};

/// Runs the command.
pub async fn run(args: WorkflowRunArgs) -> Result<Code> {
    views::check(&args.watch)?;
    let config = Config::load()?;
    let mut workflow = Workflow::load(&args.file)?;
    let text = std::fs::read_to_string(&args.file)?;
    let texts: Vec<String> = args.vars.iter().map(|(_, value)| value.clone()).chain([text]).collect();
    for (name, value) in args.vars {
        workflow.set(&name, value)?;
    }
    workflow.check(&Toolbox::default())?;
    let mut terms = Terms::settle(&args.gate, &config, None)?;
    let limits = limits(&args.planner, &config)?;
    let choice = choice(&args.planner, &config, None)?;
    let needs_model = workflow.steps.iter().any(|step| matches!(step.work, StepWork::Task { .. }));
    if needs_model {
        // Better now than after half of the workflow.
        choice.locate()?;
    }
    let interrupt = Interrupt::listen()?;
    let folder = folder(&args.record, &config, &workflow.name)?;
    terms.record = Some(folder.clone());
    terms.secrets = secrets::named_in(texts.iter().map(String::as_str)).await?;
    let views = Views::of(&args.watch, args.record.json, &terms)?;
    let mut work = terms.open_with(&interrupt, views.supervised()).await?;
    let model = if needs_model { choice.to_string() } else { NO_MODEL.into() };
    let header = header(&workflow.name, &model, NO_MODEL, &terms);
    let mut recorder = Recorder::create(&folder, header.clone())?;
    work.protect(&mut recorder)?;
    let _shown = views.open(&terms, &work, &config, &folder, &interrupt).await?;
    views.listener().event(Event::Started { header });
    let mut tasks = Tasks {
        choice,
        ready: None,
        limits,
        apps: places::menu(),
        stop: interrupt.stop(),
        person: work.desk.person.clone(),
    };
    let mut with = Scripted {
        desktop: work.opened.desktop.as_mut(),
        toolbox: &work.toolbox,
        gate: &mut work.gate,
        recorder: &mut recorder,
        listener: views.listener(),
        stop: interrupt.stop(),
        person: work.desk.person.clone(),
    };
    let stop = interrupt.stop();
    let finished = tokio::select! {
        exit = workflow.run(&mut with, &mut tasks) => Some(exit?),
        () = overdue(&stop) => None,
    };
    conclude_script(finished, &mut work, &mut recorder, views.listener(), &folder)
}

/// Says how a script ended; `None` is one that had to be left where it stood.
pub fn conclude_script(
    finished: Option<Exit>,
    work: &mut Work,
    recorder: &mut Recorder,
    listener: &dyn Listener,
    folder: &Path,
) -> Result<Code> {
    let Some(exit) = finished else {
        work.opened.desktop.release();
        let steps = recorder.last();
        return end(recorder, listener, &Exit::Interrupted, steps, folder);
    };
    Ok(conclude(&exit, folder))
}

/// Does the tasks of a workflow with a model.
struct Tasks {
    choice: ModelChoice,
    ready: Option<Ready>,
    limits: Limits,
    apps: Vec<App>,
    stop: Stop,
    person: Presence,
}

impl Tasks {
    async fn ready(&mut self) -> Result<&Ready> {
        let ready = match self.ready.take() {
            Some(ready) => ready,
            None => self.choice.locate()?.load().await?,
        };
        Ok(self.ready.insert(ready))
    }
}

#[async_trait]
impl TaskRunner for Tasks {
    async fn task(&mut self, work: TaskWork<'_>) -> Result<Exit, AgentError> {
        let stop = self.stop.clone();
        let limits = Limits { steps: work.max_steps.unwrap_or(self.limits.steps), ..self.limits };
        let (apps, person) = (self.apps.clone(), self.person.clone());
        let ready = match self.ready().await {
            Ok(ready) => ready,
            Err(error) => return Ok(Exit::ModelFailed { reason: words(&error) }),
        };
        let mut run = Run {
            desktop: work.desktop,
            toolbox: work.toolbox,
            gate: work.gate,
            model: ready.model.as_ref(),
            dialect: ready.dialect.as_ref(),
            recorder: work.recorder,
            listener: work.listener,
            limits,
            until: None,
            apps: &apps,
            stop: stop.clone(),
            person,
        };
        let task = async {
            tokio::select! {
                exit = run.task(work.task, &[]) => exit,
                () = overdue(&stop) => Ok(Exit::Interrupted),
            }
        };
        // A run stays on one thread, and this future may not.
        tokio::task::block_in_place(|| tokio::runtime::Handle::current().block_on(task))
    }
}
