//! Frames and windows, compared with what others see of the same screen.

use std::ffi::OsStr;
use std::process::Command;
use std::time::{Duration, Instant};

use freehand_tools::action::Button;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::{Desktop, DesktopError, PointerInput};
use freehand_tools::element::{Role, WindowId};
use freehand_tools::frame::Frame;
use freehand_tools::geometry::{Point, Rect};
use freehand_tools::observation::Observation;
use rustix::process::{Pid, Signal, kill_process};
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ChangeWindowAttributesAux, ConnectionExt as _};
use x11rb::wrapper::ConnectionExt as _;

use super::probe::{Kind, Probe};
use super::support::{Bench, Server};

#[tokio::test]
async fn a_frame_is_what_xcap_sees() {
    let mut bench = Bench::start().await;
    bench.open(&["xterm", "-e", "sh", "-c", "seq 1000; sleep 60"], "XTerm").await;
    let environment: Vec<_> = bench.display.environment().collect();
    let said = on_its_own_display("x11::seeing::compare_with_xcap", &environment);
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by a_frame_is_what_xcap_sees, on its display"]
async fn compare_with_xcap() {
    let mut desktop = X11::connect(None).unwrap();
    let ours = desktop.capture(None).await.unwrap();
    let monitor = xcap::Monitor::all().unwrap().remove(0);
    let theirs = image::DynamicImage::ImageRgba8(monitor.capture_image().unwrap()).to_rgb8();
    assert_eq!(ours.monitor().name, monitor.name().unwrap());
    assert!(*ours.pixels() == theirs, "the pictures differ");
    let colours: std::collections::BTreeSet<_> = theirs.pixels().map(|pixel| pixel.0).collect();
    assert!(colours.len() > 2, "nothing is on the screen");
}

/// A session of half as many pixels again for each measure: the pixels are what is seen and pointed at.
#[tokio::test]
async fn all_of_a_scaled_session_is_seen_and_reached() {
    let server = Server::start();
    Probe::on(&server.name).scale(144);
    let said = on_its_own_display("x11::seeing::look_at_a_scaled_session", &[("DISPLAY", &server.name)]);
    assert!(said.contains("1 passed"), "{said}");
}

#[tokio::test]
#[ignore = "run by all_of_a_scaled_session_is_seen_and_reached, on its display"]
async fn look_at_a_scaled_session() {
    let mut desktop = X11::connect(None).unwrap();
    let probe = Probe::on(desktop.name());
    let corner = Rect::new(700, 500, 100, 100);
    probe.window(corner, Kind::PopUp, "Corner");
    let seen = desktop.observe().await.unwrap();
    assert_eq!((seen.bounds(), seen.frame.monitor().scale), (Rect::new(0, 0, 800, 600), 1.5));
    let picture = desktop.capture(None).await.unwrap();
    assert_eq!(picture.pixels().dimensions(), (800, 600));
    assert_eq!(picture.pixels().get_pixel(799, 599).0, [0x33, 0x66, 0x99]);
    let permit = super::support::permit(&mut desktop).await;
    let far = Point::new(799, 599);
    desktop.pointer(&permit, PointerInput::MoveTo(far)).await.unwrap();
    desktop.pointer(&permit, PointerInput::Click(Button::Left, 1)).await.unwrap();
    let released =
        |events: &[Event]| events.iter().any(|event| matches!(event, Event::ButtonRelease(_)));
    let seen = probe.events(released);
    let press = seen.iter().find_map(|event| match event {
        Event::ButtonPress(press) => Some((press.root_x, press.root_y)),
        _ => None,
    });
    assert_eq!(press, Some((799, 599)));
}

/// What a test says that is run by itself in this environment: libraries go where `DISPLAY` leads, which may
/// only be changed for another process.
fn on_its_own_display(test: &str, environment: &[(impl AsRef<OsStr>, impl AsRef<OsStr>)]) -> String {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "--ignored", "--nocapture", test]).env_remove("WAYLAND_DISPLAY");
    for (name, value) in environment {
        child.env(name, value);
    }
    let output = child.output().unwrap();
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}

#[tokio::test]
async fn a_part_is_a_part_of_the_whole() {
    let mut bench = Bench::start().await;
    let probe = Probe::on(bench.display.name());
    probe.window(Rect::new(100, 100, 400, 300), Kind::PopUp, "Shape");
    let whole = bench.desktop.capture(None).await.unwrap();
    assert_eq!(whole.pixels().get_pixel(300, 200).0, [0x33, 0x66, 0x99]);
    for region in [Rect::new(90, 95, 33, 21), Rect::new(-20, -20, 50, 50), Rect::new(1270, 790, 50, 50)]
    {
        let part = bench.desktop.capture(Some(region)).await.unwrap();
        let cut = whole.crop(&region).unwrap();
        assert_eq!((part.bounds(), part.digest()), (cut.bounds(), cut.digest()), "{region}");
    }
    let outside = bench.desktop.capture(Some(Rect::new(2000, 0, 10, 10))).await;
    assert!(matches!(outside, Err(DesktopError::Failed { .. })), "{outside:?}");
}

#[tokio::test]
async fn windows_are_listed_from_front_to_back_with_their_menus() {
    let mut bench = Bench::start().await;
    let probe = Probe::on(bench.display.name());
    let back = probe.window(Rect::new(100, 100, 300, 200), Kind::Managed, "Back");
    bench.window("Back").await;
    let front = probe.window(Rect::new(200, 150, 300, 200), Kind::Managed, "Front");
    bench.window("Front").await;
    let menu = probe.window(Rect::new(250, 200, 80, 60), Kind::PopUp, "");
    let seen = bench.desktop.observe().await.unwrap();
    let ids: Vec<u64> = seen.windows.iter().map(|window| window.id.0).collect();
    assert_eq!(ids, [menu, front, back].map(u64::from), "{:#?}", seen.windows);
    assert!(["Front", "Back"].contains(&seen.windows[0].app.as_str()), "a menu belongs to its program");
    assert_eq!(seen.focused_window().unwrap().id, WindowId(front.into()));
    // The title bar is part of the window.
    let bounds = seen.windows[1].bounds;
    assert!(bounds.height > 200 && bounds.width >= 300, "{bounds}");
    for (point, want) in [
        (Point::new(260, 210), Some(menu)),
        (bounds.origin().offset(40, 4), Some(front)),
        (Point::new(1270, 790), None),
    ] {
        let hit = bench.desktop.element_at(Some(point), None).await.unwrap();
        assert_eq!(hit.window.map(|window| window.id), want.map(|id| WindowId(id.into())), "{point}");
        assert_eq!(hit.keyboard.unwrap().id, WindowId(front.into()));
    }
}

/// Its button is called something else after a signal, and looks the same.
const RENAMED: &str = r#"
import signal
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import GLib, Gtk
window = Gtk.Window(title="Renamed")
button = Gtk.Button(label="Press")
window.add(button)
rename = lambda: button.get_accessible().set_name("After")
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, rename)
window.show_all()
Gtk.main()
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_that_no_pixel_shows_is_seen_on_a_screen_that_stands_still() {
    let mut bench = Bench::start().await;
    let window = bench.open(&["/usr/bin/python3", "-c", RENAMED], "Renamed").await;
    let mut looks = Vec::new();
    for _ in 0..8 {
        looks.push(bench.desktop.observe().await.unwrap());
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    let last = looks.pop().unwrap();
    assert!(last.elements.iter().any(|e| e.role == Role::Button && e.name == "Press"), "{last:#?}");
    let before = looks.pop().unwrap();
    assert_ne!(last.id, before.id, "each look is one of its own");
    assert_eq!(
        (&last.elements, last.focus, &last.windows),
        (&before.elements, before.focus, &before.windows)
    );
    let pid = Pid::from_raw(i32::try_from(window.pid.unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::USR1).unwrap();
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let seen = bench.desktop.observe().await.unwrap();
        if let Some(now) = seen.elements.iter().find(|element| element.name == "After") {
            let button = last.elements.iter().find(|element| element.name == "Press").unwrap();
            assert_eq!((now.id, seen.frame.digest()), (button.id, last.frame.digest()));
            break;
        }
        assert!(Instant::now() < end, "{:#?}", seen.elements);
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}

/// Beside a button it shows a point of four pixels after a signal.
const DRAWING: &str = r#"
import signal
import gi
gi.require_version("Gdk", "3.0")
gi.require_version("Gtk", "3.0")
from gi.repository import Gdk, GLib, Gtk
window = Gtk.Window(title="Drawing")
place = Gtk.Fixed()
place.put(Gtk.Button(label="Press"), 0, 0)
point = Gtk.EventBox()
point.set_size_request(2, 2)
point.override_background_color(Gtk.StateFlags.NORMAL, Gdk.RGBA(1, 0, 0, 1))
place.put(point, 100, 100)
window.add(place)
window.show_all()
point.hide()
GLib.unix_signal_add(GLib.PRIORITY_DEFAULT, signal.SIGUSR1, lambda: point.show())
Gtk.main()
"#;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_drawn_is_seen_on_a_screen_that_stood_still() {
    let mut bench = Bench::start().await;
    let window = bench.open(&["/usr/bin/python3", "-c", DRAWING], "Drawing").await;
    // Of what is taken for what there is the pixels lie where they lay.
    let place = |seen: &Observation| seen.frame.pixels().as_raw().as_ptr();
    let end = Instant::now() + Duration::from_secs(20);
    let mut before = bench.desktop.observe().await.unwrap();
    loop {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let seen = bench.desktop.observe().await.unwrap();
        let same = place(&seen) == place(&before);
        before = seen;
        if same {
            break;
        }
        assert!(Instant::now() < end, "it is never taken to stand still");
    }
    let pid = Pid::from_raw(i32::try_from(window.pid.unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::USR1).unwrap();
    let reds = |frame: &Frame| frame.pixels().pixels().filter(|p| p.0 == [255, 0, 0]).count();
    assert_eq!(reds(&before.frame), 0);
    while reds(&bench.desktop.capture(None).await.unwrap()) != 4 {
        assert!(Instant::now() < end, "it draws nothing");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert_eq!(reds(&bench.desktop.observe().await.unwrap().frame), 4);
}

/// A server that cannot say that something was drawn is asked for a picture every time.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_drawn_is_seen_where_no_server_tells_of_it() {
    let server = Server::with(&["-extension", "DAMAGE"]);
    let mut desktop = X11::connect(Some(&server.name)).unwrap();
    let probe = Probe::on(&server.name);
    let window = probe.window(Rect::new(50, 50, 200, 100), Kind::PopUp, "Plain");
    let place = |seen: &Observation| seen.frame.pixels().as_raw().as_ptr();
    let end = Instant::now() + Duration::from_secs(20);
    let mut before = desktop.observe().await.unwrap();
    loop {
        tokio::time::sleep(Duration::from_millis(150)).await;
        let seen = desktop.observe().await.unwrap();
        let same = place(&seen) == place(&before);
        before = seen;
        if same {
            break;
        }
        assert!(Instant::now() < end, "it is never taken to stand still");
    }
    let red = ChangeWindowAttributesAux::new().background_pixel(0xff_00_00);
    probe.wire.change_window_attributes(window, &red).unwrap();
    probe.wire.clear_area(false, window, 0, 0, 0, 0).unwrap();
    probe.wire.sync().unwrap();
    let seen = desktop.observe().await.unwrap();
    assert_eq!(seen.frame.pixels().get_pixel(100, 100).0, [255, 0, 0]);
}

/// A button with a sign, and what it is for.
const HINTED: &str = r#"
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
window = Gtk.Window(title="Hinted")
window.add(Gtk.ToggleButton(label="B", tooltip_text="Bold (Ctrl+B)"))
window.show_all()
Gtk.main()
"#;

#[tokio::test]
async fn a_program_says_what_a_thing_is_for_and_what_can_be_done_with_it() {
    let mut bench = Bench::start().await;
    bench.open(&["/usr/bin/python3", "-c", HINTED], "Hinted").await;
    let seen = bench.desktop.observe().await.unwrap();
    let bold = seen.elements.iter().find(|element| element.role == Role::Toggle).unwrap();
    assert_eq!((bold.name.as_str(), bold.description.as_deref()), ("B", Some("Bold (Ctrl+B)")));
    assert_eq!(bold.actions, Vec::<String>::new(), "a look does not ask");
    assert_eq!(bench.desktop.actions_of(&bold.key).await.unwrap(), ["click"]);
}

/// A wide button that says when it is pressed.
const WIDE: &str = r#"
import gi
gi.require_version("Gtk", "3.0")
from gi.repository import Gtk
window = Gtk.Window(title="Wide", default_width=600, default_height=200)
button = Gtk.Button(label="Press")
button.connect("clicked", lambda _: window.set_title("Pressed"))
window.add(button)
window.show_all()
Gtk.main()
"#;

#[tokio::test]
async fn what_shows_beside_a_window_in_front_is_listed_and_clicked_there() {
    let mut bench = Bench::start().await;
    let window = bench.open(&["/usr/bin/python3", "-c", WIDE], "Wide").await;
    let middle = window.bounds.center();
    let lid = Rect::new(middle.x - 90, window.bounds.y, 120, window.bounds.height);
    let probe = Probe::on(bench.display.name());
    probe.window(lid, Kind::PopUp, "Lid");
    let seen = bench.desktop.observe().await.unwrap();
    let button = seen.elements.iter().find(|element| element.name == "Press").unwrap();
    assert!(lid.contains(middle) && button.bounds.intersect(&lid).is_none(), "{}", button.bounds);
    assert!(button.bounds.width > 200, "{}", button.bounds);
    let outcome = bench.call("click", serde_json::json!({"target": "Press"})).await;
    assert!(outcome.is_done(), "{outcome:?}");
    bench.window("Pressed").await;
}

#[tokio::test]
async fn a_bare_server_is_enough() {
    let server = Server::start();
    let mut desktop = X11::connect(Some(&server.name)).unwrap();
    let probe = Probe::on(&server.name);
    let lower = probe.window(Rect::new(10, 10, 300, 200), Kind::Managed, "Lower");
    let upper = probe.window(Rect::new(50, 50, 300, 200), Kind::Managed, "Upper");
    let seen = desktop.observe().await.unwrap();
    let windows: Vec<_> = seen.windows.iter().map(|window| (window.id.0, window.app.as_str())).collect();
    assert_eq!(windows, [(u64::from(upper), "Upper"), (u64::from(lower), "Lower")]);
    assert_eq!(seen.bounds(), Rect::new(0, 0, 800, 600));
    assert!(seen.elements.is_empty());
    assert!(seen.gaps.iter().any(|gap| gap.contains("at-spi2-core")), "{:?}", seen.gaps);
    let permit = super::support::permit(&mut desktop).await;
    let lower = WindowId(lower.into());
    desktop.launch(&permit, freehand_tools::desktop::Launch::Window(lower)).await.unwrap();
    assert_eq!(desktop.observe().await.unwrap().windows[0].id, lower);
}

#[test]
fn no_display_is_said_plainly() {
    let fault = X11::connect(Some(":4093")).unwrap_err();
    assert!(matches!(fault, DesktopError::NoDisplay { .. }), "{fault:?}");
    assert!(fault.to_string().contains("--display virtual"), "{fault}");
    assert!(X11::connect(Some("nonsense")).is_err());
}
