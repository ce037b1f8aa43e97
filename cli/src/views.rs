//! Through what a person follows a command that acts: a line for each step, the whole terminal, a page in
//! the browser, or a program of their own. A run, a workflow and a replay have the same.

use std::path::Path;

use anyhow::Result;
use freehand_agent::event::Listener;
use freehand_policies::preset::Preset;

use crate::approval::Answers;
use crate::args::{ConsoleOptions, WatchArgs};
use crate::config::Config;
use crate::console::Console;
use crate::exit::usage;
use crate::lines::{LineView, Silence};
use crate::places;
use crate::ruling::Ruling;
use crate::signals::Interrupt;
use crate::supervised::{
    IN_A_PROGRAM, IN_BOTH, IN_THE_CONSOLE, IN_THE_TERMINAL, Supervised, watched_display,
};
use crate::tui::{self, Stage, View};
use crate::work::{Terms, Work};

/// Who follows a command, and how.
pub struct Views {
    supervised: Option<Supervised>,
    listener: Box<dyn Listener>,
    console: bool,
    terminal: bool,
    program: bool,
}

/// What is shown, as long as this lives.
pub struct Shown {
    _console: Option<Console>,
    _view: Option<View>,
    _lines: Option<LineView>,
}

/// Refuses what cannot be meant, before anything is begun.
pub fn check(args: &WatchArgs) -> Result<()> {
    check_console(args.console, &args.supervision)?;
    check_terminal(args.view.tui)
}

/// The same of the whole terminal alone.
pub fn check_terminal(wanted: bool) -> Result<()> {
    if wanted && !tui::is_possible() {
        return Err(usage(
            "`--tui` needs a terminal on all sides, and one that can more than print (`TERM`)",
        ));
    }
    Ok(())
}

/// The same of a page alone.
pub fn check_console(console: bool, options: &ConsoleOptions) -> Result<()> {
    if !console && options.is_given() {
        return Err(usage("`--port`, `--no-open`, `--watch-app` and `--watch-site` need `--console`"));
    }
    Ok(())
}

/// Whether it is shown on the whole terminal.
fn takes_the_terminal(args: &WatchArgs, json: bool, terms: &Terms) -> bool {
    let usual = terms.ruling == Ruling::Preset(Preset::Supervised)
        && terms.answers == Answers::Person
        && !(args.view.plain || args.console || json)
        && tui::is_possible();
    args.view.tui || usual
}

impl Views {
    /// As the command line and the terms have it.
    pub fn of(args: &WatchArgs, json: bool, terms: &Terms) -> Result<Self> {
        let (console, program) = (args.console, args.view.steer);
        let terminal = takes_the_terminal(args, json, terms);
        let listener = if program { terms.telling(Box::new(Silence)) } else { terms.listener(json) };
        if !console && !terminal && !program {
            return Ok(Self { supervised: None, listener, console, terminal, program });
        }
        let place = match (console, terminal) {
            (true, true) => IN_BOTH,
            (true, false) => IN_THE_CONSOLE,
            (false, true) => IN_THE_TERMINAL,
            (false, false) => IN_A_PROGRAM,
        };
        let supervised = Supervised::new(&args.supervision, terms, place, listener)?;
        let listener = Box::new(supervised.hub.clone());
        Ok(Self { supervised: Some(supervised), listener, console, terminal, program })
    }

    /// The session, where somebody can steer it.
    pub const fn supervised(&self) -> Option<&Supervised> {
        self.supervised.as_ref()
    }

    /// Who is told of what happens.
    pub fn listener(&self) -> &dyn Listener {
        self.listener.as_ref()
    }

    /// Shows it; the record is in `folder`.
    pub async fn open(
        &self,
        terms: &Terms,
        work: &Work,
        config: &Config,
        folder: &Path,
        interrupt: &Interrupt,
    ) -> Result<Shown> {
        let Some(supervised) = &self.supervised else {
            return Ok(Shown { _console: None, _view: None, _lines: None });
        };
        supervised.stops(&interrupt.stop());
        let console = if self.console {
            let console = supervised.serve(terms, work, config).await?;
            console.current.set(folder.to_owned());
            Some(console)
        } else {
            None
        };
        let view = if self.terminal {
            let runs = config.runs.clone().map_or_else(places::runs, Ok)?;
            let stage = Stage { display: watched_display(terms, work), runs, begins: false };
            Some(View::open(&supervised.hub, stage, interrupt)?)
        } else {
            None
        };
        let lines = self.program.then(|| LineView::open(&supervised.hub, interrupt));
        Ok(Shown { _console: console, _view: view, _lines: lines })
    }
}
