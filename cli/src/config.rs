//! The configuration file: what a user would otherwise repeat on the command line, which wins over it.
//! A field that is not known is an error, since it may be a rule that the user relies on, misspelt.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::Result;
use serde::Deserialize;

use crate::exit::usage;

/// A configuration is a page of text; a larger file is none.
const MAX_BYTES: u64 = 256 * 1024;

/// What may stand in the file. All of it is checked like the option of the same name.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
pub struct Config {
    /// A model's name, its file or a server's address.
    pub model: Option<String>,
    /// The display.
    pub display: Option<String>,
    /// The policy's name, or its file.
    pub policy: Option<String>,
    /// Steps of a run.
    pub max_steps: Option<u32>,
    /// Time of a run.
    pub timeout: Option<String>,
    /// Tokens for which a model that thinks aloud may do so before each action.
    pub thinking: Option<u32>,
    /// Whether a model behind a server is shown the screen as a picture: auto, on or off.
    pub images: Option<String>,
    /// Keys that stop a run when the person presses them together.
    pub stop_keys: Option<String>,
    /// Whether pushing the pointer into the top left corner stops a run.
    pub stop_corner: Option<bool>,
    /// Whether the desktop shows that Freehand is at work: auto, on or off.
    pub presence: Option<String>,
    /// The folder for the records of runs; each run gets one of its own in it.
    pub runs: Option<PathBuf>,
    /// Programs in which it goes on only while somebody looks at the console.
    pub watch_apps: Vec<String>,
    /// Sites, by host name, on which it goes on only while somebody looks at the console.
    pub watch_sites: Vec<String>,
}

impl Config {
    /// The user's file, or nothing where there is none.
    pub fn load() -> Result<Self> {
        Self::read(&crate::places::config()?)
    }

    fn read(path: &Path) -> Result<Self> {
        let bad = |reason: String| usage(format!("cannot read `{}`: {reason}", path.display()));
        match std::fs::metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(bad(error.to_string())),
            Ok(file) if file.len() > MAX_BYTES => {
                return Err(bad("it is too long for a configuration".into()));
            }
            Ok(_) => {}
        }
        let text = std::fs::read_to_string(path).map_err(|error| bad(error.to_string()))?;
        toml::from_str(&text).map_err(|error| {
            let place = error.span().map(|span| position(&text, span.start));
            let place = place
                .map(|(line, column)| format!(", line {line}, column {column}"))
                .unwrap_or_default();
            usage(format!("`{}`{place}: {}", path.display(), error.message().replace('\n', " ")))
        })
    }
}

/// Line and column of a byte, counted from 1.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Config> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("config.toml");
        std::fs::write(&path, text).unwrap();
        Config::read(&path)
    }

    #[test]
    fn reads_what_is_known() {
        let config = read("model = \"m\"\nmax-steps = 7\ntimeout = \"5m\"\n").unwrap();
        assert_eq!((config.model.as_deref(), config.max_steps), (Some("m"), Some(7)));
        assert_eq!(Config::read(Path::new("/nowhere/config.toml")).unwrap(), Config::default());
    }

    #[test]
    fn names_file_line_and_column() {
        for (text, parts) in [
            ("model = \"m\"\npolcy = \"x\"\n", &["line 2, column 1", "polcy"] as &[&str]),
            ("model = 3\n", &["line 1, column 9"]),
            ("model = \"é\"\npolcy = 1\n", &["line 2, column 1"]),
            ("max-steps = -1", &["line 1, column 13"]),
        ] {
            let message = read(text).unwrap_err().to_string();
            for part in parts {
                assert!(message.contains(part) && message.contains("config.toml`"), "{part}: {message}");
            }
        }
    }
}
