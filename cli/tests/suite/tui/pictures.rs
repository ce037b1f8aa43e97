//! The screen as a picture in real terminals: what stands on the display that the terminal is on, seen by a
//! program that knows nothing of either.

use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::run::Server;
use crate::screen::Screen;
use crate::support::{Account, rest};

const RED: [u8; 3] = [255, 0, 0];
const BLUE: [u8; 3] = [0, 0, 255];
const LIME: [u8; 3] = [0, 255, 0];
/// Pixels of a colour that make a picture: the stripes are much more, the letters of a program less.
const MANY: usize = 40_000;
const STRIPES: &str = include_str!("../../fixtures/stripes.py");

struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Waits until each of the colours is there often, or until none is.
#[track_caller]
fn wait(screen: &Screen, colours: &[[u8; 3]], there: bool, when: &str) {
    let (start, mut counts) = (Instant::now(), Vec::new());
    while start.elapsed() < Duration::from_secs(60) {
        let pixels = screen.pixels();
        let count = |colour| pixels.iter().filter(|pixel| *pixel == colour).count();
        counts = colours.iter().map(count).collect();
        if counts.iter().all(|count| if there { *count > MANY } else { *count < MANY / 100 }) {
            return;
        }
        rest(Duration::from_millis(100));
    }
    panic!("{when}: {counts:?} pixels of {colours:?}");
}

/// Runs in `terminal`, with `names` in the environment of the run.
fn check(terminal: &[&str], names: &str) {
    let (account, screen) = (Account::new(), Screen::whole());
    account.write("stripes.py", STRIPES);
    let server = Server::start(&[
        r#"{"tool":"open_app","args":{"name":"/usr/bin/python3 stripes.py"}}"#,
        r#"{"tool":"wait","args":{"window":"Stripes","timeout_ms":60000}}"#,
        r#"{"tool":"wait","args":{"window":"never","timeout_ms":8000}}"#,
        r#"{"tool":"open_app","args":{"name":"touch go"}}"#,
        r#"{"tool":"wait","args":{"window":"never","timeout_ms":8000}}"#,
        r#"{"tool":"finish","args":{"status":"failure","evidence":[],"answer":"seen"}}"#,
    ]);
    let run = format!(
        "{names} {} run Look --display virtual:1000x700 --model {} --tui --out r; echo over; sleep 100",
        env!("CARGO_BIN_EXE_freehand"),
        server.url
    );
    let mut command = Command::new(terminal[0]);
    command.args(&terminal[1..]).args(["sh", "-c", &run]).current_dir(account.home.path());
    command.env_clear().env("PATH", std::env::var_os("PATH").unwrap()).env("LANG", "C.UTF-8");
    command.envs(screen.environment()).env("HOME", account.home.path());
    command.env("LIBGL_ALWAYS_SOFTWARE", "1").stdin(Stdio::null());
    let _ended = Ended(command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap());
    wait(&screen, &[RED, BLUE], true, "the screen");
    wait(&screen, &[LIME], true, "another screen");
    wait(&screen, &[RED, BLUE], false, "the one before");
    wait(&screen, &[RED, BLUE, LIME], false, "at the end");
    assert!(account.path("r/trajectory.jsonl").exists());
}

#[test]
fn kitty_shows_it() {
    let sized = ["remember_window_size=no", "initial_window_width=1200", "initial_window_height=740"];
    let sized = sized.iter().flat_map(|setting| ["-o", setting]);
    check(&["kitty", "--config", "NONE"].into_iter().chain(sized).collect::<Vec<_>>(), "");
}

#[test]
fn xterm_shows_it_in_sixels() {
    let (is_one, able) = ("xterm*decTerminalID: vt340", "xterm*numColorRegisters: 256");
    let xterm = ["xterm", "-ti", "vt340", "-xrm", is_one, "-xrm", able, "-geometry", "190x52", "-e"];
    check(&xterm, "");
}

/// By the protocol of iTerm2, which mlterm has too, and does not tell of.
#[test]
fn mlterm_shows_it_as_iterm2_does() {
    check(&["mlterm", "--geometry", "140x38", "-e"], "TERM_PROGRAM=WezTerm");
}
