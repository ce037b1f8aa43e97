//! What the person at the desk is shown and asked on their own desktop.

use std::collections::HashMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use x11rb::connection::Connection as _;
use x11rb::protocol::xproto::{BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, MOTION_NOTIFY_EVENT};
use x11rb::protocol::xtest::ConnectionExt as _;
use zbus::object_server::SignalEmitter;
use zbus::zvariant::OwnedValue;

use super::desk::{Servers, start};
use crate::screen::Screen;
use crate::support::{Account, Running, rest, wait_for};

const TOUCH: &str = r#"{"tool":"open_app","args":{"name":"touch a<b>.txt"}}"#;
const WAITING: &str = r#"{"tool":"wait","args":{"timeout_ms":100000}}"#;

/// A service that shows notifications to nobody, and presses on them what it was told to.
struct Bell {
    able: &'static [&'static str],
    presses: &'static [&'static str],
    told: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<Vec<u32>>>,
}

#[zbus::interface(name = "org.freedesktop.Notifications")]
impl Bell {
    fn get_capabilities(&self) -> Vec<&str> {
        self.able.to_vec()
    }

    #[zbus(signal)]
    async fn notification_closed(emitter: &SignalEmitter<'_>, id: u32, reason: u32) -> zbus::Result<()>;

    #[zbus(signal)]
    async fn action_invoked(emitter: &SignalEmitter<'_>, id: u32, key: &str) -> zbus::Result<()>;

    #[expect(clippy::too_many_arguments, reason = "so it stands in the specification")]
    fn notify(
        &self,
        app: &str,
        replaces: u32,
        icon: &str,
        title: &str,
        body: &str,
        actions: Vec<String>,
        hints: HashMap<String, OwnedValue>,
        expires: i32,
        #[zbus(signal_emitter)] emitter: SignalEmitter<'_>,
    ) -> u32 {
        self.told.lock().unwrap().push(format!("{title}|{body}|{}", actions.join(" ")));
        // A person would be shown no more of it.
        let _ = (app, replaces, icon, actions, hints, expires);
        let (emitter, presses) = (emitter.into_owned(), self.presses);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_millis(300)).await;
            // One that is not this question's, and a press on something else.
            Self::action_invoked(&emitter, 8, "allow").await.unwrap();
            Self::action_invoked(&emitter, 7, "default").await.unwrap();
            for key in presses {
                // A press closes it, and no order of the two is promised.
                Self::notification_closed(&emitter, 7, 3).await.unwrap();
                Self::action_invoked(&emitter, 7, key).await.unwrap();
            }
        });
        7
    }

    async fn close_notification(&self, id: u32, #[zbus(signal_emitter)] emitter: SignalEmitter<'_>) {
        self.closed.lock().unwrap().push(id);
        Self::notification_closed(&emitter, id, 3).await.unwrap();
    }
}

/// What was shown, and what was taken away.
#[derive(Default, Clone)]
struct Heard {
    told: Arc<Mutex<Vec<String>>>,
    closed: Arc<Mutex<Vec<u32>>>,
}

/// Serves such a service on the bus of a screen as long as both of what it gives live.
fn serve(
    screen: &Screen,
    able: &'static [&'static str],
    presses: &'static [&'static str],
) -> (Heard, (zbus::Connection, tokio::runtime::Runtime)) {
    let heard = Heard::default();
    let bell = Bell { able, presses, told: Arc::clone(&heard.told), closed: Arc::clone(&heard.closed) };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    let bus = screen.bus();
    let served = runtime.block_on(async {
        zbus::connection::Builder::address(bus.as_str())
            .unwrap()
            .name("org.freedesktop.Notifications")
            .unwrap()
            .serve_at("/org/freedesktop/Notifications", bell)
            .unwrap()
            .build()
            .await
            .unwrap()
    });
    (heard, (served, runtime))
}

#[test]
fn a_notification_asks_and_is_an_answer() {
    let closed = "closed without an answer";
    for (presses, code, answer) in
        [(&["allow"], 0, ""), (&["refuse"], 4, "said no"), (&["default"], 4, closed)]
    {
        let (account, screen) = (Account::new(), Screen::whole());
        let (heard, _served) = serve(&screen, &["actions", "body", "body-markup"], presses);
        let mut command = account.command(&["do", "--display", &screen.name, TOUCH]);
        command.env("DBUS_SESSION_BUS_ADDRESS", screen.bus());
        let running = Running::start(command);
        wait_for("the strip", || screen.shows("Freehand").then_some(()));
        let said = running.end();
        assert_eq!(said.code, Some(code), "{said:#?}");
        assert!((said.out.clone() + &said.err).contains(answer), "{said:#?}");
        let told = heard.told.lock().unwrap().clone();
        assert_eq!(told.len(), 1, "{told:?}");
        assert!(told[0].starts_with("May Freehand do this?|start `touch a&lt;b&gt;.txt`"), "{told:?}");
        assert!(told[0].ends_with("|allow Allow refuse Refuse"), "{told:?}");
        wait_for("its end", || (*heard.closed.lock().unwrap() == [7]).then_some(()));
        assert!(!screen.shows("Freehand"), "the strip has stayed");
        assert_eq!(account.path("a<b>.txt").exists(), code == 0);
    }
}

#[test]
fn one_that_cannot_be_answered_says_where_that_is_done() {
    let (account, screen) = (Account::new(), Screen::whole());
    let (heard, _served) = serve(&screen, &["body"], &[]);
    let mut command = account.at_terminal(&["do", "--display", &screen.name, TOUCH]);
    command.env("DBUS_SESSION_BUS_ADDRESS", screen.bus()).stdin(Stdio::piped());
    let mut running = Running::start(command);
    wait_for("the notification", || heard.told.lock().unwrap().first().cloned());
    running.child.stdin.take().unwrap().write_all(b"y\n").unwrap();
    let said = running.end();
    assert_eq!(said.code, Some(0), "{said:#?}");
    let told = heard.told.lock().unwrap().clone();
    assert!(told[0].ends_with("\nAnswer it in the terminal that it was started from.|"), "{told:?}");
    assert_eq!(*heard.closed.lock().unwrap(), [7]);
    // Without a terminal nobody is asked, and nothing is shown.
    let mut command = account.command(&["do", "--display", &screen.name, TOUCH]);
    command.env("DBUS_SESSION_BUS_ADDRESS", screen.bus());
    Running::start(command).end().check(4, &["nobody is there to ask"]);
    assert_eq!(heard.told.lock().unwrap().len(), 1);
}

/// A bus on which nothing is started when it is asked for.
const BUS: &str = r#"<busconfig>
  <type>session</type>
  <listen>unix:tmpdir=/tmp</listen>
  <policy context="default"><allow send_destination="*"/><allow own="*"/></policy>
</busconfig>"#;

#[test]
fn with_no_service_nobody_is_asked_and_nothing_waits() {
    let (account, screen) = (Account::new(), Screen::whole());
    let config = account.write("bus.conf", BUS);
    let mut servers = Servers(Vec::new());
    let mut bus = Command::new("dbus-daemon");
    bus.args(["--nofork", "--print-address=1", "--config-file"]).arg(config);
    let mut bus = bus.stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut address = String::new();
    BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
    servers.0.push(bus);
    let mut command = account.command(&["do", "--display", &screen.name, "--presence", "on", TOUCH]);
    command.env("DBUS_SESSION_BUS_ADDRESS", address.trim());
    Running::start(command).end().check(4, &["nobody is there to ask"]);
    let args = ["do", "--display", &screen.name, "--presence", "off", WAITING];
    let running = Running::start(account.command(&args));
    running.wait_for("to stop: ");
    rest(Duration::from_millis(500));
    assert!(!screen.shows("Freehand"));
    running.signal("INT");
    running.end().check(130, &["stopping"]);
    account.write(".config/freehand/config.toml", "presence = \"perhaps\"\n");
    account.run(&["do", WAITING]).check(2, &["`presence` of the configuration", "perhaps"]);
}

/// Presses the first button in the middle of a part of the screen.
fn press(display: &str, (x, y, width, height): (i16, i16, u16, u16)) {
    let (wire, screen) = x11rb::connect(Some(display)).unwrap();
    let root = wire.setup().roots[screen].root;
    let half = |length: u16| i16::try_from(length / 2).unwrap();
    let (x, y) = (x + half(width), y + half(height));
    for (kind, detail) in [(MOTION_NOTIFY_EVENT, 0), (BUTTON_PRESS_EVENT, 1), (BUTTON_RELEASE_EVENT, 1)]
    {
        wire.xtest_fake_input(kind, detail, 0, root, x, y, 0).unwrap().check().unwrap();
    }
}

#[test]
fn the_strip_stops_it_for_a_person_alone() {
    let (account, mut servers) = (Account::new(), Servers(Vec::new()));
    let outer = start(&mut servers, "Xvfb", &["-noreset", "-screen", "0", "800x600x24"], "");
    let inner = start(&mut servers, "Xephyr", &["-fullscreen", "-no-host-grab"], &outer);
    let args = ["do", "--display", &inner, "--policy", "unattended", "--trust-display", WAITING];
    let running = Running::start(account.command(&args));
    running.wait_for("to stop: ");
    let screen = Screen::of(&inner);
    let (x, y, width, height) =
        wait_for("the strip", || screen.place_of("Freehand").filter(|(_, _, width, _)| *width > 100));
    assert_eq!((x, y, width, height), (0, 0, 800, 30));
    let stop = (740, 0, 60, 30);
    press(&inner, stop);
    rest(Duration::from_millis(500));
    press(&outer, stop);
    running.end().check(130, &["since you pressed Stop"]);
    // One command was meant, and no other.
    account
        .run(&["do", "--display", "virtual", r#"{"tool":"wait","args":{"timeout_ms":1}}"#])
        .check(0, &[]);
}
