//! Ends of every kind: the server dies or stands still, the display is dropped, the process is killed.

use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use freehand_tools::action::Button;
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::desktop::{
    ClipboardUse, Desktop, DesktopError, KeyboardInput, Launch, PointerInput,
};
use freehand_tools::geometry::{Point, Size};
use rustix::process::Signal;

use super::probe::Probe;
use super::support::{Bench, Server, permit};

#[tokio::test]
async fn a_dead_server_is_a_lost_display() {
    let mut server = Server::start();
    let mut desktop = X11::connect(Some(&server.name)).unwrap();
    let permit = permit(&mut desktop).await;
    desktop.clipboard(&permit, ClipboardUse::Write("text".into())).await.unwrap();
    desktop.keyboard(&permit, KeyboardInput::Down("x".parse().unwrap())).await.unwrap();
    server.end();
    let start = Instant::now();
    let lost = |fault: DesktopError| assert!(matches!(fault, DesktopError::Lost(_)), "{fault:?}");
    lost(desktop.observe().await.unwrap_err());
    lost(desktop.capture(None).await.unwrap_err());
    lost(desktop.element_at(Some(Point::new(1, 1)), None).await.unwrap_err());
    lost(desktop.pointer(&permit, PointerInput::MoveTo(Point::new(5, 5))).await.unwrap_err());
    lost(desktop.keyboard(&permit, KeyboardInput::Text("text".into())).await.unwrap_err());
    lost(desktop.keyboard(&permit, KeyboardInput::Tap("ctrl+c".parse().unwrap())).await.unwrap_err());
    desktop.release();
    drop(desktop);
    assert!(start.elapsed() < Duration::from_secs(3), "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_server_that_stands_still_is_a_lost_display() {
    let server = Server::start();
    let mut desktop = X11::connect(Some(&server.name)).unwrap();
    let permit = permit(&mut desktop).await;
    server.signal(Signal::STOP);
    let start = Instant::now();
    let fault = desktop.pointer(&permit, PointerInput::MoveTo(Point::new(5, 5))).await.unwrap_err();
    assert!(matches!(fault, DesktopError::Lost(_)), "{fault:?}");
    assert!(start.elapsed() < Duration::from_secs(8), "{:?}", start.elapsed());
    server.signal(Signal::CONT);
}

/// The processes that carry the mark of a display.
fn marked(mark: &str) -> Vec<String> {
    let mark = format!("FREEHAND_DISPLAY={mark}");
    std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .filter(|entry| {
            let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
            environment.split(|byte| *byte == 0).any(|one| one == mark.as_bytes())
        })
        .map(|entry| {
            std::fs::read_to_string(entry.path().join("comm")).unwrap_or_default().trim().to_owned()
        })
        .collect()
}

fn variable(display: &VirtualDisplay, name: &str) -> String {
    let (_, value) = display.environment().find(|(known, _)| *known == name).unwrap();
    value.to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_virtual_display_leaves_nothing_behind() {
    let mut bench = Bench::start().await;
    // One that leaves its process group, and one that does not end when asked to.
    bench.open(&["setsid", "-f", "xterm", "-T", "Away"], "Away").await;
    bench
        .open(&["xterm", "-T", "Deaf", "-e", "sh", "-c", "trap '' TERM HUP; sleep 60; sleep 60"], "Deaf")
        .await;
    let (mark, folder) =
        (variable(&bench.display, "FREEHAND_DISPLAY"), variable(&bench.display, "XDG_RUNTIME_DIR"));
    let number = bench.display.name().trim_start_matches(':').to_owned();
    let names = marked(&mark);
    for name in ["Xvfb", "openbox", "dbus-daemon", "at-spi-bus-laun", "xterm"] {
        assert!(names.iter().any(|known| known == name), "{name} is not among {names:?}");
    }
    drop(bench);
    assert_eq!(marked(&mark), Vec::<String>::new());
    assert!(!Path::new(&folder).exists(), "{folder} is still there");
    assert!(!Path::new(&format!("/tmp/.X11-unix/X{number}")).exists());
    assert!(!Path::new(&format!("/tmp/.X{number}-lock")).exists());
}

#[test]
fn a_killed_process_leaves_nothing_behind_either() {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "x11::leaving::hold_a_display"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let said =
        lines.find_map(|line| line.split_once("holding ").map(|(_, said)| said.to_owned())).unwrap();
    let (mark, folder) = said.split_once(' ').unwrap();
    assert!(marked(mark).len() >= 4, "{:?}", marked(mark));
    child.kill().unwrap();
    child.wait().unwrap();
    let end = Instant::now() + Duration::from_secs(10);
    while !marked(mark).is_empty() || Path::new(folder).exists() {
        assert!(Instant::now() < end, "{:?} are still there", marked(mark));
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[tokio::test]
#[ignore = "run by a_killed_process_leaves_nothing_behind_either, which kills it"]
async fn hold_a_display() {
    let bench = Bench::start().await;
    let Bench { mut desktop, permit, display, .. } = bench;
    desktop.launch(&permit, Launch::App(vec!["xterm".into()])).await.unwrap();
    let (mark, folder) = (variable(&display, "FREEHAND_DISPLAY"), variable(&display, "XDG_RUNTIME_DIR"));
    writeln!(std::io::stdout(), "holding {mark} {folder}").unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[test]
fn a_killed_process_leaves_nothing_held_down() {
    let server = Server::start();
    let probe = Probe::on(&server.name);
    let mark = format!("kill-{}", std::process::id());
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "--ignored", "--nocapture", "x11::leaving::hold_keys_and_a_button"])
        .env(HELD_ON, &server.name)
        .env("FREEHAND_DISPLAY", &mark)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    assert!(lines.any(|line| line.contains("holding")));
    assert_eq!(probe.held(), (2, 0x100));
    child.kill().unwrap();
    child.wait().unwrap();
    probe.expect_nothing_held("after a kill");
    let end = Instant::now() + Duration::from_secs(5);
    while !marked(&mark).is_empty() {
        assert!(Instant::now() < end, "{:?} are still there", marked(&mark));
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

const HELD_ON: &str = "FREEHAND_TEST_HELD_ON";

#[tokio::test]
#[ignore = "run by a_killed_process_leaves_nothing_held_down, which kills it"]
async fn hold_keys_and_a_button() {
    let mut desktop = X11::connect(Some(&std::env::var(HELD_ON).unwrap())).unwrap();
    let permit = permit(&mut desktop).await;
    for key in ["x", "F5", "shift"] {
        let key = key.parse().unwrap();
        desktop.keyboard(&permit, KeyboardInput::Down(key)).await.unwrap();
    }
    desktop.pointer(&permit, PointerInput::Down(Button::Left)).await.unwrap();
    // Let go of before the kill, so the will must have forgotten it.
    desktop.keyboard(&permit, KeyboardInput::Up("F5".parse().unwrap())).await.unwrap();
    writeln!(std::io::stdout(), "holding").unwrap();
    tokio::time::sleep(Duration::from_secs(60)).await;
}

#[test]
fn a_display_of_no_size_is_refused() {
    for size in [Size::new(0, 0), Size::new(1280, 1), Size::new(100_000, 800)] {
        let fault = VirtualDisplay::start(size).unwrap_err();
        assert!(matches!(fault, DesktopError::Failed { .. }), "{fault:?}");
    }
}
