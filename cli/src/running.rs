//! Which commands are at work, so that `freehand stop` finds them: each holds the lock of a file that is
//! named by its process. A lock ends with its process, so no number of a process that has gone is trusted.

use std::fs::{File, OpenOptions};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};

/// This process is at work while this lives.
pub struct Running {
    file: PathBuf,
    _lock: File,
}

impl Running {
    /// Says so in `folder`.
    pub fn register(folder: &Path) -> Result<Self> {
        let file = folder.join(std::process::id().to_string());
        let open = || {
            std::fs::create_dir_all(folder)?;
            let lock = OpenOptions::new().create(true).truncate(true).write(true).open(&file)?;
            lock.try_lock()?;
            std::io::Result::Ok(lock)
        };
        let lock = open().with_context(|| format!("cannot write `{}`", file.display()))?;
        Ok(Self { file, _lock: lock })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // What stays is found to be nobody's.
        let _ = std::fs::remove_file(&self.file);
    }
}

/// The processes that are at work. What others have left behind is cleared away.
pub fn all(folder: &Path) -> Vec<i32> {
    let files = std::fs::read_dir(folder).into_iter().flatten().flatten();
    files.filter_map(|entry| process(&entry.path())).collect()
}

fn process(file: &Path) -> Option<i32> {
    let number = file.file_name()?.to_str()?.parse().ok()?;
    let lock = OpenOptions::new().write(true).open(file).ok()?;
    match lock.try_lock() {
        Ok(()) => {
            let _ = std::fs::remove_file(file);
            None
        }
        Err(_) => Some(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_at_work_is_found_and_who_has_gone_is_not() {
        let folder = tempfile::tempdir().unwrap();
        assert!(all(&folder.path().join("none")).is_empty());
        let running = Running::register(folder.path()).unwrap();
        std::fs::write(folder.path().join("77"), "").unwrap();
        std::fs::write(folder.path().join("no number"), "").unwrap();
        assert_eq!(all(folder.path()), [i32::try_from(std::process::id()).unwrap()]);
        assert!(!folder.path().join("77").exists());
        drop(running);
        assert!(all(folder.path()).is_empty());
    }
}
