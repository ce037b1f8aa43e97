//! The log of all that was asked for, judged and answered, over all runs. Lines are only ever added, each
//! holds the hash of the one before it, and what cannot be written down is not done. So nothing in it can
//! be changed or taken out unseen; only the last lines can be cut off, and against that helps who knows
//! the last hash.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Read, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use freehand_tools::action::Action;
use freehand_tools::gate::{Verdict, Witness};
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
}

/// Writes to the log for one run.
#[derive(Debug, Clone)]
pub struct Audit {
    path: PathBuf,
    display: String,
    rules: String,
}

impl Audit {
    /// Writes to `path` what is judged on `display` under rules of this digest.
    pub fn new(path: PathBuf, display: String, rules: String) -> Self {
        Self { path, display, rules }
    }

    fn add(&self, action: &Action, verdict: &Verdict) -> Result<(), AuditError> {
        let failed = |source| AuditError::Io { path: self.path.clone(), source };
        let mut file = open(&self.path).map_err(failed)?;
        // Several runs may write at once.
        file.lock().map_err(failed)?;
        let (last, whole) = last(&mut file).map_err(failed)?;
        let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let entry = Entry {
            number: last.as_ref().map_or(0, |last| last.entry.number) + 1,
            at_ms: u64::try_from(since.as_millis()).unwrap_or(u64::MAX),
            display: self.display.clone(),
            rules: self.rules.clone(),
            author: action.setting.author,
            action: told(action),
            app: action.target.window.as_ref().map(|window| window.app.clone()),
            verdict: verdict.clone(),
            before: last.map_or_else(|| NOTHING.into(), |last| last.hash),
        };
        let line = entry.sealed().map_err(|error| failed(error.into()))?;
        let text = serde_json::to_string(&line).map_err(|error| failed(error.into()))?;
        // Half a line is what a crash leaves; it stays, and is found by `verify`.
        let start = if whole { "" } else { "\n" };
        file.write_all(format!("{start}{text}\n").as_bytes()).map_err(failed)?;
        file.sync_data().map_err(failed)
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
        Ok(blake3::hash(&serde_json::to_vec(self)?).to_hex().to_string())
    }
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

/// The last line that can be read, and whether the file ends with a whole one.
fn last(file: &mut File) -> io::Result<(Option<Line>, bool)> {
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(2 * LONGEST)))?;
    let mut tail = Vec::new();
    file.take(2 * LONGEST).read_to_end(&mut tail)?;
    let whole = tail.last().is_none_or(|byte| *byte == b'\n');
    let mut lines = tail.split(|byte| *byte == b'\n').rev();
    Ok((lines.find_map(|line| serde_json::from_slice(line).ok()), whole))
}

/// Reads the log line by line and checks that each is as it was written and follows the one before it.
/// Gives the number of lines and the hash of the last one.
pub fn verify(path: &Path, mut each: impl FnMut(&Entry)) -> Result<(u64, String), AuditError> {
    let failed = |source| AuditError::Io { path: path.into(), source };
    let mut reader = BufReader::new(File::open(path).map_err(failed)?);
    let (mut number, mut before) = (0, NOTHING.to_owned());
    loop {
        let mut text = Vec::new();
        let length = reader.by_ref().take(LONGEST + 1).read_until(b'\n', &mut text).map_err(failed)?;
        if length == 0 {
            return Ok((number, before));
        }
        number += 1;
        let broken = |reason| AuditError::Broken { path: path.into(), line: number, reason };
        if text.pop() != Some(b'\n') {
            return Err(broken("it is not whole"));
        }
        let line: Line = serde_json::from_slice(&text).map_err(|_| broken("it is no entry"))?;
        // Every byte counts: what is not read would otherwise be a place to write to.
        let same = serde_json::to_vec(&line).is_ok_and(|written| written == text);
        if !same || line.entry.hash().ok().as_ref() != Some(&line.hash) {
            return Err(broken("it was changed"));
        }
        if line.entry.before != before || line.entry.number != number {
            return Err(broken("it does not follow the line before it"));
        }
        each(&line.entry);
        before = line.hash;
    }
}

#[cfg(test)]
mod tests {
    use freehand_tools::action::TargetElement;
    use freehand_tools::element::{ElementId, ElementKey, Role, Source};
    use freehand_tools::gate::{Approval, Decision, Reason};
    use freehand_tools::geometry::Rect;

    use super::*;
    use crate::arbitrary::in_window;

    fn written(folder: &Path) -> PathBuf {
        let path = folder.join("state").join("audit.jsonl");
        let mut audit = Audit::new(path.clone(), "virtual".into(), "d1".into());
        for (summary, allowed) in [("click \"Save\"", true), ("click \"Delete\"", false), ("wait", true)]
        {
            let mut action = in_window(1, "mousepad", "x");
            action.summary = summary.into();
            let verdict = Verdict {
                decision: Decision::Ask,
                reasons: vec![Reason { rule: "supervised:input".into(), because: "it does".into() }],
                approval: Some(Approval::Once),
                allowed,
            };
            audit.judged(&action, &verdict).unwrap();
        }
        path
    }

    fn fault(path: &Path) -> String {
        verify(path, |_| ()).unwrap_err().to_string()
    }

    #[test]
    fn what_was_written_can_be_read_and_follows() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let mut seen = Vec::new();
        let (count, hash) = verify(&path, |entry| seen.push(entry.clone())).unwrap();
        assert_eq!((count, hash.len()), (3, 64));
        assert_eq!(seen[1].action, "click \"Delete\"");
        assert!(!seen[1].verdict.allowed && seen[1].app.as_deref() == Some("mousepad"));
    }

    #[test]
    fn a_change_is_found_wherever_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<&str> = text.lines().collect();
        for (changed, part) in [
            (text.replacen("Delete", "Save", 1), "line 2: it was changed"),
            (text.replacen("{\"number\":3", "{\"more\":1,\"number\":3", 1), "line 3: it was changed"),
            (format!("{}\n{}\n", lines[0], lines[2]), "line 2: it does not follow"),
            (format!("{}\n{}\n", lines[1], lines[2]), "line 1: it does not follow"),
            (format!("{}\n{}\n", lines[1], lines[0]), "line 1: it does not follow"),
            (format!("{}\nnothing\n", lines[0]), "line 2: it is no entry"),
            (text.trim_end().to_owned(), "line 3: it is not whole"),
        ] {
            std::fs::write(&path, changed).unwrap();
            assert!(fault(&path).contains(part), "{part}: {}", fault(&path));
        }
    }

    #[test]
    fn half_a_line_does_not_end_the_log() {
        let folder = tempfile::tempdir().unwrap();
        let path = written(folder.path());
        let text = std::fs::read_to_string(&path).unwrap();
        std::fs::write(&path, text + "{\"number\":4,").unwrap();
        let mut audit = Audit::new(path.clone(), "virtual".into(), "d1".into());
        let verdict =
            Verdict { decision: Decision::Allow, reasons: Vec::new(), approval: None, allowed: true };
        audit.judged(&in_window(1, "x", "x"), &verdict).unwrap();
        assert!(fault(&path).contains("line 4: it is no entry"), "{}", fault(&path));
        assert_eq!(std::fs::read_to_string(&path).unwrap().lines().count(), 5);
    }

    #[test]
    fn a_secret_is_not_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("audit.jsonl");
        let mut action = in_window(1, "firefox", "Sign in");
        action.summary = "press h u n t e r 2".into();
        action.target.element = Some(TargetElement {
            id: ElementId(1),
            key: ElementKey("k".into()),
            role: Role::Password,
            name: "Password".into(),
            looks: None,
            within: None,
            source: Source::Accessibility,
            bounds: Rect::new(0, 0, 1, 1),
        });
        let verdict =
            Verdict { decision: Decision::Allow, reasons: Vec::new(), approval: None, allowed: true };
        Audit::new(path.clone(), "virtual".into(), "d1".into()).judged(&action, &verdict).unwrap();
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(!text.contains("h u n t e r 2") && text.contains("in a password field"), "{text}");
    }

    #[test]
    fn what_cannot_be_written_is_said() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("file"), "").unwrap();
        let path = folder.path().join("file").join("audit.jsonl");
        let mut audit = Audit::new(path, "virtual".into(), "d1".into());
        let verdict =
            Verdict { decision: Decision::Allow, reasons: Vec::new(), approval: None, allowed: true };
        let said = audit.judged(&in_window(1, "x", "x"), &verdict).unwrap_err();
        assert!(said.contains("audit.jsonl"), "{said}");
    }
}
