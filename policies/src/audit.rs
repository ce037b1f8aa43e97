//! The log of all that was asked for, judged and answered, over all runs. Lines are only ever added, each
//! holds the hash of the one before it, and what cannot be written down is not done. So nothing in it can
//! be changed or taken out unseen. Last lines that are cut off are missed by a note beside the log, which
//! holds the last hash; against somebody who changes both helps who knows a hash from before.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use freehand_tools::action::Action;
use freehand_tools::gate::{Approval, Verdict, Witness};
use freehand_tools::setting::Author;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::vocabulary::tool;

/// Bytes of a line; a longer one is none of ours.
const LONGEST: u64 = 1 << 20;
/// Characters of a summary that are kept.
const SUMMARY: usize = 4_000;
/// What the first line has for the hash of the one before.
const NOTHING: &str = "";

/// One action and what became of it at the gate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// Counted from 1.
    pub number: u64,
    /// When, in ms since 1970 (UTC).
    pub at_ms: u64,
    /// On which display.
    pub display: String,
    /// The digest of the rules in force.
    pub rules: String,
    /// Who asked for it.
    pub author: Author,
    /// What, in one sentence. What is typed into a password field is not in it.
    pub action: String,
    /// In which program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<String>,
    /// How it was judged, the rules, and the person's answer.
    pub verdict: Verdict,
    /// The folder of the run's record, where it keeps one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run: Option<PathBuf>,
    /// The hash of the piece of a line that stands before this one: what a full disk or a loss of power
    /// leaves of an entry that was never whole.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn: Option<String>,
    /// Number and hash of an entry that stood at the end before and is gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<String>,
    /// The hash of the line before.
    pub before: String,
}

/// A line of the log.
#[derive(Debug, Serialize, Deserialize)]
struct Line {
    #[serde(flatten)]
    entry: Entry,
    hash: String,
}

/// A log that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Whole {
    /// So many entries.
    pub entries: u64,
    /// The hash of the last one; empty where there is none.
    pub last: String,
    /// So many pieces of entries that were never whole.
    pub torn: u64,
}

/// What is wrong with a log.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum AuditError {
    /// It cannot be read or written.
    #[error("cannot use `{}`: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A line is not what was written.
    #[error("`{}`, line {line}: {reason}", path.display())]
    Broken {
        /// The file.
        path: PathBuf,
        /// Which line, counted from 1.
        line: u64,
        /// What is wrong.
        reason: &'static str,
    },
    /// Lines at the end are gone.
    #[error("`{}`: it ends before the entry {number} (hash {hash}), which was in it", path.display())]
    Cut {
        /// The file.
        path: PathBuf,
        /// The entry that is missed, 0 where only its hash is known.
        number: u64,
        /// Its hash.
        hash: String,
    },
}

/// Writes to the log for one run.
#[derive(Debug, Clone)]
pub struct Audit {
    path: PathBuf,
    display: String,
    rules: String,
    run: Option<PathBuf>,
}

impl Audit {
    /// Writes to `path` what is judged on `display` under rules of this digest.
    pub fn new(path: PathBuf, display: String, rules: String) -> Self {
        Self { path, display, rules, run: None }
    }

    /// Names the folder of the run's record in every entry.
    #[must_use]
    pub fn of_run(mut self, run: Option<PathBuf>) -> Self {
        self.run = run;
        self
    }

    fn add(&self, action: &Action, verdict: &Verdict) -> Result<(), AuditError> {
        let failed = |source| AuditError::Io { path: self.path.clone(), source };
        let mut file = open(&self.path).map_err(failed)?;
        // Several runs may write at once.
        file.lock().map_err(failed)?;
        let (last, piece) = last(&mut file).map_err(failed)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let entry = Entry {
            number: last.as_ref().map_or(0, |last| last.entry.number) + 1,
            at_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            display: self.display.clone(),
            rules: self.rules.clone(),
            author: action.setting.author,
            action: told(action),
            app: action.target.window.as_ref().map(|window| window.app.clone()),
            verdict: told_of(verdict, action),
            run: self.run.clone(),
            torn: piece.as_deref().map(hash_of),
            missed: missed(noted(&self.path), last.as_ref()),
            before: last.map_or_else(|| NOTHING.into(), |last| last.hash),
        };
        let line = entry.sealed().map_err(|error| failed(error.into()))?;
        let text = serde_json::to_string(&line).map_err(|error| failed(error.into()))?;
        // Half a line stays where it is, and this entry says so.
        let start = if piece.is_none() { "" } else { "\n" };
        file.write_all(format!("{start}{text}\n").as_bytes()).map_err(failed)?;
        file.sync_data().map_err(failed)?;
        // Only after the entry itself is safe: a note that is older than the log does no harm.
        let note = format!("{} {}\n", line.entry.number, line.hash);
        write_private(&note_beside(&self.path), &note).map_err(failed)
    }
}

impl Witness for Audit {
    fn judged(&mut self, action: &Action, verdict: &Verdict) -> Result<(), String> {
        self.add(action, verdict).map_err(|error| error.to_string())
    }
}

impl Entry {
    fn sealed(self) -> Result<Line, serde_json::Error> {
        let hash = self.hash()?;
        Ok(Line { entry: self, hash })
    }

    fn hash(&self) -> Result<String, serde_json::Error> {
        Ok(hash_of(&serde_json::to_vec(self)?))
    }
}

fn hash_of(bytes: &[u8]) -> String {
    blake3::hash(bytes).to_hex().to_string()
}

/// A verdict without the secret that the person may have written in a change.
fn told_of(verdict: &Verdict, action: &Action) -> Verdict {
    let mut verdict = verdict.clone();
    if let Some(Approval::Edit { args }) =
        verdict.approval.as_mut().filter(|_| action.target.is_protected())
    {
        *args = serde_json::Value::Null;
    }
    verdict
}

/// An action in one sentence; of what is done in a password field, only that.
fn told(action: &Action) -> String {
    if action.target.is_protected() {
        return format!("{} in a password field", tool(&action.kind));
    }
    action.summary.chars().take(SUMMARY).collect()
}

fn open(path: &Path) -> io::Result<File> {
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let mut options = OpenOptions::new();
    options.read(true).append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// The note with number and hash of the last entry.
fn note_beside(log: &Path) -> PathBuf {
    log.with_extension("last")
}

/// Writes a short text over what was there; who reads it sees the one or the other.
fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut file = options.open(path)?;
    // One call, and never shorter than before: the number only grows.
    file.write_all(text.as_bytes())
}

/// The entry that the note names, if there is a note that can be read.
fn noted(log: &Path) -> Option<(u64, String)> {
    let text = std::fs::read_to_string(note_beside(log)).ok()?;
    let (number, hash) = text.lines().next()?.split_once(' ')?;
    Some((number.parse().ok()?, hash.to_owned()))
}

/// The noted entry, where the log ends before it. A note that is older than the log is what a kill leaves.
fn missed(noted: Option<(u64, String)>, last: Option<&Line>) -> Option<String> {
    let (number, hash) = noted?;
    let (end, its) = last.map_or((0, NOTHING), |last| (last.entry.number, last.hash.as_str()));
    (number > end || (number == end && hash != its)).then(|| format!("{number} {hash}"))
}

/// The last line that can be read, and the piece of one at the end that is not whole.
fn last(file: &mut File) -> io::Result<(Option<Line>, Option<Vec<u8>>)> {
    let length = file.metadata()?.len();
    let mut found = (None, None);
    // Nearly always the first look is enough.
    for reach in [64 * 1024, 2 * LONGEST] {
        file.seek(SeekFrom::Start(length.saturating_sub(reach)))?;
        let mut tail = Vec::new();
        file.take(reach).read_to_end(&mut tail)?;
        let mut lines = tail.split(|byte| *byte == b'\n').rev();
        let piece = lines.next().filter(|piece| !piece.is_empty()).map(<[u8]>::to_vec);
        found = (lines.find_map(|line| serde_json::from_slice(line).ok()), piece);
        if found.0.is_some() || length <= reach {
            break;
        }
    }
    Ok(found)
}

/// Reads the log line by line and checks that each is as it was written and follows the one before it,
/// and that the entry which the note beside it names is there. With `known`, the hash of an entry from
/// before, that one has to be there as well.
pub fn verify(
    path: &Path,
    known: Option<&str>,
    mut each: impl FnMut(&Entry),
) -> Result<Whole, AuditError> {
    let failed = |source| AuditError::Io { path: path.into(), source };
    // Read before the log, which may grow meanwhile.
    let noted = noted(path);
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let mut whole = Whole { entries: 0, last: NOTHING.into(), torn: 0 };
    let mut missed = Missed::new(noted, known);
    let (mut number, mut piece): (u64, Option<String>) = (0, None);
    loop {
        let mut text = Vec::new();
        let length = reader.by_ref().take(LONGEST + 1).read_until(b'\n', &mut text).map_err(failed)?;
        number += 1;
        let broken = |line, reason| AuditError::Broken { path: path.into(), line, reason };
        if length == 0 {
            return match (piece, missed.found(path)) {
                (Some(_), _) => Err(broken(number - 1, "it is no entry")),
                (None, missed) => missed.map(|()| whole),
            };
        }
        if text.pop() != Some(b'\n') {
            // What a kill leaves of an entry that was never whole. Was it whole before, it is missed.
            whole.torn += 1;
            return missed.found(path).map(|()| whole);
        }
        let Ok(line) = serde_json::from_slice::<Line>(&text) else {
            if piece.is_some() {
                return Err(broken(number - 1, "it is no entry"));
            }
            piece = Some(hash_of(&text));
            continue;
        };
        if line.entry.torn != piece {
            let reason = "it does not follow what stands before it";
            return Err(broken(if piece.is_some() { number - 1 } else { number }, reason));
        }
        whole.torn += u64::from(piece.take().is_some());
        // Every byte counts: what is not read would otherwise be a place to write to.
        let same = serde_json::to_vec(&line).is_ok_and(|written| written == text);
        if !same || line.entry.hash().ok().as_ref() != Some(&line.hash) {
            return Err(broken(number, "it was changed"));
        }
        if line.entry.missed.is_some() {
            return Err(broken(number, "entries before it are gone"));
        }
        if line.entry.before != whole.last || line.entry.number != whole.entries + 1 {
            return Err(broken(number, "it does not follow the line before it"));
        }
        each(&line.entry);
        whole.entries += 1;
        missed.see(whole.entries, &line.hash);
        whole.last = line.hash;
    }
}

/// Entries that are known to have been in a log.
struct Missed {
    noted: Option<(u64, String)>,
    known: Option<String>,
}

impl Missed {
    fn new(noted: Option<(u64, String)>, known: Option<&str>) -> Self {
        Self { noted, known: known.map(str::to_owned) }
    }

    fn see(&mut self, number: u64, hash: &str) {
        self.noted.take_if(|noted| (noted.0, noted.1.as_str()) == (number, hash));
        self.known.take_if(|known| known == hash);
    }

    fn found(self, path: &Path) -> Result<(), AuditError> {
        let known = self.known.map(|hash| (0, hash));
        match self.noted.or(known) {
            Some((number, hash)) => Err(AuditError::Cut { path: path.into(), number, hash }),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
