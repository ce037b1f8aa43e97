//! What `freehand mcp` takes.

use clap::Args;

use super::{ConsoleOptions, GateArgs};

#[derive(Debug, Args)]
pub struct McpArgs {
    #[command(flatten)]
    pub gate: GateArgs,
    /// Let this secret be typed by its name, `{{secret:NAME}}`; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub secret: Vec<String>,
    /// Watch and steer what the program does from a page in your browser; questions are asked there too, and
    /// the session is recorded like a run.
    #[arg(long)]
    pub console: bool,
    #[command(flatten)]
    pub supervision: ConsoleOptions,
}

pub const MCP: &str = "\
A program that speaks the Model Context Protocol starts this and talks to it on the standard input and
output. It gets the tools of `freehand do` and one that looks; each call passes the same gate. What the
rules ask is asked through the program (elicitation) and, where Freehand shows itself on the desktop, by a
notification. A yes from there lasts at most as long as the program stays. It ends when the program leaves.

With --console the session is watched and steered like a run: the page shows each call before it is done, the
first answer to a question counts wherever it is given, a pause makes the next call wait, and after a stop
every call is refused. The address of the page goes to the standard error; most programs keep that in a log.

What to tell such a program:
  {\"mcpServers\": {\"freehand\": {\"command\": \"freehand\", \"args\": [\"mcp\", \"--display\", \"virtual\"]}}}

Examples:
  freehand mcp --display virtual:1280x800
  freehand mcp --display :1 --policy supervised --allow-app firefox --deny pay
  freehand mcp --display virtual:shop --secret shop
  freehand mcp --display virtual --policy supervised --console --port 8100";
