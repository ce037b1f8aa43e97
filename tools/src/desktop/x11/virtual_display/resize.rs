//! Gives a display that runs another size. The server takes none that is larger than the one that it was
//! started with, so one that is kept starts large and is made smaller.

use x11rb::CURRENT_TIME;
use x11rb::protocol::randr::{
    ConnectionExt as _, GetScreenResourcesReply, ModeFlag, ModeInfo, Rotation, SetConfig,
};

use crate::desktop::DesktopError;
use crate::desktop::x11::link::{During as _, Link};
use crate::geometry::{Screen, Size};

const WHAT: &str = "resizing a virtual display";
/// What a kept display may grow to, in px; more costs memory from the start.
const ROOM: Size<Screen> = Size::new(3840, 2160);
/// Dots of an inch and tenths of its mm: 96 dots to the inch.
const DOTS: u32 = 96;
const TENTHS: u32 = 254;

/// What a display must be started with to have this size now and others later.
pub(super) fn room(size: Size<Screen>) -> Size<Screen> {
    Size::new(size.width.max(ROOM.width), size.height.max(ROOM.height))
}

/// Gives it this size.
pub(super) fn resize(link: &Link, size: Size<Screen>) -> Result<(), DesktopError> {
    let wire = &link.wire;
    let range = wire.randr_get_screen_size_range(link.root).during(WHAT)?.reply().during(WHAT)?;
    let (least, most) = ((range.min_width, range.min_height), (range.max_width, range.max_height));
    let fits = |side: u32, least: u16, most: u16| {
        u16::try_from(side).ok().filter(|side| (least..=most).contains(side))
    };
    let sides = fits(size.width, least.0, most.0).zip(fits(size.height, least.1, most.1));
    let Some((width, height)) = sides else {
        let reason = format!(
            "{size} is more than {}x{}; end it first with `freehand desktop stop`",
            most.0, most.1
        );
        return Err(DesktopError::failed(WHAT, reason));
    };
    let resources = wire.randr_get_screen_resources(link.root).during(WHAT)?.reply().during(WHAT)?;
    let (Some(crtc), Some(output)) = (resources.crtcs.first(), resources.outputs.first()) else {
        return Err(DesktopError::failed(WHAT, "it has no output"));
    };
    let mode = mode(link, &resources, *output, (width, height))?;
    let set = |mode: u32, outputs: &[u32]| {
        let stamp = resources.config_timestamp;
        let asked = wire.randr_set_crtc_config(
            *crtc,
            CURRENT_TIME,
            stamp,
            0,
            0,
            mode,
            Rotation::ROTATE0,
            outputs,
        );
        match asked.during(WHAT)?.reply().during(WHAT)?.status {
            SetConfig::SUCCESS => Ok(()),
            other => Err(DesktopError::failed(WHAT, format!("the server says {other:?}"))),
        }
    };
    // What it shows must fit into the screen at any moment.
    set(0, &[])?;
    let millimetres = |side: u16| u32::from(side) * TENTHS / DOTS / 10;
    wire.randr_set_screen_size(link.root, width, height, millimetres(width), millimetres(height))
        .during(WHAT)?
        .check()
        .during(WHAT)?;
    set(mode, &[*output])
}

/// The mode of this size, which is made where there is none.
fn mode(
    link: &Link,
    resources: &GetScreenResourcesReply,
    output: u32,
    (width, height): (u16, u16),
) -> Result<u32, DesktopError> {
    if let Some(mode) = resources.modes.iter().find(|mode| (mode.width, mode.height) == (width, height))
    {
        return Ok(mode.id);
    }
    let name = format!("{width}x{height}");
    let info = ModeInfo {
        id: 0,
        width,
        height,
        // As if it were drawn 60 times a second; nothing draws it.
        dot_clock: u32::from(width) * u32::from(height) * 60,
        hsync_start: width,
        hsync_end: width,
        htotal: width,
        hskew: 0,
        vsync_start: height,
        vsync_end: height,
        vtotal: height,
        name_len: u16::try_from(name.len()).unwrap_or(0),
        mode_flags: ModeFlag::from(0_u32),
    };
    let asked = link.wire.randr_create_mode(link.root, info, name.as_bytes()).during(WHAT)?;
    let mode = asked.reply().during(WHAT)?.mode;
    link.wire.randr_add_output_mode(output, mode).during(WHAT)?.check().during(WHAT)?;
    Ok(mode)
}
