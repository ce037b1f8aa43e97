//! Asks before something goes for good.

use std::io::{IsTerminal as _, Write as _};

use anyhow::Result;

use crate::exit::{Stopped, usage};

/// Asks the person; no answer is a no.
pub fn confirm(what: &str) -> Result<()> {
    if !std::io::stdin().is_terminal() {
        return Err(usage(format!("nobody can be asked here; say --yes to {what}")));
    }
    let mut err = std::io::stderr().lock();
    let _ = write!(err, "{what} for good? [y/N] ");
    let _ = err.flush();
    let mut answer = String::new();
    std::io::stdin().read_line(&mut answer)?;
    if matches!(answer.trim().to_lowercase().as_str(), "y" | "yes") {
        return Ok(());
    }
    Err(Stopped("nothing was deleted".into()).into())
}
