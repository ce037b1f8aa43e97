//! `freehand bench ocr`: how well and how quickly text is read off a picture of the screen, beside what
//! people use otherwise. Every one reads the same pictures by turns, so that a busy machine disturbs all
//! alike, and what is right comes from a browser.

use std::path::Path;

use anyhow::{Context as _, Error, Result};
use freehand_tools::desktop::ocr::Networks;
use serde::Serialize;

use super::packages;
use super::spread::Spread;
use super::step::machine::Machine;
use crate::args::BenchOcrArgs;
use crate::exit::{Code, Stopped, words};
use crate::places;
use crate::progress;
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};

mod engines;
mod truth;

use engines::{Rapid, Read, Tesseract};
use truth::{Frame, Score};

/// All of it.
#[derive(Debug, Serialize)]
struct Report {
    version: &'static str,
    /// Whether it was built to be quick. If not, the figures say little.
    optimised: bool,
    rounds: u32,
    machine: Machine,
    /// What else ran meanwhile: the load of the machine at the end.
    load: f64,
    /// What is compared, with its version, or why it is not.
    readers: Vec<String>,
    cases: Vec<Case>,
}

/// One picture and one reader.
#[derive(Debug, Serialize)]
struct Case {
    /// The size of the picture in px.
    picture: String,
    reader: &'static str,
    /// In ms, as a clock has it.
    wall: Spread,
    /// In ms, of all cores together.
    cpu: Spread,
    /// Phrases that were read right in the last round.
    right: Score,
    /// Phrases that there are.
    phrases: Score,
}

/// Runs the command.
pub async fn run(args: BenchOcrArgs) -> Result<Code> {
    let interrupt = Interrupt::listen()?;
    let report = tokio::select! {
        biased;
        () = interrupt.asked() => return Err(Stopped("nothing was measured".into()).into()),
        report = measure(&args) => report?,
    };
    if args.json {
        terminal::answer_json(&report);
    } else {
        show(&report);
    }
    Ok(Code::Done)
}

/// Who reads besides us, where it is there.
struct Others {
    tesseract: Result<Tesseract>,
    rapid: Result<Rapid>,
}

impl Others {
    async fn find(args: &BenchOcrArgs, cache: &Path) -> Self {
        if args.no_peer {
            let (tesseract, rapid) = (Err(Error::msg("not wanted")), Err(Error::msg("not wanted")));
            return Self { tesseract, rapid };
        }
        let sign = progress::spinner("looking for the programs to compare with");
        let rapid = match packages::install(&cache.join("python-ocr"), &engines::PACKAGES).await {
            Ok(python) => Rapid::start(&python).await,
            Err(error) => Err(error),
        };
        let others = Self { tesseract: Tesseract::find().await, rapid };
        sign.finish_and_clear();
        for missing in
            [others.tesseract.as_ref().err(), others.rapid.as_ref().err()].into_iter().flatten()
        {
            terminal::say(Tone::Bad, &format!("going on without: {}", words(missing)));
        }
        others
    }

    fn names(&self) -> Vec<String> {
        let tesseract = self.tesseract.as_ref().map_or_else(words, |found| found.version.clone());
        let rapid = self.rapid.as_ref().map_or_else(words, |found| {
            let versions = &found.versions;
            format!("rapidocr {}, onnxruntime {}", versions.rapidocr, versions.onnxruntime)
        });
        vec![tesseract, rapid]
    }
}

async fn measure(args: &BenchOcrArgs) -> Result<Report> {
    let networks = places::networks()?;
    let cache = places::bench()?;
    let folder = std::fs::create_dir_all(&cache)
        .and_then(|()| tempfile::Builder::new().prefix("record-").tempdir_in(&cache))
        .with_context(|| format!("cannot write to `{}`", cache.display()))?;
    let frames = truth::frames(folder.path()).await?;
    let mut others = Others::find(args, &cache).await;
    let mut cases = Vec::new();
    for (at, frame) in frames.into_iter().enumerate() {
        let file = folder.path().join(format!("{at}.png"));
        frame.picture.save(&file).with_context(|| format!("cannot write `{}`", file.display()))?;
        let sign = progress::spinner(&format!("reading {}", frame.what));
        let read = rounds(args.rounds, &networks, &frame, &file, &mut others).await;
        sign.finish_and_clear();
        cases.extend(read?);
    }
    Ok(Report {
        version: env!("CARGO_PKG_VERSION"),
        optimised: !cfg!(debug_assertions),
        rounds: args.rounds,
        machine: Machine::here(),
        load: super::load(),
        readers: others.names(),
        cases,
    })
}

async fn rounds(
    rounds: u32,
    networks: &Networks,
    frame: &Frame,
    file: &Path,
    others: &mut Others,
) -> Result<Vec<Case>> {
    let mut all: [(&'static str, Vec<Read>); 3] =
        [("freehand", Vec::new()), ("tesseract", Vec::new()), ("rapidocr", Vec::new())];
    // The first one warms up.
    for round in 0..=rounds {
        let [ours, tesseract, rapid] = &mut all;
        let mut done = vec![(ours, engines::ours(networks.clone(), frame.picture.clone()).await?)];
        if let Ok(found) = &others.tesseract {
            done.push((tesseract, found.read(file).await?));
        }
        if let Ok(found) = &mut others.rapid {
            done.push((rapid, found.read(file).await?));
        }
        if round > 0 {
            for ((_, reads), read) in done {
                reads.push(read);
            }
        }
    }
    let case = |(reader, reads): (&'static str, Vec<Read>)| {
        Some(Case {
            picture: frame.what.clone(),
            reader,
            wall: Spread::of(reads.iter().map(|read| read.wall_ms))?,
            cpu: Spread::of(reads.iter().map(|read| read.cpu_ms))?,
            right: truth::score(&frame.phrases, &reads.last()?.texts),
            phrases: truth::total(&frame.phrases),
        })
    };
    Ok(all.into_iter().filter_map(case).collect())
}

fn show(report: &Report) {
    let Machine { cores, processor, browser, .. } = &report.machine;
    terminal::answer(&format!(
        "{cores} cores of {processor}, load {:.1}; {browser}; {} rounds; ms as min / median / p90",
        report.load, report.rounds
    ));
    for reader in &report.readers {
        terminal::answer(reader);
    }
    if !report.optimised {
        terminal::say(Tone::Bad, "this is a build without optimisation; the figures say little");
    }
    for case in &report.cases {
        let Case { picture, reader, wall, cpu, right, phrases } = case;
        terminal::answer(&format!(
            "{picture} {reader:<9}  {:.0} / {:.0} / {:.0}, work {:.0} / {:.0} / {:.0}; {} of {} phrases \
             (Latin {} of {}, CJK {} of {})",
            wall.min,
            wall.median,
            wall.p90,
            cpu.min,
            cpu.median,
            cpu.p90,
            right.all(),
            phrases.all(),
            right.latin,
            phrases.latin,
            right.cjk,
            phrases.cjk
        ));
    }
}
