//! Which display is meant, and whether input to it would really arrive. Under Wayland it would
//! silently not, so that is refused before anything is opened.

use std::env;

use crate::desktop::DesktopError;

/// What the environment says of the session.
#[derive(Debug, Default, Clone)]
pub(super) struct Session {
    display: Option<String>,
    wayland: bool,
}

impl Session {
    /// As this process was started.
    pub(super) fn of_process() -> Self {
        let filled = |name| env::var(name).ok().filter(|value| !value.is_empty());
        let wayland_type = filled("XDG_SESSION_TYPE").is_some_and(|kind| kind == "wayland");
        Self { display: filled("DISPLAY"), wayland: wayland_type || filled("WAYLAND_DISPLAY").is_some() }
    }

    /// The name of the display to use: the one asked for, or the session's own.
    pub(super) fn choose(&self, asked: Option<&str>) -> Result<String, DesktopError> {
        let own = self.display.as_deref();
        let name = match (asked.or(own), self.wayland) {
            (None, false) => {
                return Err(DesktopError::NoDisplay {
                    reason: "`DISPLAY` is not set".into(),
                    hint: "name one with --display, or let Freehand start its own with \
                           `--display virtual`"
                        .into(),
                });
            }
            (None, true) => return Err(wayland("this session is Wayland and has no X server")),
            (Some(name), _) => name,
        };
        // The X server of a Wayland session shows X programs only and moves no pointer.
        if self.wayland && own.is_some_and(|own| same_display(name, own)) {
            return Err(wayland("`DISPLAY` leads to the X server inside a Wayland session"));
        }
        Ok(name.into())
    }

    /// Whether libraries that read `DISPLAY` themselves would use that display.
    pub(super) fn shows(&self, name: &str) -> bool {
        !self.wayland && self.display.as_deref().is_some_and(|own| same_display(name, own))
    }
}

fn wayland(reason: &str) -> DesktopError {
    DesktopError::Unsupported {
        what: "working on this desktop".into(),
        reason: format!(
            "{reason}, and Wayland is not supported yet; use `--display virtual`, or log in to an X11 \
             session"
        ),
    }
}

/// Whether two names lead to the same display; the number of the screen does not matter.
fn same_display(a: &str, b: &str) -> bool {
    fn key(name: &str) -> Option<(String, u16)> {
        let parsed = x11rb_protocol::parse_display::parse_display(Some(name)).ok()?;
        Some((parsed.host, parsed.display))
    }
    key(a).is_some_and(|a| Some(a) == key(b))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_display_is_chosen_or_the_reason_is_plain() {
        for (display, wayland, asked, want) in [
            (Some(":0"), false, None, Ok(":0")),
            (Some(":0"), false, Some(":7"), Ok(":7")),
            (None, false, Some(":7"), Ok(":7")),
            (None, true, Some(":7"), Ok(":7")),
            (Some(":0"), true, Some(":7"), Ok(":7")),
            (None, false, None, Err("no display")),
            (None, true, None, Err("Wayland is not supported yet")),
            (Some(":0"), true, None, Err("--display virtual")),
            (Some(":0"), true, Some(":0.0"), Err("Wayland")),
        ] {
            let session = Session { display: display.map(Into::into), wayland };
            match (session.choose(asked), want) {
                (Ok(name), Ok(want)) => assert_eq!(name, want),
                (Err(fault), Err(want)) => assert!(fault.to_string().contains(want), "{fault}"),
                (got, want) => panic!("{got:?} instead of {want:?}"),
            }
        }
    }
}
