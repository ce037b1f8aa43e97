//! Several monitors, each seen as a frame of its own.

use std::process::Command;

use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::{Desktop, PointerInput};
use freehand_tools::geometry::{Point, Rect};

use super::probe::{Kind, Probe};
use super::support::Bench;

fn xrandr(bench: &Bench, args: &[&str]) {
    let done = Command::new("xrandr").args(args).envs(bench.display.environment()).status();
    assert!(done.expect("the Debian package `x11-xserver-utils` is there").success(), "{args:?}");
}

/// Cuts the screen of the bench into a left and a right monitor.
fn two_monitors(bench: &Bench) {
    xrandr(bench, &["--setmonitor", "left", "800/200x800/200+0+0", "screen"]);
    xrandr(bench, &["--setmonitor", "right", "480/120x700/175+800+0", "none"]);
}

#[tokio::test]
async fn each_monitor_is_a_frame_of_its_own() {
    let mut bench = Bench::start().await;
    two_monitors(&bench);
    bench.desktop = X11::on(&bench.display).unwrap();
    let probe = Probe::on(bench.display.name());
    probe.window(Rect::new(900, 100, 300, 200), Kind::Managed, "Right");
    bench.window("Right").await;
    let monitors = bench.desktop.monitors().unwrap();
    let names: Vec<&str> = monitors.iter().map(|monitor| monitor.name.as_str()).collect();
    assert_eq!(names, ["left", "right"]);
    // The one with the keyboard, where nobody chooses.
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.bounds(), Rect::new(800, 0, 480, 700));
    let window = seen.focused_window().unwrap().bounds;
    let middle = seen.frame.mapping().unwrap().inverse().forward(window.center());
    let pixel = seen
        .frame
        .pixels()
        .get_pixel(u32::try_from(middle.x).unwrap(), u32::try_from(middle.y).unwrap());
    assert_eq!(pixel.0, [0x33, 0x66, 0x99]);
    for (number, want) in [(0, Rect::new(0, 0, 800, 800)), (1, Rect::new(800, 0, 480, 700))] {
        bench.desktop.watch(Some(number)).unwrap();
        let seen = bench.desktop.observe().await.unwrap();
        assert_eq!((seen.bounds(), seen.frame.monitor().name.as_str()), (want, names[number]));
        assert_eq!(bench.desktop.capture(None).await.unwrap().bounds(), want);
        // Windows of other monitors are known, since the keyboard may be there.
        assert!(seen.windows.iter().any(|window| window.title == "Right"));
        assert_eq!(seen.frame.mapping().unwrap().forward(Point::new(0, 0)), want.origin());
    }
    let fault = bench.desktop.watch(Some(2)).unwrap_err().to_string();
    let there =
        "there are `--monitor 1` (left, 800x800 at 0,0) and `--monitor 2` (right, 480x700 at 800,0)";
    assert_eq!(fault, format!("looking at monitor 3 failed: {there}"));
    bench.desktop.watch(None).unwrap();
    assert_eq!(bench.desktop.observe().await.unwrap().bounds().x, 800);
}

/// A monitor that is plugged in, or switched off, in the middle of it all.
#[tokio::test]
async fn monitors_that_come_and_go_are_noticed() {
    let mut bench = Bench::start().await;
    let probe = Probe::on(bench.display.name());
    probe.window(Rect::new(900, 100, 300, 200), Kind::Managed, "Right");
    bench.window("Right").await;
    assert_eq!(bench.desktop.observe().await.unwrap().bounds(), Rect::new(0, 0, 1280, 800));
    two_monitors(&bench);
    assert_eq!(bench.desktop.observe().await.unwrap().bounds(), Rect::new(800, 0, 480, 700));
    bench.desktop.watch(Some(1)).unwrap();
    assert_eq!(bench.desktop.capture(None).await.unwrap().bounds(), Rect::new(800, 0, 480, 700));
    // The one that is watched goes: the one with the keyboard is looked at.
    xrandr(&bench, &["--delmonitor", "right"]);
    let seen = bench.desktop.observe().await.unwrap();
    assert_eq!(seen.bounds(), Rect::new(0, 0, 800, 800));
    let (before, beyond) = (Point::new(700, 50), Point::new(900, 150));
    bench.pointer(PointerInput::MoveTo(before)).await;
    let moved = bench.desktop.pointer(&bench.permit, PointerInput::MoveTo(beyond)).await.unwrap_err();
    assert!(moved.to_string().contains("is on no monitor"), "{moved}");
    xrandr(&bench, &["--delmonitor", "left"]);
    assert_eq!(bench.desktop.observe().await.unwrap().bounds(), Rect::new(0, 0, 1280, 800));
    bench.pointer(PointerInput::MoveTo(beyond)).await;
    assert_eq!(bench.desktop.observe().await.unwrap().cursor, beyond);
}
