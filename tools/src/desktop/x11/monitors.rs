//! The monitors of the display, as RandR tells of them on our own connection: in physical pixels, whatever
//! the scale, and those too that no output shows. They are read once, and again after the server says that
//! one has changed.

use x11rb::protocol::randr::{self, ConnectionExt as _};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

use super::link::{During, Link};
use crate::desktop::DesktopError;
use crate::frame::Monitor;
use crate::geometry::{Rect, ScreenPoint, ScreenRect};

/// One monitor.
#[derive(Debug, Clone)]
pub(super) struct Known {
    pub(super) monitor: Monitor,
    primary: bool,
    /// Whether xcap reaches it.
    pub(super) portable: bool,
}

/// The monitors as they were when last read.
#[derive(Debug)]
pub(super) struct Monitors {
    known: Vec<Known>,
    portable: bool,
}

impl Monitors {
    /// Nothing is read yet. `portable` says whether xcap reaches the display, which is so for the one that
    /// `DISPLAY` names.
    pub(super) const fn new(portable: bool) -> Self {
        Self { known: Vec::new(), portable }
    }

    /// All of them, never none.
    pub(super) fn all(&mut self, link: &Link) -> Result<&[Known], DesktopError> {
        link.attend()?;
        if link.monitors_changed() || self.known.is_empty() {
            self.known = read(link, self.portable)?;
        }
        if self.known.is_empty() {
            return Err(none());
        }
        Ok(&self.known)
    }

    /// The monitor with this number, where one is given and there, else the one with `point`.
    pub(super) fn one(
        &mut self,
        link: &Link,
        number: Option<usize>,
        point: Option<ScreenPoint>,
    ) -> Result<&Known, DesktopError> {
        let is_there = number.is_some_and(|number| number < self.all(link).map_or(0, <[_]>::len));
        match number.filter(|_| is_there) {
            Some(number) => self.known.get(number).ok_or_else(none),
            None => self.at(link, point),
        }
    }

    /// The monitor with `point`, else the primary one, else the first.
    pub(super) fn at(
        &mut self,
        link: &Link,
        point: Option<ScreenPoint>,
    ) -> Result<&Known, DesktopError> {
        let all = self.all(link)?;
        point
            .and_then(|point| all.iter().find(|known| known.monitor.bounds.contains(point)))
            .or_else(|| all.iter().find(|known| known.primary))
            .or(all.first())
            .ok_or_else(none)
    }
}

/// Which there are, by the numbers that choose one.
pub(super) fn told(all: &[Known]) -> String {
    let each = all.iter().zip(1..).map(|(known, number)| {
        let Monitor { name, bounds, .. } = &known.monitor;
        format!(
            "`--monitor {number}` ({name}, {}x{} at {},{})",
            bounds.width, bounds.height, bounds.x, bounds.y
        )
    });
    let each: Vec<String> = each.collect();
    format!("there {} {}", if each.len() == 1 { "is only" } else { "are" }, each.join(" and "))
}

fn none() -> DesktopError {
    DesktopError::failed("looking for a monitor", "none is switched on")
}

fn read(link: &Link, portable: bool) -> Result<Vec<Known>, DesktopError> {
    let what = "reading the monitors";
    let scale = scale(link)?;
    if !link.has(randr::X11_EXTENSION_NAME)? {
        return Ok(vec![whole_screen(link, scale, portable)?]);
    }
    let reply = link.wire.randr_get_monitors(link.root, true).during(what)?.reply().during(what)?;
    let mut known = Vec::new();
    for info in reply.monitors {
        let name = link.wire.get_atom_name(info.name).during(what)?.reply().during(what)?.name;
        let bounds: ScreenRect =
            Rect::new(info.x.into(), info.y.into(), info.width.into(), info.height.into());
        let monitor = Monitor { name: String::from_utf8_lossy(&name).into_owned(), bounds, scale };
        if !bounds.is_empty() {
            known.push(Known { monitor, primary: info.primary, portable });
        }
    }
    if known.is_empty() { Ok(vec![whole_screen(link, scale, portable)?]) } else { Ok(known) }
}

fn whole_screen(link: &Link, scale: f32, portable: bool) -> Result<Known, DesktopError> {
    let what = "reading the size of the screen";
    let size = link.wire.get_geometry(link.root).during(what)?.reply().during(what)?;
    let bounds = Rect::new(0, 0, size.width.into(), size.height.into());
    let monitor = Monitor { name: "screen".into(), bounds, scale };
    Ok(Known { monitor, primary: true, portable })
}

/// Desktops on X11 tell programs the scale as a resolution, of which 96 is no scaling.
fn scale(link: &Link) -> Result<f32, DesktopError> {
    let what = "reading the resolution";
    let property = link
        .wire
        .get_property(false, link.root, AtomEnum::RESOURCE_MANAGER, AtomEnum::STRING, 0, 4096)
        .during(what)?
        .reply()
        .during(what)?;
    let text = String::from_utf8_lossy(&property.value).into_owned();
    let dpi = text
        .lines()
        .find_map(|line| line.strip_prefix("Xft.dpi:"))
        .and_then(|dpi| dpi.trim().parse::<f32>().ok())
        .filter(|dpi| (24.0..=960.0).contains(dpi));
    Ok(dpi.map_or(1.0, |dpi| dpi / 96.0))
}
