//! Who counts as the person at the desk. An X server inside of another takes what is injected into the
//! outer one for its real mouse and keyboard.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::person::Person;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::desktop::{Desktop as _, KeyboardInput, PointerInput, StopSign};
use freehand_tools::geometry::ScreenPoint;
use freehand_tools::key::KeySequence;
use tokio::sync::watch;

use super::support::{Bench, permit};

/// An X server that fills the screen of another one.
pub(super) struct Nested {
    server: Child,
    pub(super) name: String,
}

impl Nested {
    pub(super) fn start(outer: &VirtualDisplay) -> Self {
        let mut server = Command::new("Xephyr")
            .args(["-displayfd", "1", "-fullscreen", "-no-host-grab", "-nolisten", "tcp"])
            .envs(outer.environment())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut number = String::new();
        BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
        Self { server, name: format!(":{}", number.trim()) }
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn sign(keys: &str) -> StopSign {
    let keys: KeySequence = keys.parse().unwrap();
    StopSign { chord: keys.chords()[0].clone(), corner: true }
}

async fn press(desktop: &mut X11, keys: &str) {
    let permit = permit(desktop).await;
    let chord = sign(keys).chord;
    desktop.keyboard(&permit, KeyboardInput::Tap(chord)).await.unwrap();
}

async fn point(desktop: &mut X11, x: i32, y: i32) {
    let permit = permit(desktop).await;
    desktop.pointer(&permit, PointerInput::MoveTo(ScreenPoint::new(x, y))).await.unwrap();
}

async fn becomes<T>(what: &str, mut told: watch::Receiver<T>, holds: impl FnMut(&T) -> bool) {
    let told = tokio::time::timeout(Duration::from_secs(10), told.wait_for(holds)).await;
    assert!(told.is_ok_and(|told| told.is_ok()), "never: {what}");
}

#[tokio::test(flavor = "multi_thread")]
async fn only_real_devices_are_the_person() {
    let mut outer = Bench::start().await;
    let inner = Nested::start(&outer.display);
    outer.window("Xephyr").await;
    let mut agent = X11::connect(Some(&inner.name)).unwrap();
    let person = Person::watch(Some(&inner.name), &sign("ctrl+alt+escape")).unwrap();

    point(&mut agent, 0, 0).await;
    press(&mut agent, "ctrl+alt+escape").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(*person.seen().borrow(), None, "what is injected is not the person");

    point(&mut outer.desktop, 300, 300).await;
    becomes("the mouse is seen", person.seen(), Option::is_some).await;
    press(&mut outer.desktop, "escape").await;
    press(&mut outer.desktop, "ctrl+escape").await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!*person.stops().borrow(), "a part of the chord stops nothing");
    press(&mut outer.desktop, "ctrl+alt+escape").await;
    becomes("the chord stops", person.stops(), |stopped| *stopped).await;

    let person = Person::watch(Some(&inner.name), &sign("ctrl+alt+escape")).unwrap();
    point(&mut outer.desktop, 0, 200).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert!(!*person.stops().borrow(), "an edge is not the corner");
    point(&mut outer.desktop, 0, 0).await;
    becomes("the corner stops", person.stops(), |stopped| *stopped).await;
}

#[tokio::test]
async fn a_display_that_is_not_there_is_said() {
    let fault = Person::watch(Some(":7777"), &sign("escape")).unwrap_err();
    assert!(fault.to_string().contains(":7777"), "{fault}");
}
