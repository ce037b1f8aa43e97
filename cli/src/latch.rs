//! The stop that stays: a file, whose being there ends whatever is at work for this account and lets nothing
//! begin, until a person takes it away. `freehand stop` and the stop sign at the desk put it there, and so may anybody.

use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use tokio::task::JoinHandle;

use crate::exit::Stopped;
use crate::places;
use crate::signals::Interrupt;

/// How often it is looked for: two in each tenth of a second that a stop may take are enough, and a look
/// takes some microseconds.
const TURN: Duration = Duration::from_millis(20);
/// Characters of what stands in it that are shown.
const MOST: usize = 200;

/// The file.
#[derive(Debug, Clone)]
pub struct Latch {
    file: PathBuf,
}

impl Latch {
    /// That of the account.
    pub fn of_account() -> Result<Self> {
        Ok(Self { file: places::stopped()? })
    }

    /// Puts it there; `who` is told to whoever asks.
    pub fn engage(&self, who: &str) -> io::Result<()> {
        if let Some(folder) = self.file.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let moment = places::moment(u64::try_from(now.as_millis()).unwrap_or_default());
        std::fs::write(&self.file, format!("by {who}, {moment} UTC\n"))
    }

    /// Takes it away; whether it was there.
    pub fn release(&self) -> io::Result<bool> {
        match std::fs::remove_file(&self.file) {
            Ok(()) => Ok(true),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Whether it is there. What cannot be looked at counts as there.
    pub fn is_engaged(&self) -> bool {
        self.file
            .symlink_metadata()
            .map_or_else(|error| error.kind() != io::ErrorKind::NotFound, |_| true)
    }

    /// Who put it there, as far as it says so.
    pub fn said(&self) -> String {
        let text = std::fs::read_to_string(&self.file).unwrap_or_default();
        freehand_tools::visible::visible(text.trim(), MOST)
    }

    /// The file itself.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// An error where it is there.
    pub fn check(&self) -> Result<()> {
        if !self.is_engaged() {
            return Ok(());
        }
        let said = self.said();
        let gap = if said.is_empty() { "" } else { " " };
        Err(Stopped(format!(
            "Freehand was stopped{gap}{said}; it acts again after `freehand stop --release`"
        ))
        .into())
    }

    /// Ends what is at work once it is there.
    pub fn watch(&self, interrupt: &Interrupt) -> Watching {
        let (latch, interrupt) = (self.clone(), interrupt.clone());
        Watching(tokio::spawn(async move {
            while !latch.is_engaged() {
                tokio::time::sleep(TURN).await;
            }
            interrupt.ask("stopping, since Freehand was stopped as a whole");
        }))
    }
}

/// It is looked for as long as this lives.
#[derive(Debug)]
pub struct Watching(JoinHandle<()>);

impl Drop for Watching {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_stays_until_it_is_taken_away() {
        let folder = tempfile::tempdir().unwrap();
        let latch = Latch { file: folder.path().join("state").join("stopped") };
        assert!(!latch.is_engaged() && latch.check().is_ok());
        latch.engage("somebody").unwrap();
        let error = latch.check().unwrap_err().to_string();
        assert!(error.contains("stopped by somebody") && error.contains("stop --release"), "{error}");
        assert!(latch.release().unwrap() && !latch.release().unwrap());
        assert!(latch.check().is_ok());
        // Who only makes the file is heard as well.
        std::fs::write(latch.file(), "").unwrap();
        assert!(latch.check().is_err());
    }
}
