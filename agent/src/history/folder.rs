//! The folder of a run as a thing to be copied and to be removed: only what a run writes, by its name,
//! and never what a link leads to.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::AgentError;
use crate::trajectory::reader::FILE;
use crate::trajectory::recorder::FRAMES;
use crate::trajectory::report;

/// Copies the run in `from` to the new folder `to`, with its report made anew.
pub fn copy(from: &Path, to: &Path) -> Result<(), AgentError> {
    let unwritable = |source| AgentError::Unwritable { path: to.to_owned(), source };
    if to.exists() && fs::read_dir(to).map_err(unwritable)?.next().is_some() {
        let source = io::Error::new(io::ErrorKind::AlreadyExists, "it is not empty; name another one");
        return Err(unwritable(source));
    }
    fs::create_dir_all(to.join(FRAMES)).map_err(unwritable)?;
    let real = |file: &&PathBuf| fs::symlink_metadata(file).is_ok_and(|file| file.is_file());
    for file in files(from).iter().filter(real).filter(|file| !file.ends_with(report::FILE)) {
        let unreadable = |source| AgentError::Unreadable { path: file.clone(), source };
        let name = file.strip_prefix(from).unwrap_or(file);
        fs::copy(file, to.join(name)).map_err(unreadable)?;
    }
    report::write(to)
}

/// Removes the run in `folder`, and the folder where nothing else is in it; whether that is so.
pub fn remove(folder: &Path) -> Result<bool, AgentError> {
    let unwritable = |path: &Path| {
        let path = path.to_owned();
        move |source| AgentError::Unwritable { path, source }
    };
    // The record goes last: until then it is known what the rest belongs to.
    let mut files = files(folder);
    files.sort_by_key(|file| file.ends_with(FILE));
    for file in &files {
        fs::remove_file(file).map_err(unwritable(file))?;
    }
    let _ = fs::remove_dir(folder.join(FRAMES));
    match fs::remove_dir(folder) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => Ok(false),
        Err(error) => Err(unwritable(folder)(error)),
    }
}

/// The files in `folder` that a run writes.
fn files(folder: &Path) -> Vec<PathBuf> {
    let frames = folder.join(FRAMES);
    // A link to a folder of pictures elsewhere is not followed.
    let real = fs::symlink_metadata(&frames).is_ok_and(|frames| frames.is_dir());
    let pictures = real.then(|| fs::read_dir(&frames).ok()).flatten().into_iter().flatten().flatten();
    let own = [FILE, report::FILE].map(|name| folder.join(name));
    let own = own.into_iter().chain(unfinished(folder));
    own.chain(pictures.map(|picture| picture.path()).filter(|path| is_picture(path)))
        .filter(|path| fs::symlink_metadata(path).is_ok_and(|file| !file.is_dir()))
        .collect()
}

/// What a kill has left behind.
fn unfinished(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    entries.filter(|path| {
        path.file_name().is_some_and(|name| name.to_string_lossy().ends_with(".unfinished"))
    })
}

fn is_picture(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.strip_suffix(".png").or_else(|| name.strip_suffix(".unfinished"));
    stem.is_some_and(|stem| !stem.is_empty() && stem.chars().all(|c| c.is_ascii_hexdigit()))
}
