//! What the commands on rules, and on the log of what was judged, take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::GateArgs;

#[derive(Debug, Subcommand)]
pub enum PolicyCommand {
    /// Print the rules in force with all layers, and their digest.
    #[command(after_help = POLICY_SHOW)]
    Show {
        #[command(flatten)]
        gate: GateArgs,
        /// Print the schema instead: all that a rule may speak of.
        #[arg(long)]
        schema: bool,
    },
    /// Say whether files of rules or of tiers are sound.
    #[command(after_help = POLICY_CHECK)]
    Check {
        /// Files of rules (`.cedar`) or of tiers (`.toml`).
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Try the cases that stand in `NAME.cases.toml` beside a file of rules; without a file, those of the
    /// policies that come with Freehand.
    #[command(after_help = POLICY_TEST)]
    Test {
        /// Files of rules.
        #[arg(value_name = "FILE")]
        files: Vec<PathBuf>,
    },
    /// Say which rules decide about the actions of a record, and why.
    #[command(after_help = POLICY_EXPLAIN)]
    Explain(ExplainArgs),
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no line of the log was changed or taken out, and print the hash of the last one.
    #[command(after_help = AUDIT)]
    Verify {
        /// The log [default: the one of this account].
        file: Option<PathBuf>,
    },
    /// Print the last lines of the log.
    #[command(after_help = AUDIT)]
    Show {
        /// The log [default: the one of this account].
        file: Option<PathBuf>,
        /// So many lines.
        #[arg(long, value_name = "N", default_value_t = 20)]
        last: usize,
        /// As JSON, a line for each.
        #[arg(long)]
        json: bool,
    },
}

const AUDIT: &str = "\
Whoever cuts off the last lines is found by the hash alone: keep it elsewhere where that matters.

Examples:
  freehand audit verify
  freehand audit show --last 5";

#[derive(Debug, Args)]
pub struct ExplainArgs {
    /// The folder of the record.
    pub dir: PathBuf,
    /// Only this step.
    #[arg(long, value_name = "N")]
    pub step: Option<u32>,
    #[command(flatten)]
    pub gate: GateArgs,
}

const POLICY_SHOW: &str = "\
Examples:
  freehand policy show
  freehand policy show --policy trusted-apps --deny pay
  freehand policy show --schema";

const POLICY_CHECK: &str = "\
Example:
  freehand policy check mine.cedar ~/.config/freehand/tiers.toml";

const POLICY_TEST: &str = "\
Examples:
  freehand policy test
  freehand policy test mine.cedar";

const POLICY_EXPLAIN: &str = "\
Display and policy are those of the record unless you name others.

Example:
  freehand policy explain runs/order --step 3 --policy supervised";
