//! How the windows of strip and ring are made, and one beside the screen that looks like the empty desktop.

use x11rb::connection::Connection as _;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::shape::{ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    AtomEnum, ClipOrdering, Colormap, ColormapAlloc, ConfigureWindowAux, ConnectionExt as _,
    CreateWindowAux, PropMode, StackMode, VisualClass, Visualid, Window as XWindow, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::super::link::Link;

/// The background of a window that looks as if it were not there.
const PARENT_RELATIVE: u32 = 1;

/// How the pixels of the windows are kept: with an alpha where that is possible, since compositing managers
/// put no shadow round windows that have one.
#[derive(Debug)]
pub(super) struct Paint {
    pub(super) depth: u8,
    visual: Visualid,
    colours: Colormap,
}

impl Paint {
    /// On this screen of the server.
    pub(super) fn of(link: &Link, screen: usize) -> Result<Self, ReplyOrIdError> {
        let wire = &link.wire;
        let Some(screen) = wire.setup().roots.get(screen) else {
            return Ok(Self { depth: 24, visual: 0, colours: 0 });
        };
        let visuals = screen.allowed_depths.iter().filter(|depth| depth.depth == 32);
        let visual = visuals
            .flat_map(|depth| &depth.visuals)
            .find(|visual| visual.class == VisualClass::TRUE_COLOR && visual.red_mask == 0x00ff_0000);
        let Some(visual) = visual else {
            let (depth, visual) = (screen.root_depth, screen.root_visual);
            return Ok(Self { depth, visual, colours: screen.default_colormap });
        };
        let colours = wire.generate_id()?;
        wire.create_colormap(ColormapAlloc::NONE, colours, link.root, visual.visual_id)?;
        Ok(Self { depth: 32, visual: visual.visual_id, colours })
    }
}

/// One of them; it does not show yet.
pub(super) fn own_window(link: &Link, paint: &Paint) -> Result<XWindow, ReplyOrIdError> {
    let wire = &link.wire;
    let window = wire.generate_id()?;
    let aux = CreateWindowAux::new().override_redirect(1).border_pixel(0).colormap(paint.colours);
    let class = WindowClass::INPUT_OUTPUT;
    let depth = paint.depth;
    wire.create_window(depth, window, link.root, 0, 0, 1, 1, 0, class, paint.visual, &aux)?.check()?;
    let (name, text) = (AtomEnum::WM_NAME, AtomEnum::STRING);
    wire.change_property8(PropMode::REPLACE, window, name, text, b"Freehand")?;
    let class = AtomEnum::WM_CLASS;
    wire.change_property8(PropMode::REPLACE, window, class, text, b"freehand\0freehand\0")?;
    // picom puts shadows round these too, unless it is asked not to.
    let (shadow, number) = (link.atoms._COMPTON_SHADOW, AtomEnum::CARDINAL);
    wire.change_property32(PropMode::REPLACE, window, shadow, number, &[0])?;
    Ok(window)
}

/// A window beside the screen that looks like the empty desktop.
pub(super) fn ground(link: &Link) -> Result<XWindow, ReplyOrIdError> {
    let wire = &link.wire;
    let size = wire.get_geometry(link.root)?.reply()?;
    let (window, class) = (wire.generate_id()?, WindowClass::INPUT_OUTPUT);
    let aux = CreateWindowAux::new().override_redirect(1).background_pixmap(PARENT_RELATIVE);
    let (width, height) = (size.width, size.height);
    let below = i16::try_from(height).unwrap_or(i16::MAX);
    wire.create_window(0, window, link.root, 0, below, width, height, 0, class, 0, &aux)?.check()?;
    let aux = ConfigureWindowAux::new().stack_mode(StackMode::BELOW);
    wire.configure_window(window, &aux)?;
    wire.shape_rectangles(SO::SET, SK::INPUT, ClipOrdering::UNSORTED, window, 0, 0, &[])?;
    wire.map_window(window)?.check()?;
    Ok(window)
}
