//! Pictures of the screen. The server writes them into memory that both share, which is ten times
//! as quick as sending them; without such memory they are sent, and where even that fails xcap takes
//! the picture. The memory is a file without a name and is read like one, so no code here is unsafe.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use image::RgbImage;
use rustix::fs::{MemfdFlags, ftruncate, memfd_create};
use x11rb::connection::Connection;
use x11rb::protocol::shm::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{ConnectionExt as _, ImageFormat};

use super::link::{During, Link};
use super::monitors::Known;
use crate::desktop::DesktopError;
use crate::frame::{Frame, Monitor};
use crate::geometry::ScreenRect;

const WHAT: &str = "taking a picture of the screen";
/// Pixels that are read and turned round at once: few enough to stay in the processor's cache.
const STRIP: usize = 16 * 1024;

/// Memory that the server writes pictures into.
#[derive(Debug)]
struct Shared {
    segment: shm::Seg,
    file: File,
    bytes: u64,
}

#[derive(Debug)]
enum Path {
    /// Nothing is set up yet.
    Untried,
    Shared(Shared),
    /// The server has no shared memory, or is on another machine.
    Sent,
}

/// Takes pictures; keeps its memory from one to the next.
#[derive(Debug)]
pub(super) struct Camera {
    path: Path,
}

impl Camera {
    /// Nothing is set up before the first picture.
    pub(super) const fn new() -> Self {
        Self { path: Path::Untried }
    }

    /// The part of `known` that `region` covers, or all of it.
    pub(super) fn capture(
        &mut self,
        link: &Link,
        known: &Known,
        region: Option<ScreenRect>,
    ) -> Result<Frame, DesktopError> {
        let whole = known.monitor.bounds;
        let bounds = region.map_or(Some(whole), |region| whole.intersect(&region)).ok_or_else(|| {
            DesktopError::failed(WHAT, "the region is outside of the monitor; look at the screen again")
        })?;
        let pixels = match self.grab(link, &bounds) {
            Err(fault) if !fault.is_fatal() => through_xcap(known, &bounds).ok_or(fault)?,
            other => other?,
        };
        Ok(Frame::new(Monitor { bounds, ..known.monitor.clone() }, pixels))
    }

    fn grab(&mut self, link: &Link, bounds: &ScreenRect) -> Result<RgbImage, DesktopError> {
        let bytes = bounds.area().saturating_mul(4);
        self.prepare(link, bytes)?;
        let (Ok(x), Ok(y)) = (i16::try_from(bounds.x), i16::try_from(bounds.y)) else {
            return Err(DesktopError::failed(WHAT, "the region is outside of what X11 can address"));
        };
        let (Ok(width), Ok(height)) = (u16::try_from(bounds.width), u16::try_from(bounds.height)) else {
            return Err(DesktopError::failed(WHAT, "the region is larger than what X11 can address"));
        };
        let format = ImageFormat::Z_PIXMAP;
        if let Path::Shared(shared) = &self.path {
            let (root, segment) = (link.root, shared.segment);
            link.wire
                .shm_get_image(root, x, y, width, height, u32::MAX, format.into(), segment, 0)
                .during(WHAT)?
                .reply()
                .during(WHAT)?;
            return read(&shared.file, bounds).map_err(|fault| DesktopError::failed(WHAT, fault));
        }
        let image =
            link.wire.get_image(format, link.root, x, y, width, height, u32::MAX).during(WHAT)?;
        let sent = image.reply().during(WHAT)?.data;
        read(&sent.as_slice(), bounds).map_err(|fault| DesktopError::failed(WHAT, fault))
    }

    fn prepare(&mut self, link: &Link, bytes: u64) -> Result<(), DesktopError> {
        let too_small = matches!(&self.path, Path::Shared(shared) if shared.bytes < bytes);
        if too_small && let Path::Shared(old) = std::mem::replace(&mut self.path, Path::Untried) {
            link.wire.shm_detach(old.segment).during(WHAT)?;
        }
        if matches!(self.path, Path::Untried) {
            self.path = match share(link, bytes) {
                Ok(shared) => Path::Shared(shared),
                Err(fault) if fault.is_fatal() => return Err(fault),
                Err(fault) => {
                    tracing::debug!(%fault, "no shared memory with the X server; pictures are sent");
                    Path::Sent
                }
            };
        }
        Ok(())
    }
}

fn share(link: &Link, bytes: u64) -> Result<Shared, DesktopError> {
    let what = "sharing memory with the X server";
    if !link.has(shm::X11_EXTENSION_NAME)? {
        return Err(DesktopError::failed(what, "it lacks the MIT-SHM extension"));
    }
    let version = link.wire.shm_query_version().during(what)?.reply().during(what)?;
    if (version.major_version, version.minor_version) < (1, 2) {
        return Err(DesktopError::failed(what, "its MIT-SHM extension takes no file descriptors"));
    }
    let memory = memfd_create("freehand-frame", MemfdFlags::CLOEXEC)
        .and_then(|memory| ftruncate(&memory, bytes).map(|()| memory))
        .map_err(|fault| DesktopError::failed(what, fault))?;
    let file = File::from(memory);
    let theirs = file.try_clone().map_err(|fault| DesktopError::failed(what, fault))?;
    let segment = link.wire.generate_id().map_err(|fault| DesktopError::failed(what, fault))?;
    let attached = link.wire.shm_attach_fd(segment, std::os::fd::OwnedFd::from(theirs), false);
    attached.during(what)?.check().during(what)?;
    Ok(Shared { segment, file, bytes })
}

/// Where the server's pixels can be read from.
trait Pixels {
    fn read_at(&self, strip: &mut [u8], offset: u64) -> io::Result<()>;
}

impl Pixels for File {
    fn read_at(&self, strip: &mut [u8], offset: u64) -> io::Result<()> {
        self.read_exact_at(strip, offset)
    }
}

impl Pixels for &[u8] {
    fn read_at(&self, strip: &mut [u8], offset: u64) -> io::Result<()> {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let part = self.get(from..).and_then(|rest| rest.get(..strip.len()));
        let part = part.ok_or_else(|| io::Error::other("the X server sent less than was asked for"))?;
        strip.copy_from_slice(part);
        Ok(())
    }
}

/// The server's pixels are blue, green, red and a byte of nothing; 4 for each, rows without gaps.
fn read(from: &impl Pixels, bounds: &ScreenRect) -> io::Result<RgbImage> {
    let too_large = || io::Error::other("the picture is larger than the memory");
    let bytes = bounds.area().checked_mul(3).and_then(|bytes| usize::try_from(bytes).ok());
    let mut rgb = vec![0; bytes.ok_or_else(too_large)?];
    let mut strip = vec![0; STRIP * 4];
    let mut offset = 0;
    for part in rgb.chunks_mut(STRIP * 3) {
        let raw = strip.get_mut(..part.len() / 3 * 4).ok_or_else(too_large)?;
        from.read_at(raw, offset)?;
        offset += raw.len() as u64;
        let (fours, rest) = part.as_chunks_mut::<12>();
        let (raw, raw_rest) = raw.as_chunks::<16>();
        for (four, raw) in fours.iter_mut().zip(raw) {
            turn_four(raw, four);
        }
        for (pixel, &[blue, green, red, _]) in
            rest.as_chunks_mut::<3>().0.iter_mut().zip(raw_rest.as_chunks::<4>().0)
        {
            *pixel = [red, green, blue];
        }
    }
    RgbImage::from_raw(bounds.width, bounds.height, rgb).ok_or_else(too_large)
}

/// Four pixels at once, in whole words: three times as quick as byte by byte.
fn turn_four(raw: &[u8; 16], turned: &mut [u8; 12]) {
    let word = |at: usize| {
        let bytes = raw.as_chunks::<4>().0.get(at).copied().unwrap_or_default();
        u32::from_be_bytes(bytes) >> 8
    };
    let (a, b, c, d) = (word(0), word(1), word(2), word(3));
    let words = [a | b << 24, b >> 8 | c << 16, c >> 16 | d << 8];
    for (bytes, word) in turned.as_chunks_mut::<4>().0.iter_mut().zip(words) {
        *bytes = word.to_le_bytes();
    }
}

/// What xcap sees there. Its own measures are divided by the scale, so that it is asked for the whole monitor,
/// which it takes as it is.
fn through_xcap(known: &Known, bounds: &ScreenRect) -> Option<RgbImage> {
    let warn = |fault: &xcap::XCapError| tracing::warn!(%fault, "xcap takes no picture either");
    let all = if known.portable { xcap::Monitor::all().inspect_err(warn).ok()? } else { Vec::new() };
    let handle =
        all.into_iter().find(|handle| handle.name().is_ok_and(|name| name == known.monitor.name))?;
    let rgba = handle.capture_image().inspect_err(warn).ok()?;
    let whole = image::DynamicImage::ImageRgba8(rgba).into_rgb8();
    Some(Frame::new(known.monitor.clone(), whole).crop(bounds)?.pixels().clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Rect;

    #[test]
    fn the_order_of_colours_is_turned_round() {
        let raw = &[1, 2, 3, 0, 4, 5, 6, 255][..];
        let image = read(&raw, &Rect::new(0, 0, 2, 1)).unwrap();
        assert_eq!(image.as_raw(), &[3, 2, 1, 6, 5, 4]);
        assert!(read(&raw, &Rect::new(0, 0, 3, 1)).is_err());
        let long = vec![7; (STRIP + 5) * 4];
        let width = u32::try_from(STRIP + 5).unwrap();
        let image = read(&long.as_slice(), &Rect::new(0, 0, width, 1)).unwrap();
        assert!(image.as_raw().iter().all(|byte| *byte == 7));
    }
}
