//! What a tool call does with mouse and keyboard together, judged by the window that receives it.

use freehand_tools::geometry::Rect;
use freehand_tools::outcome::Outcome;
use serde_json::json;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::{ButtonPressEvent, ConnectionExt as _, MotionNotifyEvent};

use super::probe::{Kind, Probe};
use super::support::Bench;

const CTRL: u16 = 4;
const SHIFT: u16 = 1;
const LEFT_DOWN: u16 = 0x100;

async fn start() -> (Bench, Probe) {
    let mut bench = Bench::start().await;
    let probe = Probe::on(bench.display.name());
    probe.window(Rect::new(100, 100, 600, 400), Kind::Managed, "Target");
    bench.window("Target").await;
    (bench, probe)
}

fn at(x: i32, y: i32) -> serde_json::Value {
    json!({"x": x, "y": y})
}

/// The presses and releases of buttons: pressed or released, and the event.
fn buttons(events: &[Event]) -> Vec<(bool, ButtonPressEvent)> {
    let one = |event: &Event| match event {
        Event::ButtonPress(press) => Some((true, *press)),
        Event::ButtonRelease(release) => Some((false, *release)),
        _ => None,
    };
    events.iter().filter_map(one).collect()
}

fn state(event: &ButtonPressEvent) -> u16 {
    u16::from(event.state) & 0xff
}

#[tokio::test]
async fn the_wheel_turns_with_keys_held() {
    let (mut bench, probe) = start().await;
    let args = json!({"target": at(400, 300), "dx": -1, "dy": 2, "modifiers": ["ctrl"]});
    let outcome = bench.call("scroll", args).await;
    assert!(matches!(outcome, Outcome::Done { .. }), "{outcome:?}");
    let seen = buttons(&probe.events(|events| buttons(events).len() >= 6));
    let presses: Vec<_> =
        seen.iter().filter(|(down, _)| *down).map(|(_, e)| (e.detail, state(e))).collect();
    assert_eq!(presses, [(6, CTRL), (5, CTRL), (5, CTRL)]);
    probe.expect_nothing_held("after the wheel");
}

#[tokio::test]
async fn a_click_is_held_as_long_as_it_says() {
    let (mut bench, probe) = start().await;
    bench.call("click", json!({"target": at(400, 300), "button": "right", "hold_ms": 400})).await;
    let seen = buttons(&probe.events(|events| buttons(events).len() >= 2));
    let [(true, press), (false, release)] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!((press.detail, release.detail), (3, 3));
    assert!(release.time - press.time >= 400, "held for {} ms", release.time - press.time);
}

#[tokio::test]
async fn a_drag_travels_with_the_button_and_the_keys_down() {
    let (mut bench, probe) = start().await;
    let path = [at(500, 300), at(500, 400)];
    bench.call("drag", json!({"target": at(300, 300), "path": path, "modifiers": ["shift"]})).await;
    let seen = probe.events(|events| buttons(events).len() >= 2);
    let [(true, press), (false, release)] = buttons(&seen)[..] else { panic!("{seen:?}") };
    assert_eq!((press.root_x, press.root_y, state(&press)), (300, 300, SHIFT));
    assert_eq!((release.root_x, release.root_y, state(&release)), (500, 400, SHIFT));
    let travelled: Vec<MotionNotifyEvent> = seen
        .iter()
        .filter_map(|event| if let Event::MotionNotify(motion) = event { Some(*motion) } else { None })
        .filter(|motion| u16::from(motion.state) & LEFT_DOWN != 0)
        .collect();
    assert!(travelled.len() >= 12, "{travelled:?}");
    assert!(
        travelled.iter().any(|motion| (motion.root_x, motion.root_y) == (500, 300)),
        "{travelled:?}"
    );
    probe.expect_nothing_held("after the drag");
}

#[tokio::test]
async fn a_drag_is_no_double_click_with_the_click_before_it() {
    let (mut bench, probe) = start().await;
    bench.call("click", json!({"target": at(300, 300)})).await;
    bench.call("drag", json!({"target": at(301, 300), "path": [at(500, 300)]})).await;
    let seen = buttons(&probe.events(|events| buttons(events).len() >= 4));
    let presses: Vec<u32> = seen.iter().filter(|(down, _)| *down).map(|(_, press)| press.time).collect();
    assert!(presses[1] - presses[0] >= 500, "{presses:?}");
}

#[tokio::test]
async fn nothing_stays_down_when_a_key_is_missing() {
    let (mut bench, probe) = start().await;
    let super_l = 0xffeb;
    let map = probe.wire.get_keyboard_mapping(8, 248).unwrap().reply().unwrap();
    let columns = map.keysyms_per_keycode;
    for (code, row) in (8..=255).zip(map.keysyms.chunks(usize::from(columns))) {
        if row.contains(&super_l) {
            let none = vec![0; usize::from(columns)];
            probe.wire.change_keyboard_mapping(1, code, columns, &none).unwrap().check().unwrap();
        }
    }
    for (tool, args) in [
        ("click", json!({"target": at(400, 300), "modifiers": ["ctrl", "super"]})),
        ("scroll", json!({"target": at(400, 300), "dy": 1, "modifiers": ["ctrl", "super"]})),
        (
            "drag",
            json!({"target": at(400, 300), "path": [at(500, 300)], "modifiers": ["ctrl", "super"]}),
        ),
        ("press_keys", json!({"keys": "ctrl+super+x", "hold_ms": 10})),
    ] {
        let outcome = bench.call(tool, args).await;
        let Outcome::Failed { reason, .. } = &outcome else { panic!("{tool}: {outcome:?}") };
        assert!(reason.contains("no key `super`"), "{reason}");
        probe.expect_nothing_held(tool);
    }
}
