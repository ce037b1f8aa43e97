//! The programs that a desktop offers in its menu, read from the desktop entries of the system and of
//! the user (freedesktop.org Desktop Entry Specification 1.5).

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

/// A program that can be started.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct App {
    /// Its name: `Mousepad`.
    pub name: String,
    /// What kind of program it is: `Text Editor`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// What it is for: `Edit text files`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub purpose: Option<String>,
    /// The command that starts it, without place-holders for files.
    pub command: String,
}

impl App {
    /// Its name and kind: `Mousepad (Text Editor)`.
    pub fn title(&self) -> String {
        match &self.kind {
            Some(kind) if !self.name.contains(kind.as_str()) => format!("{} ({kind})", self.name),
            _ => self.name.clone(),
        }
    }

    /// The program in its command, without its folder: `mousepad`.
    pub fn program(&self) -> &str {
        let word = self.command.split_whitespace().next().unwrap_or_default();
        word.rsplit('/').next().unwrap_or(word)
    }
}

/// A desktop entry is a page of text; a larger file is none.
const MAX_ENTRY: u64 = 256 * 1024;

/// The programs in `folders`, each once, by name. Earlier folders win over later ones.
pub fn installed(folders: &[PathBuf]) -> Vec<App> {
    let mut apps: Vec<App> = Vec::new();
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(folder) else { continue };
        for path in entries.flatten().map(|entry| entry.path()) {
            if let Some(app) = entry(&path)
                && apps.iter().all(|known| known.command != app.command)
            {
                apps.push(app);
            }
        }
    }
    apps.sort();
    apps
}

/// Where desktop entries are, from the values of `XDG_DATA_HOME` and `XDG_DATA_DIRS`.
pub fn folders(data_home: Option<PathBuf>, data_dirs: Option<&str>) -> Vec<PathBuf> {
    let system = data_dirs.filter(|dirs| !dirs.is_empty()).unwrap_or("/usr/local/share:/usr/share");
    let all = data_home.into_iter().chain(system.split(':').map(PathBuf::from));
    all.map(|folder| folder.join("applications")).collect()
}

fn entry(path: &Path) -> Option<App> {
    let fits = path.extension().is_some_and(|ending| ending == "desktop");
    let small = std::fs::metadata(path).is_ok_and(|file| file.len() <= MAX_ENTRY);
    if !fits || !small {
        return None;
    }
    parse(&std::fs::read_to_string(path).ok()?)
}

fn parse(text: &str) -> Option<App> {
    let mut in_entry = false;
    let (mut name, mut kind, mut purpose, mut exec) = (None, None, None, None);
    for line in text.lines() {
        let line = line.trim();
        if line.starts_with('[') {
            in_entry = line == "[Desktop Entry]";
        }
        let Some((key, value)) = line.split_once('=').filter(|_| in_entry) else { continue };
        let value = value.trim();
        match key.trim() {
            "Name" => name = Some(value.to_owned()),
            "GenericName" => kind = Some(value.to_owned()),
            "Comment" => purpose = Some(value.to_owned()),
            "Exec" => exec = Some(value.to_owned()),
            "Type" if value != "Application" => return None,
            "NoDisplay" | "Hidden" | "Terminal" if value == "true" => return None,
            _ => {}
        }
    }
    let words: Vec<String> =
        shlex::split(&exec?)?.into_iter().filter(|word| !word.starts_with('%')).collect();
    let command = shlex::try_join(words.iter().map(String::as_str)).ok().filter(|c| !c.is_empty())?;
    Some(App { name: name?, kind, purpose, command })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_what_a_menu_would_show() {
        let text = "[Desktop Entry]\nType=Application\nName=Pad\nGenericName=Text Editor\nComment=Edit texts\nExec=pad %F\n[X]\nName=no";
        let app = App {
            name: "Pad".into(),
            kind: Some("Text Editor".into()),
            purpose: Some("Edit texts".into()),
            command: "pad".into(),
        };
        assert_eq!(parse(text), Some(app));
        for hidden in ["NoDisplay=true", "Hidden=true", "Type=Link"] {
            assert_eq!(parse(&format!("{text}\n[Desktop Entry]\n{hidden}")), None);
        }
        assert_eq!(parse("Name=x\nExec=y"), None);
    }
}
