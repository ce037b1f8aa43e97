//! Writes the record of a run: a line a step, synced before the next step begins, so that a kill at
//! any byte costs at most the step that was under way.

use std::path::Path;

use freehand_tools::frame::Frame;

use super::redact::Secrets;
use super::{Exit, Header, Step, Trajectory, report};
use crate::AgentError;

mod folder;

pub(crate) use folder::FRAMES;
use folder::Folder;
pub(super) use folder::write_whole;

/// Keeps what happens in a run.
#[derive(Debug, Default)]
pub struct Recorder {
    folder: Option<Folder>,
    secrets: Secrets,
    /// The number of the last step of all.
    last: u32,
    /// The run is a part of a longer one, which began after the step of this number.
    part_of: Option<u32>,
}

impl Recorder {
    /// Keeps nothing, for a run without a folder.
    pub fn off() -> Self {
        Self::default()
    }

    /// Begins a record in the folder `dir`, which is made if it is not there and must not hold one.
    #[expect(clippy::needless_pass_by_value, reason = "a header is for one record, which takes it over")]
    pub fn create(dir: &Path, header: Header) -> Result<Self, AgentError> {
        Ok(Self { folder: Some(Folder::create(dir, &header)?), ..Self::default() })
    }

    /// Goes on with the record in the folder `dir`: a torn last line is cut off, and the old end goes
    /// when the first new step comes.
    pub fn resume(dir: &Path) -> Result<(Self, Trajectory), AgentError> {
        let (folder, trajectory) = Folder::resume(dir)?;
        let last = trajectory.steps.last().map_or(0, |step| step.index);
        Ok((Self { folder: Some(folder), last, ..Self::default() }, trajectory))
    }

    /// The number of the last step of the run, or of the part that is under way; 0 before the first.
    pub fn last(&self) -> u32 {
        self.last - self.part_of.unwrap_or(0)
    }

    /// Keeps `secret` out of the record, and takes it out of what was recorded before. What is typed
    /// into a password field is found without this.
    pub fn protect(&mut self, secret: &str) -> Result<(), AgentError> {
        if self.secrets.learn(secret) { self.forget() } else { Ok(()) }
    }

    /// Adds a step and the pictures that belong to it. When it cannot be written, what was written
    /// before stays as it is, and the record ends with the reason if there is room for that.
    pub fn step(&mut self, step: &Step, frames: &[Frame]) -> Result<(), AgentError> {
        let kept = self.keep(step, frames);
        if let (Err(error), Some(folder)) = (&kept, &mut self.folder) {
            let exit = Exit::GaveUp { reason: error.to_string() };
            // The error that counts is the one that led here.
            let _ = folder.exit(&exit).and_then(|()| report::write(folder.dir()));
        }
        kept
    }

    fn keep(&mut self, step: &Step, frames: &[Frame]) -> Result<(), AgentError> {
        self.last = step.index.saturating_add(self.part_of.unwrap_or(0));
        if self.folder.is_none() {
            return Ok(());
        }
        // Secrets go into the set before anything of this step goes to the disk.
        if self.secrets.learn_from(step) {
            self.forget()?;
        }
        let mut step = Step { index: self.last, ..step.clone() };
        self.secrets.step(&mut step);
        let Some(folder) = &mut self.folder else { return Ok(()) };
        for frame in frames {
            folder.frame(frame)?;
        }
        folder.step(step)
    }

    /// Ends the record and writes the report. In a part of a longer run it does nothing.
    pub fn finish(&mut self, exit: &Exit) -> Result<(), AgentError> {
        let Some(folder) = self.folder.as_mut().filter(|_| self.part_of.is_none()) else {
            return Ok(());
        };
        let mut exit = exit.clone();
        self.secrets.exit(&mut exit);
        folder.exit(&exit)?;
        report::write(folder.dir())
    }

    /// Until the part is dropped, a run numbers its steps from 1 and ends for itself alone.
    pub(crate) const fn part(&mut self) -> Part<'_> {
        self.part_of = Some(self.last);
        Part { recorder: self }
    }

    fn forget(&mut self) -> Result<(), AgentError> {
        self.folder.as_mut().map_or(Ok(()), |folder| folder.rewrite(&self.secrets))
    }
}

/// A part of a longer run. A run may be dropped at any point, and the whole must be ended all the same.
#[derive(Debug)]
pub(crate) struct Part<'r> {
    pub(crate) recorder: &'r mut Recorder,
}

impl Drop for Part<'_> {
    fn drop(&mut self) {
        self.recorder.part_of = None;
    }
}

#[cfg(test)]
mod tests;
