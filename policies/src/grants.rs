//! What the person has allowed for good: a short file beside their rules that can be read and cut down
//! by hand. It is written on the person's side, by whoever asks, when the answer is "always"; the agent
//! cannot reach the folder. It only answers questions: what a rule denies stays denied.

use std::fs::{File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use freehand_tools::action::EffectClass;
use freehand_tools::gate::{Approval, ApprovalRequest, Approver, Scope};
use serde::{Deserialize, Serialize};

use crate::PolicyError;
use crate::question::covered;

/// A file of grants is a few pages of text; a larger one is none.
const MAX_BYTES: u64 = 256 * 1024;
/// What a grant begins with in the file.
const HEAD: &str = "[[grant]]";
/// What the file begins with.
const PREFACE: &str = "\
# What you have answered with \"always\". A grant answers the question that it was given to and those
# that ask for no more. Take out what shall not hold any longer.
";

/// One thing that is allowed for good.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Grant {
    /// What it is good for, in words. Only what follows counts.
    #[serde(default)]
    pub what: String,
    /// Since when.
    #[serde(default)]
    pub since: String,
    /// What it is good for.
    pub scope: Scope,
}

#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    grant: Vec<Grant>,
}

/// The grants in a file; none where there is no file.
pub fn read(path: &Path) -> Result<Vec<Grant>, PolicyError> {
    parse(&text(path)?, path)
}

fn text(path: &Path) -> Result<String, PolicyError> {
    let bad = |reason: String| PolicyError::Read { file: path.into(), reason };
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(String::new()),
        file => file.map_err(|error| bad(error.to_string()))?,
    };
    let mut text = String::new();
    file.take(MAX_BYTES + 1).read_to_string(&mut text).map_err(|error| bad(error.to_string()))?;
    if text.len() as u64 > MAX_BYTES {
        return Err(bad(format!("it is longer than {MAX_BYTES} bytes")));
    }
    Ok(text)
}

fn parse(text: &str, path: &Path) -> Result<Vec<Grant>, PolicyError> {
    let fault = |at: usize, reason: &str| PolicyError::Toml {
        file: path.into(),
        line: text.get(..at).unwrap_or(text).matches('\n').count() + 1,
        reason: reason.replace('\n', " "),
    };
    let all: Whole = toml::from_str(text)
        .map_err(|error| fault(error.span().map_or(0, |span| span.start), error.message()))?;
    let heads: Vec<usize> = text.match_indices(HEAD).map(|(at, _)| at).collect();
    for (n, grant) in all.grant.iter().enumerate() {
        if let Some(reason) = unlimited(&grant.scope) {
            return Err(fault(heads.get(n).copied().unwrap_or_default(), reason));
        }
    }
    Ok(all.grant)
}

/// Why a grant would reach further than any answer does.
fn unlimited(scope: &Scope) -> Option<&'static str> {
    let aimed = matches!(scope.effects, EffectClass::Input | EffectClass::BlindInput);
    if scope.rules.is_empty() {
        return Some("a grant names the rules that it answers, in `rules`");
    }
    if !scope.may_be_kept() {
        return Some("where a secret goes is asked each time, so no grant holds");
    }
    if aimed && scope.app.is_none() {
        return Some("a grant for input names the program, in `app`");
    }
    let launches = scope.effects == EffectClass::Launch;
    (launches && scope.opened.is_none()).then_some("a grant to open something names it, in `opened`")
}

/// Adds a grant. What stands in the file already stays as it is; nothing is added to a file that
/// cannot be read.
pub fn add(path: &Path, scope: &Scope, since: &str) -> Result<(), PolicyError> {
    let bad = |reason: String| PolicyError::Read { file: path.into(), reason };
    let _lock = lock(path)?;
    let before = text(path)?;
    if parse(&before, path)?.iter().any(|grant| grant.scope == *scope) {
        return Ok(());
    }
    let grant = Grant { what: covered(scope), since: since.into(), scope: scope.clone() };
    let added = toml::to_string(&Whole { grant: vec![grant] }).map_err(|e| bad(e.to_string()))?;
    let head = if before.is_empty() { PREFACE } else { before.trim_end() };
    let whole = format!("{}\n\n{added}", head.trim_end());
    parse(&whole, path)?;
    write(path, &whole)
}

/// Takes out the grant of this number, counted from 1, and gives it.
pub fn remove(path: &Path, number: usize) -> Result<Grant, PolicyError> {
    let bad = |reason: String| PolicyError::Read { file: path.into(), reason };
    let _lock = lock(path)?;
    let before = text(path)?;
    let mut grants = parse(&before, path)?;
    if number == 0 || number > grants.len() {
        return Err(bad(format!("there is no grant {number}, it holds {}", grants.len())));
    }
    let removed = grants.remove(number - 1);
    let (mut kept, mut n) = (String::new(), 0);
    for line in before.split_inclusive('\n') {
        n += usize::from(line.trim() == HEAD);
        if n != number {
            kept.push_str(line);
        }
    }
    // Comments stay where they can; a file that is written otherwise is written anew.
    let same = parse(&kept, path).is_ok_and(|left| left == grants);
    if !same {
        let rest = toml::to_string(&Whole { grant: grants }).map_err(|e| bad(e.to_string()))?;
        kept = format!("{PREFACE}\n{rest}");
    }
    write(path, &kept)?;
    Ok(removed)
}

/// Several runs may ask at once.
fn lock(path: &Path) -> Result<File, PolicyError> {
    let bad = |error: std::io::Error| PolicyError::Read { file: path.into(), reason: error.to_string() };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(bad)?;
    }
    let lock = private().create(true).truncate(false).open(path.with_extension("lock")).map_err(bad)?;
    lock.lock().map_err(bad)?;
    Ok(lock)
}

fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// The old file stays whole until the new one is.
fn write(path: &Path, text: &str) -> Result<(), PolicyError> {
    let bad = |error: std::io::Error| PolicyError::Read { file: path.into(), reason: error.to_string() };
    let new = path.with_extension("new");
    let mut file = private().create(true).truncate(true).open(&new).map_err(bad)?;
    file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(bad)?;
    std::fs::rename(&new, path).map_err(bad)
}

/// Somebody whose "always" is kept. Where it cannot be, it holds for the run, and `told` hears why.
pub struct Keeping {
    asked: Box<dyn Approver>,
    path: PathBuf,
    since: String,
    told: Box<dyn Fn(&str) + Send + Sync>,
}

impl std::fmt::Debug for Keeping {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keeping")
            .field("asked", &self.asked)
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

impl Keeping {
    /// Keeps what `asked` allows for good in the file `path`; `since` is today's date.
    pub fn new(
        asked: Box<dyn Approver>,
        path: PathBuf,
        since: String,
        told: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        Self { asked, path, since, told: Box::new(told) }
    }
}

#[async_trait]
impl Approver for Keeping {
    async fn ask(&self, request: &ApprovalRequest) -> Approval {
        let answer = self.asked.ask(request).await;
        let Some(scope) = request.scope.as_ref().filter(|scope| scope.may_be_kept()) else {
            return answer;
        };
        if answer != Approval::Always {
            return answer;
        }
        match add(&self.path, scope, &self.since) {
            Ok(()) => answer,
            Err(error) => {
                (self.told)(&format!("it holds for this run only, since it cannot be kept: {error}"));
                Approval::Run
            }
        }
    }

    async fn question(&self, question: &str) -> Option<String> {
        self.asked.question(question).await
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::arbitrary::in_window;

    fn scope(app: &str) -> Scope {
        serde_json::from_value(json!({"effects": "input", "app": app, "rules": ["supervised:input"]}))
            .unwrap()
    }

    #[test]
    fn what_is_added_is_read_again_and_can_be_taken_out() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("freehand").join("grants.toml");
        assert_eq!(read(&path).unwrap(), Vec::new());
        for app in ["mousepad", "we\"ird\n[[grant]]", "mousepad", "firefox"] {
            add(&path, &scope(app), "2026-11-25").unwrap();
        }
        let apps = |grants: Vec<Grant>| {
            grants.into_iter().map(|grant| grant.scope.app.unwrap()).collect::<Vec<_>>()
        };
        assert_eq!(apps(read(&path).unwrap()), ["mousepad", "we\"ird\n[[grant]]", "firefox"]);
        let last = "[[grant]]\nwhat = 'any input to \"firefox";
        let by_hand = std::fs::read_to_string(&path).unwrap().replace(last, &format!("# mine\n{last}"));
        assert!(by_hand.contains("# mine"));
        std::fs::write(&path, by_hand).unwrap();
        assert_eq!(remove(&path, 1).unwrap().scope, scope("mousepad"));
        assert_eq!(apps(read(&path).unwrap()), ["we\"ird\n[[grant]]", "firefox"]);
        assert!(std::fs::read_to_string(&path).unwrap().contains("# mine"));
        assert!(remove(&path, 3).unwrap_err().to_string().contains("no grant 3, it holds 2"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_file_that_is_not_sound_grants_nothing_and_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grants.toml");
        for (text, part) in [
            ("[[grant]\n", "line 1"),
            ("\n[[grant]]\nwhat = \"x\"\n", "line 2: missing field `scope`"),
            ("[[grant]]\n[grant.scope]\neffects = \"all\"\nrules = [\"a\"]\n", "line 3"),
            (
                "[[grant]]\n[grant.scope]\neffects = \"input\"\nrules = [\"a\"]\n",
                "line 1: a grant for input",
            ),
            (
                "[[grant]]\n[grant.scope]\neffects = \"input\"\napp = \"x\"\nrules = []\n",
                "names the rules",
            ),
            (
                "[[grant]]\n[grant.scope]\neffects = \"launch\"\nrules = [\"a\"]\n",
                "names it, in `opened`",
            ),
            (
                "[[grant]]\n[grant.scope]\neffects = \"input\"\napp = \"x\"\nrules = [\"a\"]\nprotected = true\n",
                "a secret",
            ),
            ("[[grants]]\n", "grants"),
        ] {
            std::fs::write(&path, text).unwrap();
            let error = read(&path).unwrap_err().to_string();
            assert!(error.contains(part) && error.contains("grants.toml"), "{part}: {error}");
            assert!(add(&path, &scope("mousepad"), "").is_err());
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
        }
    }

    #[derive(Debug)]
    struct Always;

    #[async_trait]
    impl Approver for Always {
        async fn ask(&self, _: &ApprovalRequest) -> Approval {
            Approval::Always
        }

        async fn question(&self, _: &str) -> Option<String> {
            None
        }
    }

    #[tokio::test]
    async fn always_is_kept_or_holds_for_the_run() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("grants.toml");
        let request = ApprovalRequest {
            action: in_window(1, "mousepad", "x"),
            reasons: Vec::new(),
            scope: Some(scope("mousepad")),
            note: None,
        };
        let keeping = |path: &Path| Keeping::new(Box::new(Always), path.into(), "2026".into(), |_| ());
        assert_eq!(keeping(&path).ask(&request).await, Approval::Always);
        assert_eq!(read(&path).unwrap().len(), 1);
        assert_eq!(keeping(&path.join("x").join("y")).ask(&request).await, Approval::Run);
    }
}
