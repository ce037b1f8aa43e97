//! Which rules a command works under: the policy that is chosen, and the layers of the machine, the
//! account, the project and the command line, which only take away from it. A layer that cannot be read
//! ends the command: it may be the rule that somebody relies on.

use std::fmt;
use std::io::{ErrorKind, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use freehand_policies::PolicyError;
use freehand_policies::preset::{DisplayTrust, Preset};
use freehand_policies::rulebook::{Rulebook, only_apps, without};
use freehand_policies::rules::{Kind, MAX_BYTES, RuleSet};
use freehand_policies::tiers::Tiers;
use freehand_tools::desktop::curtain::Curtain;

use crate::args::GateArgs;
use crate::places;

/// Where the machine's rules are.
const MACHINE: &str = "/etc/freehand";
/// Where a project's rules are, in the folder that a command is called in.
const PROJECT: &str = ".freehand";
/// The files in each of these folders.
const LAYER: &str = "policy.cedar";
const TIERS: &str = "tiers.toml";

/// The policy that a user names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ruling {
    /// One that comes with Freehand.
    Preset(Preset),
    /// A file of the user's.
    File(PathBuf),
}

impl FromStr for Ruling {
    type Err = PolicyError;

    fn from_str(text: &str) -> Result<Self, PolicyError> {
        let path = Path::new(text);
        let is_file = text.contains('/') || path.extension().is_some_and(|end| end == "cedar");
        if is_file { Ok(Self::File(path.to_owned())) } else { text.parse().map(Self::Preset) }
    }
}

impl fmt::Display for Ruling {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Preset(preset) => preset.fmt(f),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl Ruling {
    /// Its rules.
    pub fn rules(&self) -> Result<RuleSet, PolicyError> {
        match self {
            Self::Preset(preset) => preset.rules(),
            Self::File(path) => RuleSet::parse(&stem(path), Kind::Base, &text(path)?, path),
        }
    }

    /// Its rules with all layers above them.
    pub fn rulebook(&self, args: &GateArgs, display: DisplayTrust) -> Result<Rulebook> {
        let user = places::config()?.parent().map(Path::to_owned).unwrap_or_default();
        let folders =
            [("machine", Path::new(MACHINE)), ("user", user.as_path()), ("project", Path::new(PROJECT))];
        let mut book = Rulebook::new(self.rules()?, display);
        for (name, folder) in folders {
            let path = folder.join(LAYER);
            if let Some(text) = there(&path)? {
                book = book.under(RuleSet::parse(name, Kind::Narrowing, &text, &path)?);
            }
        }
        // A project cannot say what its user trusts.
        for folder in [Path::new(MACHINE), user.as_path()] {
            let path = folder.join(TIERS);
            if let Some(text) = there(&path)? {
                book = book.with_tiers(Tiers::parse(&text, &path)?)?;
            }
        }
        if !args.allow_app.is_empty() {
            book = book.under(only_apps(&args.allow_app)?);
        }
        if !args.deny.is_empty() {
            book = book.under(without(&args.deny)?);
        }
        Ok(book)
    }
}

/// What must not be seen, whatever the policy is. A file that cannot be read ends the command.
pub fn curtain() -> Result<Curtain> {
    let user = places::config()?.parent().map(Path::to_owned).unwrap_or_default();
    let mut tiers = Tiers::default();
    for path in [Path::new(MACHINE).join(TIERS), user.join(TIERS)] {
        if let Some(text) = there(&path)? {
            tiers = tiers.and(Tiers::parse(&text, &path)?);
        }
    }
    Ok(tiers.curtain())
}

/// The name of a file without folder and ending.
pub fn stem(path: &Path) -> String {
    path.file_stem().map(|stem| stem.to_string_lossy().into_owned()).unwrap_or_default()
}

/// What stands in a file that has to be there.
pub fn text(path: &Path) -> Result<String, PolicyError> {
    let missing = || PolicyError::Read { file: path.into(), reason: "there is no such file".into() };
    there(path)?.ok_or_else(missing)
}

/// What stands in a file; `None` where there is none.
fn there(path: &Path) -> Result<Option<String>, PolicyError> {
    let bad = |reason: String| PolicyError::Read { file: path.into(), reason };
    let file = match std::fs::File::open(path) {
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        file => file.map_err(|error| bad(error.to_string()))?,
    };
    let mut text = String::new();
    let most = u64::try_from(MAX_BYTES).unwrap_or(u64::MAX) + 1;
    file.take(most).read_to_string(&mut text).map_err(|error| bad(error.to_string()))?;
    Ok(Some(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn presets_and_files_are_told_apart() {
        for (text, expected) in [
            ("supervised", Ruling::Preset(Preset::Supervised)),
            ("my.cedar", Ruling::File("my.cedar".into())),
            ("./rules", Ruling::File("./rules".into())),
        ] {
            assert_eq!(text.parse(), Ok(expected.clone()));
            assert_eq!(expected.to_string().parse(), Ok(expected));
        }
        assert!("yolo".parse::<Ruling>().is_err());
    }

    #[test]
    fn a_file_is_read_as_what_is_allowed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mine.cedar");
        let missing = Ruling::File(path.clone()).rules().unwrap_err().to_string();
        assert!(missing.contains("mine.cedar`: there is no such file"), "{missing}");
        std::fs::write(&path, "@id(\"a\") @reason(\"x\")\npermit (principal, action, resource);")
            .unwrap();
        let rules = Ruling::File(path).rules().unwrap();
        assert_eq!((rules.name(), rules.rules().len()), ("mine", 1));
    }
}
