//! When a run is ended although the task is not done.

use std::time::Duration;

/// The limits of one run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Steps.
    pub steps: u32,
    /// Wall time.
    pub time: Duration,
    /// Steps in a row that failed: answers that cannot be read, targets that are not there.
    pub failures: u32,
    /// Steps in a row that changed nothing that can be seen.
    pub ineffective: u32,
    /// Refusals in a row.
    pub refusals: u32,
    /// Tokens that a model which thinks aloud may do so for before each action; with 0 it is asked not to.
    pub thinking: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            steps: 30,
            time: Duration::from_secs(600),
            failures: 4,
            ineffective: 4,
            refusals: 2,
            thinking: 256,
        }
    }
}
