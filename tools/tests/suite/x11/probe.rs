//! A window of a program that knows nothing of Freehand and writes down every event.

use std::time::{Duration, Instant};

use freehand_tools::geometry::ScreenRect;
use x11rb::connection::Connection;
use x11rb::properties::{WmSizeHints, WmSizeHintsSpecification};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{
    AtomEnum, ClientMessageEvent, ConnectionExt as _, CreateWindowAux, EventMask, KeyPressEvent,
    PropMode, WindowClass,
};
use x11rb::rust_connection::RustConnection;
use x11rb::wrapper::ConnectionExt as _;

pub(crate) struct Probe {
    pub(crate) wire: RustConnection,
    pub(crate) root: u32,
}

/// Managed by the window manager, or put on the screen past it, as menus are.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Kind {
    Managed,
    PopUp,
}

impl Probe {
    pub(crate) fn on(display: &str) -> Self {
        let (wire, screen) = x11rb::connect(Some(display)).unwrap();
        let root = wire.setup().roots[screen].root;
        Self { wire, root }
    }

    /// A window with a title and a class, or with neither when `title` is empty.
    pub(crate) fn window(&self, at: ScreenRect, kind: Kind, title: &str) -> u32 {
        let window = self.wire.generate_id().unwrap();
        let mask = EventMask::BUTTON_PRESS
            | EventMask::BUTTON_RELEASE
            | EventMask::BUTTON_MOTION
            | EventMask::KEY_PRESS
            | EventMask::KEY_RELEASE
            | EventMask::STRUCTURE_NOTIFY;
        let aux = CreateWindowAux::new()
            .event_mask(mask)
            .background_pixel(0x33_66_99)
            .override_redirect(u32::from(kind == Kind::PopUp));
        let (x, y) = (i16::try_from(at.x).unwrap(), i16::try_from(at.y).unwrap());
        let (w, h) = (u16::try_from(at.width).unwrap(), u16::try_from(at.height).unwrap());
        let class = WindowClass::INPUT_OUTPUT;
        self.wire.create_window(0, window, self.root, x, y, w, h, 0, class, 0, &aux).unwrap();
        let mut hints = WmSizeHints::new();
        hints.position = Some((WmSizeHintsSpecification::UserSpecified, at.x, at.y));
        hints.set_normal_hints(&self.wire, window).unwrap();
        if !title.is_empty() {
            for (property, text) in [
                (AtomEnum::WM_NAME, title.to_owned()),
                (AtomEnum::WM_CLASS, format!("probe\0{title}\0")),
            ] {
                self.wire
                    .change_property8(
                        PropMode::REPLACE,
                        window,
                        property,
                        AtomEnum::STRING,
                        text.as_bytes(),
                    )
                    .unwrap();
            }
        }
        self.wire.map_window(window).unwrap();
        self.wire.sync().unwrap();
        window
    }

    /// Says how many pixels an inch has, as the desktop of a scaled session does; 96 is no scaling.
    pub(crate) fn scale(&self, dpi: u32) {
        let text = format!("Xft.dpi:\t{dpi}\n");
        let (property, kind) = (AtomEnum::RESOURCE_MANAGER, AtomEnum::STRING);
        self.wire
            .change_property8(PropMode::REPLACE, self.root, property, kind, text.as_bytes())
            .unwrap();
        self.wire.sync().unwrap();
    }

    /// Lets the window say that it answers the question whether it still reads its events; the atom
    /// that such a question bears.
    pub(crate) fn answers_pings(&self, window: u32) -> u32 {
        let atom =
            |name: &str| self.wire.intern_atom(false, name.as_bytes()).unwrap().reply().unwrap().atom;
        let (protocols, ping) = (atom("WM_PROTOCOLS"), atom("_NET_WM_PING"));
        self.wire
            .change_property32(PropMode::REPLACE, window, protocols, AtomEnum::ATOM, &[ping])
            .unwrap();
        self.wire.sync().unwrap();
        ping
    }

    /// Answers such a question to those who listen for `mask`.
    pub(crate) fn answer(&self, mut question: ClientMessageEvent, mask: EventMask) {
        question.window = self.root;
        let mask = mask | EventMask::SUBSTRUCTURE_REDIRECT;
        self.wire.send_event(false, self.root, mask, question).unwrap();
        self.wire.sync().unwrap();
    }

    /// Waits until `enough` says so of all events seen since the last call.
    pub(crate) fn events(&self, enough: impl Fn(&[Event]) -> bool) -> Vec<Event> {
        let end = Instant::now() + Duration::from_secs(5);
        let mut seen = Vec::new();
        loop {
            self.wire.sync().unwrap();
            while let Some(event) = self.wire.poll_for_event().unwrap() {
                seen.push(event);
            }
            if enough(&seen) {
                return seen;
            }
            assert!(Instant::now() < end, "only these events came: {seen:#?}");
        }
    }

    /// The next `count` key events: symbol of the key, whether it is pressed, the modifiers.
    pub(crate) fn keys(&self, count: usize) -> Vec<(u32, bool, u16)> {
        let is_key = |e: &&Event| matches!(e, Event::KeyPress(_) | Event::KeyRelease(_));
        let seen = self.events(|events| events.iter().filter(is_key).count() >= count);
        let setup = self.wire.setup();
        let (first, last) = (setup.min_keycode, setup.max_keycode);
        let map = self.wire.get_keyboard_mapping(first, last - first + 1).unwrap().reply().unwrap();
        let symbol = |event: &KeyPressEvent| {
            map.keysyms[usize::from(event.detail - first) * usize::from(map.keysyms_per_keycode)]
        };
        seen.iter()
            .filter_map(|event| match event {
                Event::KeyPress(key) => Some((symbol(key), true, u16::from(key.state))),
                Event::KeyRelease(key) => Some((symbol(key), false, u16::from(key.state))),
                _ => None,
            })
            .collect()
    }

    /// The keys that the server takes for pressed, and the buttons as bits.
    pub(crate) fn held(&self) -> (u32, u16) {
        let keys = self.wire.query_keymap().unwrap().reply().unwrap().keys;
        let pointer = self.wire.query_pointer(self.root).unwrap().reply().unwrap();
        (keys.iter().map(|byte| byte.count_ones()).sum(), u16::from(pointer.mask) & 0x1f00)
    }

    /// Nothing stays down. The window manager may hold the last events back for a moment.
    pub(crate) fn expect_nothing_held(&self, when: &str) {
        let end = Instant::now() + Duration::from_secs(1);
        while self.held() != (0, 0) {
            assert!(Instant::now() < end, "{when}: {:?} keys and buttons stay down", self.held());
        }
    }
}
