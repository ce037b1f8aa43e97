//! The commands, one a file. Each gives the exit code, or an error that knows its own.

use anyhow::Result;

use crate::args::{Command, WorkflowCommand};
use crate::exit::Code;

mod act;
mod audit;
mod bench;
mod console;
mod desktop;
mod docs;
mod doctor;
mod mcp;
mod model;
#[cfg(unix)]
mod model_bench;
mod model_doctor;
mod observe;
mod policy;
mod recommend;
mod replay;
mod resume;
mod run;
pub mod runs;
mod secret;
mod serve;
#[cfg(unix)]
mod stop;
mod workflow;

/// Runs one command to its end.
pub async fn run(command: Command) -> Result<Code> {
    match command {
        Command::Run(args) => Box::pin(run::run(args)).await,
        Command::Console(args) => console::run(args).await,
        Command::Observe(args) => observe::run(args).await,
        Command::Act(args) => act::run(args).await,
        Command::Mcp(args) => Box::pin(mcp::run(args)).await,
        Command::Resume(args) => Box::pin(resume::run(args)).await,
        Command::Replay(args) => replay::run(args).await,
        Command::Workflow(WorkflowCommand::Run(args)) => workflow::run(args).await,
        Command::Desktop(command) => desktop::run(command),
        Command::Runs(args) => runs::run(args),
        #[cfg(unix)]
        Command::Stop(args) => stop::run(&args).await,
        Command::Model(command) => model::run(command).await,
        Command::Serve(args) => serve::run(args).await,
        Command::Policy(command) => policy::run(command),
        Command::Audit(command) => audit::run(command),
        Command::Secret(command) => secret::run(command).await,
        Command::Doctor(args) => doctor::run(args).await,
        Command::Bench(command) => bench::run(command).await,
        Command::Docs(command) => docs::run(command),
    }
}
