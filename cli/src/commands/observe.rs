//! `freehand observe`: what is on the screen, as the model would read it.

use anyhow::{Context as _, Result};
use freehand_agent::trajectory::Seen;
use freehand_model::dialect::list;
use freehand_policies::visible::{quoted, visible};
use freehand_tools::observation::Observation;

use crate::args::ObserveArgs;
use crate::config::Config;
use crate::display::{self, Display};
use crate::exit::{Code, usage};
use crate::terminal::{self, Tone};
use crate::work::from_config;

/// Characters of the list; far more than a model is shown.
const BUDGET: usize = 200_000;
/// Characters of a title that are shown.
const TITLE: usize = 200;

/// Runs the command.
pub async fn run(args: ObserveArgs) -> Result<Code> {
    let config = Config::load()?;
    let display = match (args.display, &config.display) {
        (Some(display), _) => display,
        (None, Some(text)) => from_config("display", text)?,
        (None, None) => Display::Session,
    };
    let mut opened = display::open(&display, display::WHOLE)?;
    let seen = opened.desktop.observe().await?;
    if let Some(file) = &args.image {
        let png = seen.frame.to_png().context("the picture cannot be encoded")?;
        std::fs::write(file, png)
            .map_err(|error| usage(format!("cannot write `{}`: {error}", file.display())))?;
    }
    if args.json {
        terminal::answer_json(&Seen::from(&seen));
    } else {
        show(&opened.name, &seen);
    }
    Ok(Code::Done)
}

fn show(name: &str, seen: &Observation) {
    terminal::answer(&format!("display {name}, {}", seen.bounds()));
    for window in &seen.windows {
        let keyboard = if window.focused { ", has the keyboard" } else { "" };
        let (title, app) = (quoted(&window.title, TITLE), quoted(&window.app, TITLE));
        terminal::answer(&format!("window {title} of {app} at {}{keyboard}", window.bounds));
    }
    terminal::answer("");
    terminal::answer(&list::screen(seen, "", BUDGET));
    for gap in &seen.gaps {
        terminal::say(Tone::Faint, &format!("cannot see everything: {}", visible(gap, TITLE)));
    }
}
