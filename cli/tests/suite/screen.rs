//! A display that is not the command's own: it is there before and after, so that what a command
//! leaves held down, or takes off the clipboard, can be seen from outside.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{AtomEnum, ConnectionExt as _, CreateWindowAux, ImageFormat, WindowClass};
use x11rb::rust_connection::RustConnection;

use crate::support::{processes_with, rest, signal};

/// A running display, seen by a program that knows nothing of Freehand.
pub(crate) struct Screen {
    pub(crate) name: String,
    wire: RustConnection,
    root: u32,
    /// Holds the clipboard.
    window: u32,
    server: Server,
}

enum Server {
    /// An X server and nothing else.
    Bare(Child),
    /// With a window manager and an accessibility bus.
    Whole(VirtualDisplay),
    /// Whatever it is, it is not this test's to end.
    Theirs,
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Self::Bare(child) = self {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

impl Screen {
    /// An X server and nothing else.
    pub(crate) fn bare() -> Self {
        let mut child = Command::new("Xvfb")
            .args(["-displayfd", "1", "-screen", "0", "800x600x24", "-nolisten", "tcp", "-noreset"])
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self::on(format!(":{}", number.trim()), Server::Bare(child))
    }

    /// One with a window manager and an accessibility bus.
    pub(crate) fn whole() -> Self {
        let display = VirtualDisplay::start(VirtualDisplay::DEFAULT_SIZE).unwrap();
        Self::on(display.name().to_owned(), Server::Whole(display))
    }

    /// One that somebody else has started.
    pub(crate) fn of(name: &str) -> Self {
        Self::on(name.to_owned(), Server::Theirs)
    }

    fn on(name: String, server: Server) -> Self {
        let (wire, screen) = x11rb::connect(Some(&name)).unwrap();
        let root = wire.setup().roots.get(screen).unwrap().root;
        let window = wire.generate_id().unwrap();
        let (class, aux) = (WindowClass::INPUT_ONLY, CreateWindowAux::new());
        wire.create_window(0, window, root, -1, -1, 1, 1, 0, class, 0, &aux).unwrap();
        wire.set_selection_owner(window, clipboard(&wire), x11rb::CURRENT_TIME).unwrap();
        wire.flush().unwrap();
        Self { name, wire, root, window, server }
    }

    /// Starts a program on it, which ends with it, and gives its process.
    pub(crate) fn start(&self, argv: &[&str]) -> u32 {
        let Server::Whole(display) = &self.server else { panic!("nothing runs on a bare server") };
        let (program, arguments) = argv.split_first().unwrap();
        let mut command = Command::new(program);
        command.args(arguments).envs(display.environment()).stdin(Stdio::null());
        command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap().id()
    }

    /// What programs have to be told to appear on it.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        let Server::Whole(display) = &self.server else { panic!("nothing runs on a bare server") };
        let text = |value: &std::ffi::OsStr| value.to_str().unwrap().to_owned();
        display.environment().map(|(name, value)| (name.to_owned(), text(value))).collect()
    }

    /// The address of its session bus.
    pub(crate) fn bus(&self) -> String {
        let is_bus = |pair: &(String, String)| pair.0 == "DBUS_SESSION_BUS_ADDRESS";
        self.environment().into_iter().find(is_bus).unwrap().1
    }

    /// All that is on it, as red, green and blue.
    pub(crate) fn pixels(&self) -> Vec<[u8; 3]> {
        let size = self.wire.get_geometry(self.root).unwrap().reply().unwrap();
        let image =
            self.wire.get_image(ImageFormat::Z_PIXMAP, self.root, 0, 0, size.width, size.height, !0);
        let image = image.unwrap().reply().unwrap();
        image.data.chunks(4).map(|pixel| [pixel[2], pixel[1], pixel[0]]).collect()
    }

    /// Ends its accessibility bus.
    pub(crate) fn end_bus(&self) {
        let Server::Whole(display) = &self.server else { panic!("a bare server has none") };
        let (_, mark) = display.environment().find(|(name, _)| *name == "FREEHAND_DISPLAY").unwrap();
        let is_bus = |id: &u32| {
            std::fs::read_to_string(format!("/proc/{id}/cmdline"))
                .is_ok_and(|words| words.contains("accessibility.conf"))
        };
        let bus = processes_with(mark.to_str().unwrap()).into_iter().find(is_bus).unwrap();
        signal(bus, "KILL");
    }

    /// Sends a signal to a bare server.
    pub(crate) fn signal(&self, name: &str) {
        let Server::Bare(child) = &self.server else { panic!("only a bare server is treated so") };
        signal(child.id(), name);
    }

    /// What names it on the command line, as a display that may be used up.
    pub(crate) fn vouched(&self) -> [&str; 5] {
        ["--display", &self.name, "--policy", "unattended", "--trust-display"]
    }

    /// The keys that the server takes for pressed, and the buttons as bits.
    pub(crate) fn held(&self) -> (u32, u16) {
        let keys = self.wire.query_keymap().unwrap().reply().unwrap().keys;
        let pointer = self.wire.query_pointer(self.root).unwrap().reply().unwrap();
        (keys.iter().map(|byte| byte.count_ones()).sum(), u16::from(pointer.mask) & 0x1f00)
    }

    /// Nothing stays down, and the clipboard is still that of whoever had it.
    #[track_caller]
    pub(crate) fn expect_untouched(&self, when: &str) {
        let end = Instant::now() + Duration::from_secs(3);
        while self.held() != (0, 0) {
            assert!(Instant::now() < end, "{when}: {:?} keys and buttons stay down", self.held());
            rest(Duration::from_millis(10));
        }
        let owner = self.wire.get_selection_owner(clipboard(&self.wire)).unwrap().reply().unwrap();
        assert_eq!(owner.owner, self.window, "{when}: the clipboard was taken");
    }

    /// Whether a window with this title is there.
    pub(crate) fn shows(&self, title: &str) -> bool {
        self.window_of(title).is_some()
    }

    /// Where the window with this title is on the screen, without what the window manager draws around it:
    /// left, top, width, height.
    pub(crate) fn place_of(&self, title: &str) -> Option<(i16, i16, u16, u16)> {
        let window = self.window_of(title)?;
        let size = self.wire.get_geometry(window).unwrap().reply().ok()?;
        let corner = self.wire.translate_coordinates(window, self.root, 0, 0).unwrap().reply().ok()?;
        Some((corner.dst_x, corner.dst_y, size.width, size.height))
    }

    fn window_of(&self, title: &str) -> Option<u32> {
        let mut windows = vec![self.root];
        while let Some(window) = windows.pop() {
            let name = self.wire.get_property(false, window, AtomEnum::WM_NAME, AtomEnum::ANY, 0, 1024);
            // A window may be gone by now.
            if name.unwrap().reply().is_ok_and(|name| name.value == title.as_bytes()) {
                return Some(window);
            }
            if let Ok(tree) = self.wire.query_tree(window).unwrap().reply() {
                windows.extend(tree.children);
            }
        }
        None
    }
}

fn clipboard(wire: &RustConnection) -> u32 {
    wire.intern_atom(false, b"CLIPBOARD").unwrap().reply().unwrap().atom
}
