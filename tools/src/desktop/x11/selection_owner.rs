//! The thread that holds what was written to the clipboard and hands it to every program that pastes.
//! It has its own connection, on which it may wait for ever.

use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    Atom, AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, PropMode,
    SELECTION_NOTIFY_EVENT, SelectionNotifyEvent, SelectionRequestEvent, Window as XWindow, WindowClass,
};
use x11rb::wrapper::ConnectionExt as _;

use super::link::{Atoms, During, Place, Wire};
use crate::desktop::DesktopError;

const WHAT: &str = "writing the clipboard";
/// As long as a clipboard manager may take to fetch the text at the end.
const FAREWELL: Duration = Duration::from_millis(500);

static OWNERS: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

#[derive(Debug)]
struct Shared {
    wire: Wire,
    root: XWindow,
    window: XWindow,
    atoms: Atoms,
    /// `None` once another program has copied something.
    text: Mutex<Option<String>>,
    /// What was there before us.
    before: Option<String>,
}

/// Owns the clipboard until it is dropped.
#[derive(Debug)]
pub(super) struct Owner {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

impl Owner {
    /// Starts the thread; it owns nothing yet.
    pub(super) fn start(place: &Place, before: Option<String>) -> Result<Self, DesktopError> {
        let (wire, screen) =
            place.open(None).map_err(|fault| DesktopError::Lost(format!("{WHAT}: {fault}")))?;
        let root = wire.setup().roots.get(screen).map_or(0, |screen| screen.root);
        let atoms = Atoms::new(&wire).during(WHAT)?.reply().during(WHAT)?;
        let window = hidden_window(&wire, root).map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let shared = Arc::new(Shared { wire, root, window, atoms, text: Mutex::default(), before });
        let own = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("clipboard".into())
            .spawn(move || own.serve())
            .map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let mut owners = OWNERS.lock().unwrap_or_else(PoisonError::into_inner);
        owners.retain(|owner| owner.strong_count() > 0);
        owners.push(Arc::downgrade(&shared));
        Ok(Self { shared, thread })
    }

    /// The text, if `owner` is the window of this one.
    pub(super) fn text(&self, owner: XWindow) -> Option<String> {
        self.shared.text().clone().filter(|_| owner == self.shared.window)
    }

    /// Takes the clipboard with this text.
    pub(super) fn own(&self, text: String) -> Result<(), DesktopError> {
        let shared = &self.shared;
        let limit = shared.wire.maximum_request_bytes().saturating_sub(64);
        if text.len() > limit {
            return Err(DesktopError::failed(WHAT, format!("the text is longer than {limit} bytes")));
        }
        *shared.text() = Some(text);
        shared.take_over().during(WHAT)?;
        let owner = shared.wire.get_selection_owner(shared.atoms.CLIPBOARD).during(WHAT)?;
        if owner.reply().during(WHAT)?.owner != shared.window {
            return Err(DesktopError::failed(WHAT, "another program took the clipboard"));
        }
        Ok(())
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.shared.ask_to_close();
        // Not longer than the farewell: the server may stand still, and the thread with it.
        let end = Instant::now() + FAREWELL * 2;
        while !self.thread.is_finished() && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}

/// Ends every owner of this process, as dropping it would. For signals and panics.
pub(super) fn close_all() {
    let owners: Vec<Arc<Shared>> =
        OWNERS.lock().unwrap_or_else(PoisonError::into_inner).iter().filter_map(Weak::upgrade).collect();
    for owner in owners {
        owner.ask_to_close();
    }
}

fn hidden_window(wire: &Wire, root: XWindow) -> Result<XWindow, ReplyOrIdError> {
    let window = wire.generate_id()?;
    let aux = CreateWindowAux::new();
    wire.create_window(0, window, root, -10, -10, 1, 1, 0, WindowClass::INPUT_ONLY, 0, &aux)?.check()?;
    Ok(window)
}

impl Shared {
    fn text(&self) -> std::sync::MutexGuard<'_, Option<String>> {
        self.text.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take_over(&self) -> Result<(), x11rb::errors::ReplyError> {
        let taken =
            self.wire.set_selection_owner(self.window, self.atoms.CLIPBOARD, x11rb::CURRENT_TIME);
        taken?.check()
    }

    /// The thread sleeps until an event comes, so it is sent one.
    fn ask_to_close(&self) {
        let close = ClientMessageEvent::new(32, self.window, self.atoms.FREEHAND_CLOSE, [0; 5]);
        let sent = self.wire.send_event(false, self.window, EventMask::NO_EVENT, close).is_ok();
        if !sent || self.wire.flush().is_err() {
            tracing::debug!("the display of the clipboard is gone already");
        }
    }

    fn serve(&self) {
        while let Ok(event) = self.wire.wait_for_event() {
            if let Event::ClientMessage(message) = &event
                && message.type_ == self.atoms.FREEHAND_CLOSE
            {
                self.say_farewell();
                return;
            }
            self.attend(&event);
        }
    }

    fn attend(&self, event: &Event) {
        if matches!(event, Event::SelectionClear(_)) {
            *self.text() = None;
        }
        if let Event::SelectionRequest(request) = event
            && let Err(fault) = self.answer(request)
        {
            tracing::debug!(%fault, "a program did not get the clipboard's text");
        }
    }

    fn answer(&self, request: &SelectionRequestEvent) -> Result<(), x11rb::errors::ConnectionError> {
        // Old programs name no property and mean the target.
        let property = if request.property == 0 { request.target } else { request.property };
        let given = self.give(request.requestor, property, request.target)?;
        let notify = SelectionNotifyEvent {
            response_type: SELECTION_NOTIFY_EVENT,
            sequence: 0,
            time: request.time,
            requestor: request.requestor,
            selection: request.selection,
            target: request.target,
            property: if given { property } else { 0 },
        };
        self.wire.send_event(false, request.requestor, EventMask::NO_EVENT, notify)?;
        self.wire.flush()
    }

    fn give(
        &self,
        to: XWindow,
        property: Atom,
        target: Atom,
    ) -> Result<bool, x11rb::errors::ConnectionError> {
        let atoms = &self.atoms;
        let string = Atom::from(AtomEnum::STRING);
        let formats = [atoms.UTF8_STRING, atoms.TEXT_PLAIN, atoms.TEXT, string];
        if target == atoms.TARGETS {
            let all: Vec<Atom> =
                [atoms.TARGETS, atoms.SAVE_TARGETS].into_iter().chain(formats).collect();
            self.wire.change_property32(PropMode::REPLACE, to, property, AtomEnum::ATOM, &all)?;
            return Ok(true);
        }
        let Some(text) = self.text().clone().filter(|_| formats.contains(&target)) else {
            return Ok(false);
        };
        let bytes = if target == string {
            text.chars().map(|c| u8::try_from(u32::from(c)).unwrap_or(b'?')).collect()
        } else {
            text.into_bytes()
        };
        let kind = if target == atoms.TEXT { atoms.UTF8_STRING } else { target };
        self.wire.change_property8(PropMode::REPLACE, to, property, kind, &bytes)?;
        Ok(true)
    }

    /// Leaves the earlier text with a clipboard manager, where one runs.
    fn say_farewell(&self) {
        let Some(before) = &self.before else { return };
        if self.text().replace(before.clone()).is_none() {
            // Somebody copied something since; that stays.
            return;
        }
        let (manager, save) = (self.atoms.CLIPBOARD_MANAGER, self.atoms.SAVE_TARGETS);
        let there = self.wire.get_selection_owner(manager).ok().and_then(|cookie| cookie.reply().ok());
        if there.is_none_or(|reply| reply.owner == 0) || self.take_over().is_err() {
            return;
        }
        let transfer = self.atoms.FREEHAND_TRANSFER;
        let asked =
            self.wire.convert_selection(self.window, manager, save, transfer, x11rb::CURRENT_TIME);
        if asked.is_err() || self.wire.flush().is_err() {
            return;
        }
        let end = Instant::now() + FAREWELL;
        while Instant::now() < end {
            match self.wire.poll_for_event() {
                Ok(Some(Event::SelectionNotify(notify))) if notify.selection == manager => return,
                Ok(Some(event)) => self.attend(&event),
                Ok(None) => std::thread::park_timeout(Duration::from_millis(2)),
                Err(_) => return,
            }
        }
        tracing::debug!(root = self.root, "the clipboard manager did not take the text in time");
    }
}
