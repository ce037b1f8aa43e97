//! Bringing a window to the front and giving it the keyboard, by the window manager where there is
//! one and by hand where there is none.

use std::time::Duration;

use tokio::time::Instant;
use x11rb::CURRENT_TIME;
use x11rb::protocol::xproto::{
    ClientMessageEvent, ConfigureWindowAux, ConnectionExt as _, EventMask, InputFocus, StackMode,
};

use super::link::{During, Link};
use super::windows;
use crate::desktop::DesktopError;
use crate::element::WindowId;

/// As long as it may take.
const PATIENCE: Duration = Duration::from_millis(500);
/// The sender is a person's tool and not the program itself, so that it is not taken for a program
/// that steals the keyboard.
const FROM_A_TOOL: u32 = 2;

/// Brings the window to the front; returns once it has the keyboard.
pub(super) async fn bring_forward(link: &Link, id: WindowId) -> Result<(), DesktopError> {
    let what = "bringing the window to the front";
    let gone = || DesktopError::failed(what, "it is not there any more; look at the screen again");
    let window = u32::try_from(id.0).map_err(|_| gone())?;
    let there = link.wire.get_window_attributes(window).during(what)?;
    windows::there(there.reply())?.ok_or_else(gone)?;
    if managed(link)? {
        let message = ClientMessageEvent::new(
            32,
            window,
            link.atoms._NET_ACTIVE_WINDOW,
            [FROM_A_TOOL, CURRENT_TIME, 0, 0, 0],
        );
        let mask = EventMask::SUBSTRUCTURE_REDIRECT | EventMask::SUBSTRUCTURE_NOTIFY;
        link.wire.send_event(false, link.root, mask, message).during(what)?;
    } else {
        let above = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
        link.wire.configure_window(window, &above).during(what)?;
        link.wire.set_input_focus(InputFocus::PARENT, window, CURRENT_TIME).during(what)?;
    }
    let end = Instant::now() + PATIENCE;
    loop {
        if windows::list(link)?.iter().any(|window| window.id == id && window.focused) {
            return Ok(());
        }
        if Instant::now() >= end {
            return Err(DesktopError::failed(what, "it did not take the keyboard within 500 ms"));
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

fn managed(link: &Link) -> Result<bool, DesktopError> {
    use x11rb::protocol::xproto::AtomEnum;
    let what = "looking for the window manager";
    let check = link
        .wire
        .get_property(false, link.root, link.atoms._NET_SUPPORTING_WM_CHECK, AtomEnum::WINDOW, 0, 1)
        .during(what)?
        .reply()
        .during(what)?;
    Ok(check.value32().and_then(|mut ids| ids.next()).is_some_and(|id| id != 0))
}
