//! `freehand observe` and `freehand doctor` on the desktop of a person: several monitors and windows, a program that
//! hangs, names with something hidden in them, a browser that tells nothing, a session without a bus.

use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::screen::Screen;
use crate::support::{Account, Running, Said, rest, signal, wait_for};

/// Runs a program of the desktop to its end.
fn on(screen: &Screen, argv: &[&str]) {
    let done = Command::new(argv[0]).args(&argv[1..]).envs(screen.environment()).status();
    assert!(done.unwrap().success(), "{argv:?}");
}

/// Opens a dialog and puts it there.
fn dialog(account: &Account, screen: &Screen, title: &str, (x, y): (&str, &str)) -> u32 {
    let process =
        screen.start(&["zenity", "--info", "--title", title, "--text", "Now", "--ok-label", title]);
    let button = format!("button \"{title}\"");
    let whole = ["observe", "--display", &screen.name, "--window", title];
    wait_for("the dialog", || account.run(&whole).out.contains(&button).then_some(()));
    // The window manager may still be putting it elsewhere.
    wait_for("the place", || {
        on(screen, &["xdotool", "search", "--name", title, "windowmove", x, y]);
        rest(Duration::from_millis(300));
        let left = i32::from(screen.place_of(title)?.0);
        (left - x.parse::<i32>().unwrap()).abs().lt(&20).then_some(())
    });
    process
}

fn json(said: &Said) -> Value {
    assert_eq!(said.code, Some(0), "{said:#?}");
    serde_json::from_str(&said.out).unwrap()
}

#[test]
fn a_monitor_is_listed_whichever_has_the_keyboard() {
    let (account, screen) = (Account::new(), Screen::whole());
    let of = |args: &[&str]| account.run(&[&["observe", "--display", &screen.name], args].concat());
    let monitor = |name, size, output| on(&screen, &["xrandr", "--setmonitor", name, size, output]);
    monitor("left", "800/200x800/200+0+0", "screen");
    monitor("right", "480/120x800/200+800+0", "none");
    dialog(&account, &screen, "Leftish", ("100", "100"));
    dialog(&account, &screen, "Rightish", ("900", "300"));
    let right = of(&[]);
    assert!(
        right.out.contains("monitor \"right\"") && right.out.contains("button \"Rightish\""),
        "{right:#?}"
    );
    // The one on the other monitor has the keyboard, and hides nothing of this one.
    let left = of(&["--monitor", "1", "--image", "marked.png", "--marks"]);
    assert!(left.out.contains("button \"Leftish\""), "{left:#?}");
    assert!(
        !left.out.contains("Window \"Rightish\"") && !left.out.contains("without the keyboard"),
        "{left:#?}"
    );
    of(&["--monitor", "1", "--image", "plain.png"]).check(0, &[]);
    assert_ne!(
        std::fs::read(account.path("marked.png")).unwrap(),
        std::fs::read(account.path("plain.png")).unwrap()
    );
    let told = json(&of(&["--monitor", "1", "--region", "0,0,200x200", "--json"]));
    let shown = serde_json::json!({
        "number": 1, "name": "left", "scale": 1.0,
        "bounds": { "x": 0, "y": 0, "width": 800, "height": 800 },
    });
    assert_eq!((&told["monitor"], &told["display"]), (&shown, &Value::from(screen.name.clone())));

    // What is asked for brings its monitor with it; one that was chosen stays.
    let there = of(&["--window", "leftish"]);
    assert!(
        there.out.contains("monitor \"left\"") && there.out.contains("button \"Leftish\""),
        "{there:#?}"
    );
    assert!(of(&["--region", "100,100,300x200"]).out.contains("button \"Leftish\""));
    let wrong = ["window \"Leftish\" is not on this monitor", "`800,0,480x800`", "use `--monitor 1`"];
    of(&["--window", "leftish", "--monitor", "2"]).check(2, &wrong);
    of(&["--region", "5000,5000,10x10"])
        .check(2, &["`5000,5000,10x10` is on no monitor: 1 is `0,0,800x800`"]);
    of(&["--monitor", "3"]).check(2, &["`--monitor 1` (left, 800x800 at 0,0) and `--monitor 2` (right"]);
}

#[test]
fn what_is_left_out_is_said_with_what_to_type() {
    let (account, screen) = (Account::new(), Screen::whole());
    let of = |args: &[&str]| account.run(&[&["observe", "--display", &screen.name], args].concat());
    of(&["--region", "5000,5000,10x10"])
        .check(2, &["`5000,5000,10x10` is not on the screen, which is `0,0,1280x800`"]);
    of(&["--monitor", "2"]).check(2, &["there is only `--monitor 1` (screen, 1280x800 at 0,0)"]);
    dialog(&account, &screen, "Behind", ("50", "50"));
    dialog(&account, &screen, "Ahead", ("700", "400"));
    let both = of(&[]).out;
    assert!(both.contains("button \"Ahead\"") && !both.contains("button \"Behind\""), "{both}");
    let line = both.lines().find(|line| line.contains("more in windows without the keyboard")).unwrap();
    let typed: Vec<&str> = line.trim_end_matches(')').rsplit(' ').take(2).collect();
    assert_eq!(typed, ["Behind", "--window"], "{line}");
    let alone = of(&["--window", "Behind"]).out;
    assert!(alone.contains("button \"Behind\"") && !alone.contains("without the keyboard"), "{alone}");
}

#[test]
fn a_list_is_as_short_as_it_is_asked_to_be() {
    let (account, screen) = (Account::new(), Screen::whole());
    let words: Vec<String> = (0..60).map(|row| format!("Row number {row} of the table")).collect();
    let mut argv = vec!["zenity", "--list", "--title", "Rows", "--column", "Row", "--height", "700"];
    argv.extend(words.iter().map(String::as_str));
    screen.start(&argv);
    let of = |args: &[&str]| account.run(&[&["observe", "--display", &screen.name], args].concat()).out;
    wait_for("the rows", || of(&[]).contains("button \"OK\"").then_some(()));
    wait_for("all of them", || of(&[]).contains("Row number 9 of").then_some(()));
    let list = |said: &str| said.split_once("\n\n").unwrap().1.to_owned();
    let (whole, short) = (list(&of(&[])), list(&of(&["--budget", "60"])));
    assert!(whole.contains("Row number 5 of") && !whole.contains("more not shown"), "{whole}");
    // What can be used goes first.
    assert!(short.contains("button \"OK\"") && short.contains("more not shown"), "{short}");
    assert!(short.lines().count() < 12 && short.len() < whole.len() / 2, "{short}");
}

#[test]
fn a_program_that_hangs_is_told_when_it_does_and_when_it_answers_again() {
    let (account, screen) = (Account::new(), Screen::whole());
    let process = dialog(&account, &screen, "Stuck", ("100", "100"));
    let running = Running::start(account.command(&["observe", "--display", &screen.name, "--watch"]));
    running.wait_for("button \"Stuck\"");
    signal(process, "STOP");
    running.wait_for("+ (cannot see everything: `Zenity` does not answer)");
    // Why is said once, though nothing is read off the screen here.
    let said = account.run(&["observe", "--display", &screen.name]);
    assert_eq!(said.err.matches("cannot see everything").count(), 1, "{said:#?}");
    signal(process, "CONT");
    running.wait_for("- (cannot see everything: `Zenity` does not answer)");
    wait_for("the button", || {
        let said = running.so_far();
        let (_, since) = said.rsplit_once("- (cannot see everything")?;
        since
            .lines()
            .any(|line| line.starts_with("+ [") && line.ends_with("button \"Stuck\""))
            .then_some(())
    });
    running.signal("INT");
    running.end().check(130, &[]);
}

#[test]
fn json_hides_nothing() {
    let (account, screen) = (Account::new(), Screen::whole());
    let title = "Bill \u{202e}fdp\u{2069}\u{e0041}";
    screen.start(&["zenity", "--info", "--title", title, "--text", "Now"]);
    let look = || account.run(&["observe", "--display", &screen.name, "--json"]);
    wait_for("the dialog", || look().out.contains("Bill").then_some(()));
    let said = look();
    assert_eq!(json(&said)["windows"][0]["title"], title);
    assert!(said.out.contains("Bill \\u202efdp\\u2069\\udb40\\udc41"), "{}", said.out);
    assert!(!said.out.contains(['\u{202e}', '\u{2069}', '\u{e0041}']), "{}", said.out);
}

/// What the doctor finds of this on the display, by its standing, with what mends it.
fn findings(
    account: &Account,
    screen: &Screen,
    bus: Option<&str>,
    args: &[&str],
    what: &str,
) -> Vec<[String; 3]> {
    let mut command = account.command(&[&["doctor", "--json"], args].concat());
    command.env("DISPLAY", &screen.name);
    command.envs(bus.map(|bus| ("DBUS_SESSION_BUS_ADDRESS", bus)));
    let said = Running::start(command).end();
    let all: Value = serde_json::from_str(&said.out).unwrap();
    let own = all.as_array().unwrap().iter().filter(|finding| finding["what"] == what);
    let text = |finding: &Value, field: &str| finding[field].as_str().unwrap_or_default().to_owned();
    own.map(|finding| ["standing", "found", "mend"].map(|field| text(finding, field))).collect()
}

#[test]
fn a_session_without_a_bus_is_said_to_need_one() {
    let (account, screen) = (Account::new(), Screen::bare());
    for (bus, args, want) in [
        (None, &[][..], "lacking"),
        (Some("unix:path=/nowhere/bus"), &[], "lacking"),
        (Some("unix:path=/nowhere/bus"), &["--accessibility"], "broken"),
    ] {
        let found = findings(&account, &screen, bus, args, "accessibility");
        let [[standing, found, mend]] = found.as_slice() else { panic!("{found:#?}") };
        assert_eq!(standing, want, "{found}");
        assert!(found.contains("there is no session bus"), "{found}");
        assert!(
            mend.contains("dbus-run-session -- ") || mend.contains("systemctl --user start dbus"),
            "{mend}"
        );
        // One cause is one finding.
        let display = findings(&account, &screen, bus, args, "display of the session");
        assert!(matches!(display.as_slice(), [[standing, ..]] if standing == "fine"), "{display:#?}");
    }
}

#[test]
fn a_browser_that_tells_nothing_of_its_pages_is_named_with_what_makes_it() {
    const FLAG: &str = "--force-renderer-accessibility";
    let account = Account::new();
    let page = account.write("page.html", "<title>Shop</title><h1>Hello</h1><button>Buy now</button>");
    let (page, profile) = (format!("file://{}", page.display()), account.path("profile"));
    let profile = format!("--user-data-dir={}", profile.display());
    let argv = ["chromium", "--no-sandbox", "--no-first-run", &profile, &page];
    for flags in [&[][..], &[FLAG]] {
        let screen = Screen::whole();
        screen.start(&[&argv[..1], flags, &argv[1..]].concat());
        let look = || account.run(&["observe", "--display", &screen.name]);
        let mends = |finding: &[String; 3]| finding[0] == "lacking" && finding[2].contains(FLAG);
        if flags.is_empty() {
            let said = wait_for("the browser", || {
                Some(look()).filter(|said| said.out.contains("window \"Shop"))
            });
            let line = format!("`Chromium` tells nothing of its pages; start it with `{FLAG}`");
            assert_eq!(said.err.matches("`Chromium`").count(), 1, "{said:#?}");
            assert!(said.err.contains(&line), "{said:#?}");
        } else {
            let said = wait_for("the page", || {
                Some(look()).filter(|said| said.out.contains("button \"Buy now\""))
            });
            assert!(!said.err.contains(FLAG), "{said:#?}");
        }
        let found = findings(&account, &screen, Some(&screen.bus()), &[], "display of the session");
        assert_eq!(
            found.iter().filter(|finding| mends(finding)).count(),
            usize::from(flags.is_empty()),
            "{found:#?}"
        );
    }
}
