//! Whether the window manager is ready, found out with a window of one pixel. A manager announces
//! itself before it listens, and loses the windows that are mapped in between for ever.

use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::xproto::{
    AtomEnum, ConnectionExt as _, CreateWindowAux, Window as XWindow, WindowClass,
};

use super::WHAT;
use crate::desktop::DesktopError;
use crate::desktop::x11::link::{During, Link};

/// As long as one trial waits; the next one maps another window.
const PATIENCE: Duration = Duration::from_millis(100);

/// Whether a window that is mapped now is taken into care.
pub(super) fn is_managed(link: &Link) -> Result<bool, DesktopError> {
    if !is_announced(link)? {
        return Ok(false);
    }
    let window = link.wire.generate_id().map_err(|fault| DesktopError::failed(WHAT, fault))?;
    let (class, aux) = (WindowClass::INPUT_OUTPUT, CreateWindowAux::new());
    link.wire.create_window(0, window, link.root, 0, 0, 1, 1, 0, class, 0, &aux).during(WHAT)?;
    link.wire.map_window(window).during(WHAT)?;
    let end = Instant::now() + PATIENCE;
    let mut managed = false;
    while !managed && Instant::now() < end {
        managed = has(link, window, link.atoms.WM_STATE)?;
        std::thread::park_timeout(Duration::from_millis(2));
    }
    link.wire.destroy_window(window).during(WHAT)?;
    link.sync()?;
    Ok(managed)
}

fn is_announced(link: &Link) -> Result<bool, DesktopError> {
    has(link, link.root, link.atoms._NET_SUPPORTING_WM_CHECK)
}

fn has(link: &Link, window: XWindow, property: u32) -> Result<bool, DesktopError> {
    let asked = link.wire.get_property(false, window, property, AtomEnum::ANY, 0, 1).during(WHAT)?;
    let reply = asked.reply().during(WHAT)?;
    Ok(reply.format == 32 && reply.value_len > 0)
}
