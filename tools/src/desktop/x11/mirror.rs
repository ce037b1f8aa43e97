//! A display as somebody else may watch it: the server says what has changed, and only that is
//! fetched. It has a connection of its own, so that watching never waits for a run and never holds
//! one up. It is for the person alone and hides nothing from them: no picture of it may get to a model,
//! a log or a record.

use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{self, ConnectionExt as _, ReportLevel};

use super::capture::Camera;
use super::link::{During, Link, Place};
use super::monitors::{Known, Monitors};
use super::pointer;
use crate::desktop::DesktopError;
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenPoint, ScreenRect};

const WHAT: &str = "watching the screen";

/// Watches one monitor of a display.
#[derive(Debug)]
pub struct Mirror {
    link: Link,
    camera: Camera,
    known: Known,
    damage: damage::Damage,
    /// What has changed and was not fetched yet.
    dirty: Option<ScreenRect>,
}

impl Mirror {
    /// Watches the main monitor of `display`, a name as in `DISPLAY`.
    pub fn open(display: &str) -> Result<Self, DesktopError> {
        let link = Link::open(Place { name: display.to_owned(), cookie: None })?;
        let known = Monitors::new(false).at(&link, None)?.clone();
        if !link.has(damage::X11_EXTENSION_NAME)? {
            let reason = "the X server lacks the DAMAGE extension".into();
            return Err(DesktopError::Unsupported { what: WHAT.into(), reason });
        }
        link.wire.damage_query_version(1, 1).during(WHAT)?.reply().during(WHAT)?;
        let damage = link.wire.generate_id().map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let level = ReportLevel::BOUNDING_BOX;
        link.wire.damage_create(damage, link.root, level).during(WHAT)?.check().during(WHAT)?;
        let dirty = Some(known.monitor.bounds);
        Ok(Self { link, camera: Camera::new(), known, damage, dirty })
    }

    /// The part of the desktop that is watched, in screen pixels.
    pub const fn bounds(&self) -> ScreenRect {
        self.known.monitor.bounds
    }

    /// Where the pointer is.
    pub fn pointer(&self) -> Result<ScreenPoint, DesktopError> {
        pointer::position(&self.link)
    }

    /// What has changed since the last time, as one picture; `None` where nothing has within
    /// `patience`. The first time it is all of the screen.
    pub fn changes(&mut self, patience: Duration) -> Result<Option<Frame>, DesktopError> {
        let end = Instant::now() + patience;
        loop {
            self.attend()?;
            if let Some(dirty) = self.dirty.take() {
                // Told anew of whatever changes from here on.
                self.link.wire.damage_subtract(self.damage, 0_u32, 0_u32).during(WHAT)?;
                self.link.sync()?;
                return self.camera.capture(&self.link, &self.known, Some(dirty)).map(Some);
            }
            let left = end.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.wait(left)?;
        }
    }

    /// Takes in what the server has told.
    fn attend(&mut self) -> Result<(), DesktopError> {
        while let Some(event) = self.link.wire.poll_for_event().during(WHAT)? {
            if let Event::DamageNotify(notice) = event {
                let area = notice.area;
                let told =
                    Rect::new(area.x.into(), area.y.into(), area.width.into(), area.height.into());
                let seen = told.intersect(&self.known.monitor.bounds);
                self.dirty = match (self.dirty, seen) {
                    (Some(old), Some(new)) => Some(old.union(&new)),
                    (old, new) => old.or(new),
                };
            } else if matches!(event, Event::RandrNotify(_) | Event::RandrScreenChangeNotify(_)) {
                self.known = Monitors::new(false).at(&self.link, None)?.clone();
                self.dirty = Some(self.known.monitor.bounds);
            }
        }
        Ok(())
    }

    fn wait(&self, patience: Duration) -> Result<(), DesktopError> {
        self.link.wire.flush().during(WHAT)?;
        let stream = self.link.wire.stream();
        let mut waiting = [PollFd::from_borrowed_fd(stream.as_fd(), PollFlags::IN)];
        let patience = Timespec::try_from(patience).ok();
        match rustix::event::poll(&mut waiting, patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => Ok(()),
            Err(fault) => Err(DesktopError::failed(WHAT, fault)),
        }
    }
}
