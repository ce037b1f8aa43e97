//! Scripts beside somebody who uses the mouse: an X server inside of another one takes what is injected into
//! the outer one for its real mouse.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::MOTION_NOTIFY_EVENT;
use x11rb::protocol::xtest::ConnectionExt as _;

use super::desk::{Servers, start};
use crate::support::{Account, Running, rest, wait_for};

const WORKFLOW: &str = r"
name: touch
steps:
  - wait: { timeout_ms: 2000 }
  - do: open_app
    args: { name: touch here }
";

/// A hand that does not let the mouse of a display rest, until it is dropped.
struct Hand {
    rests: Arc<AtomicBool>,
    moving: Option<JoinHandle<()>>,
}

impl Hand {
    fn at(display: &str) -> Self {
        let rests = Arc::new(AtomicBool::new(false));
        let (until, display) = (Arc::clone(&rests), display.to_owned());
        let moving = std::thread::spawn(move || {
            let (wire, screen) = x11rb::connect(Some(&display)).unwrap();
            let root = wire.setup().roots[screen].root;
            for x in (200..400_i16).cycle() {
                if until.load(Ordering::SeqCst) {
                    return;
                }
                let sent = wire.xtest_fake_input(MOTION_NOTIFY_EVENT, 0, 0, root, x, 300, 0);
                sent.unwrap().check().unwrap();
                rest(Duration::from_millis(100));
            }
        });
        Self { rests, moving: Some(moving) }
    }
}

impl Drop for Hand {
    fn drop(&mut self) {
        self.rests.store(true, Ordering::SeqCst);
        let _ = self.moving.take().map(JoinHandle::join);
    }
}

/// It does nothing as long as the mouse is in use, and what it is for afterwards.
fn gives_way(account: &Account, args: &[&str], outer: &str) {
    let here = account.path("here");
    let hand = Hand::at(outer);
    let running = Running::start(account.command(args));
    running.wait_for("you use the mouse or the keyboard");
    rest(Duration::from_secs(3));
    assert!(!here.exists(), "{args:?} does not wait: {}", running.so_far());
    drop(hand);
    running.end().check(0, &[]);
    wait_for("the file", || here.exists().then_some(()));
    std::fs::remove_file(here).unwrap();
}

#[test]
fn a_workflow_and_a_replay_wait_for_a_hand_at_the_mouse() {
    let (account, mut servers) = (Account::new(), Servers(Vec::new()));
    let outer = start(&mut servers, "Xvfb", &["-noreset", "-screen", "0", "800x600x24"], "");
    let inner = start(&mut servers, "Xephyr", &["-fullscreen", "-no-host-grab"], &outer);
    account.write("touch.yaml", WORKFLOW);
    let there = ["--display", &inner, "--policy", "unattended", "--trust-display"];
    let workflow = [&["workflow", "run", "touch.yaml", "--out", "r"][..], &there].concat();
    gives_way(&account, &workflow, &outer);
    gives_way(&account, &[&["replay", "r"][..], &there].concat(), &outer);
}
