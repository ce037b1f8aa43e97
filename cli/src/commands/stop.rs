//! `freehand stop`: ends whatever Freehand is doing for this user, and lets nothing begin.

use std::io::IsTerminal as _;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::args::StopArgs;
use crate::exit::{Code, usage};
use crate::latch::Latch;
use crate::places;
use crate::running;
use crate::terminal::{self, Tone};

/// A run may take so long to end by itself; then it is told once more, which ends it at once.
const GRACE: Duration = Duration::from_secs(3);
/// After that it does not listen.
const PATIENCE: Duration = Duration::from_secs(6);
const TURN: Duration = Duration::from_millis(20);

/// Runs the command.
pub async fn run(args: &StopArgs) -> Result<Code> {
    let latch = Latch::of_account()?;
    if args.release {
        return release(&latch);
    }
    let folder = places::running()?;
    let at_work = running::all(&folder);
    // First, since who sees the file before takes the signal for the second one, which ends it at once.
    tell(&at_work);
    latch.engage("`freehand stop`").with_context(|| {
        format!("cannot write `{}`, so what begins now runs", latch.file().display())
    })?;
    if !at_work.is_empty() {
        wait_for(&folder, &at_work).await?;
    }
    let stopped = match at_work.len() {
        0 => "nothing is running",
        1 => "stopped one command",
        _ => "stopped all commands",
    };
    terminal::say(Tone::Plain, &format!("{stopped}; nothing acts until `freehand stop --release`"));
    Ok(Code::Done)
}

/// Lets Freehand act again, if it is a person who says so.
fn release(latch: &Latch) -> Result<Code> {
    if !std::io::stdin().is_terminal() {
        return Err(usage(format!(
            "only a person lets Freehand act again: say so at a terminal, or delete `{}`",
            latch.file().display()
        )));
    }
    let said = latch.said();
    let was = latch.release().with_context(|| format!("cannot delete `{}`", latch.file().display()))?;
    let words =
        if was { format!("released; it was stopped {said}") } else { "it was not stopped".into() };
    terminal::say(Tone::Plain, words.trim_end());
    Ok(Code::Done)
}

/// Returns once those have ended.
async fn wait_for(folder: &Path, at_work: &[i32]) -> Result<()> {
    let start = Instant::now();
    let mut told_again = false;
    loop {
        let left: Vec<i32> =
            running::all(folder).into_iter().filter(|process| at_work.contains(process)).collect();
        if left.is_empty() {
            return Ok(());
        }
        if start.elapsed() > GRACE && !told_again {
            tell(&left);
            told_again = true;
        }
        if start.elapsed() > PATIENCE {
            let numbers: Vec<String> = left.iter().map(ToString::to_string).collect();
            let numbers = numbers.join(" ");
            return Err(usage(format!("still running: {numbers}; end them with `kill -9 {numbers}`")));
        }
        sleep(TURN).await;
    }
}

fn tell(processes: &[i32]) {
    for pid in processes.iter().filter_map(|process| Pid::from_raw(*process)) {
        // Whoever has ended meanwhile needs no signal.
        let _ = kill_process(pid, Signal::TERM);
    }
}
