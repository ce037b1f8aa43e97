//! The strip and the ring: there for the person, and for nobody else.

use std::time::Duration;

use freehand_tools::action::Button;
use freehand_tools::call::ToolCall;
use freehand_tools::desktop::presence::{Mood, Words};
use freehand_tools::desktop::veil::Veil;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::presence::Presence;
use freehand_tools::desktop::{Desktop as _, PointerInput};
use freehand_tools::frame::Frame;
use freehand_tools::geometry::{Point, ScreenPoint};
use freehand_tools::toolbox::Toolbox;
use serde_json::json;
use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{
    ChangeWindowAttributesAux, ConfigureWindowAux, ConnectionExt as _, ImageFormat,
};
use x11rb::rust_connection::RustConnection;

use super::person::Nested;
use super::support::{Bench, gate, permit};

/// The middle of the strip and of its `Stop`, on a screen of 1280x800.
pub(super) const STRIP: ScreenPoint = Point::new(640, 15);
pub(super) const STOP: ScreenPoint = Point::new(160 + 960 - 30, 15);

/// Somebody who sees the screen and knows nothing of Freehand.
pub(super) struct Outsider {
    pub(super) wire: RustConnection,
    root: u32,
}

impl Outsider {
    pub(super) fn on(name: &str) -> Self {
        let (wire, screen) = x11rb::connect(Some(name)).unwrap();
        let root = wire.setup().roots[screen].root;
        Self { wire, root }
    }

    /// The colours of the screen around a point, as red, green and blue.
    pub(super) fn around(&self, at: ScreenPoint) -> Vec<[u8; 3]> {
        let left = |v: i32, by: i32| i16::try_from((v - by).max(0)).unwrap();
        let (x, y) = (left(at.x, 40), left(at.y, 40));
        let image = self.wire.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, 80, 80, u32::MAX);
        let image = image.unwrap().reply().unwrap();
        image.data.chunks(4).map(|p| [p[2], p[1], p[0]]).collect()
    }

    pub(super) fn colour_desktop(&self, pixel: u32) {
        let aux = ChangeWindowAttributesAux::new().background_pixel(pixel);
        self.wire.change_window_attributes(self.root, &aux).unwrap();
        self.wire.clear_area(false, self.root, 0, 0, 0, 0).unwrap().check().unwrap();
    }

    /// The window that a click would hit at the pointer, among those that fill the screen.
    fn under_pointer(&self) -> u32 {
        self.wire.query_pointer(self.root).unwrap().reply().unwrap().child
    }

    fn move_window(&self, window: u64, x: i32, y: i32) {
        let aux = ConfigureWindowAux::new().x(x).y(y);
        let window = u32::try_from(window).unwrap();
        self.wire.configure_window(window, &aux).unwrap().check().unwrap();
    }
}

pub(super) fn words(text: &str) -> Words {
    Words { mood: Mood::Working, text: text.into(), hint: "ctrl+alt+escape stops".into() }
}

pub(super) async fn picture(bench: &mut Bench) -> Frame {
    bench.quiet().await;
    bench.desktop.capture(None).await.unwrap()
}

#[track_caller]
pub(super) fn same(a: &Frame, b: &Frame, when: &str) {
    let differ: Vec<_> =
        a.pixels().enumerate_pixels().filter(|(x, y, p)| b.pixels().get_pixel(*x, *y) != *p).collect();
    assert!(differ.is_empty(), "{when}: {} pixels, first {:?}", differ.len(), differ[0]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_person_sees_it_and_the_agent_does_not() {
    let mut bench = Bench::start().await;
    let outsider = Outsider::on(bench.display.name());
    outsider.colour_desktop(0x0033_6699);
    bench.open(&["xterm", "-T", "back", "-geometry", "60x20+300+0", "-e", "sh"], "back").await;
    bench.open(&["xterm", "-T", "front", "-geometry", "40x10+500+5", "-e", "sh"], "front").await;
    let before = bench.desktop.observe().await.unwrap();
    let plain = picture(&mut bench).await;

    let veil = Veil::default();
    bench.desktop.look_through(veil.clone());
    let presence = Presence::open(bench.display.name(), &veil).unwrap();
    presence.say(words("click \"OK\" \u{202e} in \u{1b}[2J a window of a long title")).unwrap();
    presence.ring(Some(Point::new(640, 300))).unwrap();
    assert!(outsider.around(STRIP).contains(&[24, 24, 28]), "the strip is not there");
    assert!(outsider.around(Point::new(640, 300)).contains(&[255, 150, 0]), "the ring is not there");
    same(&plain, &picture(&mut bench).await, "with strip and ring");

    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.windows, before.windows);
    for (at, expected) in [(STRIP, "xterm"), (Point::new(640, 300), "xterm"), (STOP, "freehand")] {
        let hit = bench.desktop.element_at(Some(at), None).await.unwrap();
        let app = hit.window.map(|window| window.app.to_lowercase()).unwrap_or_default();
        assert!(app.contains(expected) || at.y == 300, "{at}: {app}");
    }
    let click = |at: ScreenPoint| ToolCall::new("click", json!({"target": {"x": at.x, "y": at.y}}));
    let action = Toolbox::default().resolve(&click(STOP), &seen).unwrap();
    let review = gate().review(action, &seen).await;
    assert_eq!(review.verdict.reasons[0].rule, "built-in:own-window", "{:?}", review.verdict);
    assert!(review.permit.is_none());
    let action = Toolbox::default().resolve(&click(STRIP), &seen).unwrap();
    assert!(gate().review(action, &seen).await.permit.is_some(), "what lies beneath can be used");
    // Where the pointer is, it would hit what lies beneath.
    bench.pointer(PointerInput::MoveTo(Point::new(10, 700))).await;
    let nothing = outsider.under_pointer();
    bench.pointer(PointerInput::MoveTo(STRIP)).await;
    assert_ne!(outsider.under_pointer(), nothing);

    drop(presence);
    assert!(!outsider.around(STRIP).contains(&[24, 24, 28]), "the strip has stayed");
    same(&plain, &picture(&mut bench).await, "afterwards");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_happens_beneath_is_seen() {
    let mut bench = Bench::start().await;
    let outsider = Outsider::on(bench.display.name());
    let veil = Veil::default();
    bench.desktop.look_through(veil.clone());
    let presence = Presence::open(bench.display.name(), &veil).unwrap();
    presence.say(words("look")).unwrap();
    let plain = picture(&mut bench).await;
    outsider.colour_desktop(0x0012_3456);
    let coloured = picture(&mut bench).await;
    assert_eq!(coloured.pixels().get_pixel(640, 15).0, [0x12, 0x34, 0x56]);
    assert_ne!(plain.digest(), coloured.digest());
    let window =
        bench.open(&["xterm", "-T", "new", "-geometry", "60x20+300+0", "-e", "sh"], "new").await;
    bench.type_text("echo it is here\n").await;
    presence.ring(Some(Point::new(400, 60))).unwrap();
    let covered = picture(&mut bench).await;
    assert!(outsider.around(STRIP).contains(&[24, 24, 28]), "a new window has come in front");
    outsider.move_window(window.id.0, 340, 10);
    let moved = picture(&mut bench).await;
    assert_ne!(covered.digest(), moved.digest());
    presence.ring(None).unwrap();
    same(&moved, &picture(&mut bench).await, "without the ring");
    drop(presence);
    same(&moved, &picture(&mut bench).await, "without the strip");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn only_a_real_mouse_presses_stop() {
    let mut outer = Bench::start().await;
    let inner = Nested::start(&outer.display);
    outer.window("Xephyr").await;
    let mut agent = X11::connect(Some(&inner.name)).unwrap();
    let presence = Presence::open(&inner.name, &Veil::default()).unwrap();
    let press = async |desktop: &mut X11, at: ScreenPoint| {
        let permit = permit(desktop).await;
        for input in
            [PointerInput::MoveTo(at), PointerInput::Down(Button::Left), PointerInput::Up(Button::Left)]
        {
            desktop.pointer(&permit, input).await.unwrap();
        }
        tokio::time::sleep(Duration::from_millis(300)).await;
    };
    let stops = presence.stops();
    press(&mut agent, STOP).await;
    assert!(!*stops.borrow(), "what is injected stops nothing");
    press(&mut outer.desktop, STRIP).await;
    assert!(!*stops.borrow(), "the rest of the strip stops nothing");
    press(&mut outer.desktop, STOP).await;
    assert!(*stops.borrow(), "the person's press stops");
}
