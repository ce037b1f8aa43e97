//! Python packages that a benchmark compares with, in an environment of their own below Freehand's cache.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Command;
use tokio::time::timeout;

/// Puts the packages into their folder.
const INSTALL: &str = include_str!("../../../../scripts/bench-peer.sh");
/// As long as fetching the packages may take.
const FETCHING: Duration = Duration::from_secs(600);

/// Ends whatever belongs to the installation when it is broken off.
struct Group(Option<Pid>);

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(leader) = self.0 {
            let _ = kill_process_group(leader, Signal::TERM);
        }
    }
}

/// Makes sure that the packages are in `folder`, and says where its Python is.
pub async fn install(folder: &Path, packages: &[&str]) -> Result<String> {
    let child = Command::new("bash")
        .args(["-c", INSTALL, "bench-peer.sh"])
        .arg(folder)
        .args(packages)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .process_group(0)
        .kill_on_drop(true)
        .spawn()
        .context("`bash` does not start")?;
    let leader = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
    let mut group = Group(leader);
    let ended = timeout(FETCHING, child.wait_with_output()).await;
    let ended = ended.with_context(|| format!("pip took longer than {} s", FETCHING.as_secs()))??;
    group.0 = None;
    if !ended.status.success() {
        let said = String::from_utf8_lossy(&ended.stderr);
        bail!("{}", said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("pip failed").trim());
    }
    Ok(String::from_utf8_lossy(&ended.stdout).trim().to_owned())
}
