//! `freehand bench strip`: what a picture costs while the strip shows that Freehand is at work, and the ring where it
//! will click, since what lies beneath them is read from the windows; by turns with pictures without them.

use std::process::Stdio;

use anyhow::{Context as _, Result};
use freehand_tools::desktop::Desktop as _;
use freehand_tools::desktop::presence::Words;
use freehand_tools::desktop::veil::Veil;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::presence::Presence;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::geometry::{Point, ScreenPoint};
use serde::Serialize;
use tokio::process::Command;
use tokio::time::{Duration, Instant, sleep, timeout};

use super::spread::Spread;
use crate::args::BenchStripArgs;
use crate::exit::{Code, Stopped};
use crate::signals::Interrupt;
use crate::terminal;

/// Pictures of each kind in a round.
const PICTURES: u32 = 10;
/// Rounds that do not count.
const WARM: u32 = 2;
/// As long as a program may take to show its window, and a compositing manager to begin.
const PATIENCE: Duration = Duration::from_secs(20);
const RING: ScreenPoint = Point::new(640, 300);

#[derive(Serialize)]
struct Line {
    what: &'static str,
    ms: Spread,
}

/// Runs the command.
pub async fn run(args: BenchStripArgs) -> Result<Code> {
    let interrupt = Interrupt::listen()?;
    let lines = tokio::select! {
        biased;
        () = interrupt.asked() => return Err(Stopped("nothing was measured".into()).into()),
        lines = measure(&args) => lines?,
    };
    if args.json {
        terminal::answer_json(&lines);
        return Ok(Code::Done);
    }
    let load = super::load();
    terminal::answer(&format!(
        "| a picture of {}, ms, load {load:.0} | min | median | p90 |",
        args.size
    ));
    terminal::answer("| --- | --- | --- | --- |");
    for Line { what, ms: Spread { min, median, p90 } } in lines {
        terminal::answer(&format!("| {what} | {min:.1} | {median:.1} | {p90:.1} |"));
    }
    Ok(Code::Done)
}

async fn measure(args: &BenchStripArgs) -> Result<[Line; 3]> {
    let display = VirtualDisplay::start(args.size)?;
    let mut desktop = X11::on(&display)?;
    let start = |program: &str, more: &[&str]| {
        let mut command = Command::new(program);
        command.args(more).envs(display.environment()).kill_on_drop(true);
        command.stdout(Stdio::null()).stderr(Stdio::null());
        command.spawn().with_context(|| format!("`{program}` is needed, and cannot be started"))
    };
    let _compositor = args.compositor.as_deref().map(|program| start(program, &[])).transpose()?;
    // A window beneath all of the strip.
    let _window = start("xterm", &["-geometry", "200x40+0+0", "-e", "sh"])?;
    let come = async {
        while desktop.observe().await?.windows.is_empty() {
            sleep(Duration::from_millis(50)).await;
        }
        sleep(Duration::from_secs(1)).await;
        Ok::<_, anyhow::Error>(())
    };
    timeout(PATIENCE, come).await.context("xterm shows no window")??;
    let veil = Veil::default();
    desktop.look_through(veil.clone());
    let mut times = [const { Vec::new() }; 3];
    for round in 0..args.rounds + WARM {
        let mut presence = None;
        for (kind, times) in times.iter_mut().enumerate() {
            match (kind, &presence) {
                (1, None) => {
                    let shown = Presence::open(display.name(), &veil)?;
                    shown.say(Words { text: "click button \"OK\"".into(), ..Words::default() })?;
                    presence = Some(shown);
                }
                (2, Some(shown)) => shown.ring(Some(RING))?,
                _ => {}
            }
            for picture in 0..=PICTURES {
                let begun = Instant::now();
                desktop.capture(None).await?;
                // The first one waits for what was only just drawn.
                if round >= WARM && picture > 0 {
                    times.push(begun.elapsed().as_secs_f64() * 1000.0);
                }
            }
        }
        drop(presence);
    }
    let [without, strip, both] = times.map(|times| Spread::of(times.into_iter()));
    let line = |what, ms: Option<Spread>| ms.map(|ms| Line { what, ms }).context("there was no round");
    Ok([
        line("nothing of Freehand's shows", without)?,
        line("the strip", strip)?,
        line("strip and ring", both)?,
    ])
}
