//! The work on beginnings of prompts that are the same in every run, kept on the disk from one run to the
//! next: with it the first answer of a run comes as quickly as the second.
//!
//! A file is named by the model and the tokens that it belongs to and ends with a hash of all it holds, so
//! one that is damaged or of another model is never used. Keeping is a favour: where it fails, the work is
//! done again next time.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use toktrie::TokenId;

use super::branch::Branch;
use super::gguf::Gguf;

/// Raised when the network computes something else than before, or the form of the files changes.
const FORMAT: &str = "freehand prefix 2";
/// Shorter beginnings are read again as quickly as their file.
const LEAST: usize = 64;
/// Files that are kept; the ones used last stay. One takes some 50 MB with the default model.
const MOST: usize = 8;
/// Bytes that are read or hashed before it is asked whether to go on.
const PIECE: usize = 4 << 20;
/// Bytes at either end of a model's file that tell it from all others.
const SAMPLE: usize = 1 << 20;

/// The kept beginnings of one model.
#[derive(Debug)]
pub(super) struct Prefixes {
    folder: PathBuf,
    model: blake3::Hash,
    /// Those that need not be written in this run.
    known: HashSet<blake3::Hash>,
}

impl Prefixes {
    /// Those of the model in `gguf`, in `folder`.
    pub(super) fn new(folder: PathBuf, gguf: &Gguf) -> Self {
        let bytes = gguf.map.as_ref();
        let end = bytes.get(bytes.len().saturating_sub(SAMPLE)..).unwrap_or_default();
        let mut hash = blake3::Hasher::new();
        hash.update(FORMAT.as_bytes()).update(&bytes.len().to_le_bytes());
        hash.update(bytes.get(..SAMPLE).unwrap_or(bytes)).update(end);
        Self { folder, model: hash.finalize(), known: HashSet::new() }
    }

    /// Puts the kept work on `ids` into `branch`, if there is such and `go_on` does not say to break off.
    pub(super) fn take(
        &mut self,
        ids: &[TokenId],
        branch: &mut Branch,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> bool {
        let name = self.name(ids);
        let path = self.path(name);
        let taken = read(&path, name, go_on).and_then(|beginning| {
            let fits = branch.take_up(ids, &beginning);
            fits.then_some(()).ok_or_else(|| io::ErrorKind::InvalidData.into())
        });
        if let Err(error) = taken {
            tracing::debug!(path = %path.display(), %error, "a kept prefix is not used");
            return false;
        }
        self.known.insert(name);
        let used = File::open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        tracing::debug!(tokens = ids.len(), ?used, "took up a kept prefix");
        true
    }

    /// Keeps the work on the first `len` tokens of `branch` for later runs, unless `go_on` says to break off.
    pub(super) fn keep(&mut self, branch: &Branch, len: usize, go_on: &dyn Fn() -> ControlFlow<()>) {
        let Some(ids) = branch.ids().get(..len).filter(|ids| ids.len() >= LEAST) else { return };
        let name = self.name(ids);
        if !self.known.insert(name) {
            return;
        }
        if let Err(error) = self.write(name, branch, len, go_on) {
            tracing::debug!(%error, "a prefix is not kept");
            if error.kind() == io::ErrorKind::Interrupted {
                self.known.remove(&name);
            }
        }
    }

    fn write(
        &self,
        name: blake3::Hash,
        branch: &Branch,
        len: usize,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        let mut file = tempfile::NamedTempFile::new_in(&self.folder)?;
        let mut sum = blake3::Hasher::new();
        sum.update(name.as_bytes());
        for part in branch.beginning(len) {
            heed(go_on)?;
            sum.update(part);
            file.write_all(part)?;
        }
        file.write_all(sum.finalize().as_bytes())?;
        file.persist(self.path(name)).map_err(|error| error.error)?;
        self.drop_oldest()
    }

    fn drop_oldest(&self) -> io::Result<()> {
        let mut kept: Vec<(SystemTime, PathBuf)> = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let path = entry?.path();
            if path.extension().is_some_and(|ending| ending == "prefix") {
                kept.push((used(&path)?, path));
            }
        }
        kept.sort();
        kept.iter().rev().skip(MOST).try_for_each(|(_, path)| fs::remove_file(path))
    }

    fn name(&self, ids: &[TokenId]) -> blake3::Hash {
        let mut hash = blake3::Hasher::new();
        hash.update(self.model.as_bytes()).update(bytemuck::cast_slice(ids));
        hash.finalize()
    }

    fn path(&self, name: blake3::Hash) -> PathBuf {
        self.folder.join(format!("{}.prefix", name.to_hex()))
    }
}

fn used(path: &Path) -> io::Result<SystemTime> {
    path.metadata()?.modified()
}

/// The work in a file, whose hash has to be right.
fn read(path: &Path, name: blake3::Hash, go_on: &dyn Fn() -> ControlFlow<()>) -> io::Result<Vec<u8>> {
    let file = File::open(path)?;
    let mut bytes = Vec::new();
    while (&file).take(PIECE as u64).read_to_end(&mut bytes)? > 0 {
        heed(go_on)?;
    }
    let sum = bytes.len().checked_sub(blake3::OUT_LEN).map(|at| bytes.split_off(at));
    let mut hasher = blake3::Hasher::new();
    hasher.update(name.as_bytes());
    for piece in bytes.chunks(PIECE) {
        heed(go_on)?;
        hasher.update(piece);
    }
    if sum.as_deref() == Some(hasher.finalize().as_bytes()) {
        return Ok(bytes);
    }
    Err(io::ErrorKind::InvalidData.into())
}

/// All of a file takes longer than a stop may.
fn heed(go_on: &dyn Fn() -> ControlFlow<()>) -> io::Result<()> {
    if go_on().is_break() { Err(io::ErrorKind::Interrupted.into()) } else { Ok(()) }
}
