//! The windows through which Freehand talks to its user: the terminal that it was started in. The agent
//! must not type there, or it could answer its own questions.

use std::io::IsTerminal as _;

use freehand_tools::element::{Window, WindowId};

/// A chain of processes is not longer than this.
const GENERATIONS: usize = 64;

/// The windows among `windows` that belong to a process this one descends from, and the one that the
/// terminal names. None when there is no terminal: then an ancestor's window is no such thing.
pub fn among(windows: &[Window]) -> Vec<WindowId> {
    if !std::io::stdin().is_terminal() && !std::io::stderr().is_terminal() {
        return Vec::new();
    }
    let named = std::env::var("WINDOWID").ok().and_then(|id| id.trim().parse().ok()).map(WindowId);
    let ancestors = ancestors(std::process::id(), parent);
    let theirs = windows.iter().filter(|window| window.pid.is_some_and(|pid| ancestors.contains(&pid)));
    theirs.map(|window| window.id).chain(named).collect()
}

/// The processes that `pid` descends from, without the first of the system.
fn ancestors(pid: u32, parent: impl Fn(u32) -> Option<u32>) -> Vec<u32> {
    let line = std::iter::successors(Some(pid), |pid| parent(*pid));
    line.take(GENERATIONS).take_while(|pid| *pid > 1).collect()
}

/// The parent of a process, where the system tells.
fn parent(pid: u32) -> Option<u32> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix("PPid:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_ends_at_the_first_process() {
        let family =
            |pid: u32| [(9, 5), (5, 2), (2, 1), (1, 0)].into_iter().find(|(child, _)| *child == pid);
        assert_eq!(ancestors(9, |pid| family(pid).map(|(_, parent)| parent)), [9, 5, 2]);
        assert_eq!(ancestors(9, Some).len(), GENERATIONS);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_has_a_parent() {
        assert_eq!(parent(std::process::id()), Some(std::os::unix::process::parent_id()));
    }
}
