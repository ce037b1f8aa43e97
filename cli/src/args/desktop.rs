//! What the commands on kept desktops take.

use clap::Subcommand;

use crate::display;

#[derive(Debug, Subcommand)]
pub enum DesktopCommand {
    /// Show the desktops that are kept, and which of them run.
    #[command(after_help = LIST)]
    List {
        /// As JSON, a line for each.
        #[arg(long)]
        json: bool,
    },
    /// End one: its programs are closed, its home and its browser profiles stay.
    #[command(after_help = STOP)]
    Stop {
        /// Its name.
        #[arg(value_parser = display::desktop_name)]
        name: String,
    },
    /// End one and delete its home and its browser profiles.
    #[command(after_help = DELETE)]
    Delete {
        /// Its name.
        #[arg(value_parser = display::desktop_name)]
        name: String,
        /// Do not ask.
        #[arg(long)]
        yes: bool,
    },
}

const LIST: &str = "\
Example:
  freehand desktop list";

const STOP: &str = "\
A desktop is begun by its first use: freehand run \"…\" --display virtual:work

Example:
  freehand desktop stop work";

const DELETE: &str = "\
Example:
  freehand desktop delete work";
