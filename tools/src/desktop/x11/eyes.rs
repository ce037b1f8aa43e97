//! The accessibility bus as this desktop uses it: connected when first needed, never waited for
//! longer than a step can bear, and missed in one line when it is not there.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _};

use super::link::{During, Link};
use crate::desktop::DesktopError;
use crate::desktop::accessibility::{Accessibility, Seen};
use crate::desktop::counter::Counter;
use crate::element::{Element, ElementKey, Window};
use crate::frame::Frame;
use crate::geometry::ScreenPoint;

/// As long as one look may take. A program that answers slowly is asked again at the next look.
const PATIENCE: Duration = Duration::from_secs(2);
/// A bus that was not there is looked for again after this time.
const AGAIN: Duration = Duration::from_secs(5);

#[derive(Debug)]
enum Bus {
    Unknown,
    Missing {
        since: Instant,
        reason: String,
    },
    There(Box<Accessibility>),
    /// Nobody is to be asked.
    Closed,
}

/// Reads the accessibility bus of one display.
#[derive(Debug)]
pub(super) struct Eyes {
    bus: Bus,
    /// Whether the session of this process is the one that is shown there.
    own_session: bool,
    /// Gives the numbers of the elements, from one bus to the next.
    counter: Counter,
}

impl Eyes {
    /// Nothing is connected yet.
    pub(super) const fn new(own_session: bool, counter: Counter) -> Self {
        Self { bus: Bus::Unknown, own_session, counter }
    }

    /// Nobody is ever asked.
    pub(super) const fn closed(counter: Counter) -> Self {
        Self { bus: Bus::Closed, own_session: false, counter }
    }

    /// Whether there is nobody to ask.
    pub(super) const fn are_closed(&self) -> bool {
        matches!(self.bus, Bus::Missing { .. } | Bus::Closed)
    }

    /// What the bus shows of these windows, on the monitor that `frame` shows.
    pub(super) async fn read(
        &mut self,
        link: &Link,
        windows: &[Window],
        frame: &Frame,
    ) -> Result<Seen, DesktopError> {
        self.connect(link).await?;
        let gap = match &mut self.bus {
            Bus::There(bus) => match timeout(PATIENCE, bus.read(windows, frame)).await {
                Ok(seen) if !seen.elements.is_empty() || bus.answers().await => return Ok(seen),
                Ok(_) => {
                    let reason = "it is gone".to_owned();
                    let gap = missing(&reason);
                    self.bus = Bus::Missing { since: Instant::now(), reason };
                    gap
                }
                Err(_) => format!(
                    "the accessibility bus did not answer within {} ms; a program on it may hang",
                    PATIENCE.as_millis()
                ),
            },
            Bus::Missing { reason, .. } => {
                return Ok(Seen { cuts: vec![missing(reason)], ..Seen::default() });
            }
            Bus::Closed => return Ok(Seen::default()),
            Bus::Unknown => "the accessibility bus is not connected".into(),
        };
        Ok(Seen { gaps: vec![gap], ..Seen::default() })
    }

    /// Waits until the program in that process answers, unless it hangs.
    pub(super) async fn ready(&mut self, process: u32) {
        let Bus::There(bus) = &mut self.bus else { return };
        bus.ready(process).await;
    }

    /// One element, read afresh.
    pub(super) async fn element(&mut self, key: &ElementKey) -> Option<Element> {
        let Bus::There(bus) = &mut self.bus else { return None };
        timeout(PATIENCE, bus.element(key)).await.ok().flatten()
    }

    /// Whether something else of its page lies over an element.
    pub(super) async fn is_covered(&self, key: &ElementKey, point: ScreenPoint) -> bool {
        let Bus::There(bus) = &self.bus else { return false };
        timeout(PATIENCE, bus.is_covered(key, point)).await.unwrap_or(false)
    }

    /// The address of the page that an element stands in.
    pub(super) async fn page(&self, key: &ElementKey) -> Option<String> {
        let Bus::There(bus) = &self.bus else { return None };
        timeout(PATIENCE, bus.page(key)).await.ok().flatten()
    }

    /// What can be done with an element.
    pub(super) async fn actions(&self, key: &ElementKey) -> Vec<String> {
        let Bus::There(bus) = &self.bus else { return Vec::new() };
        timeout(PATIENCE, bus.actions(key)).await.unwrap_or_default()
    }

    /// The address that a link leads to.
    pub(super) async fn link(&self, key: &ElementKey) -> Option<String> {
        let Bus::There(bus) = &self.bus else { return None };
        timeout(PATIENCE, bus.link(key)).await.ok().flatten()
    }

    async fn connect(&mut self, link: &Link) -> Result<(), DesktopError> {
        let due = match &self.bus {
            Bus::Unknown => true,
            Bus::Missing { since, .. } => since.elapsed() >= AGAIN,
            Bus::There(_) | Bus::Closed => false,
        };
        if due {
            let address = address(link)?;
            let found = match (&address, self.own_session) {
                (None, false) => Err("the display names none".into()),
                (address, _) => timeout(PATIENCE, Accessibility::connect(address.as_deref()))
                    .await
                    .unwrap_or_else(|_| Err("it does not answer".into())),
            };
            self.bus = match found {
                Ok(bus) => Bus::There(Box::new(bus.counting_with(self.counter.clone()))),
                Err(reason) => Bus::Missing { since: Instant::now(), reason },
            };
        }
        Ok(())
    }
}

fn missing(reason: &str) -> String {
    format!(
        "no accessibility bus ({reason}); install `at-spi2-core` and start the desktop with a session \
         bus, or use `--display virtual`"
    )
}

/// The bus writes its address on the root window of its display.
pub(super) fn address(link: &Link) -> Result<Option<String>, DesktopError> {
    let what = "looking for the accessibility bus";
    let property = link
        .wire
        .get_property(false, link.root, link.atoms.AT_SPI_BUS, AtomEnum::STRING, 0, 256)
        .during(what)?
        .reply()
        .during(what)?;
    let address = String::from_utf8(property.value).unwrap_or_default();
    Ok(Some(address.trim_end_matches('\0').to_owned()).filter(|address| !address.is_empty()))
}
