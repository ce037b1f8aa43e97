//! `freehand observe`: what is on the screen, as the model would read it; once, or as it changes.

use std::path::Path;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use freehand_agent::trajectory::Seen;
use freehand_model::dialect::list;
use freehand_tools::element::Source;
use freehand_tools::frame;
use freehand_tools::geometry::ScreenRect;
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

/// Characters of the list; far more than a model is shown.
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
        let mut opened = display::open_at(&display, display::WHOLE, args.monitor.map(usize::from))?;
        return tokio::select! {
            done = watch(&mut opened, &args) => done,
            () = interrupt.asked() => Ok(Code::Interrupted),
        };
    }
    let mut opened = display::open_at(&display, display::WHOLE, args.monitor.map(usize::from))?;
    let mut seen = part(opened.desktop.observe().await?, &args)?;
    if let Some(file) = &args.image {
        write_picture(file, &seen, &args)?;
    }
    if args.json {
        tell_actions(&mut opened, &mut seen).await?;
        terminal::answer_json(&Seen::from(&seen));
    } else {
        show(&opened.name, &seen);
    }
    Ok(Code::Done)
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
async fn watch(opened: &mut Opened, args: &ObserveArgs) -> Result<Code> {
    let mut last = part(opened.desktop.observe().await?, args)?;
    if args.json {
        terminal::answer_json(&Seen::from(&last));
    } else {
        show(&opened.name, &last);
    }
    loop {
        tokio::time::sleep(PACE).await;
        let now = part(opened.desktop.observe().await?, args)?;
        let changes = list::changes(&last, &now);
        if !changes.is_empty() && args.json {
            terminal::answer_json(&Seen::from(&now));
        } else if !changes.is_empty() {
            terminal::answer("");
            for change in changes {
                terminal::answer_text(&change.to_string());
            }
        }
        last = now;
    }
}

/// The window or the part of the screen that was asked for.
fn part(mut seen: Observation, args: &ObserveArgs) -> Result<Observation> {
    let region = match (&args.window, args.region) {
        (Some(text), _) => {
            let text = text.to_lowercase();
            let found = seen.windows.iter().find(|window| {
                [&window.title, &window.app].iter().any(|name| name.to_lowercase().contains(&text))
            });
            let window = found.cloned().ok_or_else(|| no_window(&text, &seen))?;
            // What lies over it is no part of it.
            let in_front = seen.windows.iter().take_while(|other| other.id != window.id);
            let over: Vec<ScreenRect> = in_front.map(|other| other.bounds).collect();
            seen.frame = seen.frame.blackened(&over);
            seen.elements.retain(|element| element.window == Some(window.id));
            seen.windows.retain(|other| other.id == window.id);
            window.bounds
        }
        (None, Some(region)) => {
            seen.elements.retain(|element| element.bounds.intersect(&region).is_some());
            seen.windows.retain(|window| window.bounds.intersect(&region).is_some());
            region
        }
        (None, None) => return Ok(seen),
    };
    seen.frame = seen
        .frame
        .crop(&region)
        .ok_or_else(|| usage(format!("{region} is not on the screen, which is {}", seen.bounds())))?;
    Ok(seen)
}

fn no_window(text: &str, seen: &Observation) -> anyhow::Error {
    let titles: Vec<String> = seen.windows.iter().map(|window| quoted(&window.title, TITLE)).collect();
    let there = match titles.as_slice() {
        [] => "there are none".to_owned(),
        titles => format!("there are {}", titles.join(", ")),
    };
    usage(format!("no window has `{text}` in its title or its program's name; {there}"))
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

fn show(name: &str, seen: &Observation) {
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
    terminal::answer_text(list::grouped(seen, BUDGET).trim_end());
    for gap in &seen.gaps {
        terminal::say(Tone::Faint, &format!("cannot see everything: {}", visible(gap, TITLE)));
    }
}
