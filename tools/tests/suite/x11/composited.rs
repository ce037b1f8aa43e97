//! Strip and ring beside a compositing manager, which draws the screen itself: later than it is asked to,
//! with shadows, and with windows that fade in and out.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use freehand_tools::desktop::veil::Veil;
use freehand_tools::desktop::x11::presence::Presence;
use freehand_tools::desktop::{Desktop as _, PointerInput};
use freehand_tools::frame::Frame;
use freehand_tools::geometry::{Point, ScreenPoint};
use x11rb::protocol::xproto::ConnectionExt as _;

use super::presence::{Outsider, STOP, STRIP, picture, same, words};
use super::support::Bench;

/// Longer than any of them takes to fade.
const FADED: Duration = Duration::from_millis(1500);
const RING: ScreenPoint = Point::new(500, 250);
const GROUND: [u8; 3] = [24, 24, 28];
const AMBER: [u8; 3] = [255, 150, 0];

struct Compositor(Child);

impl Compositor {
    /// Starts it, and waits until it draws the screen.
    fn start(bench: &Bench, outsider: &Outsider, line: &[&str]) -> Self {
        let mut command = Command::new(line[0]);
        command.args(&line[1..]).envs(bench.display.environment());
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let child = Self(child.unwrap_or_else(|fault| panic!("{}: {fault}", line[0])));
        let wire = &outsider.wire;
        let atom = wire.intern_atom(false, b"_NET_WM_CM_S0").unwrap().reply().unwrap().atom;
        let end = Instant::now() + Duration::from_secs(20);
        while wire.get_selection_owner(atom).unwrap().reply().unwrap().owner == 0 {
            assert!(Instant::now() < end, "{} does not draw the screen", line[0]);
        }
        child
    }
}

impl Drop for Compositor {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Looks as often as it can for a while; nothing of Freehand's own may be seen at any time.
async fn watch(bench: &mut Bench, plain: &Frame, when: &str) {
    let (end, mut seen) = (Instant::now() + FADED, 0);
    while Instant::now() < end {
        let frame = bench.desktop.capture(None).await.unwrap();
        seen += 1;
        same(plain, &frame, &format!("{when}, picture {seen}"));
    }
}

async fn shows(outsider: &Outsider, at: ScreenPoint, colour: [u8; 3]) -> bool {
    let end = Instant::now() + 2 * FADED;
    while Instant::now() < end {
        if outsider.around(at).contains(&colour) {
            return true;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    false
}

async fn check(line: &[&str]) {
    let mut bench = Bench::start().await;
    let outsider = Outsider::on(bench.display.name());
    outsider.colour_desktop(0x0033_6699);
    let _compositor = Compositor::start(&bench, &outsider, line);
    // None casts its shadow on another one, since that is in no window.
    bench.open(&["xterm", "-T", "back", "-geometry", "60x26+300+0", "-e", "sh"], "back").await;
    tokio::time::sleep(FADED).await;
    let before = bench.desktop.observe().await.unwrap();
    let plain = bench.desktop.capture(None).await.unwrap();

    let veil = Veil::default();
    bench.desktop.look_through(veil.clone());
    let presence = Presence::open(bench.display.name(), &veil).unwrap();
    presence.say(words("click")).unwrap();
    presence.ring(Some(RING)).unwrap();
    watch(&mut bench, &plain, "as they come").await;
    assert!(shows(&outsider, STRIP, GROUND).await, "the strip is not there");
    assert!(shows(&outsider, RING, AMBER).await, "the ring is not there");
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.windows, before.windows);
    for (at, expected) in [(Point::new(500, 15), "xterm"), (RING, "xterm"), (STOP, "freehand")] {
        let hit = bench.desktop.element_at(Some(at), None).await.unwrap();
        let app = hit.window.map(|window| window.app.to_lowercase()).unwrap_or_default();
        assert!(app.contains(expected), "{at}: {app}");
    }

    presence.ring(Some(Point::new(300, 600))).unwrap();
    watch(&mut bench, &plain, "as the ring moves").await;
    presence.ring(None).unwrap();
    watch(&mut bench, &plain, "as the ring goes").await;

    bench.pointer(PointerInput::MoveTo(STRIP)).await;
    bench.open(&["xterm", "-T", "new", "-geometry", "40x10+760+2", "-e", "sh"], "new").await;
    bench.type_text("echo it is here\n").await;
    tokio::time::sleep(FADED).await;
    assert!(shows(&outsider, STRIP, GROUND).await, "a new window has come in front");
    presence.ring(Some(RING)).unwrap();
    let covered = bench.desktop.capture(None).await.unwrap();
    assert_ne!(plain.digest(), covered.digest());
    drop(presence);
    watch(&mut bench, &covered, "as they go").await;
    assert!(!outsider.around(STRIP).contains(&GROUND), "the strip has stayed");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn picom() {
    check(&["picom", "--config", "/dev/null", "--shadow", "--fading"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xcompmgr() {
    check(&["xcompmgr", "-c", "-f"]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn xfwm4() {
    check(&["xfwm4", "--replace", "--compositor=on"]).await;
}

/// Looks as often as it can for a while; no colour of the strip may be where it is, nor of the ring.
async fn watch_colours(bench: &mut Bench, when: &str) {
    let end = Instant::now() + 2 * FADED;
    while Instant::now() < end {
        let frame = bench.desktop.capture(None).await.unwrap();
        let strip =
            frame.pixels().enumerate_pixels().filter(|(x, y, _)| *y < 30 && (160..1120).contains(x));
        let seen = strip.filter(|(_, _, pixel)| pixel.0 == GROUND).count();
        assert_eq!(seen, 0, "{when}: the strip is seen");
        let seen = frame.pixels().pixels().filter(|pixel| pixel.0 == AMBER).count();
        assert_eq!(seen, 0, "{when}: the ring is seen");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_begins_and_ends_meanwhile() {
    let mut bench = Bench::start().await;
    let outsider = Outsider::on(bench.display.name());
    bench.open(&["xterm", "-T", "back", "-geometry", "60x26+300+0", "-e", "sh"], "back").await;
    let plain = picture(&mut bench).await;
    let veil = Veil::default();
    bench.desktop.look_through(veil.clone());
    let presence = Presence::open(bench.display.name(), &veil).unwrap();
    presence.say(words("click")).unwrap();
    presence.ring(Some(RING)).unwrap();
    assert!(!veil.is_composed());
    for _ in 0..2 {
        let line = ["picom", "--config", "/dev/null", "--shadow", "--fading"];
        let compositor = Compositor::start(&bench, &outsider, &line);
        watch_colours(&mut bench, "as it begins").await;
        assert!(veil.is_composed());
        assert!(shows(&outsider, STRIP, GROUND).await, "the strip is not there");
        presence.ring(Some(Point::new(300, 600))).unwrap();
        watch_colours(&mut bench, "as the ring moves").await;
        presence.ring(Some(RING)).unwrap();
        drop(compositor);
        watch_colours(&mut bench, "as it ends").await;
        assert!(!veil.is_composed());
        assert!(shows(&outsider, STRIP, GROUND).await, "the strip has gone");
    }
    same(&plain, &picture(&mut bench).await, "afterwards");
}
