//! Where the weights live. A model is one file in one directory; it is fetched only when the user asks
//! for it, and it is used only when every byte of it is the right one.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use crate::backend::ModelError;
use hub::Hub;
use pull::Lock;

mod catalogue;
mod hub;
mod packages;
mod partial;
mod pin;
mod pull;
mod recommend;
#[cfg(test)]
mod tests;
mod verify;

pub use catalogue::{
    Catalogue, Entry, HubFile, Needs, OCR, OCR_DETECTION, OCR_RECOGNITION, Packages, Part, Served, Set,
    Sources,
};
pub use pull::{Progress, Source, Stage};
pub use recommend::{Advice, Graphics, Machine, Pick, Verdict};

/// The variable of the environment that names the directory of the weights.
pub const DIR_VARIABLE: &str = "FREEHAND_MODELS";

/// What is known about a model on this machine, without hashing anything.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing is there.
    Missing,
    /// This many bytes are there; the next pull goes on from them.
    Partial {
        /// Bytes on the disk.
        bytes: u64,
    },
    /// It is there and was found right.
    Ready,
    /// It is there and has the right size; whether it is right is found when it is used.
    Unchecked,
    /// It is there and has the wrong size: this many bytes.
    Broken {
        /// Bytes on the disk.
        bytes: u64,
    },
}

/// The directory of the weights. Nothing is read or written before it is asked to.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
    catalogue: Catalogue,
    hub: Hub,
    python: PathBuf,
    free: fn(&Path) -> Option<u64>,
}

impl Store {
    /// The weights in the directory that the environment names, or else in `freehand/models` below the
    /// user's `cache`.
    pub fn open(cache: &Path) -> Result<Self, ModelError> {
        let named = std::env::var_os(DIR_VARIABLE).filter(|named| !named.is_empty());
        Self::at(named.map_or_else(|| cache.join("freehand").join("models"), PathBuf::from))
    }

    /// The weights in `dir`.
    pub fn at(dir: impl Into<PathBuf>) -> Result<Self, ModelError> {
        Ok(Self {
            dir: dir.into(),
            catalogue: Catalogue::builtin()?,
            hub: Hub::usual(),
            python: if cfg!(windows) { "python" } else { "python3" }.into(),
            free: pull::free,
        })
    }

    /// The directory.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// The models that can be fetched.
    pub fn catalogue(&self) -> &Catalogue {
        &self.catalogue
    }

    /// The model of that name.
    pub fn entry(&self, name: &str) -> Result<&Entry, ModelError> {
        self.catalogue.entry(name)
    }

    /// The file of a model that is there and right. Where it has changed since it was last looked at,
    /// all of it is read, which takes seconds for a gigabyte: call it where that may block.
    pub fn path(&self, name: &str) -> Result<PathBuf, ModelError> {
        let entry = self.pinned(self.catalogue.entry(name)?);
        let path = self.file(&entry);
        let bad = |reason: String| ModelError::BadFile { path: path.clone(), reason };
        let mend = format!("run `freehand model pull {name}` to fetch it again");
        let metadata = match fs::metadata(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Err(ModelError::NotFetched { name: name.to_owned() });
            }
            found => found.map_err(|error| bad(error.to_string()))?,
        };
        if entry.sha256.is_none() {
            return Err(bad(format!("nothing is known that it could be checked by; {mend}")));
        }
        if metadata.len() != entry.bytes {
            return Err(bad(format!(
                "it has {} bytes instead of {}; {mend}",
                metadata.len(),
                entry.bytes
            )));
        }
        if verify::is_noted(&path, &metadata, entry.hash()) {
            return Ok(path);
        }
        let hash = verify::hash(&path, |_| ()).map_err(|error| bad(error.to_string()))?;
        if hash != entry.hash() {
            return Err(bad(format!("its SHA-256 is wrong; {mend}")));
        }
        verify::write_note(&path, &hash);
        Ok(path)
    }

    /// The SHA-256 that the file of a model must have: what the catalogue says, or else what the hub told when it
    /// was first fetched; `None` before that.
    pub fn hash(&self, name: &str) -> Result<Option<String>, ModelError> {
        Ok(self.pinned(self.catalogue.entry(name)?).sha256)
    }

    /// What is there of a model.
    pub fn state(&self, name: &str) -> Result<State, ModelError> {
        Ok(self.look(self.catalogue.entry(name)?))
    }

    /// All models and what is there of them.
    pub fn list(&self) -> Vec<(&Entry, State)> {
        self.catalogue.models.iter().map(|entry| (entry, self.look(entry))).collect()
    }

    fn look(&self, entry: &Entry) -> State {
        let entry = &self.pinned(entry);
        let path = self.file(entry);
        match fs::metadata(&path) {
            Ok(found) if found.len() != entry.bytes => State::Broken { bytes: found.len() },
            Ok(found) if verify::is_noted(&path, &found, entry.hash()) => State::Ready,
            Ok(_) => State::Unchecked,
            Err(_) => match fs::metadata(self.partial(entry, "part")) {
                Ok(part) if part.len() > 0 => State::Partial { bytes: part.len() },
                _ => State::Missing,
            },
        }
    }

    /// Removes a model and what was fetched of it, and gives the bytes that this freed.
    pub fn remove(&self, name: &str) -> Result<u64, ModelError> {
        let entry = self.catalogue.entry(name)?;
        if self.look(entry) == State::Missing {
            return Ok(0);
        }
        let _lock = Lock::take(&self.partial(entry, "lock"), entry)?;
        let file = self.file(entry);
        let mut freed = 0;
        let kept = [self.partial(entry, "part"), self.pin_file(entry)];
        for path in [verify::note_path(&file)].into_iter().chain(kept).chain([file]) {
            let bytes = fs::metadata(&path).map_or(0, |metadata| metadata.len());
            match fs::remove_file(&path) {
                Ok(()) => freed += bytes,
                Err(error) if error.kind() == ErrorKind::NotFound => {}
                Err(error) => return Err(ModelError::BadFile { path, reason: error.to_string() }),
            }
        }
        Ok(freed)
    }

    fn file(&self, entry: &Entry) -> PathBuf {
        self.dir.join(&entry.file)
    }

    /// What is kept of a model while it is fetched.
    fn partial(&self, entry: &Entry, what: &str) -> PathBuf {
        self.dir.join(".partial").join(format!("{}.{what}", entry.name))
    }
}
