//! The files of one record and how each is written so that it is whole or not there.

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use freehand_tools::frame::Frame;
use serde::Serialize;

use crate::AgentError;
use crate::trajectory::reader::{Entry, FILE, MAX_LINE, Reader};
use crate::trajectory::redact::Secrets;
use crate::trajectory::{Exit, Header, Step, Trajectory, report};

/// Where the pictures are.
pub(crate) const FRAMES: &str = "frames";
const TEMPORARY: &str = ".unfinished";

#[derive(Debug)]
pub(super) struct Folder {
    dir: PathBuf,
    file: File,
    /// Bytes up to the end of the last step; whatever comes after them goes when the next is written.
    end: u64,
}

fn unwritable(path: &Path) -> impl FnOnce(io::Error) -> AgentError + '_ {
    |source| AgentError::Unwritable { path: path.to_owned(), source }
}

fn taken(reason: &str) -> io::Error {
    io::Error::new(io::ErrorKind::AlreadyExists, reason)
}

/// A screen may show what is nobody else's business.
fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(options, 0o600);
    options
}

fn make_dir(dir: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(dir)
}

fn lock(file: &File) -> io::Result<()> {
    match file.try_lock() {
        Err(TryLockError::WouldBlock) => Err(taken("another run is writing it; wait for its end")),
        // A file system may know no locks: then nothing can be promised, and nothing is wrong.
        Ok(()) | Err(TryLockError::Error(_)) => Ok(()),
    }
}

fn line(value: &impl Serialize) -> io::Result<Vec<u8>> {
    let mut bytes = serde_json::to_vec(value)?;
    bytes.push(b'\n');
    Ok(bytes)
}

/// Writes `path` by way of another name, so that it is never seen half written.
pub(in crate::trajectory) fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), AgentError> {
    let temporary = path.with_extension("unfinished");
    let write = || {
        let mut file =
            private(OpenOptions::new().write(true).create(true).truncate(true)).open(&temporary)?;
        file.write_all(bytes)?;
        drop(file);
        fs::rename(&temporary, path)
    };
    write().map_err(|source| {
        let _ = fs::remove_file(&temporary);
        AgentError::Unwritable { path: path.to_owned(), source }
    })
}

impl Folder {
    pub(super) fn create(dir: &Path, header: &Header) -> Result<Self, AgentError> {
        make_dir(&dir.join(FRAMES)).map_err(unwritable(dir))?;
        let path = dir.join(FILE);
        let mut options = OpenOptions::new();
        let file = match private(options.read(true).write(true).create_new(true)).open(&path) {
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => {
                let reason =
                    "a run is recorded there already; choose another folder, or resume that run";
                return Err(unwritable(&path)(taken(reason)));
            }
            result => result.map_err(unwritable(&path))?,
        };
        lock(&file).map_err(unwritable(&path))?;
        let mut folder = Self { dir: dir.to_owned(), file, end: 0 };
        folder.end = folder.append(header)?;
        // The name of a new file is on the disk only when its folder is.
        let _ = File::open(dir).and_then(|dir| dir.sync_all());
        Ok(folder)
    }

    pub(super) fn resume(dir: &Path) -> Result<(Self, Trajectory), AgentError> {
        let path = dir.join(FILE);
        let unreadable = |source| AgentError::Unreadable { path: path.clone(), source };
        let file = OpenOptions::new().read(true).write(true).open(&path).map_err(unreadable)?;
        lock(&file).map_err(unwritable(&path))?;
        make_dir(&dir.join(FRAMES)).map_err(unwritable(dir))?;
        let _ = fs::remove_file(dir.join(TEMPORARY));
        let (mut reader, header) = Reader::new(file.try_clone().map_err(unreadable)?, path.clone())?;
        let trajectory = reader.rest(header)?;
        let tail = reader.tail();
        let mut folder = Self { dir: dir.to_owned(), file, end: tail.steps };
        folder.file.set_len(tail.whole).map_err(unwritable(&path))?;
        if tail.open {
            folder.write_at(tail.whole, b"\n").map_err(unwritable(&path))?;
            folder.end += u64::from(tail.steps == tail.whole);
        }
        Ok((folder, trajectory))
    }

    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    pub(super) fn frame(&self, frame: &Frame) -> Result<(), AgentError> {
        let path = self.dir.join(FRAMES).join(format!("{}.png", frame.digest().short()));
        if path.exists() {
            return Ok(());
        }
        let png = frame.to_png().map_err(|error| unwritable(&path)(io::Error::other(error)))?;
        write_whole(&path, &png)
    }

    pub(super) fn step(&mut self, mut step: Step) -> Result<(), AgentError> {
        let mut bytes = self.line(&step)?;
        if bytes.len() > MAX_LINE {
            step.seen.elements.clear();
            step.list.clear();
            step.seen.gaps.push("the list was too long to be recorded".into());
            bytes = self.line(&step)?;
        }
        self.end = self.append_bytes(&bytes)?;
        Ok(())
    }

    pub(super) fn exit(&mut self, exit: &Exit) -> Result<(), AgentError> {
        self.append(exit).map(drop)
    }

    /// Writes the record anew without the secrets. The old bytes are gone with the old file.
    pub(super) fn rewrite(&mut self, secrets: &Secrets) -> Result<(), AgentError> {
        // It was made from what is rewritten here.
        let _ = fs::remove_file(self.dir.join(report::FILE));
        let path = self.path();
        let temporary = self.dir.join(TEMPORARY);
        let (file, end) = self.copy_to(&temporary, secrets).inspect_err(|_| {
            let _ = fs::remove_file(&temporary);
        })?;
        fs::rename(&temporary, &path).map_err(unwritable(&path))?;
        let _ = File::open(&self.dir).and_then(|dir| dir.sync_all());
        (self.file, self.end) = (file, end);
        Ok(())
    }

    fn copy_to(&self, temporary: &Path, secrets: &Secrets) -> Result<(File, u64), AgentError> {
        let (mut reader, mut header) = Reader::open(&self.path())?;
        let mut options = OpenOptions::new();
        let options = options.read(true).write(true).create(true).truncate(true);
        let mut file = private(options).open(temporary).map_err(unwritable(temporary))?;
        lock(&file).map_err(unwritable(temporary))?;
        secrets.header(&mut header);
        let mut write = |bytes: io::Result<Vec<u8>>| {
            bytes
                .and_then(|bytes| file.write_all(&bytes).map(|()| bytes.len() as u64))
                .map_err(unwritable(temporary))
        };
        let mut end = write(line(&header))?;
        while let Some(entry) = reader.entry()? {
            match entry {
                Entry::Step(mut step) => {
                    secrets.step(&mut step);
                    end += write(line(&*step))?;
                }
                Entry::Exit(mut exit) => {
                    secrets.exit(&mut exit);
                    write(line(&exit))?;
                }
            }
        }
        file.sync_data().map_err(unwritable(temporary))?;
        Ok((file, end))
    }

    fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    fn line(&self, value: &impl Serialize) -> Result<Vec<u8>, AgentError> {
        line(value).map_err(unwritable(&self.path()))
    }

    fn append(&mut self, value: &impl Serialize) -> Result<u64, AgentError> {
        let bytes = self.line(value)?;
        self.append_bytes(&bytes)
    }

    /// Puts the bytes after the last step and onto the disk, and says where they end. When that fails,
    /// the file is as it was.
    fn append_bytes(&mut self, bytes: &[u8]) -> Result<u64, AgentError> {
        let write = self.file.set_len(self.end).and_then(|()| self.write_at(self.end, bytes));
        write.map_err(|source| {
            let _ = self.file.set_len(self.end);
            AgentError::Unwritable { path: self.path(), source }
        })?;
        Ok(self.end + bytes.len() as u64)
    }

    fn write_at(&mut self, at: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.seek(SeekFrom::Start(at))?;
        self.file.write_all(bytes)?;
        self.file.sync_data()
    }
}
