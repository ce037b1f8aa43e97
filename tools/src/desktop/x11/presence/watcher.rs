//! What happens to the strip: the person presses `Stop`, another window comes to the front, the screen gets
//! another size. It has a connection of its own, on which it may wait for ever.

use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use x11rb::connection::{Connection as _, RequestConnection as _};
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xfixes::{self, ConnectionExt as _, SelectionEventMask};
use x11rb::protocol::xinput::{self, ConnectionExt as _, Device, EventMask, XIEventMask};
use x11rb::protocol::xproto::{
    self, AtomEnum, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, CreateWindowAux,
    Window as XWindow, WindowClass,
};

use super::super::devices::{Devices, XINPUT};
use super::super::link::{During, Place, Wire};
use super::face::Face;
use super::held;
use crate::desktop::DesktopError;

const WHAT: &str = "watching the strip";
/// As often a second the strip is brought to the front: another window may want to be there as well.
const RISES: u32 = 20;
/// As long as the thread may take to end.
const FAREWELL: Duration = Duration::from_millis(200);

/// Watches until it is dropped.
#[derive(Debug)]
pub(super) struct Watcher {
    wire: Arc<Wire>,
    window: XWindow,
    thread: Option<JoinHandle<()>>,
}

impl Watcher {
    /// Watches the window `strip`, and tells `stopped` of a press on it; whoever owns `composed` draws the
    /// screen.
    pub(super) fn start(
        place: &Place,
        (root, strip, composed): (XWindow, XWindow, &str),
        face: Arc<Mutex<Face>>,
        stopped: watch::Sender<bool>,
    ) -> Result<Self, DesktopError> {
        let (wire, _) =
            place.open(None).map_err(|fault| DesktopError::Lost(format!("{WHAT}: {fault}")))?;
        let wire = Arc::new(wire);
        if wire.extension_information(xinput::X11_EXTENSION_NAME).during(WHAT)?.is_none() {
            return Err(DesktopError::failed(WHAT, "the X server has no X Input extension"));
        }
        wire.xinput_xi_query_version(XINPUT.0, XINPUT.1).during(WHAT)?.reply().during(WHAT)?;
        let window = listen(&wire, root, strip)
            .and_then(|window| hear_of(&wire, root, composed).map(|()| window))
            .map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let since = Instant::now();
        let (devices, rises) = (Devices::default(), 0);
        let own = Arc::clone(&wire);
        let mut watched =
            Watched { wire: own, root, strip, window, face, stopped, devices, since, rises };
        let thread = std::thread::Builder::new()
            .name("presence".into())
            .spawn(move || watched.serve())
            .map_err(|fault| DesktopError::failed(WHAT, fault))?;
        Ok(Self { wire, window, thread: Some(thread) })
    }
}

impl Drop for Watcher {
    fn drop(&mut self) {
        let wake = ClientMessageEvent::new(32, self.window, AtomEnum::STRING, [0; 5]);
        let sent = self.wire.send_event(false, self.window, xproto::EventMask::NO_EVENT, wake).is_ok();
        if !sent || self.wire.flush().is_err() {
            tracing::debug!("the display of the strip is gone already");
        }
        // Not longer: the server may stand still, and the thread with it.
        let end = Instant::now() + FAREWELL;
        let Some(thread) = self.thread.take() else { return };
        while !thread.is_finished() && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}

/// Asks for the events, and makes the window by which the thread is woken.
fn listen(wire: &Wire, root: XWindow, strip: XWindow) -> Result<XWindow, ReplyOrIdError> {
    let press = EventMask { deviceid: Device::ALL_MASTER.into(), mask: vec![XIEventMask::BUTTON_PRESS] };
    wire.xinput_xi_select_events(strip, &[press])?.check()?;
    let change = EventMask { deviceid: Device::ALL.into(), mask: vec![XIEventMask::HIERARCHY] };
    wire.xinput_xi_select_events(root, &[change])?.check()?;
    let mask = xproto::EventMask::SUBSTRUCTURE_NOTIFY | xproto::EventMask::STRUCTURE_NOTIFY;
    let aux = ChangeWindowAttributesAux::new().event_mask(mask);
    wire.change_window_attributes(root, &aux)?.check()?;
    let window = wire.generate_id()?;
    let aux = CreateWindowAux::new();
    wire.create_window(0, window, root, -10, -10, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)?.check()?;
    Ok(window)
}

/// Asks to be told when a compositing manager comes and goes.
fn hear_of(wire: &Wire, root: XWindow, composed: &str) -> Result<(), ReplyOrIdError> {
    if wire.extension_information(xfixes::X11_EXTENSION_NAME)?.is_none() {
        return Ok(());
    }
    wire.xfixes_query_version(5, 0)?.reply()?;
    let atom = wire.intern_atom(false, composed.as_bytes())?.reply()?.atom;
    let mask = SelectionEventMask::SET_SELECTION_OWNER
        | SelectionEventMask::SELECTION_WINDOW_DESTROY
        | SelectionEventMask::SELECTION_CLIENT_CLOSE;
    wire.xfixes_select_selection_input(root, atom, mask)?.check()?;
    Ok(())
}

/// What the thread knows.
struct Watched {
    wire: Arc<Wire>,
    root: XWindow,
    strip: XWindow,
    window: XWindow,
    face: Arc<Mutex<Face>>,
    stopped: watch::Sender<bool>,
    devices: Devices,
    /// The second in which risings are counted.
    since: Instant,
    rises: u32,
}

impl Watched {
    fn serve(&mut self) {
        loop {
            let event = match self.wire.wait_for_event() {
                Ok(Event::ClientMessage(message)) if message.window == self.window => return,
                Ok(event) => event,
                Err(fault) => return tracing::debug!(%fault, "the display of the strip is gone"),
            };
            if let Err(fault) = self.take(&event) {
                tracing::debug!(%fault, "the strip is not as it should be");
            }
        }
    }

    fn take(&mut self, event: &Event) -> Result<(), DesktopError> {
        if let Event::XinputHierarchy(_) = event {
            self.devices.forget();
        } else if let Event::XfixesSelectionNotify(_) = event {
            return held(&self.face).compose();
        } else if let Event::XinputButtonPress(press) = event
            && press.event == self.strip
            && self.devices.is_real(&self.wire, press.sourceid).during(WHAT)?
        {
            self.stopped.send_replace(true);
        } else if let Event::ConfigureNotify(about) = event
            && about.window == self.root
        {
            return held(&self.face).move_house();
        } else if let Event::MapNotify(xproto::MapNotifyEvent { window, .. })
        | Event::ConfigureNotify(xproto::ConfigureNotifyEvent { window, .. }) = event
        {
            return self.rise(*window);
        }
        Ok(())
    }

    /// Another window may be in front now.
    fn rise(&mut self, other: XWindow) -> Result<(), DesktopError> {
        if self.since.elapsed() > Duration::from_secs(1) {
            (self.since, self.rises) = (Instant::now(), 0);
        }
        let face = held(&self.face);
        if self.rises >= RISES || face.knows(other) {
            return Ok(());
        }
        self.rises += 1;
        face.rise()
    }
}
