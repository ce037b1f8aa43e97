//! One connection to one X server. Every answer is waited for with patience and not for ever, so a
//! server that has died or stands still becomes [`DesktopError::Lost`] instead of a hang.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::io::Errno;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::{ConnectError, ConnectionError, ReplyError};
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConnectionExt as _, EventMask, ImageOrder, Window,
};
use x11rb::protocol::{Event, randr, xkb, xtest};
use x11rb::rust_connection::{DefaultStream, PollMode, RustConnection, Stream};
use x11rb::utils::RawFdContainer;

use crate::desktop::DesktopError;

/// A connection whose every wait ends.
pub(super) type Wire = RustConnection<Patient>;

x11rb::atom_manager! {
    /// The atoms that are asked for by name.
    pub(super) Atoms: AtomsCookie {
        _COMPTON_SHADOW,
        _NET_ACTIVE_WINDOW,
        _NET_CLIENT_LIST,
        _NET_CLIENT_LIST_STACKING,
        _NET_CURRENT_DESKTOP,
        _NET_SUPPORTING_WM_CHECK,
        _NET_WM_DESKTOP,
        _NET_WM_NAME,
        _NET_WM_PID,
        _NET_WM_PING,
        _NET_WM_STATE,
        _NET_WM_STATE_HIDDEN,
        _NET_WM_WINDOW_TYPE,
        _NET_WM_WINDOW_TYPE_SPLASH,
        _GTK_FRAME_EXTENTS,
        _NET_FRAME_EXTENTS,
        AT_SPI_BUS,
        CLIPBOARD,
        CLIPBOARD_MANAGER,
        FREEHAND_TRANSFER,
        FREEHAND_CLOSE,
        INCR,
        SAVE_TARGETS,
        TARGETS,
        TEXT,
        TEXT_PLAIN: b"text/plain;charset=utf-8",
        UTF8_STRING,
        WM_PROTOCOLS,
        WM_STATE,
    }
}

/// Where a display is and what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Place {
    /// The name as in `DISPLAY`.
    pub(super) name: String,
    /// The cookie, where it is not in the user's authority file.
    pub(super) cookie: Option<Vec<u8>>,
}

/// A stream to the server that gives up waiting after a while.
#[derive(Debug)]
pub(super) struct Patient {
    stream: DefaultStream,
    /// `None` waits for ever: only for a thread that serves others.
    patience: Option<Duration>,
}

impl Stream for Patient {
    fn poll(&self, mode: PollMode) -> io::Result<()> {
        let mut flags = PollFlags::empty();
        flags.set(PollFlags::IN, mode.readable());
        flags.set(PollFlags::OUT, mode.writable());
        let timeout = self.patience.and_then(|p| Timespec::try_from(p).ok());
        loop {
            let mut fds = [PollFd::new(&self.stream, flags)];
            match rustix::event::poll(&mut fds, timeout.as_ref()) {
                Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
                Ok(_) => return Ok(()),
                Err(Errno::INTR) => {}
                Err(fault) => return Err(fault.into()),
            }
        }
    }

    fn read(&self, buf: &mut [u8], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.read(buf, fds)
    }

    fn write(&self, buf: &[u8], fds: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.write(buf, fds)
    }

    fn write_vectored(
        &self,
        bufs: &[io::IoSlice<'_>],
        fds: &mut Vec<RawFdContainer>,
    ) -> io::Result<usize> {
        self.stream.write_vectored(bufs, fds)
    }
}

impl AsFd for Patient {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.stream.as_fd()
    }
}

impl Place {
    /// As long as one answer of the server may take.
    pub(super) const PATIENCE: Duration = Duration::from_secs(5);

    /// Opens a connection; also says which screen of the display is meant.
    pub(super) fn open(&self, patience: Option<Duration>) -> Result<(Wire, usize), ConnectError> {
        let parsed = x11rb_protocol::parse_display::parse_display(Some(&self.name))?;
        let screen = usize::from(parsed.screen);
        let mut fault = ConnectError::UnknownError;
        for address in parsed.connect_instruction() {
            let (stream, (family, peer)) = match DefaultStream::connect(&address) {
                Ok(connected) => connected,
                Err(refused) => {
                    fault = refused.into();
                    continue;
                }
            };
            let (name, key) = match &self.cookie {
                Some(cookie) => (b"MIT-MAGIC-COOKIE-1".to_vec(), cookie.clone()),
                None => x11rb_protocol::xauth::get_auth(family, &peer, parsed.display)
                    .ok()
                    .flatten()
                    .unwrap_or_default(),
            };
            let stream = Patient { stream, patience };
            let wire = RustConnection::connect_to_stream_with_auth_info(stream, screen, name, key)?;
            return Ok((wire, screen));
        }
        Err(fault)
    }
}

/// What the server told us without being asked, kept until somebody wants it.
#[derive(Debug, Default)]
struct Inbox {
    keyboard_changed: bool,
    monitors_changed: bool,
    drawn_on: bool,
    letters: VecDeque<Event>,
}

/// A connection with what is known of its server.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) wire: Wire,
    pub(super) root: Window,
    pub(super) atoms: Atoms,
    pub(super) place: Place,
    inbox: Mutex<Inbox>,
}

impl Link {
    /// Letters that are kept at most; older ones are of no use to anybody.
    const LETTERS: usize = 256;

    /// Connects and makes sure that the server can do what is needed.
    pub(super) fn open(place: Place) -> Result<Self, DesktopError> {
        let name = place.name.clone();
        let no_display = |reason: String| DesktopError::NoDisplay {
            reason: format!("`{name}` cannot be opened: {reason}"),
            hint: "start an X server there, name another with --display, or let Freehand start one \
                   with `--display virtual`"
                .into(),
        };
        let (wire, screen) =
            place.open(Some(Place::PATIENCE)).map_err(|fault| no_display(fault.to_string()))?;
        let root = wire
            .setup()
            .roots
            .get(screen)
            .map(|screen| screen.root)
            .ok_or_else(|| no_display(format!("it has no screen {screen}")))?;
        let atoms = Atoms::new(&wire).during("asking for names")?;
        let atoms = atoms.reply().during("asking for names")?;
        let link = Self { wire, root, atoms, place, inbox: Mutex::default() };
        link.check_abilities(screen)?;
        link.subscribe()?;
        Ok(link)
    }

    fn check_abilities(&self, screen: usize) -> Result<(), DesktopError> {
        let missing = |what: &str, reason: &str| DesktopError::Unsupported {
            what: what.into(),
            reason: format!("the X server `{}` {reason}", self.place.name),
        };
        if !self.has(xtest::X11_EXTENSION_NAME)? {
            return Err(missing("moving the mouse", "lacks the XTEST extension; start it with XTEST"));
        }
        let setup = self.wire.setup();
        let depth = setup.roots.get(screen).map_or(0, |screen| screen.root_depth);
        let bits =
            setup.pixmap_formats.iter().find(|f| f.depth == depth).map_or(0, |f| f.bits_per_pixel);
        if !matches!(depth, 24 | 32) || bits != 32 || setup.image_byte_order != ImageOrder::LSB_FIRST {
            let reason =
                format!("shows {depth} bits of colour; start it with 24 and on a little-endian machine");
            return Err(missing("seeing the screen", &reason));
        }
        Ok(())
    }

    fn subscribe(&self) -> Result<(), DesktopError> {
        if self.has(randr::X11_EXTENSION_NAME)? {
            use randr::{ConnectionExt as _, NotifyMask};
            let mask = NotifyMask::SCREEN_CHANGE | NotifyMask::CRTC_CHANGE | NotifyMask::OUTPUT_CHANGE;
            self.wire.randr_select_input(self.root, mask).during("watching the monitors")?;
        }
        self.listen(EventMask::NO_EVENT)?;
        if self.has(xkb::X11_EXTENSION_NAME)? {
            self.watch_the_keyboard()?;
        }
        Ok(())
    }

    /// Is told of this about the root and what is on it, and always of the root itself: a monitor that is
    /// cut into two says nothing else.
    pub(super) fn listen(&self, mask: EventMask) -> Result<(), DesktopError> {
        let aux = ChangeWindowAttributesAux::new().event_mask(mask | EventMask::STRUCTURE_NOTIFY);
        self.wire.change_window_attributes(self.root, &aux).during("watching the screen")?;
        Ok(())
    }

    /// Who uses XKB is told of new layouts by XKB alone.
    fn watch_the_keyboard(&self) -> Result<(), DesktopError> {
        use xkb::{ConnectionExt as _, EventType, ID, MapPart, SelectEventsAux};
        let what = "watching the keyboard";
        self.wire.xkb_use_extension(1, 0).during(what)?.reply().during(what)?;
        let events = EventType::NEW_KEYBOARD_NOTIFY | EventType::MAP_NOTIFY;
        let (device, none) = (u16::from(ID::USE_CORE_KBD), EventType::from(0_u16));
        let parts = MapPart::KEY_TYPES | MapPart::KEY_SYMS | MapPart::MODIFIER_MAP;
        self.wire
            .xkb_select_events(device, none, events, parts, parts, &SelectEventsAux::new())
            .during(what)?;
        Ok(())
    }

    /// Whether the server has an extension.
    pub(super) fn has(&self, extension: &'static str) -> Result<bool, DesktopError> {
        let found = self.wire.extension_information(extension).during("asking for extensions")?;
        Ok(found.is_some())
    }

    /// Asks the server something that it can only answer when everything sent before is done.
    pub(super) fn sync(&self) -> Result<(), DesktopError> {
        self.wire
            .get_input_focus()
            .during("waiting for the X server")?
            .reply()
            .during("waiting for the X server")?;
        Ok(())
    }

    /// Takes in what the server has told us.
    pub(super) fn attend(&self) -> Result<(), DesktopError> {
        while let Some(event) = self.wire.poll_for_event().during("reading events")? {
            let mut inbox = self.inbox();
            if matches!(
                event,
                Event::MappingNotify(_) | Event::XkbMapNotify(_) | Event::XkbNewKeyboardNotify(_)
            ) {
                inbox.keyboard_changed = true;
            } else if matches!(event, Event::RandrNotify(_) | Event::RandrScreenChangeNotify(_))
                || matches!(event, Event::ConfigureNotify(about) if about.window == self.root)
            {
                inbox.monitors_changed = true;
            } else if matches!(event, Event::DamageNotify(_)) {
                inbox.drawn_on = true;
            } else if matches!(
                event,
                Event::ClientMessage(_) | Event::SelectionNotify(_) | Event::PropertyNotify(_)
            ) {
                if inbox.letters.len() >= Self::LETTERS {
                    inbox.letters.pop_front();
                }
                inbox.letters.push_back(event);
            }
        }
        Ok(())
    }

    /// Whether the keyboard's mapping has changed since this was last asked.
    pub(super) fn keyboard_changed(&self) -> bool {
        std::mem::take(&mut self.inbox().keyboard_changed)
    }

    /// Whether a monitor has changed since this was last asked.
    pub(super) fn monitors_changed(&self) -> bool {
        std::mem::take(&mut self.inbox().monitors_changed)
    }

    /// Whether the server has said that something was drawn, since this was last forgotten.
    pub(super) fn is_drawn_on(&self) -> bool {
        self.inbox().drawn_on
    }

    /// Forgets that something was drawn.
    pub(super) fn forget_drawing(&self) {
        self.inbox().drawn_on = false;
    }

    /// The oldest letter that `wanted` takes; the ones before it are thrown away.
    pub(super) fn letter<T>(
        &self,
        wanted: impl Fn(&Event) -> Option<T>,
    ) -> Result<Option<T>, DesktopError> {
        self.attend()?;
        let mut inbox = self.inbox();
        while let Some(event) = inbox.letters.pop_front() {
            if let Some(found) = wanted(&event) {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }

    fn inbox(&self) -> std::sync::MutexGuard<'_, Inbox> {
        self.inbox.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Turns a fault of the X connection into ours, and says what was being done.
pub(super) trait During<T> {
    /// The same result; a broken connection is [`DesktopError::Lost`].
    fn during(self, what: &str) -> Result<T, DesktopError>;
}

impl<T, E: Into<ReplyError>> During<T> for Result<T, E> {
    fn during(self, what: &str) -> Result<T, DesktopError> {
        self.map_err(|fault| match fault.into() {
            ReplyError::ConnectionError(ConnectionError::IoError(fault)) => {
                let reason = if fault.kind() == io::ErrorKind::TimedOut {
                    "the X server has not answered for 5 s".into()
                } else {
                    format!("the connection to the X server broke ({fault})")
                };
                DesktopError::Lost(format!("{reason} while {what}"))
            }
            ReplyError::ConnectionError(ConnectionError::UnknownError) => {
                DesktopError::Lost(format!("the connection to the X server broke while {what}"))
            }
            ReplyError::ConnectionError(fault) => DesktopError::failed(what, fault),
            ReplyError::X11Error(fault) => {
                DesktopError::failed(what, format!("the X server answered {:?}", fault.error_kind))
            }
        })
    }
}
