//! What the commands on past runs take.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

#[derive(Debug, Args)]
pub struct RunsArgs {
    /// The folder with the records [default: that of the configuration, or Freehand's state folder].
    #[arg(long, value_name = "DIR", global = true)]
    pub runs: Option<PathBuf>,
    #[command(subcommand)]
    pub command: Option<RunsCommand>,
}

#[derive(Debug, Subcommand)]
pub enum RunsCommand {
    /// List them, the newest first; this is what `freehand runs` does by itself.
    #[command(after_help = LIST)]
    List(ListArgs),
    /// Find a text in them: in their tasks, on their screens, in what was said and done.
    #[command(after_help = SEARCH)]
    Search {
        /// The text; upper and lower case are alike.
        text: String,
        /// As JSON, a line for each place.
        #[arg(long)]
        json: bool,
    },
    /// Show what one did, step by step.
    #[command(after_help = SHOW)]
    Show {
        /// Its name, the beginning of it, its folder, or `last`.
        run: String,
        /// Only this step, with all that is known of it.
        #[arg(long, value_name = "N")]
        step: Option<u32>,
        /// As JSON, a line for each step.
        #[arg(long)]
        json: bool,
    },
    /// Compare two: where they part, and what the screen was then.
    #[command(visible_alias = "compare", after_help = DIFF)]
    Diff {
        /// The first one.
        a: String,
        /// The second one.
        b: String,
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Make something of one that others can use: a folder, a page, a film, or examples to train with.
    #[command(after_help = EXPORT)]
    Export(ExportArgs),
    /// Delete some, after a question.
    #[command(after_help = DELETE)]
    Delete {
        /// Their names, or the beginnings of them.
        #[arg(required = true)]
        run: Vec<String>,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

#[derive(Debug, Default, Args)]
pub struct ListArgs {
    /// As JSON, a line for each run.
    #[arg(long)]
    pub json: bool,
    /// At most so many; 0 for all.
    #[arg(long, value_name = "N", default_value_t = 50)]
    pub last: usize,
}

#[derive(Debug, Args)]
pub struct ExportArgs {
    /// Its name, the beginning of it, its folder, or `last`.
    pub run: String,
    /// Where it goes. Its ending says what it is: .html, .mp4, .webm or .png (a film), .jsonl, or a folder.
    pub to: PathBuf,
    /// What it is, whatever its ending.
    #[arg(long = "as", value_enum, value_name = "FORM")]
    pub form: Option<Form>,
    /// For a film: as long as each picture stays, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 1.0, value_parser = pace)]
    pub pace: f64,
    /// For examples: also the steps that failed or were refused.
    #[arg(long)]
    pub all: bool,
    /// For examples: the pictures too, copied to `frames` beside the file.
    #[arg(long)]
    pub images: bool,
}

/// What a run is made into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Form {
    /// A copy of its folder.
    Folder,
    /// One page with its pictures in it, and no script.
    Html,
    /// Its screens with what was done drawn on them: by ffmpeg, or as an animated PNG.
    Film,
    /// A chat with tool calls for each step, as trainers read it.
    Chat,
}

fn pace(text: &str) -> Result<f64, String> {
    let seconds = text.parse().ok().filter(|seconds| (0.05..=60.0).contains(seconds));
    seconds.ok_or_else(|| format!("`{text}` is not a number of seconds from 0.05 to 60"))
}

pub const RUNS: &str = "\
Examples:
  freehand runs
  freehand runs search invoice
  freehand runs show last --step 3";

const LIST: &str = "\
Examples:
  freehand runs
  freehand runs list --last 5 --json";

const SEARCH: &str = "\
Example:
  freehand runs search \"out of stock\"";

const SHOW: &str = "\
Examples:
  freehand runs show last
  freehand runs show 2026-11-24-153012 --step 3
  freehand runs show last --json";

const DIFF: &str = "\
Example:
  freehand runs diff 2026-11-24-153012 last";

const EXPORT: &str = "\
What was kept secret in the record stays so. Nothing that is there is written over.

Examples:
  freehand runs export last order.html
  freehand runs export last order.mp4 --pace 2
  freehand runs export last order.png
  freehand runs export last order.jsonl --images
  freehand runs export 2026-11-24-153012 /backup/order";

const DELETE: &str = "\
Examples:
  freehand runs delete 2026-11-24-153012
  freehand runs delete 2026-11-23 2026-11-22 --yes";
