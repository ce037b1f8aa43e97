//! `freehand replay`: does the actions of a record again, with no model.

use anyhow::Result;
use freehand_agent::event::Event;
use freehand_agent::replay;
use freehand_agent::scripted::Scripted;
use freehand_agent::trajectory::reader;
use freehand_agent::trajectory::recorder::Recorder;

use super::run::{folder, header};
use super::workflow::conclude_script;
use crate::args::ReplayArgs;
use crate::config::Config;
use crate::exit::Code;
use crate::secrets;
use crate::signals::{Interrupt, overdue};
use crate::views::{self, Views};
use crate::work::{NO_MODEL, Terms, recorded};

/// Runs the command.
pub async fn run(args: ReplayArgs) -> Result<Code> {
    views::check(&args.watch)?;
    let config = Config::load()?;
    let record = reader::read(&args.dir)?;
    let plan = replay::plan(&record);
    let mut terms = Terms::settle(&args.gate, &config, Some(recorded(&record.header)?))?;
    let interrupt = Interrupt::listen()?;
    let task = format!("again: {}", record.header.task);
    let folder = folder(&args.record, &config, &task)?;
    terms.record = Some(folder.clone());
    let calls = record.steps.iter().flat_map(|step| &step.actions);
    let calls: Vec<String> = calls.map(|judged| judged.call.args.to_string()).collect();
    terms.secrets = secrets::named_in(calls.iter().map(String::as_str)).await?;
    let views = Views::of(&args.watch, args.record.json, &terms)?;
    let mut work = terms.open_with(&interrupt, views.supervised()).await?;
    let header = header(&task, NO_MODEL, NO_MODEL, &terms);
    let mut recorder = Recorder::create(&folder, header.clone())?;
    work.protect(&mut recorder)?;
    let _shown = views.open(&terms, &work, &config, &folder, &interrupt).await?;
    views.listener().event(Event::Started { header });
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
        exit = replay::run(&plan, &mut with) => Some(exit?),
        () = overdue(&stop) => None,
    };
    conclude_script(finished, &mut work, &mut recorder, views.listener(), &folder)
}
