//! Caps Lock and the chosen layout, put aside while keys are pressed for their characters and put
//! back afterwards, also when the typing is broken off.

use x11rb::protocol::xkb::{self, ConnectionExt as _, Group, ID};
use x11rb::protocol::xproto::ModMask;

use super::link::{During, Link};
use crate::desktop::DesktopError;

/// The locks are aside as long as this lives.
#[derive(Debug)]
pub(super) struct Aside<'a> {
    link: &'a Link,
    locked: ModMask,
    group: Group,
}

/// Puts the locks aside; `None` when there is nothing to put aside.
pub(super) fn put_aside(link: &Link) -> Result<Option<Aside<'_>>, DesktopError> {
    let what = "putting Caps Lock aside";
    if !link.has(xkb::X11_EXTENSION_NAME)? {
        return Ok(None);
    }
    let device = u16::from(ID::USE_CORE_KBD);
    let state = link.wire.xkb_get_state(device).during(what)?.reply().during(what)?;
    let locked = state.locked_mods & ModMask::LOCK;
    if u16::from(locked) == 0 && state.locked_group == Group::M1 {
        return Ok(None);
    }
    let aside = Aside { link, locked, group: state.locked_group };
    set(link, ModMask::from(0_u16), Group::M1)?;
    Ok(Some(aside))
}

impl Drop for Aside<'_> {
    fn drop(&mut self) {
        let back = set(self.link, self.locked, self.group);
        if let Err(fault) = back {
            tracing::warn!(%fault, "Caps Lock and the layout are not as they were");
        }
    }
}

fn set(link: &Link, locked: ModMask, group: Group) -> Result<(), DesktopError> {
    let what = "setting Caps Lock";
    let (device, none) = (u16::from(ID::USE_CORE_KBD), ModMask::from(0_u16));
    link.wire
        .xkb_latch_lock_state(device, ModMask::LOCK, locked, true, group, none, false, 0)
        .during(what)?;
    // Keys may come through another connection, and the server takes connections in any order.
    link.sync()
}
