//! What the benchmarks take.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use freehand_tools::geometry::{Screen, Size};

use crate::display;

#[derive(Debug, Subcommand)]
pub enum BenchCommand {
    /// What a step costs beside the model and beside waiting for the screen.
    #[command(after_help = BENCH_STEP)]
    Step(BenchStepArgs),
    /// What judging an action costs under many rules, and writing it down.
    #[command(after_help = BENCH_GATE)]
    Gate(BenchGateArgs),
    /// What Freehand sees on a display of its own: one look for each line of input.
    #[command(after_help = BENCH_LOOK)]
    Look(BenchLookArgs),
    /// How well and how quickly text is read off the screen, beside tesseract and rapidocr.
    #[command(after_help = BENCH_OCR)]
    Ocr(BenchOcrArgs),
    /// What a picture costs while the strip shows that Freehand is at work.
    #[command(after_help = BENCH_STRIP)]
    Strip(BenchStripArgs),
}

#[derive(Debug, Args)]
pub struct BenchGateArgs {
    /// Rules of the policy.
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub rules: u32,
    /// Rounds of each case.
    #[arg(long, value_name = "N", default_value_t = 2000, value_parser = clap::value_parser!(u32).range(1..=1_000_000))]
    pub rounds: u32,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

const BENCH_GATE: &str = "\
Example:
  freehand bench gate --rules 200";

#[derive(Debug, Args)]
pub struct BenchLookArgs {
    /// The size in px of the display that is started for it.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size, default_value = "1280x800")]
    pub size: Size<Screen>,
    /// Count the tokens of the list as the model of this GGUF file cuts them.
    #[arg(long, value_name = "FILE")]
    pub tokens: Option<PathBuf>,
    /// Read the text that no program tells of, and wait for it.
    #[arg(long)]
    pub read: bool,
    /// Ask no program what it shows: all that is seen is seen in the pixels.
    #[arg(long)]
    pub no_tree: bool,
}

const BENCH_LOOK: &str = "\
It starts a display and answers with lines of JSON. The first tells the environment in which programs
appear on that display. After that each line of input, whatever stands in it, is answered with what is
seen then: windows, elements, the list as a model reads it. Numbers stay with their elements from look to
look. It ends with its input, and the display with it. `bench/corpus/see.py` judges with it how well
Freehand sees.";

#[derive(Debug, Args)]
pub struct BenchStepArgs {
    /// Rounds of each case.
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// Measure on a display of this size in px; may be repeated [default: 1280x800 and 1920x1080].
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size)]
    pub size: Vec<Size<Screen>>,
    /// Compare with nothing: no Python packages are fetched.
    #[arg(long)]
    pub no_peer: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

const BENCH_STEP: &str = "\
It starts displays of its own with a browser on them, and takes a few minutes. In the same run it
measures what Python with mss and PyAutoGUI takes for the same pictures and clicks; their packages are
fetched with pip into Freehand's cache folder, once.

Examples:
  freehand bench step
  freehand bench step --rounds 10 --size 1280x800 --no-peer
  freehand bench step --json > step.json";

#[derive(Debug, Args)]
pub struct BenchOcrArgs {
    /// Rounds of each case.
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// Compare with nothing: neither tesseract nor Python is run.
    #[arg(long)]
    pub no_peer: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

const BENCH_OCR: &str = "\
A page with known phrases, Latin and CJK, is drawn by a browser without a window; where they stand is
taken from the browser's own document. Each reads the same pictures by turns: the whole page of
1280x800, and a part of 400x300. Nothing is remembered from one round to the next. The Python
packages are fetched with pip into Freehand's cache folder, once; tesseract is used where installed.

Examples:
  freehand model pull ocr
  freehand bench ocr
  freehand bench ocr --rounds 10 --json > ocr.json";

#[derive(Debug, Args)]
pub struct BenchStripArgs {
    /// Rounds, of ten pictures of each kind.
    #[arg(long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u32).range(1..=1000))]
    pub rounds: u32,
    /// The size in px of the display that is started for it.
    #[arg(long, value_name = "WIDTHxHEIGHT", value_parser = size, default_value = "1280x800")]
    pub size: Size<Screen>,
    /// Beside this compositing manager.
    #[arg(long, value_name = "PROGRAM")]
    pub compositor: Option<String>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

const BENCH_STRIP: &str = "\
On a display of its own, by turns: pictures of the screen with nothing of Freehand's own on it,
with the strip, and with the ring as well. Needs xterm.

Examples:
  freehand bench strip
  freehand bench strip --compositor picom --size 1920x1080";

fn size(text: &str) -> Result<Size<Screen>, String> {
    display::size(text).ok_or_else(|| format!("`{text}` is not a size; use for example `1280x800`"))
}
