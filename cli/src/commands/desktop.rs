//! `freehand desktop`: the virtual desktops that are kept between runs.

use std::path::Path;

use anyhow::Result;
use serde::Serialize;

use crate::args::DesktopCommand;
use crate::confirm::confirm;
use crate::display::desktop_name;
use crate::exit::{Code, usage};
use crate::places;
use crate::terminal::{self, Tone};

/// A kept desktop as JSON.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    folder: &'a Path,
    standing: &'static str,
}

/// Runs the command.
pub fn run(command: DesktopCommand) -> Result<Code> {
    let desktops = places::desktops()?;
    match command {
        DesktopCommand::List { json } => list(&desktops, json),
        DesktopCommand::Stop { name } => {
            let ran = platform::end(&known(&desktops, &name)?)?;
            let words = if ran { "ended" } else { "it did not run" };
            terminal::say(Tone::Good, words);
        }
        DesktopCommand::Delete { name, yes } => {
            let folder = known(&desktops, &name)?;
            if !yes {
                confirm(&format!("delete the desktop `{name}` with all that is in its home"))?;
            }
            platform::end(&folder)?;
            std::fs::remove_dir_all(&folder)
                .map_err(|error| usage(format!("cannot delete `{}`: {error}", folder.display())))?;
            terminal::say(Tone::Good, "deleted");
        }
    }
    Ok(Code::Done)
}

fn known(desktops: &Path, name: &str) -> Result<std::path::PathBuf> {
    let folder = desktops.join(name);
    if folder.is_dir() {
        return Ok(folder);
    }
    Err(usage(format!("there is no desktop `{name}`; see them with `freehand desktop list`")))
}

fn list(desktops: &Path, json: bool) {
    let entries = std::fs::read_dir(desktops).into_iter().flatten().flatten();
    let names = entries.filter_map(|entry| entry.file_name().into_string().ok());
    let mut names: Vec<String> = names.filter(|name| desktop_name(name).is_ok()).collect();
    names.sort_unstable();
    if names.is_empty() && !json {
        terminal::say(Tone::Faint, "no desktop is kept; begin one with `--display virtual:NAME`");
    }
    for name in &names {
        let folder = desktops.join(name);
        let (tone, standing) = platform::standing(&folder);
        if json {
            terminal::answer_json(&Shown { name, folder: &folder, standing });
        } else {
            terminal::answer_in(
                tone,
                &format!("{standing:<7}"),
                &format!(" {name}  {}", folder.display()),
            );
        }
    }
}

#[cfg(target_os = "linux")]
mod platform {
    use std::path::Path;

    use anyhow::Result;
    use freehand_tools::desktop::x11::virtual_display::{self, Standing};

    use super::Tone;

    pub(super) fn end(folder: &Path) -> Result<bool> {
        Ok(virtual_display::end(folder)?)
    }

    pub(super) fn standing(folder: &Path) -> (Tone, &'static str) {
        match virtual_display::standing(folder) {
            Standing::Off => (Tone::Faint, "off"),
            Standing::On => (Tone::Good, "on"),
            Standing::InUse => (Tone::Strong, "in use"),
        }
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use std::path::Path;

    use anyhow::Result;

    use super::Tone;

    pub(super) fn end(_: &Path) -> Result<bool> {
        Ok(false)
    }

    pub(super) fn standing(_: &Path) -> (Tone, &'static str) {
        (Tone::Faint, "off")
    }
}
