//! What `freehand mcp` takes.

use clap::Args;

use super::GateArgs;

#[derive(Debug, Args)]
pub struct McpArgs {
    #[command(flatten)]
    pub gate: GateArgs,
    /// Let this secret be typed by its name, `{{secret:NAME}}`; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub secret: Vec<String>,
}

pub const MCP: &str = "\
A program that speaks the Model Context Protocol starts this and talks to it on the standard input and
output. It gets the tools of `freehand do` and one that looks; each call passes the same gate. What the
rules ask is asked through the program (elicitation) and, where Freehand shows itself on the desktop, by a
notification. A yes from there lasts at most as long as the program stays. It ends when the program leaves.

What to tell such a program:
  {\"mcpServers\": {\"freehand\": {\"command\": \"freehand\", \"args\": [\"mcp\", \"--display\", \"virtual\"]}}}

Examples:
  freehand mcp --display virtual:1280x800
  freehand mcp --display :1 --policy supervised --allow-app firefox --deny pay
  freehand mcp --display virtual:shop --secret shop";
