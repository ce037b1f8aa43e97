//! The person at the desk of a display: an X server inside of another one takes what is injected into the
//! outer one for its real keyboard.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{KEY_PRESS_EVENT, KEY_RELEASE_EVENT};
use x11rb::protocol::xtest::ConnectionExt as _;
use x11rb::rust_connection::RustConnection;

use crate::support::{Account, Running, processes_with, rest, wait_for};

/// Control, Alt and Escape on the keyboard of a PC.
const CHORD: [u8; 3] = [37, 64, 9];
const WAITING: &str = r#"{"tool":"wait","args":{"timeout_ms":100000}}"#;

pub(super) struct Servers(pub(super) Vec<Child>);

impl Drop for Servers {
    fn drop(&mut self) {
        for server in self.0.iter_mut().rev() {
            let _ = server.kill();
            let _ = server.wait();
        }
    }
}

/// Starts a server and says which display it is.
pub(super) fn start(servers: &mut Servers, program: &str, args: &[&str], display: &str) -> String {
    let mut server = Command::new(program)
        .args(["-displayfd", "1", "-nolisten", "tcp"])
        .args(args)
        .env("DISPLAY", display)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut number = String::new();
    BufReader::new(server.stdout.take().unwrap()).read_line(&mut number).unwrap();
    servers.0.push(server);
    format!(":{}", number.trim())
}

fn press(display: &str) {
    let (wire, screen) = x11rb::connect(Some(display)).unwrap();
    let root = wire.setup().roots[screen].root;
    let send = |wire: &RustConnection, kind: u8, code: u8| {
        wire.xtest_fake_input(kind, code, 0, root, 0, 0, 0).unwrap().check().unwrap();
    };
    for kind in [KEY_PRESS_EVENT, KEY_RELEASE_EVENT] {
        for code in CHORD {
            send(&wire, kind, code);
        }
    }
}

#[test]
fn keys_of_the_real_keyboard_stop_it_and_injected_ones_do_not() {
    let (account, mut servers) = (Account::new(), Servers(Vec::new()));
    let outer = start(&mut servers, "Xvfb", &["-noreset", "-screen", "0", "800x600x24"], "");
    let inner = start(&mut servers, "Xephyr", &["-fullscreen", "-no-host-grab"], &outer);
    let args =
        ["do", "--display", &inner, "--policy", "unattended-in-sandbox", "--trust-display", WAITING];
    let running = Running::start(account.command(&args));
    running.wait_for("to stop: ctrl+alt+escape");
    press(&inner);
    rest(std::time::Duration::from_millis(500));
    press(&outer);
    running.end().check(130, &["as the person at the desk wants"]);
    account.run(&args).check(130, &["stopped by the person at the desk", "stop --release"]);
}

#[test]
fn what_is_at_work_is_stopped_from_elsewhere() {
    let account = Account::new();
    let mark = format!("HOME={}", account.home.path().display());
    let running = Running::start(account.command(&["do", "--display", "virtual", WAITING]));
    wait_for("the display", || (processes_with(&mark).len() > 4).then_some(()));
    account.run(&["stop"]).check(0, &["stopped one command"]);
    running.end().check(130, &["stopping"]);
    // It stays so until a person says otherwise, and a script is none.
    account.run(&["do", "--display", "virtual", WAITING]).check(130, &["stopped by `freehand stop`"]);
    account.run(&["stop", "--release"]).check(2, &["only a person", "stopped`"]);
    account.run(&["stop"]).check(0, &["nothing is running", "until `freehand stop --release`"]);
    assert!(account.run(&["doctor"]).out.contains("freehand stop --release"));
    let latch = account.path(".local/state/freehand/stopped");
    std::fs::remove_file(&latch).unwrap();
    // The file alone ends what goes on, whoever makes it.
    let running = Running::start(account.command(&["do", "--display", "virtual", WAITING]));
    wait_for("the display", || (processes_with(&mark).len() > 4).then_some(()));
    std::fs::write(&latch, "").unwrap();
    running.end().check(130, &["stopped as a whole"]);
}
