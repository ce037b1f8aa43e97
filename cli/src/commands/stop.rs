//! `freehand stop`: ends whatever Freehand is doing for this user.

use std::time::Duration;

use anyhow::Result;
use rustix::process::{Pid, Signal, kill_process};
use tokio::time::{Instant, sleep};

use crate::exit::{Code, usage};
use crate::places;
use crate::running;
use crate::terminal::{self, Tone};

/// A run may take so long to end by itself; then it is told once more, which ends it at once.
const GRACE: Duration = Duration::from_secs(3);
/// After that it does not listen.
const PATIENCE: Duration = Duration::from_secs(6);
const TURN: Duration = Duration::from_millis(20);

/// Runs the command.
pub async fn run() -> Result<Code> {
    let folder = places::running()?;
    let at_work = running::all(&folder);
    if at_work.is_empty() {
        terminal::say(Tone::Plain, "nothing is running");
        return Ok(Code::Done);
    }
    tell(&at_work);
    let start = Instant::now();
    let mut told_again = false;
    loop {
        let left: Vec<i32> =
            running::all(&folder).into_iter().filter(|process| at_work.contains(process)).collect();
        if left.is_empty() {
            break;
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
    let runs = if at_work.len() == 1 { "one command" } else { "all commands" };
    terminal::say(Tone::Plain, &format!("stopped {runs}"));
    Ok(Code::Done)
}

fn tell(processes: &[i32]) {
    for pid in processes.iter().filter_map(|process| Pid::from_raw(*process)) {
        // Whoever has ended meanwhile needs no signal.
        let _ = kill_process(pid, Signal::TERM);
    }
}
