//! `freehand bench step`: what a step costs beside the model and beside waiting for the screen. Real
//! pages in a real browser on displays of our own, real clicks, a real record; warmed up, in many
//! rounds, and in turn with what people use otherwise.

use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use freehand_tools::desktop::Desktop as _;
use freehand_tools::geometry::{Screen, Size};
use freehand_tools::settle::{Patience, settle};

use super::packages;
use crate::args::BenchStepArgs;
use crate::exit::{Code, Stopped, words};
use crate::places;
use crate::progress;
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};

pub(super) mod machine;
mod page;
pub(super) mod peer;
mod report;
mod round;
pub(super) mod stage;

use machine::Machine;
use page::Page;
use peer::{Python, Versions};
use report::{Case, Peer, Report, Scene};
use round::Stepper;
use stage::Stage;

/// The displays that are measured when nobody names others, in px.
const SIZES: [Size<Screen>; 2] = [Size::new(1280, 800), Size::new(1920, 1080)];
/// Rounds of each case that do not count.
const WARM_UP: u32 = 3;

/// Runs the command.
pub async fn run(args: BenchStepArgs) -> Result<Code> {
    stage::program()?;
    let interrupt = Interrupt::listen()?;
    let report = tokio::select! {
        biased;
        () = interrupt.asked() => return Err(Stopped("nothing was measured".into()).into()),
        report = measure(&args) => report?,
    };
    if args.json {
        terminal::answer_json(&report);
    } else {
        report.show();
    }
    Ok(Code::Done)
}

async fn measure(args: &BenchStepArgs) -> Result<Report> {
    let cache = places::bench()?;
    // Not where temporary files go, which may be memory: the record is written to a disk.
    let records = std::fs::create_dir_all(&cache)
        .and_then(|()| tempfile::Builder::new().prefix("record-").tempdir_in(&cache))
        .with_context(|| format!("cannot write to `{}`", cache.display()))?;
    let mut python = python(args, &cache).await;
    let mut with = Peer::Missing { missing: python.as_ref().err().cloned().unwrap_or_default() };
    let mut cases = Vec::new();
    let sizes = if args.size.is_empty() { &SIZES[..] } else { &args.size };
    for (size, scene) in sizes.iter().flat_map(|size| Scene::ALL.map(|scene| (size, scene))) {
        let sign = progress::spinner(&format!("measuring {size}, {}", scene.words()));
        let folder = records.path().join(cases.len().to_string());
        let measurement = Measurement { size: *size, scene, rounds: args.rounds, folder };
        let measured = measurement.take(python.as_deref().ok()).await;
        sign.finish_and_clear();
        let (case, peer) = measured?;
        cases.push(case);
        match peer {
            Some(Ok(versions)) => with = Peer::There(versions),
            Some(Err(missing)) => {
                going_on_without(&missing);
                python = Err(missing.clone());
                with = Peer::Missing { missing };
            }
            None => {}
        }
    }
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        optimised: !cfg!(debug_assertions),
        rounds: args.rounds,
        warm_up: WARM_UP,
        seed: page::SEED,
        machine: Machine::here(),
        peer: with,
        cases,
    })
}

/// Where the Python of the comparison is, or why there is none.
async fn python(args: &BenchStepArgs, cache: &Path) -> Result<String, String> {
    if args.no_peer {
        return Err("not wanted".into());
    }
    let sign = progress::spinner("looking for the Python packages to compare with");
    let installed = packages::install(&cache.join("python"), &peer::PACKAGES).await;
    sign.finish_and_clear();
    installed.map_err(|error| words(&error)).inspect_err(|reason| going_on_without(reason))
}

fn going_on_without(reason: &str) {
    terminal::say(Tone::Bad, &format!("going on without Python: {reason}"));
}

/// One case.
struct Measurement {
    size: Size<Screen>,
    scene: Scene,
    rounds: u32,
    folder: PathBuf,
}

/// Times of ours or of theirs, each with the number of its round.
type Rounds<T> = Vec<(u32, T)>;

impl Measurement {
    /// Measures it; also says what it was compared with, or why no more.
    async fn take(&self, python: Option<&str>) -> Result<(Case, Option<Result<Versions, String>>)> {
        let (page, mute) = match self.scene {
            Scene::Mute => (Page::Few, true),
            Scene::Few => (Page::Few, false),
            Scene::Many => (Page::Many, false),
        };
        let mut stage = Stage::set(self.size, page, mute).await?;
        let mut stepper = Stepper::new(&self.folder, stage.display.name())?;
        let mut peer = match python {
            Some(python) => Some(Python::start(python, &stage.display, &stage.folder).await),
            None => None,
        };
        let (mut ours, mut theirs): (Rounds<_>, Rounds<_>) = (Vec::new(), Vec::new());
        let (mut clicks, mut missed, mut last) = (0, 0, None);
        for round in 0..WARM_UP + self.rounds {
            // By turns the first and the second, since each leaves the machine warm for the other.
            let first = round % 2 == 0;
            for own in [first, !first] {
                if own {
                    let done = stepper.round(&mut stage).await?;
                    clicks += 1;
                    stage.has_counted(clicks).await?;
                    ours.push((round, done.parts));
                    last = Some((done.point, done.elements));
                } else if let (Some(Ok(other)), Some((point, _))) = (&mut peer, last) {
                    let before = stage.desktop.capture(None).await?;
                    match other.round(point).await {
                        Ok(times) => theirs.push((round, times)),
                        Err(error) => peer = Some(Err(error)),
                    }
                    settle(&mut stage.desktop, &before, Patience::default()).await?;
                    // Of a round that was broken off nobody knows how many clicks it made.
                    let made = clicks + peer::CLICKS;
                    clicks = stage.counts(made).await?.unwrap_or(clicks);
                    missed += made.saturating_sub(clicks);
                }
            }
        }
        let peer = peer.map(|peer| peer.map(|other| other.versions).map_err(|error| words(&error)));
        if missed > 0 && matches!(peer, Some(Ok(_))) {
            let all = peer::CLICKS * u32::try_from(theirs.len()).unwrap_or(u32::MAX);
            terminal::say(Tone::Faint, &format!("{missed} of {all} clicks of PyAutoGUI did not arrive"));
        }
        let elements = last.map_or(0, |(_, elements)| elements);
        let (ours, theirs) = (counted(ours), counted(theirs));
        let load = super::load();
        let case = Case::of(self.size.to_string(), self.scene, elements, load, &ours, &theirs);
        Ok((case.context("there was no round")?, peer))
    }
}

/// Without the rounds of the warm-up.
fn counted<T>(rounds: Rounds<T>) -> Vec<T> {
    rounds.into_iter().filter(|(round, _)| *round >= WARM_UP).map(|(_, times)| times).collect()
}
