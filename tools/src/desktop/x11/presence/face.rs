//! The windows of strip and ring. Every window of the display is drawn in memory of its own while they
//! show, so that coming and going they need nobody to draw anything anew, and what lies beneath can be read.

use image::{Rgb, RgbImage};
use x11rb::connection::Connection as _;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::composite::{self, ConnectionExt as _, Redirect};
use x11rb::protocol::shape::{self, ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    AtomEnum, ChangeWindowAttributesAux, ClipOrdering, ConfigureWindowAux, ConnectionExt as _,
    CreateGCAux, CreateWindowAux, ImageFormat, PropMode, Rectangle, StackMode, Window as XWindow,
    WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::super::beneath;
use super::super::capture::Camera;
use super::super::link::{During, Link, Place};
use super::super::monitors::Monitors;
use super::draw;
use crate::desktop::DesktopError;
use crate::desktop::presence::Words;
use crate::desktop::veil::{Own, Veil};
use crate::element::WindowId;
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenPoint, ScreenRect};

const WHAT: &str = "showing that the agent is at work";
/// The background of a window that looks as if it were not there.
const PARENT_RELATIVE: u32 = 1;

/// The windows on one display, until it is dropped.
#[derive(Debug)]
pub(super) struct Face {
    link: Link,
    veil: Veil,
    depth: u8,
    strip: XWindow,
    ring: XWindow,
    /// Where the strip is.
    place: ScreenRect,
    scale: u32,
    words: Words,
}

impl Face {
    /// Makes the windows; nothing shows yet.
    pub(super) fn open(place: Place, veil: Veil) -> Result<Self, DesktopError> {
        let link = Link::open(place)?;
        for extension in [composite::X11_EXTENSION_NAME, shape::X11_EXTENSION_NAME] {
            if !link.has(extension)? {
                let reason = format!("the X server lacks the {extension} extension");
                return Err(DesktopError::Unsupported { what: WHAT.into(), reason });
            }
        }
        link.wire.composite_query_version(0, 4).during(WHAT)?.reply().during(WHAT)?;
        let roots = &link.wire.setup().roots;
        let screen = roots.iter().position(|screen| screen.root == link.root).unwrap_or(0);
        let depth = roots.get(screen).map_or(24, |screen| screen.root_depth);
        let overlay = beneath::overlay(&link, screen)?;
        let redirected = link.wire.composite_redirect_subwindows(link.root, Redirect::AUTOMATIC);
        redirected.during(WHAT)?.check().during(WHAT)?;
        let ground = if overlay.is_none() { ground(&link)? } else { None };
        {
            let mut veiled = veil.hold();
            (veiled.ground, veiled.overlay, veiled.blends) = (ground, overlay, overlay.is_some());
        }
        let made = || -> Result<_, ReplyOrIdError> {
            let (strip, ring) = (own_window(&link)?, own_window(&link)?);
            link.sync().ok();
            Ok((strip, ring))
        };
        let (strip, ring) = made().map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let (place, words) = (Rect::new(0, 0, 1, 1), Words::default());
        let mut face = Self { link, veil, depth, strip, ring, place, scale: 1, words };
        face.settle()?;
        Ok(face)
    }

    /// The strip's window.
    pub(super) const fn strip(&self) -> XWindow {
        self.strip
    }

    /// The window that fills the screen.
    pub(super) const fn root(&self) -> XWindow {
        self.link.root
    }

    /// Whether a window is one of these.
    pub(super) fn knows(&self, window: XWindow) -> bool {
        window == self.strip || window == self.ring || self.veil.hold().knows(id(window))
    }

    /// Shows the strip.
    pub(super) fn show(&mut self) -> Result<(), DesktopError> {
        let stop = draw::stop_part(self.place.width, self.scale);
        let takes = Rect::new(self.place.x + stop.x, self.place.y, stop.width, stop.height);
        self.draw()?;
        let own = Own {
            window: id(self.strip),
            bounds: self.place,
            covers: vec![self.place],
            takes: Some(takes),
            before: self.before(self.place)?,
        };
        self.appear(own)
    }

    /// Lets the strip say this.
    pub(super) fn say(&mut self, words: Words) -> Result<(), DesktopError> {
        if self.words == words {
            return Ok(());
        }
        self.words = words;
        self.draw()?;
        self.rise()
    }

    /// Shows the ring around `point`, or takes it away.
    pub(super) fn ring(&mut self, point: Option<ScreenPoint>) -> Result<(), DesktopError> {
        self.vanish(self.ring)?;
        let Some(point) = point else { return Ok(()) };
        let (side, parts) = draw::ring(self.scale);
        let half = i32::try_from(side / 2).unwrap_or(0);
        let bounds: ScreenRect = Rect::new(point.x - half, point.y - half, side, side);
        let shape: Vec<Rectangle> = parts.iter().map(rectangle).collect();
        self.shape(self.ring, SK::BOUNDING, &shape)?;
        self.place(self.ring, &bounds)?;
        let on_screen =
            |part: &ScreenRect| Rect::new(bounds.x + part.x, bounds.y + part.y, part.width, part.height);
        self.appear(Own {
            window: id(self.ring),
            bounds,
            covers: parts.iter().map(on_screen).collect(),
            takes: None,
            before: self.before(bounds)?,
        })
    }

    /// Brings both to the front.
    pub(super) fn rise(&self) -> Result<(), DesktopError> {
        for window in [self.ring, self.strip] {
            let aux = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
            self.link.wire.configure_window(window, &aux).during(WHAT)?;
        }
        self.link.wire.flush().during(WHAT)
    }

    /// The screen may be another one: puts the strip where it belongs.
    pub(super) fn move_house(&mut self) -> Result<(), DesktopError> {
        let before = self.place;
        self.vanish(self.strip)?;
        self.settle()?;
        if before != self.place {
            self.ring(None)?;
        }
        self.show()
    }

    /// Finds the place of the strip: at the top of the primary monitor, in its middle.
    fn settle(&mut self) -> Result<(), DesktopError> {
        let monitor = Monitors::new(false).at(&self.link, None)?.monitor.clone();
        self.scale = if monitor.scale >= 1.5 { 2 } else { 1 };
        let bounds = monitor.bounds;
        let (width, height) = draw::size(bounds.width, self.scale);
        let left = bounds.x.saturating_add_unsigned((bounds.width - width) / 2);
        self.place = Rect::new(left, bounds.y, width, height);
        self.place(self.strip, &self.place)?;
        let stop = draw::stop_part(width, self.scale);
        self.shape(self.strip, SK::INPUT, &[rectangle(&stop)])?;
        self.shape(self.ring, SK::INPUT, &[])?;
        if let Some(ground) = self.veil.hold().ground.and_then(|id| XWindow::try_from(id.0).ok()) {
            let root = self.link.wire.get_geometry(self.link.root).during(WHAT)?.reply().during(WHAT)?;
            self.place(ground, &Rect::new(0, 0, root.width.into(), root.height.into()))?;
        }
        let [red, green, blue] = draw::AMBER;
        let pixel = u32::from_be_bytes([0, red, green, blue]);
        let aux = ChangeWindowAttributesAux::new().background_pixel(pixel);
        self.link.wire.change_window_attributes(self.ring, &aux).during(WHAT)?;
        Ok(())
    }

    /// What is on the screen there, where it could not be found out later.
    fn before(&self, area: ScreenRect) -> Result<Option<Frame>, DesktopError> {
        let veiled = self.veil.hold();
        if veiled.ground.is_some() {
            return Ok(None);
        }
        let mut monitors = Monitors::new(false);
        let known = monitors.at(&self.link, Some(area.center()))?;
        let frame = Camera::new().capture(&self.link, known, Some(area))?;
        Ok(Some(beneath::lift(&self.link, &veiled, frame)))
    }

    /// It is known before it is there.
    fn appear(&self, own: Own) -> Result<(), DesktopError> {
        let mut veiled = self.veil.hold();
        let window = XWindow::try_from(own.window.0).unwrap_or(0);
        veiled.put(own);
        self.link.wire.map_window(window).during(WHAT)?;
        self.rise()?;
        self.link.sync()
    }

    /// It is gone before it is forgotten.
    fn vanish(&self, window: XWindow) -> Result<(), DesktopError> {
        let mut veiled = self.veil.hold();
        self.link.wire.unmap_window(window).during(WHAT)?;
        self.link.sync()?;
        veiled.take(id(window));
        Ok(())
    }

    fn place(&self, window: XWindow, bounds: &ScreenRect) -> Result<(), DesktopError> {
        let aux =
            ConfigureWindowAux::new().x(bounds.x).y(bounds.y).width(bounds.width).height(bounds.height);
        self.link.wire.configure_window(window, &aux).during(WHAT)?;
        Ok(())
    }

    fn shape(&self, window: XWindow, kind: SK, parts: &[Rectangle]) -> Result<(), DesktopError> {
        let order = ClipOrdering::UNSORTED;
        self.link.wire.shape_rectangles(SO::SET, kind, order, window, 0, 0, parts).during(WHAT)?;
        Ok(())
    }

    /// Draws the strip into a picture that the server keeps as its background, so that it never asks for it.
    fn draw(&self) -> Result<(), DesktopError> {
        let image = draw::strip(&self.words, self.place.width, self.scale);
        self.hang(&image).map_err(|fault| DesktopError::failed(WHAT, fault))
    }

    fn hang(&self, image: &RgbImage) -> Result<(), ReplyOrIdError> {
        let wire = &self.link.wire;
        let bytes: Vec<u8> =
            image.pixels().flat_map(|&Rgb([red, green, blue])| [blue, green, red, 0]).collect();
        let length = |px: u32| u16::try_from(px).unwrap_or(u16::MAX);
        let (width, height) = (length(image.width()), length(image.height()));
        let (pixmap, pen) = (wire.generate_id()?, wire.generate_id()?);
        wire.create_pixmap(self.depth, pixmap, self.link.root, width, height)?;
        wire.create_gc(pen, pixmap, &CreateGCAux::new())?;
        // A few rows at once: what one request may hold is limited.
        let row = usize::from(width) * 4;
        for (rows, top) in bytes.chunks(row * 16).zip((0_i16..).step_by(16)) {
            let high = u16::try_from(rows.len() / row).unwrap_or(0);
            let format = ImageFormat::Z_PIXMAP;
            wire.put_image(format, pixmap, pen, width, high, 0, top, 0, self.depth, rows)?;
        }
        let aux = ChangeWindowAttributesAux::new().background_pixmap(pixmap);
        wire.change_window_attributes(self.strip, &aux)?;
        wire.clear_area(false, self.strip, 0, 0, 0, 0)?;
        wire.free_gc(pen)?;
        wire.free_pixmap(pixmap)?;
        wire.flush()?;
        Ok(())
    }
}

impl Drop for Face {
    fn drop(&mut self) {
        let mut veiled = self.veil.hold();
        for window in [self.strip, self.ring] {
            let _ = self.link.wire.destroy_window(window);
        }
        // With a server that has gone there is nothing left to see.
        let _ = self.link.sync();
        veiled.own.clear();
        veiled.ground = None;
    }
}

fn own_window(link: &Link) -> Result<XWindow, ReplyOrIdError> {
    let wire = &link.wire;
    let window = wire.generate_id()?;
    let aux = CreateWindowAux::new().override_redirect(1).border_pixel(0);
    let class = WindowClass::INPUT_OUTPUT;
    wire.create_window(0, window, link.root, 0, 0, 1, 1, 0, class, 0, &aux)?.check()?;
    let (name, text) = (AtomEnum::WM_NAME, AtomEnum::STRING);
    wire.change_property8(PropMode::REPLACE, window, name, text, b"Freehand")?;
    let class = AtomEnum::WM_CLASS;
    wire.change_property8(PropMode::REPLACE, window, class, text, b"freehand\0freehand\0")?;
    Ok(window)
}

/// A window that nobody sees and that looks like the empty desktop. None where somebody else already draws
/// the windows together.
fn ground(link: &Link) -> Result<Option<WindowId>, DesktopError> {
    let made = || -> Result<XWindow, ReplyOrIdError> {
        let wire = &link.wire;
        let size = wire.get_geometry(link.root)?.reply()?;
        let (window, class) = (wire.generate_id()?, WindowClass::INPUT_OUTPUT);
        let aux = CreateWindowAux::new().override_redirect(1).background_pixmap(PARENT_RELATIVE);
        let (width, height) = (size.width, size.height);
        wire.create_window(0, window, link.root, 0, 0, width, height, 0, class, 0, &aux)?.check()?;
        wire.composite_redirect_window(window, Redirect::MANUAL)?.check()?;
        wire.shape_rectangles(SO::SET, SK::INPUT, ClipOrdering::UNSORTED, window, 0, 0, &[])?;
        let below = ConfigureWindowAux::new().stack_mode(StackMode::BELOW);
        wire.configure_window(window, &below)?;
        wire.map_window(window)?.check()?;
        Ok(window)
    };
    match made() {
        Ok(window) => Ok(Some(id(window))),
        Err(fault) => {
            tracing::debug!(%fault, "the empty desktop is taken for what it was");
            link.sync().map(|()| None)
        }
    }
}

fn id(window: XWindow) -> WindowId {
    WindowId(u64::from(window))
}

fn rectangle(part: &ScreenRect) -> Rectangle {
    let at = |v: i32| i16::try_from(v).unwrap_or(0);
    let length = |v: u32| u16::try_from(v).unwrap_or(u16::MAX);
    Rectangle { x: at(part.x), y: at(part.y), width: length(part.width), height: length(part.height) }
}
