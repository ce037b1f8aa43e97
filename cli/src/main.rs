//! The binary `freehand`: reads the command line, runs one command, and ends with its exit code.
//! Everything that prints, reads the environment or ends the process is in this crate.

#![forbid(unsafe_code)]
#![expect(unreachable_pub, reason = "a binary has no public face; `pub` says what other modules use")]

use std::process::ExitCode;

use clap::Parser as _;

mod approval;
mod args;
mod chance;
mod commands;
mod config;
mod confirm;
mod console;
mod desk;
mod display;
mod duration;
mod exit;
mod latch;
mod lines;
mod machine;
mod mcp;
mod model_choice;
mod own_windows;
mod places;
mod presence;
mod progress;
mod ruling;
mod running;
mod secrets;
mod signals;
mod supervised;
mod terminal;
mod tui;
mod views;
mod wanted;
mod work;

use args::Cli;
use exit::Code;

fn main() -> ExitCode {
    log();
    hold_nothing_after_a_panic();
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version come this way too, and are no mistakes.
            let code = if error.use_stderr() { Code::Usage } else { Code::Done };
            let _ = error.print();
            return code.into();
        }
    };
    let runtime =
        match tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build() {
            Ok(runtime) => runtime,
            Err(error) => {
                return exit::explain(&anyhow::Error::from(error).context("cannot start")).into();
            }
        };
    let code =
        runtime.block_on(commands::run(cli.command)).unwrap_or_else(|error| exit::explain(&error));
    // A thread that still computes does not hold up the end.
    runtime.shutdown_background();
    code.into()
}

/// What goes on inside, on request: `FREEHAND_LOG=debug`.
fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("FREEHAND_LOG")
        .unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("error"));
    tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(|| terminal::Log)
        .with_ansi(terminal::colours())
        .init();
}

fn hold_nothing_after_a_panic() {
    let usual = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        display::release_everything();
        tui::give_back();
        usual(panic);
    }));
}
