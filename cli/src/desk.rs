//! The person at the desk of a display that is not Freehand's own: a run gives way to whoever uses the
//! mouse or the keyboard, and ends at the stop sign.

use anyhow::Result;
use freehand_agent::outside::Presence;
use freehand_tools::desktop::StopSign;
use freehand_tools::key::{KeyError, KeySequence};

use crate::config::Config;
use crate::display::{self, Display};
use crate::exit::usage;
use crate::latch::Latch;
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};

/// Keys that nobody presses by chance and few window managers have a use for.
const USUAL: &str = "ctrl+alt+escape";

/// The stop sign that the configuration names.
pub fn stop_sign(config: &Config) -> Result<StopSign> {
    let text = config.stop_keys.as_deref().unwrap_or(USUAL);
    let bad = |reason: &str| usage(format!("`stop-keys` of the configuration: {reason}"));
    let keys: KeySequence = text.parse().map_err(|error: KeyError| bad(&error.to_string()))?;
    let [chord] = keys.chords() else {
        return Err(bad(&format!("`{text}` is not one chord such as `{USUAL}`")));
    };
    Ok(StopSign { chord: chord.clone(), corner: config.stop_corner.unwrap_or(true) })
}

/// What is known of the person while this lives.
pub struct Desk {
    /// Whom a run waits for.
    pub person: Presence,
    _watch: Option<Box<dyn Send>>,
}

impl Desk {
    /// Nobody sits there.
    pub fn deserted() -> Self {
        Self { person: Presence::default(), _watch: None }
    }

    /// Watches `display`. Where that is not possible the run goes on without, and says so.
    pub fn watch(display: &Display, sign: &StopSign, interrupt: &Interrupt) -> Self {
        let watched = match display::watch(display, sign) {
            Ok(watched) => watched,
            Err(error) => {
                let hint = format!("{error}; stop with Ctrl-C or `freehand stop`");
                terminal::say(Tone::Faint, &hint);
                return Self::deserted();
            }
        };
        let corner = if sign.corner { ", the pointer pushed into the top left corner" } else { "" };
        terminal::say(Tone::Faint, &format!("to stop: {}{corner}, or Ctrl-C", sign.chord));
        let (mut stops, interrupt) = (watched.stops, interrupt.clone());
        tokio::spawn(async move {
            if stops.wait_for(|stopped| *stopped).await.is_ok() {
                interrupt.ask("stopping, as the person at the desk wants; Ctrl-C stops at once");
                let engaged =
                    Latch::of_account().and_then(|latch| Ok(latch.engage("the person at the desk")?));
                let words = match engaged {
                    Ok(()) => "nothing acts until `freehand stop --release`".into(),
                    Err(error) => format!("this run ends, and others may begin: {error:#}"),
                };
                terminal::say(Tone::Plain, &words);
            }
        });
        Self { person: Presence::told_by(watched.seen), _watch: Some(watched.watch) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stop_sign_is_one_chord() {
        let with = |keys: &str| {
            let stop_keys = Some(keys.to_owned());
            stop_sign(&Config { stop_keys, stop_corner: Some(false), ..Config::default() })
        };
        assert_eq!(stop_sign(&Config::default()).unwrap().chord.to_string(), USUAL);
        assert!(!with("super+F12").unwrap().corner);
        for keys in ["", "ctrl+nokey", "a b"] {
            assert!(with(keys).unwrap_err().to_string().contains("stop-keys"), "{keys}");
        }
    }
}
