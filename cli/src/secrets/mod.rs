//! The person's secrets: a file that says what they are called and where they may be typed, and the values
//! in the keyring of the system or, on request, in that file. A run gets those that its task names, and
//! no others, so nothing on a screen can ask for one more.

use std::collections::BTreeSet;
use std::io::{ErrorKind, Write as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use freehand_tools::secret::{Allowed, Secret, Secrets, is_name, names};
use serde::{Deserialize, Serialize};

use crate::exit::usage;
use crate::places;

mod keyring;

/// A file of secrets is a few pages of text; a larger one is none.
const MAX_BYTES: u64 = 256 * 1024;
const PREFACE: &str =
    "# Freehand's secrets, see `freehand secret --help`. Only your account may read this file.\n\n";

/// What the file says of one secret.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What it is called.
    pub name: String,
    /// The value; without one it is in the keyring.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
    /// Where it may be typed.
    pub allowed: Allowed,
}

#[derive(Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Whole {
    #[serde(default)]
    secret: Vec<Entry>,
}

/// The file of the account's secrets.
pub struct Store {
    path: PathBuf,
}

impl Store {
    /// The one of this account.
    pub fn open() -> Result<Self> {
        Ok(Self { path: places::secrets()? })
    }

    /// All that there are.
    pub fn entries(&self) -> Result<Vec<Entry>> {
        let shown = self.path.display();
        let bad = |reason: &dyn std::fmt::Display| usage(format!("`{shown}`: {reason}"));
        let file = match std::fs::metadata(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            file => file.map_err(|error| bad(&error))?,
        };
        private(&self.path, &file)?;
        if file.len() > MAX_BYTES {
            return Err(bad(&"it is too long for a file of secrets"));
        }
        let text = std::fs::read_to_string(&self.path).map_err(|error| bad(&error))?;
        // An error of the parser would show the line, and a secret in it.
        let whole: Whole = toml::from_str(&text).map_err(|error: toml::de::Error| {
            let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
            usage(format!(
                "`{shown}`, line {}: it is no file of secrets",
                before.matches('\n').count() + 1
            ))
        })?;
        Ok(whole.secret)
    }

    fn write(&self, secret: Vec<Entry>) -> Result<()> {
        if let Some(folder) = self.path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let text = format!("{PREFACE}{}", toml::to_string(&Whole { secret })?);
        let new = self.path.with_extension("new");
        // Whatever stood there may have been made with another mode.
        let _ = std::fs::remove_file(&new);
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(&new)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)
            .with_context(|| format!("cannot write `{}`", self.path.display()))
    }

    /// Keeps a secret, in the place of one of the same name.
    pub async fn set(&self, name: &str, value: &str, allowed: Allowed, in_file: bool) -> Result<()> {
        if !is_name(name) {
            return Err(usage(format!("`{name}` is no name: it has letters, digits, `-`, `_` and `.`")));
        }
        let mut entries = self.entries()?;
        if !in_file {
            keyring::set(name, value).await?;
        }
        entries.retain(|entry| entry.name != name);
        let value = in_file.then(|| value.to_owned());
        entries.push(Entry { name: name.into(), value, allowed });
        self.write(entries)
    }

    /// Removes a secret from wherever it is kept.
    pub async fn remove(&self, name: &str) -> Result<()> {
        let mut entries = self.entries()?;
        let Some(at) = entries.iter().position(|entry| entry.name == name) else {
            return Err(unknown(name, &entries));
        };
        if entries.remove(at).value.is_none() {
            keyring::remove(name).await?;
        }
        self.write(entries)
    }

    async fn secret(&self, name: &str, entries: &[Entry]) -> Result<Secret> {
        let entry =
            entries.iter().find(|entry| entry.name == name).ok_or_else(|| unknown(name, entries))?;
        let value = match &entry.value {
            Some(value) => value.clone(),
            None => keyring::get(name).await?,
        };
        Ok(Secret::new(name, value, entry.allowed.clone()))
    }
}

fn unknown(name: &str, entries: &[Entry]) -> anyhow::Error {
    let known: Vec<String> = entries.iter().map(|entry| format!("`{}`", entry.name)).collect();
    let known =
        if known.is_empty() { "none is kept".into() } else { format!("there are {}", known.join(", ")) };
    usage(format!("no secret is called `{name}`; {known}; keep it with `freehand secret set {name}`"))
}

/// The secrets that these texts name.
pub async fn named_in<'t>(texts: impl IntoIterator<Item = &'t str>) -> Result<Secrets> {
    let wanted: BTreeSet<&str> = texts.into_iter().flat_map(names).collect();
    if wanted.is_empty() {
        return Ok(Secrets::default());
    }
    let store = Store::open()?;
    let entries = store.entries()?;
    let mut secrets = Vec::new();
    for name in wanted {
        secrets.push(store.secret(name, &entries).await?);
    }
    Ok(Secrets::new(secrets))
}

/// Whether only the account itself can read the file.
#[cfg(unix)]
fn private(path: &Path, file: &std::fs::Metadata) -> Result<()> {
    use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
    let mode = file.permissions().mode() & 0o777;
    let shown = path.display();
    if mode & 0o077 != 0 {
        return Err(usage(format!(
            "others may read `{shown}` (its mode is {mode:o}), expected 600; run `chmod 600 {shown}`, and \
             change the secrets if somebody may have read them"
        )));
    }
    if file.uid() != rustix::process::geteuid().as_raw() {
        return Err(usage(format!("`{shown}` belongs to another account")));
    }
    Ok(())
}

#[cfg(not(unix))]
fn private(_: &Path, _: &std::fs::Metadata) -> Result<()> {
    Ok(())
}
