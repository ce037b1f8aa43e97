//! The options of the web console.

use clap::Args;

use super::{GateArgs, PlannerArgs};

/// How the console is served, and where somebody has to look at it.
#[derive(Debug, Clone, Args)]
pub struct ConsoleOptions {
    /// Serve the console on this port of 127.0.0.1 [default: a free one].
    #[arg(long, value_name = "N")]
    pub port: Option<u16>,
    /// Do not open the console in the browser; its address is printed either way.
    #[arg(long)]
    pub no_open: bool,
    /// In this program, by its window class, go on only while somebody looks at the console; may be
    /// repeated.
    #[arg(long, value_name = "PROGRAM")]
    pub watch_app: Vec<String>,
    /// The same for a site and all below it, for example bank.example; may be repeated.
    #[arg(long, value_name = "HOST")]
    pub watch_site: Vec<String>,
}

impl ConsoleOptions {
    /// Whether any of them is given.
    pub fn is_given(&self) -> bool {
        let Self { port, no_open, watch_app, watch_site } = self;
        port.is_some() || *no_open || !watch_app.is_empty() || !watch_site.is_empty()
    }
}

/// How a command that acts is watched and steered.
#[derive(Debug, Args)]
pub struct WatchArgs {
    /// Watch and steer it from a page in your browser; questions are asked there.
    #[arg(long)]
    pub console: bool,
    #[command(flatten)]
    pub view: ViewArgs,
    #[command(flatten)]
    pub supervision: ConsoleOptions,
}

/// How it is shown on the terminal.
#[derive(Debug, Default, Args)]
pub struct ViewArgs {
    /// Watch and steer it on the whole terminal: the screen, the steps, the questions
    /// [default: with the policy supervised, on a terminal that can].
    #[arg(long, conflicts_with_all = ["json", "plain"])]
    pub tui: bool,
    /// A line for each step, and questions in words: for pipes, logs and screen readers.
    #[arg(long)]
    pub plain: bool,
    /// With --json: let the program that reads it supervise. It is told in the messages of the protocol
    /// (docs/reference/protocol.md), a line each, and gives its commands as lines of the standard input.
    #[arg(long, requires = "json", conflicts_with = "plain")]
    pub steer: bool,
}

#[derive(Debug, Args)]
pub struct ConsoleArgs {
    #[command(flatten)]
    pub console: ConsoleOptions,
    #[command(flatten)]
    pub gate: GateArgs,
    #[command(flatten)]
    pub planner: PlannerArgs,
    /// Watch and steer it on the whole terminal too: tasks are begun there as well.
    #[arg(long, conflicts_with = "json")]
    pub tui: bool,
    /// Print what happens as JSON, a line for each event.
    #[arg(long)]
    pub json: bool,
}

pub const CONSOLE: &str = "\
Shows the screen, what Freehand means to do and why it asks; takes tasks, answers, a sentence more, and
your own mouse and keyboard. Ends with Ctrl-C.

Examples:
  freehand console --display virtual
  freehand console --display virtual --tui --no-open
  freehand console --display virtual --policy supervised --port 8100 --no-open
  freehand console --display :1 --watch-site bank.example --watch-app thunderbird";
