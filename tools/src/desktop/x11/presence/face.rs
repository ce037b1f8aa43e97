//! The windows of strip and ring. Every window of the display is drawn in memory of its own while they
//! show, so that coming and going they need nobody to draw anything anew, and what lies beneath can be read.

use image::{Rgb, RgbImage};
use x11rb::connection::Connection as _;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::composite::{self, ConnectionExt as _, Redirect};
use x11rb::protocol::shape::{self, ConnectionExt as _, SK, SO};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ClipOrdering, ConfigureWindowAux, ConnectionExt as _, CreateGCAux,
    ImageFormat, Rectangle, StackMode, Window as XWindow,
};

use super::super::beneath;
use super::super::capture::Camera;
use super::super::link::{During, Link, Place};
use super::super::monitors::Monitors;
use super::draw;
use super::panes::{self, Paint, own_window};
use crate::desktop::DesktopError;
use crate::desktop::presence::Words;
use crate::desktop::veil::{Own, Veil, Veiled};
use crate::element::WindowId;
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenPoint, ScreenRect};

const WHAT: &str = "showing that the agent is at work";

/// The windows on one display, until it is dropped.
#[derive(Debug)]
pub(super) struct Face {
    link: Link,
    /// Which of the server's screens it is.
    screen: usize,
    veil: Veil,
    paint: Paint,
    strip: XWindow,
    ring: Option<XWindow>,
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
        let redirected = link.wire.composite_redirect_subwindows(link.root, Redirect::AUTOMATIC);
        redirected.during(WHAT)?.check().during(WHAT)?;
        let made = || -> Result<_, ReplyOrIdError> {
            let paint = Paint::of(&link, screen)?;
            Ok((own_window(&link, &paint)?, paint))
        };
        let (strip, paint) = made().map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let (place, words) = (Rect::new(0, 0, 1, 1), Words::default());
        let mut face = Self { link, screen, veil, paint, strip, ring: None, place, scale: 1, words };
        face.compose()?;
        face.settle()?;
        Ok(face)
    }

    /// The strip's window.
    pub(super) const fn strip(&self) -> XWindow {
        self.strip
    }

    /// Which of the server's screens it is.
    pub(super) const fn screen(&self) -> usize {
        self.screen
    }

    /// The window that fills the screen.
    pub(super) const fn root(&self) -> XWindow {
        self.link.root
    }

    /// Whether a window is one of these.
    pub(super) fn knows(&self, window: XWindow) -> bool {
        window == self.strip || Some(window) == self.ring || self.veil.hold().knows(id(window))
    }

    /// Shows the strip.
    pub(super) fn show(&mut self) -> Result<(), DesktopError> {
        let stop = draw::stop_part(self.place.width, self.scale);
        let takes = Rect::new(self.place.x + stop.x, self.place.y, stop.width, stop.height);
        self.draw()?;
        let before = self.before(self.place)?;
        self.appear(Own {
            window: id(self.strip),
            bounds: self.place,
            covers: vec![self.place],
            takes: Some(takes),
            before,
        })
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
        if let Some(ring) = self.ring.take() {
            self.vanish(ring)?;
        }
        let Some(point) = point else { return Ok(()) };
        // Each is a window of its own: one that fades may be drawn wherever it is moved to.
        let ring =
            own_window(&self.link, &self.paint).map_err(|fault| DesktopError::failed(WHAT, fault))?;
        self.ring = Some(ring);
        let (side, parts) = draw::ring(self.scale);
        let half = i32::try_from(side / 2).unwrap_or(0);
        let bounds: ScreenRect = Rect::new(point.x - half, point.y - half, side, side);
        let shape: Vec<Rectangle> = parts.iter().map(rectangle).collect();
        self.shape(ring, SK::BOUNDING, &shape)?;
        self.shape(ring, SK::INPUT, &[])?;
        let [red, green, blue] = draw::AMBER;
        let pixel = u32::from_be_bytes([u8::MAX, red, green, blue]);
        let aux = ChangeWindowAttributesAux::new().background_pixel(pixel);
        self.link.wire.change_window_attributes(ring, &aux).during(WHAT)?;
        let on_screen =
            |part: &ScreenRect| Rect::new(bounds.x + part.x, bounds.y + part.y, part.width, part.height);
        let covers = parts.iter().map(on_screen).collect();
        let before = self.before(bounds)?;
        self.appear(Own { window: id(ring), bounds, covers, takes: None, before })
    }

    /// Brings both to the front.
    pub(super) fn rise(&self) -> Result<(), DesktopError> {
        for window in self.ring.into_iter().chain([self.strip]) {
            let aux = ConfigureWindowAux::new().stack_mode(StackMode::ABOVE);
            self.link.wire.configure_window(window, &aux).during(WHAT)?;
        }
        self.link.wire.flush().during(WHAT)
    }

    /// The screen may be another one: puts the strip where it belongs.
    pub(super) fn move_house(&mut self) -> Result<(), DesktopError> {
        let before = self.place;
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
        let stop = draw::stop_part(width, self.scale);
        self.shape(self.strip, SK::INPUT, &[rectangle(&stop)])?;
        if let Some(ground) = self.veil.hold().ground.and_then(|id| XWindow::try_from(id.0).ok()) {
            let root = self.link.wire.get_geometry(self.link.root).during(WHAT)?.reply().during(WHAT)?;
            let (width, height) = (root.width.into(), root.height.into());
            self.place(ground, &Rect::new(0, root.height.into(), width, height))?;
        }
        Ok(())
    }

    /// Another program may draw the windows together now, or none any more.
    pub(super) fn compose(&mut self) -> Result<(), DesktopError> {
        let composed = beneath::is_composed(&self.link, self.screen)?;
        let mut veiled = self.veil.hold();
        let ground = veiled.ground.and_then(|ground| XWindow::try_from(ground.0).ok());
        veiled.blends = composed;
        if !composed {
            if ground.is_none() {
                let made = panes::ground(&self.link);
                veiled.ground = Some(id(made.map_err(|fault| DesktopError::failed(WHAT, fault))?));
            }
            veiled.own.iter_mut().for_each(|own| own.before = None);
            return Ok(());
        }
        // What it draws itself is in no window, so it stays what it was.
        let befores = veiled.own.iter().map(|own| match &own.before {
            Some(before) => Ok(Some(before.clone())),
            None => self.look(&veiled, own.bounds).map(Some),
        });
        let befores: Vec<_> = befores.collect::<Result<_, DesktopError>>()?;
        for (own, before) in veiled.own.iter_mut().zip(befores) {
            own.before = before;
        }
        veiled.ground = None;
        if let Some(ground) = ground {
            self.link.wire.destroy_window(ground).during(WHAT)?;
        }
        self.link.sync()
    }

    /// What is on the screen there, where it could not be found out later.
    fn before(&self, area: ScreenRect) -> Result<Option<Frame>, DesktopError> {
        let veiled = self.veil.hold();
        if veiled.ground.is_some() {
            return Ok(None);
        }
        self.look(&veiled, area).map(Some)
    }

    fn look(&self, veiled: &Veiled, area: ScreenRect) -> Result<Frame, DesktopError> {
        let mut monitors = Monitors::new(false);
        let known = monitors.at(&self.link, Some(area.center()))?;
        let frame = Camera::new().capture(&self.link, known, Some(area))?;
        Ok(beneath::lift(&self.link, veiled, frame))
    }

    /// It is known before it is there.
    fn appear(&self, own: Own) -> Result<(), DesktopError> {
        let mut veiled = self.veil.hold();
        let window = XWindow::try_from(own.window.0).unwrap_or(0);
        self.place(window, &own.bounds)?;
        veiled.put(own);
        self.link.wire.map_window(window).during(WHAT)?;
        self.rise()?;
        self.link.sync()
    }

    /// It is gone before it is forgotten.
    fn vanish(&self, window: XWindow) -> Result<(), DesktopError> {
        let mut veiled = self.veil.hold();
        self.link.wire.destroy_window(window).during(WHAT)?;
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
            image.pixels().flat_map(|&Rgb([red, green, blue])| [blue, green, red, u8::MAX]).collect();
        let length = |px: u32| u16::try_from(px).unwrap_or(u16::MAX);
        let (width, height) = (length(image.width()), length(image.height()));
        let (pixmap, pen) = (wire.generate_id()?, wire.generate_id()?);
        let depth = self.paint.depth;
        wire.create_pixmap(depth, pixmap, self.link.root, width, height)?;
        wire.create_gc(pen, pixmap, &CreateGCAux::new())?;
        // A few rows at once: what one request may hold is limited.
        let row = usize::from(width) * 4;
        for (rows, top) in bytes.chunks(row * 16).zip((0_i16..).step_by(16)) {
            let high = u16::try_from(rows.len() / row).unwrap_or(0);
            let format = ImageFormat::Z_PIXMAP;
            wire.put_image(format, pixmap, pen, width, high, 0, top, 0, depth, rows)?;
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
        let windows = [Some(self.strip), self.ring];
        for window in windows.into_iter().flatten() {
            let _ = self.link.wire.destroy_window(window);
        }
        // With a server that has gone there is nothing left to see.
        let _ = self.link.sync();
        for window in windows.into_iter().flatten() {
            veiled.take(id(window));
        }
        veiled.ground = None;
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
