//! `freehand resume`: the record is the whole state of a run, so going on is reading it.

use anyhow::Result;
use freehand_agent::event::Event;
use freehand_agent::trajectory::reader;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_agent::trajectory::{Exit, Header};

use super::run::{Errand, check_until, choice, limits};
use crate::args::ResumeArgs;
use crate::config::Config;
use crate::exit::{Code, usage};
use crate::secrets;
use crate::signals::Interrupt;
use crate::views::{self, Views};
use crate::work::{NO_MODEL, Terms, recorded};

/// Runs the command.
pub async fn run(args: ResumeArgs) -> Result<Code> {
    views::check(&args.watch)?;
    check_until(args.until.as_deref())?;
    let config = Config::load()?;
    let known = reader::read(&args.dir)?;
    if let Some(Exit::Done { checked }) = &known.exit {
        return Err(usage(format!("the run in `{}` is done already: {checked}", args.dir.display())));
    }
    if known.header.dialect == NO_MODEL {
        let what =
            "is the record of a workflow, a replay or another program's calls; run that again instead";
        return Err(usage(format!("`{}` {what}", args.dir.display())));
    }
    let mut terms = Terms::settle(&args.gate, &config, Some(recorded(&known.header)?))?;
    let limits = limits(&args.planner, &config)?;
    let choice = choice(&args.planner, &config, Some(&known.header.model))?;
    let interrupt = Interrupt::listen()?;
    let located = choice.locate()?;
    terms.record = Some(args.dir.clone());
    terms.secrets = secrets::named_in([known.header.task.as_str()]).await?;
    let views = Views::of(&args.watch, args.json, &terms)?;
    let work = terms.open_with(&interrupt, views.supervised()).await?;
    let (mut recorder, trajectory) = Recorder::resume(&args.dir)?;
    work.protect(&mut recorder)?;
    let _shown = views.open(&terms, &work, &config, &args.dir, &interrupt).await?;
    let until = args.until.or_else(|| trajectory.header.until.clone());
    let header = Header { until: until.clone(), ..trajectory.header };
    let task = header.task.clone();
    views.listener().event(Event::Started { header });
    let (before, stop) = (trajectory.steps, interrupt.stop());
    let errand = Errand { task, until, before, limits, folder: args.dir, stop };
    errand.drive(work, located, recorder, views.listener(), &interrupt).await
}
