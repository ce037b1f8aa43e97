//! `freehand observe`: what is on the screen, as the model would read it; once, or as it changes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use freehand_model::dialect::list;
use freehand_tools::element::Source;
use freehand_tools::frame;
use freehand_tools::observation::Observation;
use freehand_tools::picture::fit::ANY;
use freehand_tools::picture::marks;
use freehand_tools::picture::resize::Filter;
use freehand_tools::quote::quoted;
use freehand_tools::visible::visible;

use crate::args::ObserveArgs;
use crate::config::Config;
use crate::display::{self, Display, Opened};
use crate::exit::{Code, usage};
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};
use crate::work::from_config;

mod part;
mod told;

use part::{elsewhere, others, part};
pub use told::Look;

/// Tokens of the list; far more than a model is shown.
const BUDGET: usize = 200_000;
/// Characters of a title that are shown.
const TITLE: usize = 200;
/// Between two looks of `--watch`.
const PACE: Duration = Duration::from_millis(200);

/// As long as programs are asked what can be done with the things that they show.
const ASKING: Duration = Duration::from_secs(3);

/// Runs the command.
pub async fn run(args: ObserveArgs) -> Result<Code> {
    let config = Config::load()?;
    let display = match (&args.display, &config.display) {
        (Some(display), _) => display.clone(),
        (None, Some(text)) => from_config("display", text)?,
        (None, None) => Display::Session,
    };
    if args.watch {
        let interrupt = Interrupt::listen()?;
        let looks = async {
            let (mut opened, first) = open(&display, &args).await?;
            watch(&mut opened, first, &args).await
        };
        return tokio::select! {
            done = looks => done,
            () = interrupt.asked() => Ok(Code::Interrupted),
        };
    }
    let (mut opened, seen) = open(&display, &args).await?;
    let mut seen = part(seen, &args, &opened.monitors)?;
    if let Some(file) = &args.image {
        write_picture(file, &seen, &args)?;
    }
    if args.json {
        tell_actions(&mut opened, &mut seen).await?;
        terminal::answer_json(&Look::of(&opened, &seen));
    } else {
        show(&opened.name, &seen, &args);
    }
    Ok(Code::Done)
}

/// Opens the display, and looks at the monitor that was asked for or that shows what was.
async fn open(display: &Display, args: &ObserveArgs) -> Result<(Opened, Observation)> {
    let at = |number: Option<u16>| display::open_at(display, display::WHOLE, number.map(usize::from));
    let mut opened = at(args.monitor)?;
    let seen = opened.desktop.observe().await?;
    let Some(number) = elsewhere(&opened, &seen, args) else { return Ok((opened, seen)) };
    drop(opened);
    let mut opened = at(Some(number))?;
    let seen = opened.desktop.observe().await?;
    Ok((opened, seen))
}

/// Asks what can be done with each thing, which a look does not. A program that hangs meanwhile holds up every one
/// of these questions, so they have an end together.
async fn tell_actions(opened: &mut Opened, seen: &mut Observation) -> Result<()> {
    let end = Instant::now() + ASKING;
    let told = seen.elements.iter_mut().filter(|element| element.source == Source::Accessibility);
    for element in told {
        if Instant::now() > end {
            terminal::say(Tone::Faint, "what can be done with some things was not told in time");
            break;
        }
        let actions = opened.desktop.actions_of(&element.key).await?;
        if !actions.is_empty() {
            element.actions = actions;
        }
    }
    Ok(())
}

/// Shows what there is, and then each change, until it is broken off.
async fn watch(opened: &mut Opened, first: Observation, args: &ObserveArgs) -> Result<Code> {
    let mut last = part(first, args, &opened.monitors)?;
    if args.json {
        terminal::answer_json(&Look::of(opened, &last));
    } else {
        show(&opened.name, &last, args);
    }
    loop {
        tokio::time::sleep(PACE).await;
        let now = part(opened.desktop.observe().await?, args, &opened.monitors)?;
        let changes = list::changes(&last, &now);
        if !changes.is_empty() && args.json {
            terminal::answer_json(&Look::of(opened, &now));
        } else if !changes.is_empty() {
            terminal::answer("");
            for change in changes {
                terminal::answer_text(&change.to_string());
            }
        }
        last = now;
    }
}

fn write_picture(file: &Path, seen: &Observation, args: &ObserveArgs) -> Result<()> {
    let close = args.enlarge.then(|| ANY.close(&seen.frame, Filter::Bicubic)).flatten();
    let png = if args.marks {
        let (all, cursor) = (list::listed(seen), Some(seen.cursor));
        let marked = match &close {
            Some(close) => close.marked(&all, cursor),
            None => marks::marked(&seen.frame, &all, cursor),
        };
        if let Some(gap) = marked.gap() {
            terminal::say(Tone::Faint, &gap);
        }
        frame::png(&marked.pixels)
    } else {
        frame::png(close.as_ref().map_or(seen.frame.pixels(), |close| &close.pixels))
    };
    let png = png.context("the picture cannot be encoded")?;
    std::fs::write(file, png)
        .map_err(|error| usage(format!("cannot write `{}`: {error}", file.display())))
}

fn show(name: &str, seen: &Observation, args: &ObserveArgs) {
    let monitor = seen.frame.monitor();
    let scale = if (monitor.scale - 1.0).abs() < 0.01 {
        String::new()
    } else {
        format!(" at scale {}", monitor.scale)
    };
    let called = quoted(&monitor.name, TITLE);
    terminal::answer(&format!("display {name}, monitor {called}, {}{scale}", seen.bounds()));
    for window in &seen.windows {
        let keyboard = if window.focused { ", has the keyboard" } else { "" };
        let (title, app) = (quoted(&window.title, TITLE), quoted(&window.app, TITLE));
        terminal::answer(&format!("window {title} of {app} at {}{keyboard}", window.bounds));
    }
    terminal::answer("");
    let text = match args.budget {
        Some(tokens) => list::screen(seen, "", tokens),
        None => list::grouped(seen, BUDGET),
    };
    terminal::answer_text(text.trim_end());
    if let Some(others) = others(seen) {
        terminal::answer_text(&others);
    }
    for gap in &seen.gaps {
        terminal::say(Tone::Faint, &format!("cannot see everything: {}", visible(gap, TITLE)));
    }
}
