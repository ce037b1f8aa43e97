//! What is kept of a model whose hash the catalogue does not know: what the hub said about it when it was first
//! fetched. From then on it is that file and no other, as with those that the catalogue pins.

use std::fs;
use std::io::{ErrorKind, Read as _};
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::Store;
use super::catalogue::Entry;
use super::pull::{Source, Trouble};
use crate::backend::ModelError;

/// As long as a pin may be, in bytes.
const LONGEST: u64 = 4096;

/// What tells a file from all others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Pin {
    /// Its size, in bytes.
    pub(super) bytes: u64,
    /// Its SHA-256.
    pub(super) sha256: String,
    /// The commit that it was found in, where that was told.
    pub(super) revision: Option<String>,
}

impl Pin {
    fn put(self, entry: &Entry) -> Entry {
        let mut entry = Entry { bytes: self.bytes, sha256: Some(self.sha256), ..entry.clone() };
        if let (Some(hub), Some(revision)) = (&mut entry.sources.hub, self.revision) {
            hub.revision = revision;
        }
        entry
    }
}

impl Store {
    pub(super) fn pin_file(&self, entry: &Entry) -> PathBuf {
        self.dir.join(format!("{}.pin", entry.name))
    }

    /// The model with what is known about its file, where anything is.
    pub(super) fn pinned(&self, entry: &Entry) -> Entry {
        if entry.sha256.is_some() {
            return entry.clone();
        }
        let mut text = String::new();
        let read = fs::File::open(self.pin_file(entry))
            .and_then(|file| file.take(LONGEST).read_to_string(&mut text));
        match read.ok().and_then(|_| serde_json::from_str::<Pin>(&text).ok()) {
            Some(pin) => pin.put(entry),
            None => entry.clone(),
        }
    }

    /// The same, after asking the hub where nothing is known yet.
    pub(super) async fn pin(&self, entry: &Entry, source: Source) -> Result<Entry, ModelError> {
        let pinned = self.pinned(entry);
        if pinned.sha256.is_some() {
            return Ok(pinned);
        }
        let failed = |reason: String| ModelError::FetchFailed { name: entry.name.clone(), reason };
        let (Some(file), true) = (&entry.sources.hub, source != Source::Packages) else {
            return Err(failed("it is on the model hub only".into()));
        };
        let place = self.file(entry);
        let pin = self.hub.announced(file).await.map_err(|trouble| match trouble {
            Trouble::Away(reason) => failed(format!(
                "from the hub: {reason}; its hash is known from nowhere else, so try again, or give \
                 `--model FILE` a GGUF file of your own"
            )),
            Trouble::Failed(error) => error,
        })?;
        let text = serde_json::to_vec_pretty(&pin).map_err(|error| failed(error.to_string()))?;
        let path = self.pin_file(entry);
        let written = fs::create_dir_all(&self.dir).and_then(|()| fs::write(&path, text));
        written.map_err(|error| failed(format!("`{}`: {error}", path.display())))?;
        // A file that was there before the pin is no proof of anything: it is hashed like any other.
        match fs::metadata(&place) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(failed(error.to_string())),
            _ => Ok(pin.put(entry)),
        }
    }
}
