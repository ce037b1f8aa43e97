//! Ends at any moment: a signal, a kill, a display that dies or stands still, while keys and a button
//! are held. Whatever it is, nothing stays down and the record can be read.

use std::hash::{BuildHasher as _, RandomState};
use std::path::Path;
use std::time::Duration;

use freehand_agent::trajectory::{Exit, Trajectory, reader};

use crate::screen::Screen;
use crate::support::{Account, Running, Said, processes_with, rest, wait_for};

/// Holds something most of the time.
const HOLDING: &str = "name: hold
steps:
  - do: press_keys
    args: { keys: shift+a, hold_ms: 400 }
  - do: drag
    args: { target: { x: 100, y: 100 }, path: [{ x: 300, y: 300 }, { x: 500, y: 200 }], modifiers: [ctrl] }
  - do: type_text
    args: { text: \"The Quick BROWN Fox Jumps Over The LAZY Dog\" }
  - do: press_keys
    args: { keys: ctrl+shift+x, hold_ms: 400 }
  - do: drag
    args: { target: { x: 500, y: 400 }, path: [{ x: 100, y: 100 }, { x: 300, y: 500 }], modifiers: [shift] }
  - do: press_keys
    args: { keys: b, hold_ms: 400, times: 20 }
";

/// A moment within the script, by chance.
fn moment() -> Duration {
    Duration::from_millis(RandomState::new().hash_one(0) % 3_000)
}

fn start(account: &Account, screen: &Screen, out: &str) -> Running {
    account.write("w.yaml", HOLDING);
    let args = [&["workflow", "run", "w.yaml", "--out", out], &screen.vouched()[..]].concat();
    let running = Running::start(account.command(&args));
    let record = account.path(out).join(reader::FILE);
    wait_for("the record", || std::fs::metadata(&record).is_ok_and(|f| f.len() > 0).then_some(()));
    running
}

fn record(folder: &Path) -> Trajectory {
    reader::read(folder).unwrap()
}

/// Runs the script twenty times, four at once, and sends `signal` at a moment that chance chooses.
/// `check` judges what it said and what it recorded.
fn at_twenty_moments(signal: &str, check: impl Fn(&Said, &Trajectory, &str) + Sync) {
    let four = || {
        let screen = Screen::whole();
        screen.start(&["xterm", "-T", "Sink", "-e", "sh", "-c", "stty -echo; cat >/dev/null"]);
        wait_for("the window", || screen.shows("Sink").then_some(()));
        let mut held = 0;
        for turn in 0..5 {
            let account = Account::new();
            let running = start(&account, &screen, "r");
            let after = moment();
            rest(after);
            held += u32::from(screen.held() != (0, 0));
            running.signal(signal);
            let said = running.end();
            let when = format!("turn {turn}, {signal} after {after:?}");
            screen.expect_untouched(&when);
            let mark = format!("HOME={}", account.home.path().display());
            wait_for("the end of every process", || processes_with(&mark).is_empty().then_some(()));
            check(&said, &record(&account.path("r")), &when);
        }
        held
    };
    let held: u32 = std::thread::scope(|scope| {
        let all: Vec<_> = (0..4).map(|_| scope.spawn(four)).collect();
        all.into_iter().map(|one| one.join().unwrap()).sum()
    });
    assert!(held >= 4, "only {held} of 20 moments found something held down");
}

#[test]
fn a_kill_at_any_moment_leaves_nothing_held() {
    at_twenty_moments("KILL", |said, record, when| {
        assert_eq!(said.code, None, "{when}: {said:#?}");
        assert_eq!(record.exit, None, "{when}");
    });
}

#[test]
fn a_request_to_end_at_any_moment_leaves_nothing_held() {
    at_twenty_moments("TERM", |said, record, when| {
        assert_eq!(said.code, Some(130), "{when}: {said:#?}");
        assert_eq!(record.exit, Some(Exit::Interrupted), "{when}");
    });
}

#[test]
fn an_interrupt_at_any_moment_leaves_nothing_held() {
    at_twenty_moments("INT", |said, record, when| {
        assert_eq!(said.code, Some(130), "{when}: {said:#?}");
        assert_eq!(record.exit, Some(Exit::Interrupted), "{when}");
    });
}

#[test]
fn the_record_of_a_killed_run_is_replayed() {
    let (account, screen) = (Account::new(), Screen::bare());
    let running = start(&account, &screen, "r");
    wait_for("two steps", || (record(&account.path("r")).steps.len() >= 2).then_some(()));
    running.signal("KILL");
    running.end();
    let done = record(&account.path("r")).steps.len();
    let args = ["replay", "r", "--out", "again", "--policy", "unattended-in-sandbox", "--trust-display"];
    account.run(&args).check(0, &[&format!("all {done} actions")]);
    screen.expect_untouched("after the replay");
    account.run(&["resume", "r"]).check(2, &["workflow"]);
}

#[test]
fn a_display_that_dies_at_any_moment_ends_it_with_5() {
    for turn in 0..6 {
        let (account, screen) = (Account::new(), Screen::bare());
        let running = start(&account, &screen, "r");
        let after = moment();
        rest(after);
        screen.signal("KILL");
        let said = running.end();
        assert_eq!(said.code, Some(5), "turn {turn}, after {after:?}: {said:#?}");
        said.check(5, &["the desktop failed: the display is gone", "see what became of the X server"]);
        let exit = record(&account.path("r")).exit;
        assert!(matches!(exit, Some(Exit::DesktopFailed { .. })), "after {after:?}: {exit:?}");
    }
}

#[test]
fn a_display_that_stands_still_at_any_moment_ends_it_with_5() {
    let one = || {
        let (account, screen) = (Account::new(), Screen::bare());
        let running = start(&account, &screen, "r");
        let after = moment();
        rest(after);
        screen.signal("STOP");
        let said = running.end();
        screen.signal("CONT");
        assert_eq!(said.code, Some(5), "after {after:?}: {said:#?}");
        said.check(5, &["the X server has not answered for 5 s"]);
        screen.expect_untouched(&format!("after {after:?}"));
        let exit = record(&account.path("r")).exit;
        assert!(matches!(exit, Some(Exit::DesktopFailed { .. })), "after {after:?}: {exit:?}");
    };
    std::thread::scope(|scope| (0..5).for_each(|_| drop(scope.spawn(one))));
}
