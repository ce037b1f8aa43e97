//! `freehand bench`: how quick Freehand is on this machine, beside what people use otherwise.

use anyhow::Result;

use crate::args::BenchCommand;
use crate::exit::Code;

mod gate;
#[cfg(target_os = "linux")]
mod look;
#[cfg(target_os = "linux")]
mod ocr;
#[cfg(unix)]
pub mod packages;
mod spread;
#[cfg(target_os = "linux")]
mod step;
#[cfg(target_os = "linux")]
mod strip;

/// Runs the command.
pub async fn run(command: BenchCommand) -> Result<Code> {
    match command {
        BenchCommand::Gate(args) => gate::run(&args),
        #[cfg(target_os = "linux")]
        BenchCommand::Step(args) => step::run(args).await,
        #[cfg(target_os = "linux")]
        BenchCommand::Look(args) => look::run(args).await,
        #[cfg(target_os = "linux")]
        BenchCommand::Ocr(args) => ocr::run(args).await,
        #[cfg(target_os = "linux")]
        BenchCommand::Strip(args) => strip::run(args).await,
        #[cfg(not(target_os = "linux"))]
        BenchCommand::Step(_)
        | BenchCommand::Look(_)
        | BenchCommand::Ocr(_)
        | BenchCommand::Strip(_) => {
            Err(crate::exit::usage("the benchmark starts a virtual display, which needs Linux"))
        }
    }
}

/// Programs that wanted to run in the last minute, on average; more than there are cores disturbs.
pub fn load() -> f64 {
    let text = std::fs::read_to_string("/proc/loadavg").unwrap_or_default();
    text.split(' ').next().and_then(|first| first.parse().ok()).unwrap_or(0.0)
}
