//! What past runs have left behind: which there are, where a text stands in them, where two of them part,
//! and what can be made of them for others. A folder may be half written by a run that was killed, or hold
//! anything at all; none of that keeps the others from being shown.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use serde::{Deserialize, Serialize};

use crate::AgentError;
use crate::trajectory::reader::{FILE, MAX_LINE, Reader};
use crate::trajectory::recorder::FRAMES;
use crate::trajectory::{Exit, Timing};

pub mod chat;
pub mod compare;
pub mod film;
pub mod folder;
pub mod search;

/// Bytes at the end of a record that are looked at first; more where its last lines are longer.
const END: u64 = 128 * 1024;

/// How far a run has come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "is")]
pub enum Standing {
    /// It is over.
    Ended {
        /// How it ended.
        exit: Exit,
    },
    /// Somebody writes its record now.
    UnderWay,
    /// It was killed: its record has no end.
    CutOff,
    /// Its record cannot be read.
    Broken {
        /// Why not.
        reason: String,
    },
}

/// A run of which there is a folder.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Past {
    /// The name of its folder.
    pub name: String,
    /// Its folder.
    pub folder: PathBuf,
    /// What the person wanted; empty where the record does not say.
    pub task: String,
    /// The model's name.
    pub model: String,
    /// The policy's name.
    pub policy: String,
    /// The display's name.
    pub display: String,
    /// When it began, in ms since 1970 (UTC); when its folder was last changed, where it does not say.
    pub started_ms: u64,
    /// How far it has come.
    pub standing: Standing,
    /// Steps in its record.
    pub steps: u32,
    /// From its beginning to the end of its last step, in ms.
    pub ms: u64,
}

/// All runs in the folder `runs`, the newest first.
pub fn list(runs: &Path) -> Result<Vec<Past>, AgentError> {
    let unreadable = |source| AgentError::Unreadable { path: runs.to_owned(), source };
    let entries = match fs::read_dir(runs) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(unreadable)?,
    };
    let folders = entries.flatten().map(|entry| entry.path());
    let mut all: Vec<Past> = folders.filter(|folder| is_run(folder)).map(|run| look(&run)).collect();
    all.sort_unstable_by(|a, b| (b.started_ms, &b.name).cmp(&(a.started_ms, &a.name)));
    Ok(all)
}

/// Whether a run has begun to write there.
pub fn is_run(folder: &Path) -> bool {
    folder.join(FILE).is_file() || folder.join(FRAMES).is_dir()
}

/// What is known of the run in `folder`.
pub fn look(folder: &Path) -> Past {
    let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut past = Past {
        name,
        folder: folder.to_owned(),
        task: String::new(),
        model: String::new(),
        policy: String::new(),
        display: String::new(),
        started_ms: changed(folder),
        standing: Standing::CutOff,
        steps: 0,
        ms: 0,
    };
    let header = match Reader::open(folder) {
        Ok((_, header)) => header,
        Err(AgentError::Unreadable { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            let reason = "it was stopped before it began".into();
            return Past { standing: Standing::Broken { reason }, ..past };
        }
        Err(error) => {
            return Past { standing: Standing::Broken { reason: error.to_string() }, ..past };
        }
    };
    (past.task, past.model, past.policy) = (header.task, header.model, header.policy);
    (past.display, past.started_ms) = (header.display, header.started_ms);
    match tail(&folder.join(FILE)) {
        Ok(tail) => {
            past.steps = tail.step.as_ref().map_or(0, |step| step.index);
            past.ms = tail.step.map_or(0, |step| step.end_ms().saturating_sub(past.started_ms));
            past.standing = tail.exit.map_or_else(|| open(folder), |exit| Standing::Ended { exit });
        }
        Err(error) => past.standing = Standing::Broken { reason: error.to_string() },
    }
    past
}

/// A run without an end: is somebody at it?
fn open(folder: &Path) -> Standing {
    let Ok(file) = File::open(folder.join(FILE)) else { return Standing::CutOff };
    // Whoever writes it holds its lock. This one is let go of at once.
    match file.try_lock_shared() {
        Err(TryLockError::WouldBlock) => Standing::UnderWay,
        Ok(()) | Err(TryLockError::Error(_)) => Standing::CutOff,
    }
}

fn changed(folder: &Path) -> u64 {
    let changed = fs::metadata(folder).and_then(|folder| folder.modified()).ok();
    let since = changed.and_then(|changed| changed.duration_since(UNIX_EPOCH).ok());
    since.and_then(|since| u64::try_from(since.as_millis()).ok()).unwrap_or(0)
}

/// As much of a step as its number and its end need.
#[derive(Debug, Deserialize)]
struct LastStep {
    index: u32,
    at_ms: u64,
    #[serde(default)]
    timing: Timing,
}

impl LastStep {
    fn end_ms(&self) -> u64 {
        let Timing { observe, model, gate, act, settle, record: _ } = self.timing;
        let all = (observe + model + gate + act + settle).clamp(0.0, 1e15);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "it is clamped")]
        self.at_ms.saturating_add(all as u64)
    }
}

#[derive(Debug, Default)]
struct Tail {
    step: Option<LastStep>,
    exit: Option<Exit>,
}

/// The last lines of a record, without reading all of it.
fn tail(path: &Path) -> io::Result<Tail> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut size = END;
    loop {
        let start = length.saturating_sub(size);
        file.seek(SeekFrom::Start(start))?;
        let mut bytes = Vec::new();
        (&mut file).take(size).read_to_end(&mut bytes)?;
        let mut found = Tail::default();
        // The first line is cut, or it is the header.
        let lines = bytes.split(|byte| *byte == b'\n').skip(1).collect::<Vec<_>>();
        for line in lines.into_iter().rev().filter(|line| !line.is_empty()) {
            if found.exit.is_none()
                && let Ok(exit) = serde_json::from_slice(line)
            {
                found.exit = Some(exit);
            } else if let Ok(step) = serde_json::from_slice(line) {
                found.step = Some(step);
                return Ok(found);
            }
        }
        if start == 0 || size > 2 * MAX_LINE as u64 {
            return Ok(found);
        }
        size *= 8;
    }
}

/// The folder that is meant by `name`: a folder, the name of a run in `runs` or the beginning of one, or
/// `last` for the newest.
pub fn find(runs: &Path, name: &str) -> Result<PathBuf, Unfound> {
    let as_path = Path::new(name);
    if as_path.is_dir() && is_run(as_path) {
        return Ok(as_path.to_owned());
    }
    let all = list(runs).map_err(|error| Unfound(error.to_string()))?;
    if name == "last" {
        let newest = all.into_iter().next().map(|past| past.folder);
        return newest.ok_or_else(|| Unfound(format!("there is no run in `{}`", runs.display())));
    }
    let mut alike: Vec<Past> = all.into_iter().filter(|past| past.name.starts_with(name)).collect();
    if let Some(same) = alike.iter().position(|past| past.name == name) {
        return Ok(alike.swap_remove(same).folder);
    }
    match alike.len() {
        1 => Ok(alike.swap_remove(0).folder),
        0 => Err(Unfound(format!("there is no run `{name}`; see them with `freehand runs`"))),
        count => Err(Unfound(format!("`{name}` may be any of {count} runs; write more of the name"))),
    }
}

/// Why no run is meant by a name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unfound(String);

#[cfg(test)]
mod tests;
