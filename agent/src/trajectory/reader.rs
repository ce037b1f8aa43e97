//! Reads a record back, also one that was cut off at any byte: whole lines count, a torn last line
//! does not. The file is untrusted, so each line has a bound and a bad one is named by its number.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{Exit, FORMAT, Header, Step, Trajectory};
use crate::AgentError;

/// The name of the record in its folder.
pub const FILE: &str = "trajectory.jsonl";

/// As many bytes as one line may have.
pub const MAX_LINE: usize = 32 << 20;

/// One line after the header.
#[derive(Debug, Clone, PartialEq)]
pub enum Entry {
    /// One pass of the loop.
    Step(Box<Step>),
    /// How the run ended.
    Exit(Exit),
}

/// Reads a record line by line, for those who do not need all of it at once.
#[derive(Debug)]
pub struct Reader<R> {
    lines: BufReader<R>,
    path: PathBuf,
    /// The number of the line that was read last, counted from 1.
    line: usize,
    ended: bool,
    /// Bytes up to the end of the last line that is whole.
    whole: u64,
    /// Bytes up to the end of the last step, or of the header when there is none.
    steps: u64,
    /// Whether the last whole line has no line break.
    open: bool,
}

/// Where a file may be written on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tail {
    /// Bytes that are whole.
    pub whole: u64,
    /// Bytes up to the end of the last step.
    pub steps: u64,
    /// Whether the last whole line has no line break.
    pub open: bool,
}

#[derive(Deserialize)]
struct Version {
    format: u32,
}

/// Only the last line has this field.
#[derive(Deserialize)]
struct Last {
    #[serde(default)]
    exit: Option<serde::de::IgnoredAny>,
}

/// Reads a whole record: `path` is its folder or its file.
pub fn read(path: &Path) -> Result<Trajectory, AgentError> {
    let (mut reader, header) = Reader::open(path)?;
    reader.rest(header)
}

impl Reader<File> {
    /// Opens a record and reads its header: `path` is its folder or its file.
    pub fn open(path: &Path) -> Result<(Self, Header), AgentError> {
        let path = if path.is_dir() { path.join(FILE) } else { path.to_owned() };
        match File::open(&path) {
            Ok(file) => Self::new(file, path),
            Err(source) => Err(AgentError::Unreadable { path, source }),
        }
    }
}

impl<R: Read> Reader<R> {
    /// Reads the header from `source`; `path` is its name in errors.
    pub fn new(source: R, path: PathBuf) -> Result<(Self, Header), AgentError> {
        let lines = BufReader::with_capacity(1 << 16, source);
        let mut reader = Self { lines, path, line: 0, ended: false, whole: 0, steps: 0, open: false };
        let Some((bytes, is_whole)) = reader.take()? else {
            return Err(reader.bad("it is empty: the run was stopped before it began"));
        };
        let version: Version = reader.parse(&bytes)?;
        if version.format > FORMAT {
            return Err(reader.bad(format!(
                "it has format {} and this program reads up to {FORMAT}; use a newer Freehand",
                version.format
            )));
        }
        let header = reader.parse(&bytes)?;
        reader.open = !is_whole;
        (reader.whole, reader.steps) = (bytes.len() as u64, bytes.len() as u64);
        Ok((reader, header))
    }

    /// The next line, or `None` after the last whole one.
    pub fn entry(&mut self) -> Result<Option<Entry>, AgentError> {
        let Some((bytes, is_whole)) = self.take()? else { return Ok(None) };
        let entry = match self.parse_entry(&bytes) {
            // Nothing comes after a torn line, so it is as if it had not been begun.
            Err(_) if !is_whole => return Ok(None),
            entry => entry?,
        };
        if self.ended {
            return Err(self.bad("a line follows after the end of the run"));
        }
        self.whole += bytes.len() as u64;
        self.open = !is_whole;
        match entry {
            Entry::Exit(_) => self.ended = true,
            Entry::Step(_) => self.steps = self.whole,
        }
        Ok(Some(entry))
    }

    pub(super) fn rest(&mut self, header: Header) -> Result<Trajectory, AgentError> {
        let mut trajectory = Trajectory { header, steps: Vec::new(), exit: None };
        while let Some(entry) = self.entry()? {
            match entry {
                Entry::Step(step) => trajectory.steps.push(*step),
                Entry::Exit(exit) => trajectory.exit = Some(exit),
            }
        }
        Ok(trajectory)
    }

    pub(super) const fn tail(&self) -> Tail {
        Tail { whole: self.whole, steps: self.steps, open: self.open }
    }

    fn parse_entry(&self, bytes: &[u8]) -> Result<Entry, AgentError> {
        let last: Last = self.parse(bytes)?;
        if last.exit.is_some() {
            return self.parse(bytes).map(Entry::Exit);
        }
        self.parse(bytes).map(|step| Entry::Step(Box::new(step)))
    }

    fn parse<T: DeserializeOwned>(&self, bytes: &[u8]) -> Result<T, AgentError> {
        serde_json::from_slice(bytes).map_err(|error| self.bad(error.to_string()))
    }

    /// The next line with its line break, and whether it has one; `None` at the end.
    fn take(&mut self) -> Result<Option<(Vec<u8>, bool)>, AgentError> {
        self.line += 1;
        let mut bytes = Vec::new();
        let most = MAX_LINE as u64 + 1;
        if let Err(source) = (&mut self.lines).take(most).read_until(b'\n', &mut bytes) {
            return Err(AgentError::Unreadable { path: self.path.clone(), source });
        }
        if bytes.len() > MAX_LINE {
            return Err(self.bad(format!("it is longer than {} MB", MAX_LINE >> 20)));
        }
        let is_whole = bytes.ends_with(b"\n");
        Ok((!bytes.is_empty()).then_some((bytes, is_whole)))
    }

    fn bad(&self, reason: impl Into<String>) -> AgentError {
        AgentError::BadTrajectory { path: self.path.clone(), line: self.line, reason: reason.into() }
    }
}

#[cfg(test)]
mod tests;
