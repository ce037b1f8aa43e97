//! `freehand console`: a desktop, a page to watch and steer it from, and one task after another.

use anyhow::Result;
use freehand_agent::event::{Event, Listener as _};
use freehand_agent::outside::Stop;
use freehand_agent::supervision::Hub;
use freehand_agent::trajectory::Exit;
use freehand_agent::trajectory::recorder::Recorder;
use tokio::sync::mpsc;

use super::run::{Errand, choice, conclude, end, header, limits, record_folder};
use crate::args::ConsoleArgs;
use crate::config::Config;
use crate::exit::{Code, explain, words};
use crate::model_choice::{ModelChoice, Ready};
use crate::places;
use crate::signals::Interrupt;
use crate::supervised::{IN_BOTH, IN_THE_CONSOLE, Supervised, watched_display};
use crate::terminal::{self, Tone};
use crate::tui::{Stage, View};
use crate::views;
use crate::work::{Terms, Work};

/// Runs the command.
pub async fn run(args: ConsoleArgs) -> Result<Code> {
    views::check_terminal(args.tui)?;
    let config = Config::load()?;
    let terms = Terms::settle(&args.gate, &config, None)?;
    let limits = limits(&args.planner, &config)?;
    let choice = choice(&args.planner, &config, None)?;
    let interrupt = Interrupt::listen()?;
    let located = choice.locate()?;
    let dialect = located.dialect().to_owned();
    let listener = terms.listener(args.json);
    let place = if args.tui { IN_BOTH } else { IN_THE_CONSOLE };
    let supervised = Supervised::new(&args.console, &terms, place, listener)?;
    let (starts, tasks) = mpsc::unbounded_channel();
    supervised.hub.starts(starts);
    let mut work = terms.open_with(&interrupt, Some(&supervised)).await?;
    let _view = if args.tui {
        let runs = config.runs.clone().map_or_else(places::runs, Ok)?;
        let stage = Stage { display: watched_display(&terms, &work), runs, begins: true };
        Some(View::open(&supervised.hub, stage, &interrupt)?)
    } else {
        None
    };
    let console = supervised.serve(&terms, &work, &config).await?;
    let ready = tokio::select! {
        ready = located.load() => ready?,
        () = interrupt.asked() => return Ok(Code::Interrupted),
    };
    terminal::say(Tone::Faint, "ready for a task; Ctrl-C ends it");
    let mut session = Session {
        terms,
        config,
        choice,
        dialect,
        ready,
        supervised,
        interrupt: interrupt.clone(),
        tasks,
    };
    while let Some(task) = session.next().await {
        if let Err(error) = session.work_on(task, &mut work, limits, &console.current).await {
            // A record that cannot be kept ends its task and not the session: the next may be kept.
            work.opened.desktop.release();
            session.failed(&error);
        }
        work.gate = session.terms.gate(&work.own, &interrupt, Some(&session.supervised))?;
    }
    Ok(Code::Interrupted)
}

struct Session {
    terms: Terms,
    config: Config,
    choice: ModelChoice,
    dialect: String,
    ready: Ready,
    supervised: Supervised,
    interrupt: Interrupt,
    tasks: mpsc::UnboundedReceiver<String>,
}

impl Session {
    /// The next task; `None` when the person has had enough.
    async fn next(&mut self) -> Option<String> {
        tokio::select! {
            task = self.tasks.recv() => task,
            () = self.interrupt.asked() => None,
        }
    }

    async fn work_on(
        &self,
        task: String,
        work: &mut Work,
        limits: freehand_agent::limits::Limits,
        current: &crate::console::Current,
    ) -> Result<()> {
        let hub: &Hub = &self.supervised.hub;
        let stop = self.stop();
        let folder = record_folder(&self.config, &task)?;
        let header = header(&task, &self.choice.to_string(), &self.dialect, &self.terms);
        let mut recorder = Recorder::create(&folder, header.clone())?;
        current.set(folder.clone());
        hub.event(Event::Started { header });
        let errand = Errand { task, until: None, before: Vec::new(), limits, folder, stop };
        let apps = places::menu();
        let finished = errand.task(work, &self.ready, &mut recorder, hub, &apps).await?;
        let steps = recorder.last();
        if let Some(exit) = finished {
            conclude(&exit, &errand.folder);
        } else {
            work.opened.desktop.release();
            end(&mut recorder, hub, &Exit::Interrupted, steps, &errand.folder)?;
        }
        Ok(())
    }

    /// Tells of a task that could not be gone on with.
    fn failed(&self, error: &anyhow::Error) {
        explain(error);
        let hub = &self.supervised.hub;
        let steps = hub.state().steps.back().map_or(0, |step| step.step);
        hub.event(Event::Ended { exit: Exit::GaveUp { reason: words(error) }, steps });
    }

    /// The way to stop the next task: the person in the page, or whoever ends the program.
    fn stop(&self) -> Stop {
        let stop = self.supervised.stop();
        let (interrupt, ends) = (self.interrupt.clone(), stop.clone());
        tokio::spawn(async move {
            tokio::select! {
                () = interrupt.asked() => ends.stop(),
                () = ends.stopped() => {}
            }
        });
        stop
    }
}
