//! `freehand run`: a task, a model, a desktop, and the record of what came of it.

use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use anyhow::Result;
use freehand_agent::AgentError;
use freehand_agent::event::{Event, Listener};
use freehand_agent::limits::Limits;
use freehand_agent::outside::Stop;
use freehand_agent::run::Run;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_agent::trajectory::{Exit, FORMAT, Header, Step};
use freehand_tools::apps::App;

use crate::args::{PlannerArgs, RecordArgs, RunArgs};
use crate::config::Config;
use crate::duration;
use crate::exit::{Code, usage, words};
use crate::model_choice::{Located, ModelChoice, Ready};
use crate::places;
use crate::secrets;
use crate::signals::{Interrupt, overdue};
use crate::terminal::{self, Tone};
use crate::views::{self, Views};
use crate::wanted::Wanted;
use crate::work::{Terms, Work, from_config};

/// Runs the command.
pub async fn run(args: RunArgs) -> Result<Code> {
    if args.task.trim().is_empty() {
        return Err(usage("the task is empty; say in words what is to be done"));
    }
    check_until(args.until.as_deref())?;
    views::check(&args.watch)?;
    let config = Config::load()?;
    let mut terms = Terms::settle(&args.gate, &config, None)?;
    terms.secrets = secrets::named_in([args.task.as_str()]).await?;
    let limits = limits(&args.planner, &config)?;
    let choice = choice(&args.planner, &config, None)?;
    let interrupt = Interrupt::listen()?;
    let located = choice.locate()?;
    let views = Views::of(&args.watch, args.record.json, &terms)?;
    let folder = folder(&args.record, &config, &args.task)?;
    terms.record = Some(folder.clone());
    let work = terms.open_with(&interrupt, views.supervised()).await?;
    let header = header(&args.task, &choice.to_string(), located.dialect(), &terms);
    let header = Header { until: args.until.clone(), ..header };
    let mut recorder = Recorder::create(&folder, header.clone())?;
    work.protect(&mut recorder)?;
    let _shown = views.open(&terms, &work, &config, &folder, &interrupt).await?;
    views.listener().event(Event::Started { header });
    let stop = interrupt.stop();
    let before = Vec::new();
    let errand = Errand { task: args.task, until: args.until, before, limits, folder, stop };
    errand.drive(work, located, recorder, views.listener(), &interrupt).await
}

/// Refuses a text that is on every screen.
pub fn check_until(until: Option<&str>) -> Result<()> {
    if until.is_some_and(|text| text.trim().is_empty()) {
        return Err(usage("the text of `--until` is empty, and that is on every screen"));
    }
    Ok(())
}

/// A task with what it is known by.
pub struct Errand {
    /// What is to be done.
    pub task: String,
    /// The text that is on the screen when it is done.
    pub until: Option<String>,
    /// Steps that were done before.
    pub before: Vec<Step>,
    /// When it ends all the same.
    pub limits: Limits,
    /// Where the record is.
    pub folder: PathBuf,
    /// The way to stop it.
    pub stop: Stop,
}

impl Errand {
    /// Has the task done and says how it ended.
    pub async fn drive(
        self,
        work: Work,
        located: Located,
        mut recorder: Recorder,
        listener: &dyn Listener,
        interrupt: &Interrupt,
    ) -> Result<Code> {
        let hint = match &located {
            Located::Weights { .. } => "allow it more with --timeout",
            Located::Server(_) => "look at the model server's log, or allow it more with --timeout",
        };
        let ready = tokio::select! {
            ready = tokio::time::timeout(self.limits.time, located.load()) => ready,
            () = interrupt.asked() => return self.end(&mut recorder, listener, &Exit::Interrupted),
        };
        let exit = match ready {
            Ok(Ok(ready)) => return self.with(&ready, work, recorder, listener).await,
            Ok(Err(error)) => Exit::ModelFailed { reason: words(&error) },
            Err(_) => Exit::ModelFailed {
                reason: format!("it was not ready in {} s; {hint}", self.limits.time.as_secs()),
            },
        };
        self.end(&mut recorder, listener, &exit)
    }

    /// Ends a run that did not end by itself.
    fn end(&self, recorder: &mut Recorder, listener: &dyn Listener, exit: &Exit) -> Result<Code> {
        let steps = recorder.last();
        let code = end(recorder, listener, exit, steps, &self.folder)?;
        self.advise(code);
        Ok(code)
    }

    /// Says how it can be gone on with.
    fn advise(&self, code: Code) {
        if code != Code::Done {
            let folder = self.folder.display();
            terminal::say(Tone::Faint, &format!("to go on with it: freehand resume {folder}"));
        }
    }

    async fn with(
        self,
        ready: &Ready,
        mut work: Work,
        mut recorder: Recorder,
        listener: &dyn Listener,
    ) -> Result<Code> {
        let apps = places::menu();
        let finished = self.task(&mut work, ready, &mut recorder, listener, &apps).await?;
        let Some(exit) = finished else {
            work.opened.desktop.release();
            return self.end(&mut recorder, listener, &Exit::Interrupted);
        };
        let code = conclude(&exit, &self.folder);
        self.advise(code);
        Ok(code)
    }

    /// How the run ended; `None` when it had to be left where it stood.
    pub async fn task(
        &self,
        work: &mut Work,
        ready: &Ready,
        recorder: &mut Recorder,
        listener: &dyn Listener,
        apps: &[App],
    ) -> Result<Option<Exit>, AgentError> {
        let mut run = Run {
            desktop: work.opened.desktop.as_mut(),
            toolbox: &work.toolbox,
            gate: &mut work.gate,
            model: ready.model.as_ref(),
            dialect: ready.dialect.as_ref(),
            recorder,
            listener,
            limits: self.limits,
            until: self.until.as_deref(),
            apps,
            stop: self.stop.clone(),
            person: work.desk.person.clone(),
        };
        tokio::select! {
            exit = run.task(&self.task, &self.before) => exit.map(Some),
            () = overdue(&self.stop) => Ok(None),
        }
    }
}

/// Ends a run that did not end by itself.
pub fn end(
    recorder: &mut Recorder,
    listener: &dyn Listener,
    exit: &Exit,
    steps: u32,
    folder: &Path,
) -> Result<Code> {
    listener.event(Event::Ended { exit: exit.clone(), steps });
    recorder.finish(exit)?;
    Ok(conclude(exit, folder))
}

/// Says how it ended and where the record is.
pub fn conclude(exit: &Exit, folder: &Path) -> Code {
    let (tone, words) = terminal::conclusion(exit);
    terminal::say(tone, &words);
    terminal::say(Tone::Faint, &format!("the record: {}", folder.join("report.html").display()));
    Code::from(exit)
}

/// The limits of the command line and the configuration.
pub fn limits(args: &PlannerArgs, config: &Config) -> Result<Limits> {
    let mut limits = Limits::default();
    if let Some(steps) = args.max_steps.or(config.max_steps) {
        if !(1..=5000).contains(&steps) {
            return Err(usage(format!(
                "`max-steps` of the configuration is {steps}, expected 1 to 5000"
            )));
        }
        limits.steps = steps;
    }
    limits.thinking = args.thinking.or(config.thinking).unwrap_or(limits.thinking);
    match (args.timeout, &config.timeout) {
        (Some(time), _) => limits.time = time,
        (None, Some(text)) => {
            limits.time = duration::parse(text)
                .map_err(|error| usage(format!("`timeout` of the configuration: {error}")))?;
        }
        (None, None) => {}
    }
    Ok(limits)
}

/// The model of the command line, of an earlier run, of the configuration, or the default one.
pub fn choice(args: &PlannerArgs, config: &Config, earlier: Option<&str>) -> Result<ModelChoice> {
    let choice = match (&args.model, earlier, &config.model) {
        (Some(choice), _, _) => choice.clone(),
        (None, Some(text), _) => text.parse().map_err(|error: String| usage(error))?,
        (None, None, Some(text)) => from_config("model", text)?,
        (None, None, None) => ModelChoice::usual(&places::store()?),
    };
    let images = match (args.images, &config.images) {
        (Some(images), _) => images,
        (None, Some(text)) => from_config("images", text)?,
        (None, None) => Wanted::default(),
    };
    if args.images == Some(Wanted::On) && !matches!(choice, ModelChoice::Server { .. }) {
        return Err(usage(format!(
            "`{choice}` sees no pictures; `--images on` is for a model behind a server, named by its address \
             with --model"
        )));
    }
    Ok(choice.showing(images))
}

/// The folder of the record.
pub fn folder(args: &RecordArgs, config: &Config, task: &str) -> Result<PathBuf> {
    args.out.clone().map_or_else(|| record_folder(config, task), Ok)
}

/// The folder of a record when nobody names one.
pub fn record_folder(config: &Config, task: &str) -> Result<PathBuf> {
    let runs = config.runs.clone().map_or_else(places::runs, Ok)?;
    Ok(places::run_folder(&runs, task, SystemTime::now()))
}

/// The first line of the record. Its names are those that a user would write, for `resume`.
pub fn header(task: &str, model: &str, dialect: &str, terms: &Terms) -> Header {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Header {
        format: FORMAT,
        task: task.to_owned(),
        until: None,
        model: model.to_owned(),
        dialect: dialect.to_owned(),
        policy: terms.ruling.to_string(),
        policy_digest: terms.book.digest(),
        display: terms.display.to_string(),
        started_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
    }
}
