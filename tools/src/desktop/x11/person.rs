//! What the person at the desk does, so that a run can wait for it and be stopped by it.
//!
//! The X server tells of every event which device it came from. Injected ones come from the devices of
//! XTEST, whoever injects them, so nothing that Freehand or another program sends counts as the person.
//! Raw events of the X Input extension come whatever window has the keyboard, grabbed or not.

use std::collections::HashSet;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::{ReplyError, ReplyOrIdError};
use x11rb::protocol::Event;
use x11rb::protocol::xinput::{self, ConnectionExt as _, Device, EventMask, XIEventMask};
use x11rb::protocol::xproto::{
    self, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, Keycode, WindowClass,
};

use super::devices::{Devices, XINPUT};
use super::display_name::Session;
use super::keymap::symbol_of_key;
use super::link::{During, Place, Wire};
use crate::desktop::{DesktopError, StopSign};
use crate::key::{Key, Modifier};

const WHAT: &str = "watching for the person at the desk";
/// So near to both edges, in px, the pointer is in the corner.
const CORNER: i16 = 2;
/// As long as the thread may take to end.
const FAREWELL: Duration = Duration::from_millis(200);

/// Watches the devices of one display until it is dropped.
#[derive(Debug)]
pub struct Person {
    seen: watch::Receiver<Option<Instant>>,
    stops: watch::Receiver<bool>,
    wire: Arc<Wire>,
    window: xproto::Window,
    thread: Option<JoinHandle<()>>,
}

impl Person {
    /// Watches `display`, a name as in `DISPLAY`, or the one of the session.
    pub fn watch(display: Option<&str>, sign: &StopSign) -> Result<Self, DesktopError> {
        let name = Session::of_process().choose(display)?;
        let place = Place { name, cookie: None };
        let (wire, screen) = place.open(None).map_err(|fault| {
            DesktopError::failed(WHAT, format!("`{}` cannot be opened: {fault}", place.name))
        })?;
        let wire = Arc::new(wire);
        let root = wire.setup().roots.get(screen).map_or(0, |screen| screen.root);
        if wire.extension_information(xinput::X11_EXTENSION_NAME).during(WHAT)?.is_none() {
            return Err(DesktopError::failed(WHAT, "the X server has no X Input extension"));
        }
        wire.xinput_xi_query_version(XINPUT.0, XINPUT.1).during(WHAT)?.reply().during(WHAT)?;
        let window = listen(&wire, root).map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let (seen, told) = watch::channel(None);
        let (stopped, stops) = watch::channel(false);
        let mut watcher = Watcher {
            wire: Arc::clone(&wire),
            root,
            window,
            devices: Devices::default(),
            down: HashSet::new(),
            sign: sign.clone(),
            parts: Vec::new(),
            seen,
            stopped,
        };
        watcher.read_keys().during(WHAT)?;
        let thread = std::thread::Builder::new()
            .name("person".into())
            .spawn(move || watcher.serve())
            .map_err(|fault| DesktopError::failed(WHAT, fault))?;
        Ok(Self { seen: told, stops, wire, window, thread: Some(thread) })
    }

    /// When the mouse or the keyboard was last used; nothing before the first time.
    pub fn seen(&self) -> watch::Receiver<Option<Instant>> {
        self.seen.clone()
    }

    /// Becomes true once the stop sign was given, and stays so.
    pub fn stops(&self) -> watch::Receiver<bool> {
        self.stops.clone()
    }
}

impl Drop for Person {
    fn drop(&mut self) {
        let wake = ClientMessageEvent::new(32, self.window, AtomEnum::STRING, [0; 5]);
        let sent = self.wire.send_event(false, self.window, xproto::EventMask::NO_EVENT, wake).is_ok();
        if !sent || self.wire.flush().is_err() {
            tracing::debug!("the display of the person is gone already");
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
fn listen(wire: &Wire, root: xproto::Window) -> Result<xproto::Window, ReplyOrIdError> {
    let raw = XIEventMask::RAW_KEY_PRESS
        | XIEventMask::RAW_KEY_RELEASE
        | XIEventMask::RAW_BUTTON_PRESS
        | XIEventMask::RAW_MOTION;
    let masks = [
        EventMask { deviceid: Device::ALL_MASTER.into(), mask: vec![raw] },
        EventMask { deviceid: Device::ALL.into(), mask: vec![XIEventMask::HIERARCHY] },
    ];
    wire.xinput_xi_select_events(root, &masks)?.check()?;
    let window = wire.generate_id()?;
    let aux = CreateWindowAux::new();
    wire.create_window(0, window, root, -10, -10, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)?.check()?;
    Ok(window)
}

/// What the thread knows of the devices.
struct Watcher {
    wire: Arc<Wire>,
    root: xproto::Window,
    window: xproto::Window,
    devices: Devices,
    /// Keys that a person holds down.
    down: HashSet<Keycode>,
    sign: StopSign,
    /// For each key of the chord the keys that make it.
    parts: Vec<Vec<Keycode>>,
    seen: watch::Sender<Option<Instant>>,
    stopped: watch::Sender<bool>,
}

impl Watcher {
    fn serve(mut self) {
        loop {
            let event = match self.wire.wait_for_event() {
                Ok(Event::ClientMessage(message)) if message.window == self.window => return,
                Ok(event) => event,
                Err(fault) => return tracing::debug!(%fault, "the display of the person is gone"),
            };
            if let Err(fault) = self.take(&event) {
                tracing::debug!(%fault, "an event of a device could not be understood");
            }
        }
    }

    fn take(&mut self, event: &Event) -> Result<(), ReplyError> {
        if let Event::XinputHierarchy(_) = event {
            self.devices.forget();
        } else if let Event::MappingNotify(_) = event {
            self.read_keys()?;
        }
        let Some((device, key)) = source(event) else { return Ok(()) };
        if !self.devices.is_real(&self.wire, device)? {
            return Ok(());
        }
        self.seen.send_replace(Some(Instant::now()));
        if let Some((code, pressed)) =
            key.and_then(|(code, down)| Some((u8::try_from(code).ok()?, down)))
        {
            if pressed {
                self.down.insert(code)
            } else {
                self.down.remove(&code)
            };
        }
        let chord = key.is_some_and(|(_, pressed)| pressed) && self.holds_chord();
        let corner =
            matches!(event, Event::XinputRawMotion(_)) && self.sign.corner && self.in_corner()?;
        if chord || corner {
            self.stopped.send_replace(true);
        }
        Ok(())
    }

    fn holds_chord(&self) -> bool {
        !self.parts.is_empty()
            && self.parts.iter().all(|codes| codes.iter().any(|code| self.down.contains(code)))
    }

    fn in_corner(&self) -> Result<bool, ReplyError> {
        let pointer = self.wire.query_pointer(self.root)?.reply()?;
        Ok(pointer.root_x < CORNER && pointer.root_y < CORNER)
    }

    /// Finds the keys of the chord on the keyboard as it is now.
    fn read_keys(&mut self) -> Result<(), ReplyError> {
        let setup = self.wire.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let count = last.saturating_sub(first).saturating_add(1);
        let mapping = self.wire.get_keyboard_mapping(first, count)?.reply()?;
        let columns = usize::from(mapping.keysyms_per_keycode).max(1);
        let keys: Vec<(Keycode, &[u32])> = (first..=last).zip(mapping.keysyms.chunks(columns)).collect();
        let chord = &self.sign.chord;
        let wanted = chord.modifiers.iter().map(|m| Key::Modifier(*m)).chain([chord.key]);
        self.parts = wanted
            .map(|key| {
                let symbols = symbols(key);
                let makes = |row: &[u32]| row.iter().any(|symbol| symbols.contains(symbol));
                keys.iter().filter(|(_, row)| makes(row)).map(|(code, _)| *code).collect()
            })
            .collect();
        Ok(())
    }
}

/// The device that it came from, and for a key its number and whether it went down.
fn source(event: &Event) -> Option<(u16, Option<(u32, bool)>)> {
    if let Event::XinputRawKeyPress(press) = event {
        return Some((press.sourceid, Some((press.detail, true))));
    }
    if let Event::XinputRawKeyRelease(release) = event {
        return Some((release.sourceid, Some((release.detail, false))));
    }
    if let Event::XinputRawButtonPress(press) = event {
        return Some((press.sourceid, None));
    }
    let Event::XinputRawMotion(motion) = event else { return None };
    Some((motion.sourceid, None))
}

/// The symbols of a key, on either side of the keyboard.
fn symbols(key: Key) -> Vec<u32> {
    use xkeysym::key as symbol;
    match key {
        Key::Modifier(Modifier::Ctrl) => vec![symbol::Control_L, symbol::Control_R],
        Key::Modifier(Modifier::Shift) => vec![symbol::Shift_L, symbol::Shift_R],
        Key::Modifier(Modifier::Alt) => {
            vec![symbol::Alt_L, symbol::Alt_R, symbol::Meta_L, symbol::Meta_R]
        }
        Key::Modifier(Modifier::Super) => vec![symbol::Super_L, symbol::Super_R],
        Key::Char(_) | Key::Function(_) | Key::Named(_) => symbol_of_key(key).into_iter().collect(),
    }
}
