//! `freehand secret`: what the person keeps for tasks that log in somewhere. A value is read, never shown.

use std::io::{IsTerminal as _, Read as _};

use anyhow::Result;
use freehand_tools::secret::{Allowed, SHORTEST};
use freehand_tools::visible::visible;
use serde::Serialize;

use crate::args::SecretCommand;
use crate::exit::{Code, usage};
use crate::secrets::{Entry, Store};
use crate::terminal::{self, Tone};

/// Bytes that a secret may have.
const LONGEST: u64 = 4_096;

/// Runs the command.
pub async fn run(command: SecretCommand) -> Result<Code> {
    let store = Store::open()?;
    match command {
        SecretCommand::Set { name, domain, app, field, in_file } => {
            let value = read(&name)?;
            let allowed = Allowed { apps: app, domains: domain, fields: field };
            store.set(&name, &value, allowed, in_file).await?;
            let hint = format!("kept; name it in a task as {{{{secret:{name}}}}}");
            terminal::say(Tone::Good, &hint);
        }
        SecretCommand::List { json } => list(&store, json)?,
        SecretCommand::Rm { name } => {
            store.remove(&name).await?;
            terminal::say(Tone::Good, &format!("removed `{name}`"));
        }
    }
    Ok(Code::Done)
}

/// One secret as it may be shown.
#[derive(Serialize)]
struct Shown<'a> {
    name: &'a str,
    kept: &'static str,
    allowed: &'a Allowed,
}

fn list(store: &Store, json: bool) -> Result<()> {
    let entries = store.entries()?;
    if entries.is_empty() && !json {
        terminal::say(Tone::Faint, "no secret is kept; keep one with `freehand secret set`");
    }
    for Entry { name, value, allowed } in &entries {
        let kept = if value.is_some() { "file" } else { "keyring" };
        if json {
            terminal::answer_json(&Shown { name, kept, allowed });
            continue;
        }
        let Allowed { apps, domains, fields } = allowed;
        let fields = fields.iter().map(|field| format!("\"{field}\""));
        let into = std::iter::once("password fields".to_owned()).chain(fields);
        let into = into.collect::<Vec<_>>().join(", ");
        let places = apps.iter().chain(domains).cloned().collect::<Vec<_>>().join(", ");
        let line = format!("{name}  in the {kept}, for {into} of {places}");
        terminal::answer(&visible(&line, usize::MAX));
    }
    Ok(())
}

/// The secret from the terminal, where nothing of it shows, or from the standard input.
fn read(name: &str) -> Result<String> {
    let input = std::io::stdin();
    let mut text = String::new();
    if input.is_terminal() {
        let quiet = Quiet::begin()?;
        terminal::say(Tone::Plain, &format!("the secret `{name}` (it does not show):"));
        input.read_line(&mut text)?;
        drop(quiet);
    } else {
        let read = input.lock().take(LONGEST + 1).read_to_string(&mut text);
        read.map_err(|_| usage("the secret is no text in UTF-8"))?;
    }
    let value = text.strip_suffix('\n').unwrap_or(&text);
    let value = value.strip_suffix('\r').unwrap_or(value);
    if value.len() as u64 > LONGEST {
        return Err(usage(format!("the secret is longer than {LONGEST} bytes")));
    }
    if value.chars().count() < SHORTEST {
        let why =
            "a shorter one could not be kept out of records, since it stands in many texts by chance";
        return Err(usage(format!("the secret has fewer than {SHORTEST} characters; {why}")));
    }
    if value.chars().any(char::is_control) {
        return Err(usage(
            "the secret has a line break or another control character in it, which no field takes",
        ));
    }
    Ok(value.to_owned())
}

/// A terminal that shows nothing of what is typed, as long as this lives.
struct Quiet {
    #[cfg(unix)]
    before: rustix::termios::Termios,
}

impl Quiet {
    #[cfg(unix)]
    fn begin() -> Result<Self> {
        use rustix::termios::{LocalModes, OptionalActions, tcgetattr, tcsetattr};
        let before = tcgetattr(std::io::stdin())?;
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        tcsetattr(std::io::stdin(), OptionalActions::Flush, &quiet)?;
        Ok(Self { before })
    }

    #[cfg(not(unix))]
    fn begin() -> Result<Self> {
        Err(usage("give the secret on the standard input here, since the terminal would show it"))
    }
}

#[cfg(unix)]
impl Drop for Quiet {
    fn drop(&mut self) {
        use rustix::termios::{OptionalActions, tcsetattr};
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &self.before);
    }
}
