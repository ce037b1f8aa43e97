//! Questions as notifications, with the services that people have on their desktops.

use std::io::Write as _;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::screen::Screen;
use crate::support::{Account, Running, wait_for};

const TOUCH: &str = r#"{"tool":"open_app","args":{"name":"touch here"}}"#;

/// A button that fills the screen, and writes a file when it is pressed.
const BIG: &str = "\
import sys
import gi
gi.require_version('Gtk', '3.0')
from gi.repository import Gtk
window, button = Gtk.Window(title='Big'), Gtk.Button(label='Press')
button.connect('clicked', lambda _: open(sys.argv[1], 'w').close())
window.add(button)
window.maximize()
window.show_all()
Gtk.main()
";

/// A program that ends with this.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A display with such a service on it.
struct Desk {
    account: Account,
    _service: Ended,
    screen: Screen,
}

impl Desk {
    /// With dunst, which has a program that presses on its notifications.
    fn with_dunst() -> Self {
        let (account, screen) = (Account::new(), Screen::whole());
        let config = format!("[global]\ndmenu = {}\n", account.path("choose").display());
        let config = account.write("dunstrc", &config);
        let mut command = Command::new("dunst");
        command.arg("-config").arg(config);
        let desk = Self { _service: Ended(started(command, &screen)), account, screen };
        wait_for("dunst", || (desk.dunst(&["count", "displayed"]) == "0").then_some(()));
        desk
    }

    /// With the service of GNOME's days without a shell, which draws buttons.
    fn with_buttons() -> Self {
        let (account, screen) = (Account::new(), Screen::whole());
        let service = started(Command::new("/usr/lib/notification-daemon/notification-daemon"), &screen);
        let desk = Self { account, _service: Ended(service), screen };
        wait_for("the service", || desk.is_served().then_some(()));
        desk
    }

    /// Whether a service has the name, asked without one being started by that.
    fn is_served(&self) -> bool {
        let mut command = Command::new("dbus-send");
        command.args(["--session", "--print-reply", "--dest=org.freedesktop.DBus", "/"]);
        command.args(["org.freedesktop.DBus.NameHasOwner", "string:org.freedesktop.Notifications"]);
        let said = command.envs(self.screen.environment()).output().unwrap().stdout;
        String::from_utf8_lossy(&said).contains("boolean true")
    }

    /// Presses the button of this name with the mouse, as somebody who sees it there.
    fn clicks(&self, name: &str) {
        // It comes to rest after it has been drawn.
        let mut before = None;
        let place = wait_for(name, || {
            let seen = self.account.run(&["observe", "--display", &self.screen.name, "--json"]).out;
            let seen: Value = serde_json::from_str(&seen).unwrap();
            let elements = seen["elements"].as_array().unwrap();
            let found = elements.iter().find(|element| element["name"] == name);
            let place = found.map(|found| found["bounds"].clone());
            let rests = place == before;
            before.clone_from(&place);
            place.filter(|_| rests)
        });
        let middle = |at: &str, length: &str| {
            (place[at].as_i64().unwrap() + place[length].as_i64().unwrap() / 2).to_string()
        };
        let (x, y) = (middle("x", "width"), middle("y", "height"));
        let mut command = Command::new("xdotool");
        command.args(["mousemove", &x, &y, "click", "1"]).env("DISPLAY", &self.screen.name);
        assert!(command.status().unwrap().success());
    }

    fn dunst(&self, args: &[&str]) -> String {
        let mut command = Command::new("dunstctl");
        let said = command.args(args).envs(self.screen.environment()).output().unwrap();
        String::from_utf8_lossy(&said.stdout).trim().to_owned()
    }

    fn shows(&self, notifications: &str) {
        let count = || self.dunst(&["count", "displayed"]);
        wait_for("the notification", || (count() == notifications).then_some(()));
    }

    /// Picks this from the menu of the notification that is shown.
    fn picks(&self, words: &str) {
        let choose = self.account.write("choose", &format!("#!/bin/sh\nexec grep -m 1 '{words}'\n"));
        assert!(Command::new("chmod").arg("+x").arg(choose).status().unwrap().success());
        self.dunst(&["context"]);
    }

    fn dress(&self, mut command: Command) -> Command {
        command.env("DBUS_SESSION_BUS_ADDRESS", self.screen.bus());
        command
    }

    fn begun(&self, call: &str) -> Running {
        let args = ["do", "--display", &self.screen.name, call];
        Running::start(self.dress(self.account.command(&args)))
    }

    fn asked(&self) -> Running {
        let running = self.begun(TOUCH);
        self.shows("1");
        running
    }

    fn is_done(&self) -> bool {
        self.account.path("here").exists()
    }
}

fn started(mut command: Command, screen: &Screen) -> Child {
    command.envs(screen.environment()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

#[test]
fn a_button_on_it_is_pressed_with_the_mouse() {
    let desk = Desk::with_buttons();
    let running = desk.begun(TOUCH);
    desk.clicks("Refuse");
    running.end().check(4, &["said no"]);
    assert!(!desk.is_done());
    let running = desk.begun(TOUCH);
    desk.clicks("Allow");
    running.end().check(0, &[]);
    wait_for("the file", || desk.is_done().then_some(()));
}

/// What it covered is what the click is for; it is closed by then, and has faded away.
#[test]
fn what_lies_beneath_it_is_clicked() {
    for composed in [false, true] {
        let desk = Desk::with_dunst();
        let _compositor = composed.then(|| {
            let mut picom = Command::new("picom");
            picom.args(["--config", "/dev/null", "--shadow", "--fading"]);
            Ended(started(picom, &desk.screen))
        });
        desk.account.write("big.py", BIG);
        let big = desk.account.path("big.py").display().to_string();
        let pressed = desk.account.path("pressed").display().to_string();
        desk.screen.start(&["/usr/bin/python3", &big, &pressed]);
        wait_for("the window", || desk.screen.shows("Big").then_some(()));
        let running = desk.begun(r#"{"tool":"click","args":{"target":{"x":1100,"y":110}}}"#);
        desk.shows("1");
        desk.picks("Allow");
        running.end().check(0, &[]);
        wait_for("the press", || std::path::Path::new(&pressed).exists().then_some(()));
    }
}

#[test]
fn what_is_picked_on_it_is_the_answer_and_counts_once() {
    let desk = Desk::with_dunst();
    let running = desk.asked();
    desk.picks("Refuse");
    running.end().check(4, &["said no"]);
    assert!(!desk.is_done());
    desk.shows("0");
    let running = desk.asked();
    desk.picks("Allow");
    running.end().check(0, &[]);
    wait_for("the file", || desk.is_done().then_some(()));
    desk.shows("0");
    // A yes was for that once.
    let running = desk.asked();
    desk.picks("Refuse");
    running.end().check(4, &["said no"]);
}

#[test]
fn one_that_is_closed_where_nobody_else_is_asked_is_a_no() {
    let desk = Desk::with_dunst();
    let running = desk.asked();
    desk.dunst(&["close"]);
    running.end().check(4, &["closed without an answer"]);
    assert!(!desk.is_done());
}

#[test]
fn an_answer_at_the_terminal_takes_it_away() {
    let desk = Desk::with_dunst();
    let mut command =
        desk.dress(desk.account.at_terminal(&["do", "--display", &desk.screen.name, TOUCH]));
    command.stdin(Stdio::piped());
    let mut running = Running::start(command);
    let mut input = running.child.stdin.take().unwrap();
    desk.shows("1");
    input.write_all(b"y\n").unwrap();
    let said = running.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    desk.shows("0");
    let told = desk.dunst(&["history"]);
    assert!(told.contains("Answer it here or in the terminal"), "{told}");
}
