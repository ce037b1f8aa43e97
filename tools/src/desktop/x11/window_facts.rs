//! What a window says of itself: title, program, process, the shadow round it. All windows are asked
//! at once, so it costs one trip to the server however many there are.

use x11rb::protocol::xproto::{Atom, AtomEnum, ConnectionExt as _, GetPropertyReply, Window as XWindow};

use super::link::{During, Link};
use super::windows::there;
use crate::desktop::DesktopError;
use crate::element::WindowId;
use crate::geometry::{Rect, ScreenRect};

const WHAT: &str = "reading what the windows say of themselves";
/// At most so many bytes of a title are read, in units of four.
const LENGTH: u32 = 256;

/// What one window says of itself.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Facts {
    pub(super) title: String,
    pub(super) app: String,
    pub(super) pid: Option<u32>,
    desktop: Option<u32>,
    hidden: bool,
    /// Left, right, top and bottom of the shadow that the program itself draws, in px.
    shadow: [u32; 4],
}

impl Facts {
    /// Whether it is minimised or on another desktop than `desktop`, though it is mapped.
    pub(super) fn is_hidden(&self, desktop: Option<u32>) -> bool {
        let elsewhere =
            self.desktop.is_some_and(|own| own != u32::MAX && desktop.is_some_and(|d| d != own));
        self.hidden || elsewhere
    }

    /// `bounds` without the shadow.
    pub(super) fn visible_part(&self, bounds: ScreenRect) -> Option<ScreenRect> {
        let [left, right, top, bottom] = self.shadow;
        let part = Rect::new(
            bounds.x.saturating_add_unsigned(left),
            bounds.y.saturating_add_unsigned(top),
            bounds.width.checked_sub(left.checked_add(right)?)?,
            bounds.height.checked_sub(top.checked_add(bottom)?)?,
        );
        (!part.is_empty()).then_some(part)
    }
}

/// The facts of each pair of a top-level window and the program's window in it.
pub(super) fn read(link: &Link, windows: &[(XWindow, XWindow)]) -> Result<Vec<Facts>, DesktopError> {
    let atoms = &link.atoms;
    let wanted: [(Atom, u32); 8] = [
        (atoms._NET_WM_NAME, LENGTH),
        (AtomEnum::WM_NAME.into(), LENGTH),
        (AtomEnum::WM_CLASS.into(), LENGTH),
        (atoms._NET_WM_PID, 1),
        (atoms._NET_WM_DESKTOP, 1),
        (atoms._NET_WM_STATE, 64),
        (atoms._GTK_FRAME_EXTENTS, 4),
        (AtomEnum::WM_TRANSIENT_FOR.into(), 1),
    ];
    let asked: Result<Vec<_>, DesktopError> = windows
        .iter()
        .flat_map(|(_, client)| {
            wanted.iter().map(move |(property, length)| (*client, *property, *length))
        })
        .map(|(client, property, length)| {
            link.wire.get_property(false, client, property, AtomEnum::ANY, 0, length).during(WHAT)
        })
        .collect();
    let mut replies = Vec::new();
    for cookie in asked? {
        replies.push(there(cookie.reply())?);
    }
    Ok(replies.chunks(wanted.len()).map(|replies| Facts::of(link, replies)).collect())
}

/// Whether `window` says of itself that it is a splash.
pub(super) fn is_splash(link: &Link, window: WindowId) -> Result<bool, DesktopError> {
    let Ok(window) = XWindow::try_from(window.0) else { return Ok(false) };
    let kinds = link.atoms._NET_WM_WINDOW_TYPE;
    let asked = link.wire.get_property(false, window, kinds, AtomEnum::ATOM, 0, 16).during(WHAT)?;
    let splash = link.atoms._NET_WM_WINDOW_TYPE_SPLASH;
    let kinds = there(asked.reply())?;
    Ok(kinds
        .as_ref()
        .and_then(|kinds| kinds.value32())
        .is_some_and(|mut all| all.any(|one| one == splash)))
}

impl Facts {
    fn of(link: &Link, replies: &[Option<GetPropertyReply>]) -> Self {
        let reply =
            |at: usize| replies.get(at).and_then(Option::as_ref).filter(|reply| reply.format != 0);
        let number =
            |at| reply(at).and_then(|reply| reply.value32()).and_then(|mut values| values.next());
        let title = reply(0).or_else(|| reply(1)).map(|reply| text(link, reply)).unwrap_or_default();
        let pid = number(3).filter(|pid| *pid != 0);
        let app = reply(2)
            .map(|reply| program_of(&reply.value))
            .filter(|app| !app.is_empty())
            .or_else(|| executable(pid?))
            .unwrap_or_default();
        let hidden = reply(5)
            .and_then(|reply| reply.value32())
            .is_some_and(|mut states| states.any(|state| state == link.atoms._NET_WM_STATE_HIDDEN));
        let mut shadow = [0; 4];
        if let Some(extents) = reply(6).and_then(|reply| reply.value32()) {
            shadow.iter_mut().zip(extents).for_each(|(to, from)| *to = from);
        }
        Self { title, app, pid, desktop: number(4), hidden, shadow }
    }
}

/// Older windows write Latin-1, in which every byte is the character of that number.
fn text(link: &Link, reply: &GetPropertyReply) -> String {
    let text = if reply.type_ == link.atoms.UTF8_STRING {
        String::from_utf8_lossy(&reply.value).into_owned()
    } else {
        String::from_utf8(reply.value.clone())
            .unwrap_or_else(|fault| fault.into_bytes().into_iter().map(char::from).collect())
    };
    text.trim_end_matches('\0').to_owned()
}

/// `WM_CLASS` holds an instance and a class, each ended by a zero; the class names the program.
fn program_of(class: &[u8]) -> String {
    let mut parts = class.split(|byte| *byte == 0).map(String::from_utf8_lossy);
    let instance = parts.next().unwrap_or_default();
    let class = parts.next().filter(|class| !class.is_empty()).unwrap_or(instance);
    class.into_owned()
}

fn executable(pid: u32) -> Option<String> {
    let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).ok()?;
    Some(name.trim().to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_class_names_the_program() {
        for (class, want) in [
            (&b"xterm\0XTerm\0"[..], "XTerm"),
            (b"mousepad\0Mousepad\0", "Mousepad"),
            (b"only\0", "only"),
            (b"bare", "bare"),
            (b"", ""),
        ] {
            assert_eq!(program_of(class), want);
        }
    }

    #[test]
    fn shadows_are_not_part_of_the_window() {
        let facts = Facts { shadow: [26, 26, 23, 29], ..Facts::default() };
        assert_eq!(facts.visible_part(Rect::new(0, 0, 152, 152)), Some(Rect::new(26, 23, 100, 100)));
        assert_eq!(facts.visible_part(Rect::new(0, 0, 40, 40)), None);
        let greedy = Facts { shadow: [u32::MAX; 4], ..Facts::default() };
        assert_eq!(greedy.visible_part(Rect::new(0, 0, 40, 40)), None);
    }

    #[test]
    fn other_desktops_are_hidden() {
        let on = |desktop| Facts { desktop, ..Facts::default() };
        for (facts, want) in
            [(on(Some(0)), false), (on(Some(1)), true), (on(Some(u32::MAX)), false), (on(None), false)]
        {
            assert_eq!(facts.is_hidden(Some(0)), want);
        }
    }
}
