//! `freehand bench look`: what is seen on a display of our own, as JSON, whenever somebody asks. Whoever
//! judges how well Freehand sees needs many looks of one connection, since only there do the numbers of
//! elements stay, and what a model would be given, which `freehand observe --json` does not say.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use freehand_agent::trajectory::Seen;
use freehand_model::backend::embedded::Counter;
use freehand_model::dialect::list;
use freehand_tools::desktop::Desktop as _;
use freehand_tools::desktop::ocr::Ocr;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::observation::Observation;
use serde::Serialize;

use crate::args::BenchLookArgs;
use crate::exit::Code;
use crate::places;
use crate::terminal;

/// As long as a look waits for the text on the screen.
const PATIENCE: Duration = Duration::from_secs(30);

/// Where programs have to be started to be seen.
#[derive(Debug, Serialize)]
struct Place {
    environment: BTreeMap<String, String>,
}

/// One look.
#[derive(Debug, Serialize)]
struct Look {
    /// What the look took, in ms.
    ms: f64,
    /// The list as the model reads it when its task says nothing of it.
    list: String,
    /// Its length for the model, where tokens are counted.
    tokens: Option<usize>,
    #[serde(flatten)]
    seen: Seen,
}

impl Look {
    fn of(seen: &Observation, ms: f64, counter: Option<&Counter>) -> Result<Self> {
        let list = list::screen(seen, "", list::BUDGET);
        let tokens = counter.map(|counter| counter.count(&list)).transpose()?;
        Ok(Self { ms, list, tokens, seen: Seen::from(seen) })
    }
}

/// Runs the command.
pub async fn run(args: BenchLookArgs) -> Result<Code> {
    let counter = args.tokens.as_deref().map(Counter::open).transpose()?;
    let display = VirtualDisplay::start(args.size)?;
    let mut desktop = X11::on(&display)?;
    if args.read {
        desktop.read_text(Ocr::new(places::networks()?, PATIENCE));
    }
    if args.no_tree {
        desktop.ask_nobody();
    }
    let environment = display.environment();
    let environment = environment
        .map(|(name, value)| (name.to_owned(), value.to_string_lossy().into_owned()))
        .collect();
    terminal::answer_json(&Place { environment });
    while asked().await? {
        let start = Instant::now();
        let seen = desktop.observe().await?;
        let ms = start.elapsed().as_secs_f64() * 1000.0;
        terminal::answer_json(&Look::of(&seen, ms, counter.as_ref())?);
    }
    Ok(Code::Done)
}

/// Waits for the next line of input; `false` at its end.
async fn asked() -> Result<bool> {
    let read = tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()));
    Ok(read.await?.context("the input cannot be read")? > 0)
}
