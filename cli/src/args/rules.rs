//! What the commands on rules, and on the log of what was judged, take.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::GateArgs;
use crate::display::Display;
use crate::ruling::Ruling;

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
    /// Say what changes between two policies: the rules and, with a record, what they decide about it.
    #[command(after_help = POLICY_DIFF)]
    Diff {
        /// A preset or a file of rules.
        #[arg(value_name = "PRESET|FILE")]
        old: Ruling,
        /// Another one.
        #[arg(value_name = "PRESET|FILE")]
        new: Ruling,
        /// The folder of a record, over whose actions they are compared.
        #[arg(long, value_name = "DIR")]
        run: Option<PathBuf>,
        #[command(flatten)]
        gate: LayerArgs,
    },
    /// Take back what you have answered with "always".
    #[command(after_help = POLICY_FORGET)]
    Forget {
        /// Its number in `freehand policy show`.
        number: usize,
    },
}

#[derive(Debug, Subcommand)]
pub enum AuditCommand {
    /// Check that no line of the log was changed or taken out, and print the hash of the last one.
    #[command(after_help = AUDIT)]
    Verify {
        /// The log [default: the one of this account].
        file: Option<PathBuf>,
        /// The hash of an entry from before, which has to be there still.
        #[arg(long, value_name = "HASH")]
        since: Option<String>,
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
    /// Say why a step of a run was done or not: the rules, the question and the answer.
    #[command(after_help = AUDIT_WHY)]
    Why {
        /// The number of the step.
        step: u32,
        /// The folder of the run's record [default: the last run in the log].
        #[arg(long, value_name = "DIR")]
        run: Option<PathBuf>,
        /// The log [default: the one of this account].
        #[arg(long, value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

const AUDIT: &str = "\
A note beside the log finds lines that were cut off. Against somebody who changes both, keep the hash
elsewhere and give it with --since.

Examples:
  freehand audit verify
  freehand audit verify --since 5f1c0e…
  freehand audit show --last 5";

const AUDIT_WHY: &str = "\
Examples:
  freehand audit why 3
  freehand audit why 3 --run runs/order";

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

/// What lies above the two policies that are compared.
#[derive(Debug, Args)]
pub struct LayerArgs {
    /// Judge as if the display were this one [default: that of the record, or the user's].
    #[arg(long, value_name = "DISPLAY")]
    pub display: Option<Display>,
    /// Judge as if the display were vouched for.
    #[arg(long)]
    pub trust_display: bool,
}

const POLICY_DIFF: &str = "\
Layers of the machine, the account and the project stand above both. Ends with 0 whether there is a
difference or not.

Examples:
  freehand policy diff supervised mine.cedar
  freehand policy diff supervised trusted-apps --run runs/order";

const POLICY_FORGET: &str = "\
Example:
  freehand policy forget 2";

const POLICY_EXPLAIN: &str = "\
Display and policy are those of the record unless you name others.

Example:
  freehand policy explain runs/order --step 3 --policy supervised";
