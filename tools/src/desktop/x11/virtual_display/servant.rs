//! One program that a virtual display needs, and the keeper that ends them all.

use std::io::{self, Read};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};

use super::WHAT;
use crate::desktop::DesktopError;

/// The variable by which everything on a virtual display is known.
pub(super) const MARK: &str = "FREEHAND_DISPLAY";

/// What the programs that a display needs carry beside the mark.
pub(super) const SERVES: (&str, &str) = ("FREEHAND_SERVES", "display");

/// Waits until its standard input ends, which happens when we let go of it and when we die. Then it
/// ends all that carries the mark, first politely and after a while by force, and removes the folder.
///
/// For as many rounds as it is told the programs have the display to themselves to end as they mean to: a
/// browser keeps what it knows only if it is asked once, and is not asked through its children.
const KEEPER: &str = r#"
trap '' HUP INT TERM
cat >/dev/null
round=0
asked=
while [ "$round" -lt "$3" ]; do
  found=$(grep -lszxF -e "$1" /proc/[0-9]*/environ)
  [ -n "$found" ] || break
  programs=$(grep -LszxF -e "$4" $found)
  [ -n "$programs" ] || break
  for file in $programs; do
    pid=${file#/proc/}
    pid=${pid%/environ}
    parent=$(sed -n 's/^PPid:[^0-9]*//p' "/proc/$pid/status" 2>/dev/null)
    case "$programs $asked" in *"/proc/$parent/environ"* | *" $pid "*) continue ;; esac
    asked="$asked $pid "
    kill -s TERM "$pid" 2>/dev/null
  done
  round=$((round + 1))
  sleep 0.05
done
round=0
while [ "$round" -lt 80 ]; do
  found=$(grep -lszxF -e "$1" /proc/[0-9]*/environ)
  [ -n "$found" ] || break
  signal=TERM
  [ "$round" -lt 40 ] || signal=KILL
  for file in $found; do
    pid=${file#/proc/}
    kill -s "$signal" "${pid%/environ}" 2>/dev/null
  done
  round=$((round + 1))
  sleep 0.05
done
rm -rf -- "$2"
"#;

/// A program that was started and must stay.
#[derive(Debug)]
pub(super) struct Servant {
    name: String,
    child: Child,
}

impl Servant {
    /// Starts it.
    pub(super) fn start(name: &str, mut command: Command) -> Result<Self, DesktopError> {
        let child = command
            .spawn()
            .map_err(|fault| DesktopError::failed(WHAT, format!("`{name}` does not start: {fault}")))?;
        Ok(Self { name: name.into(), child })
    }

    /// Starts it and waits for the first line that it writes.
    pub(super) fn start_talking(
        name: &str,
        mut command: Command,
        patience: Duration,
    ) -> Result<(Self, String), DesktopError> {
        command.stdout(Stdio::piped());
        let mut servant = Self::start(name, command)?;
        let output = servant.child.stdout.take();
        let line = output.and_then(|mut output| first_line(&mut output, patience).ok().flatten());
        if let Some(line) = line {
            return Ok((servant, line));
        }
        let ended = servant.ended().unwrap_or_else(|| format!("`{name}` is not ready after 15 s"));
        Err(DesktopError::failed(WHAT, ended))
    }

    /// How it ended, if it has.
    pub(super) fn ended(&mut self) -> Option<String> {
        let status = self.child.try_wait().ok().flatten()?;
        Some(format!("`{}` ended at once ({status})", self.name))
    }

    /// The process, to be counted with the others.
    pub(super) fn into_child(self) -> Child {
        self.child
    }
}

fn first_line(output: &mut std::process::ChildStdout, patience: Duration) -> io::Result<Option<String>> {
    let end = Instant::now() + patience;
    let mut line = Vec::new();
    while line.len() < 4096 {
        let left = end.saturating_duration_since(Instant::now());
        let timeout = Timespec::try_from(left).ok();
        let mut fds = [PollFd::new(&*output, PollFlags::IN)];
        if rustix::event::poll(&mut fds, timeout.as_ref())? == 0 {
            return Ok(None);
        }
        let mut byte = [0];
        if output.read(&mut byte)? == 0 {
            return Ok(None);
        }
        if byte == *b"\n" {
            return Ok(String::from_utf8(line).ok().filter(|line| !line.is_empty()));
        }
        line.extend(byte);
    }
    Ok(None)
}

/// The process that clears up after a virtual display, even when this one is killed.
#[derive(Debug)]
pub(super) struct Keeper {
    child: Child,
    lifeline: Option<ChildStdin>,
}

impl Keeper {
    /// Starts it for everything that carries `mark`, and for `folder`; programs have so many `rounds` of
    /// 50 ms to end by themselves.
    pub(super) fn start(mark: &str, folder: &Path, rounds: u32) -> io::Result<Self> {
        let (serves, what) = SERVES;
        let mut child = Command::new("/bin/sh")
            .args(["-c", KEEPER, "freehand-keeper", &format!("{MARK}={mark}")])
            .arg(folder)
            .args([rounds.to_string(), format!("{serves}={what}")])
            .env_remove(MARK)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0)
            .spawn()?;
        let lifeline = child.stdin.take();
        Ok(Self { child, lifeline })
    }

    /// Lets everything go on: it has nothing more to clear up.
    pub(super) fn leave(mut self) {
        // It heeds no other signal.
        let _ = self.child.kill();
    }

    /// Ends everything and waits until that is done, a few seconds at most.
    pub(super) fn clear_up(&mut self) {
        drop(self.lifeline.take());
        if let Err(fault) = self.child.wait() {
            tracing::warn!(%fault, "the keeper of the virtual display is not there");
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.clear_up();
    }
}
