//! What lies beneath Freehand's own windows. While they show, every window of the display is drawn in memory
//! of its own ([`super::presence`]), so the part of it that is covered can still be read there; a picture of
//! the screen gets that part in the place of what covers it.

use image::{Rgb, RgbImage};
use x11rb::connection::Connection as _;
use x11rb::protocol::shape::{ConnectionExt as _, SK};
use x11rb::protocol::xproto::{
    ConnectionExt as _, GetImageReply, ImageFormat, MapState, Window as XWindow, WindowClass,
};

use super::link::{During, Link};
use super::windows::there;
use crate::desktop::DesktopError;
use crate::desktop::veil::{Own, Veiled};
use crate::element::WindowId;
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenPoint, ScreenRect};

const WHAT: &str = "looking beneath Freehand's own windows";

/// A window that lies beneath, with the part of it that counts.
#[derive(Debug)]
struct Layer {
    id: XWindow,
    part: ScreenRect,
    /// Where its own coordinates begin.
    origin: (i32, i32),
    /// What it covers, where that is no rectangle.
    shape: Option<Vec<ScreenRect>>,
}

/// `frame` as it would be without Freehand's own windows. Where that cannot be found out it is black.
pub(super) fn lift(link: &Link, veiled: &Veiled, frame: Frame) -> Frame {
    let bounds = frame.bounds();
    let shown = veiled.in_sight(&bounds);
    if shown.is_empty() {
        return frame;
    }
    frame.painted(|pixels| {
        for own in shown {
            let Some(area) = own.bounds.intersect(&bounds) else { continue };
            let found = beneath(link, veiled, own, &area)
                .inspect_err(|fault| tracing::warn!(%fault, "a part of the picture is black"))
                .ok();
            // Some compositing managers draw a window without its shape for a moment.
            let covers =
                if veiled.blends { std::slice::from_ref(&own.bounds) } else { own.covers.as_slice() };
            for cover in covers.iter().filter_map(|cover| cover.intersect(&area)) {
                each(&cover, |at| {
                    let colour = found.as_ref().and_then(|found| pixel(found, &area, at));
                    if let Some(target) = pixel_mut(pixels, &bounds, at) {
                        *target = colour.unwrap_or(Rgb([0; 3]));
                    }
                });
            }
        }
    })
}

/// What `area` would show.
fn beneath(
    link: &Link,
    veiled: &Veiled,
    own: &Own,
    area: &ScreenRect,
) -> Result<RgbImage, DesktopError> {
    let mut picture = RgbImage::new(area.width, area.height);
    if let Some(before) = &own.before {
        each(area, |at| {
            if let Some(target) = pixel_mut(&mut picture, area, at) {
                *target = pixel(before.pixels(), &before.bounds(), at).unwrap_or(Rgb([0; 3]));
            }
        });
    }
    let layers = layers(link, veiled, area)?;
    let asked: Result<Vec<_>, DesktopError> =
        layers.iter().map(|layer| Ok((layer, layer.ask(link)?))).collect();
    for (layer, cookie) in asked? {
        // A window that has gone meanwhile is no fault.
        if let Some(reply) = there(cookie.reply())? {
            layer.lay(&mut picture, area, &reply, veiled.blends);
        }
    }
    Ok(picture)
}

/// The windows that show in `area` without Freehand's own, from the back to the front.
fn layers(link: &Link, veiled: &Veiled, area: &ScreenRect) -> Result<Vec<Layer>, DesktopError> {
    let wire = &link.wire;
    let children = wire.query_tree(link.root).during(WHAT)?.reply().during(WHAT)?.children;
    let ground = veiled.ground.and_then(|ground| XWindow::try_from(ground.0).ok());
    if let Some(ground) = ground {
        // What the empty desktop looks like may have changed.
        wire.clear_area(false, ground, 0, 0, 0, 0).during(WHAT)?;
    }
    let others = children
        .into_iter()
        .filter(|id| !veiled.knows(WindowId(u64::from(*id))) && !is_overlay(link, *id));
    let asked: Result<Vec<_>, DesktopError> = ground
        .into_iter()
        .chain(others)
        .map(|id| {
            let attributes = wire.get_window_attributes(id).during(WHAT)?;
            let geometry = wire.get_geometry(id).during(WHAT)?;
            Ok((id, attributes, geometry, wire.shape_query_extents(id).during(WHAT)?))
        })
        .collect();
    let mut layers = Vec::new();
    for (id, attributes, geometry, shape) in asked? {
        let (Some(attributes), Some(geometry), Some(shape)) =
            (there(attributes.reply())?, there(geometry.reply())?, there(shape.reply())?)
        else {
            continue;
        };
        // The empty desktop is kept beside the screen and means what is on it.
        let (x, y) = if Some(id) == ground { (0, 0) } else { (geometry.x.into(), geometry.y.into()) };
        let border = u32::from(geometry.border_width);
        let (width, height) = (u32::from(geometry.width), u32::from(geometry.height));
        let outer: ScreenRect = Rect::new(x, y, width + 2 * border, height + 2 * border);
        let shows =
            attributes.map_state == MapState::VIEWABLE && attributes.class == WindowClass::INPUT_OUTPUT;
        let Some(part) = outer.intersect(area).filter(|_| shows) else { continue };
        let origin = (x.saturating_add_unsigned(border), y.saturating_add_unsigned(border));
        let shape = if shape.bounding_shaped { outline(link, id, origin)? } else { None };
        if part == *area && shape.is_none() && !(veiled.blends && geometry.depth == 32) {
            // Nothing shows through it.
            layers.clear();
        }
        layers.push(Layer { id, part, origin, shape });
    }
    Ok(layers)
}

/// What a window covers, in screen pixels.
fn outline(
    link: &Link,
    id: XWindow,
    (x, y): (i32, i32),
) -> Result<Option<Vec<ScreenRect>>, DesktopError> {
    let reply = there(link.wire.shape_get_rectangles(id, SK::BOUNDING).during(WHAT)?.reply())?;
    let on_screen = |part: &x11rb::protocol::xproto::Rectangle| {
        Rect::new(x + i32::from(part.x), y + i32::from(part.y), part.width.into(), part.height.into())
    };
    Ok(reply.map(|reply| reply.rectangles.iter().map(on_screen).collect()))
}

impl Layer {
    fn ask<'l>(
        &self,
        link: &'l Link,
    ) -> Result<x11rb::cookie::Cookie<'l, super::link::Wire, GetImageReply>, DesktopError> {
        let within = |at: i32, origin: i32| i16::try_from(at.saturating_sub(origin)).unwrap_or(0);
        let length = |length: u32| u16::try_from(length).unwrap_or(0);
        let (x, y) = (within(self.part.x, self.origin.0), within(self.part.y, self.origin.1));
        let (width, height) = (length(self.part.width), length(self.part.height));
        link.wire.get_image(ImageFormat::Z_PIXMAP, self.id, x, y, width, height, u32::MAX).during(WHAT)
    }

    /// Lays its pixels over what lies beneath it.
    fn lay(&self, picture: &mut RgbImage, area: &ScreenRect, reply: &GetImageReply, blends: bool) {
        let glassy = blends && reply.depth == 32;
        let mut pixels = reply.data.as_chunks::<4>().0.iter();
        each(&self.part, |at| {
            let Some(&[blue, green, red, alpha]) = pixels.next() else { return };
            let covers =
                self.shape.as_ref().is_none_or(|shape| shape.iter().any(|part| part.contains(at)));
            let Some(Rgb(target)) = pixel_mut(picture, area, at).filter(|_| covers) else { return };
            let through = if glassy { u16::from(255 - alpha) } else { 0 };
            for (target, own) in target.iter_mut().zip([red, green, blue]) {
                // The colours of such windows are multiplied by their alpha already.
                let behind = u8::try_from(u16::from(*target) * through / 255).unwrap_or(u8::MAX);
                *target = own.saturating_add(behind);
            }
        });
    }
}

/// What a compositing manager owns while it draws this screen of the server.
pub(super) fn composed(screen: usize) -> String {
    format!("_NET_WM_CM_S{screen}")
}

/// Whether a compositing manager draws this screen.
pub(super) fn is_composed(link: &Link, screen: usize) -> Result<bool, DesktopError> {
    let atom = link.wire.intern_atom(false, composed(screen).as_bytes()).during(WHAT)?;
    let atom = atom.reply().during(WHAT)?.atom;
    Ok(link.wire.get_selection_owner(atom).during(WHAT)?.reply().during(WHAT)?.owner != 0)
}

/// Whether a window is the server's own, as the root is: that is where compositing managers draw the whole
/// screen.
fn is_overlay(link: &Link, window: XWindow) -> bool {
    let client = !link.wire.setup().resource_id_mask;
    window & client == link.root & client
}

/// Each pixel of `area`, row by row.
fn each(area: &ScreenRect, mut visit: impl FnMut(ScreenPoint)) {
    for y in area.y..area.bottom() {
        for x in area.x..area.right() {
            visit(ScreenPoint::new(x, y));
        }
    }
}

fn place(bounds: &ScreenRect, at: ScreenPoint) -> Option<(u32, u32)> {
    Some((u32::try_from(at.x - bounds.x).ok()?, u32::try_from(at.y - bounds.y).ok()?))
}

fn pixel(image: &RgbImage, bounds: &ScreenRect, at: ScreenPoint) -> Option<Rgb<u8>> {
    let (x, y) = place(bounds, at)?;
    image.get_pixel_checked(x, y).copied()
}

fn pixel_mut<'i>(
    image: &'i mut RgbImage,
    bounds: &ScreenRect,
    at: ScreenPoint,
) -> Option<&'i mut Rgb<u8>> {
    let (x, y) = place(bounds, at)?;
    image.get_pixel_mut_checked(x, y)
}
