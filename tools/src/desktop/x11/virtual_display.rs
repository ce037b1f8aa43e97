//! A display of our own: an X server in memory with a window manager, a session bus and an
//! accessibility bus, on a free number. Everything that is started for it carries a mark in its
//! environment, and a small keeper process ends whatever carries the mark as soon as we let go of it
//! or die, however that happens.

use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use x11rb::protocol::xproto::{ConnectionExt as _, Family, HostMode};

use super::eyes;
use super::launch::{self, Surroundings};
use super::link::{During, Link, Place};
use crate::desktop::DesktopError;
use crate::geometry::{Screen, Size};

mod kept;
mod resize;
mod servant;
mod trial;

use kept::Note;
pub use kept::{Standing, end, standing};
use servant::{Keeper, SERVES, Servant};

const WHAT: &str = "starting a virtual display";
/// As long as one part of it may take to be ready.
const PATIENCE: Duration = Duration::from_secs(15);
/// Sizes that make sense, in px.
const SIDES: std::ops::RangeInclusive<u32> = 64..=8192;
/// Window managers in the order in which they are preferred, with their Debian packages.
const MANAGERS: [(&str, &str); 4] = [
    ("openbox", "openbox"),
    ("xfwm4", "xfwm4"),
    ("metacity", "metacity"),
    ("matchbox-window-manager", "matchbox-window-manager"),
];
/// Where distributions put the program that starts the accessibility bus.
const LAUNCHERS: [&str; 4] = [
    "/usr/libexec/at-spi-bus-launcher",
    "/usr/lib/at-spi2-core/at-spi-bus-launcher",
    "/usr/lib/at-spi-bus-launcher",
    "/usr/lib/x86_64-linux-gnu/at-spi2-core/at-spi-bus-launcher",
];

/// A display that was started for Freehand. Dropping it ends every program on it and leaves nothing
/// behind.
#[derive(Debug)]
pub struct VirtualDisplay {
    place: Place,
    surroundings: Surroundings,
    /// Ends everything with this; none where it goes on.
    keeper: Option<Keeper>,
    /// Held while a display that is kept is in use.
    lock: Option<fs::File>,
}

/// A display that has just been started.
struct Begun {
    display: VirtualDisplay,
    note: Note,
    keeper: Keeper,
}

impl VirtualDisplay {
    /// The size in px when nobody asks for another.
    pub const DEFAULT_SIZE: Size<Screen> = Size::new(1280, 800);

    /// Starts a display of `size`, in px. Blocks until it can be used, about half a second.
    pub fn start(size: Size<Screen>) -> Result<Self, DesktopError> {
        Self::start_with(size, true)
    }

    /// The same without a session bus and an accessibility bus: programs show themselves, and say
    /// nothing of what they show.
    pub fn start_mute(size: Size<Screen>) -> Result<Self, DesktopError> {
        Self::start_with(size, false)
    }

    fn start_with(size: Size<Screen>, buses: bool) -> Result<Self, DesktopError> {
        let Begun { mut display, keeper, .. } = Self::begin(size, buses, |_| ())?;
        display.keeper = Some(keeper);
        Ok(display)
    }

    /// Starts one; its programs find around them what `dress` has added.
    fn begin(
        size: Size<Screen>,
        buses: bool,
        dress: impl FnOnce(&mut Surroundings),
    ) -> Result<Begun, DesktopError> {
        if !SIDES.contains(&size.width) || !SIDES.contains(&size.height) {
            let reason =
                format!("{size} is not between {0}x{0} and {1}x{1}", SIDES.start(), SIDES.end());
            return Err(DesktopError::failed(WHAT, reason));
        }
        let (manager, launcher) = programs()?;
        let secret = random::<32>()?;
        let (mark, cookie) = secret.split_at(16);
        let mark = mark.iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"));
        let folder = private_folder(&mark)?;
        // From here on the keeper clears up, whatever happens.
        let keeper = Keeper::start(&mark, &folder, 0).map_err(|fault| {
            let _ = fs::remove_dir_all(&folder);
            DesktopError::failed(WHAT, fault)
        })?;
        fs::create_dir(folder.join("tmp")).map_err(|fault| DesktopError::failed(WHAT, fault))?;
        let authority = folder.join("authority");
        write_authority(&authority, cookie).map_err(|fault| DesktopError::failed(WHAT, fault))?;

        let mut surroundings = Surroundings {
            environment: environment(&mark, &folder),
            profiles: Some(folder.join("profiles")),
            ..Surroundings::default()
        };
        dress(&mut surroundings);
        let place = Place { name: String::new(), cookie: Some(cookie.to_vec()) };
        let mut display = Self { place, surroundings, keeper: None, lock: None };
        display.start_server(size, &authority)?;
        let link = Link::open(display.place.clone())?;
        admit_this_user(&link)?;
        let bus = display.start_session(&link, manager, buses.then_some(launcher), &folder)?;
        let name = display.place.name.clone();
        let note = Note { mark, folder, name, cookie: cookie.to_vec(), bus };
        Ok(Begun { display, note, keeper })
    }

    /// Its name, as in `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.place.name
    }

    /// What a program must find in its environment to run on this display. A caller that still has
    /// one thread may put it into its own environment, so that libraries which look there find it.
    pub fn environment(&self) -> impl Iterator<Item = (&str, &OsString)> {
        self.surroundings.environment.iter().map(|(name, value)| (name.as_str(), value))
    }

    pub(super) const fn place(&self) -> &Place {
        &self.place
    }

    pub(super) const fn surroundings(&self) -> &Surroundings {
        &self.surroundings
    }

    fn start_server(&mut self, size: Size<Screen>, authority: &Path) -> Result<(), DesktopError> {
        let mut command = self.command("Xvfb");
        command.args(["-displayfd", "1", "-screen", "0", &format!("{size}x24"), "-nolisten", "tcp"]);
        command.args(["-noreset", "-auth"]).arg(authority);
        let number = self.start_talking("Xvfb", command)?;
        self.place.name = format!(":{number}");
        self.surroundings.environment.push(("DISPLAY".into(), self.place.name.clone().into()));
        Ok(())
    }

    fn start_session(
        &mut self,
        link: &Link,
        manager: &str,
        launcher: Option<&str>,
        folder: &Path,
    ) -> Result<String, DesktopError> {
        let address = match launcher {
            Some(_) => self.start_session_bus(folder)?,
            // Otherwise the first program that looks for a bus starts one.
            None => "disabled:".into(),
        };
        self.surroundings.environment.push(("DBUS_SESSION_BUS_ADDRESS".into(), address.clone().into()));

        let mut parts = vec![Servant::start(manager, self.command(manager))?];
        if let Some(launcher) = launcher {
            let mut command = self.command(launcher);
            command.arg("--launch-immediately");
            parts.push(Servant::start(launcher, command)?);
        }
        let is_heard = || Ok(launcher.is_none() || eyes::address(link)?.is_some());
        let ready = wait(&mut parts, || Ok(is_heard()? && trial::is_managed(link)?));
        for part in parts {
            self.surroundings.children.add(part.into_child());
        }
        ready.map(|()| address)
    }

    fn start_session_bus(&self, folder: &Path) -> Result<String, DesktopError> {
        let mut bus = self.command("dbus-daemon");
        bus.args(["--session", "--nofork", "--nopidfile", "--print-address=1"]);
        bus.arg(format!("--address=unix:path={}", folder.join("bus").display()));
        self.start_talking("dbus-daemon", bus)
    }

    fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        self.surroundings.dress(&mut command);
        let (serves, what) = SERVES;
        command.env(serves, what);
        command
    }

    /// Starts a program that says in one line where it can be reached.
    fn start_talking(&self, name: &str, command: Command) -> Result<String, DesktopError> {
        let (servant, line) = Servant::start_talking(name, command, PATIENCE)?;
        self.surroundings.children.add(servant.into_child());
        Ok(line)
    }
}

impl Drop for VirtualDisplay {
    fn drop(&mut self) {
        if let Some(keeper) = &mut self.keeper {
            keeper.clear_up();
        }
        self.surroundings.children.reap();
    }
}

/// The window manager and the launcher of the accessibility bus, or which package is missing.
fn programs() -> Result<(&'static str, &'static str), DesktopError> {
    let missing = |program: &str, package: &str| DesktopError::Unsupported {
        what: WHAT.into(),
        reason: format!("`{program}` is not installed; install the Debian package `{package}`"),
    };
    for (program, package) in [("Xvfb", "xvfb"), ("dbus-daemon", "dbus")] {
        if !launch::on_path(program) {
            return Err(missing(program, package));
        }
    }
    let manager = MANAGERS.iter().find(|(program, _)| launch::on_path(program));
    let (manager, _) = manager.ok_or_else(|| missing("openbox", "openbox"))?;
    let launcher = LAUNCHERS.iter().find(|launcher| Path::new(launcher).is_file());
    let launcher = launcher.ok_or_else(|| missing("at-spi-bus-launcher", "at-spi2-core"))?;
    Ok((manager, launcher))
}

/// Waits until everything is ready, or until one of the programs has ended.
fn wait(
    parts: &mut [Servant],
    mut ready: impl FnMut() -> Result<bool, DesktopError>,
) -> Result<(), DesktopError> {
    let end = Instant::now() + PATIENCE;
    while !ready()? {
        if let Some(fault) = parts.iter_mut().find_map(Servant::ended) {
            return Err(DesktopError::failed(WHAT, fault));
        }
        if Instant::now() >= end {
            let reason = "the window manager or the accessibility bus is not ready after 15 s";
            return Err(DesktopError::failed(WHAT, reason));
        }
        std::thread::park_timeout(Duration::from_millis(5));
    }
    Ok(())
}

/// Lets the programs of this user in without the cookie, which not every library looks for; all
/// others stay out.
fn admit_this_user(link: &Link) -> Result<(), DesktopError> {
    let user = format!("localuser\0#{}", rustix::process::geteuid().as_raw());
    let added = link.wire.change_hosts(HostMode::INSERT, Family::SERVER_INTERPRETED, user.as_bytes());
    added.during(WHAT)?.check().during(WHAT)
}

fn environment(mark: &str, folder: &Path) -> Vec<(String, OsString)> {
    let mut environment: Vec<(String, OsString)> = [
        (servant::MARK, mark),
        ("GTK_MODULES", "gail:atk-bridge"),
        ("GDK_BACKEND", "x11"),
        ("QT_QPA_PLATFORM", "xcb"),
        ("XDG_SESSION_TYPE", "x11"),
        // No input method runs here.
        ("XMODIFIERS", "@im=none"),
        ("GTK_IM_MODULE", "gtk-im-context-simple"),
    ]
    .into_iter()
    .chain(launch::TELLING)
    .map(|(name, value)| (name.to_owned(), value.into()))
    .collect();
    environment.push(("XAUTHORITY".into(), folder.join("authority").into()));
    environment.push(("XDG_RUNTIME_DIR".into(), folder.into()));
    environment.push(("TMPDIR".into(), folder.join("tmp").into()));
    if !speaks_utf8() {
        environment.push(("LC_ALL".into(), "C.UTF-8".into()));
    }
    environment
}

/// Whether programs would take keys for characters beyond ASCII.
fn speaks_utf8() -> bool {
    let set = |name| std::env::var(name).ok().filter(|value: &String| !value.is_empty());
    let locale = set("LC_ALL").or_else(|| set("LC_CTYPE")).or_else(|| set("LANG")).unwrap_or_default();
    locale.to_lowercase().replace('-', "").contains("utf8")
}

fn private_folder(mark: &str) -> Result<PathBuf, DesktopError> {
    let short: String = mark.chars().take(12).collect();
    let folder = std::env::temp_dir().join(format!("freehand-display-{short}"));
    let built = fs::DirBuilder::new().mode(0o700).create(&folder);
    built.map_err(|fault| {
        DesktopError::failed(WHAT, format!("`{}` cannot be made: {fault}", folder.display()))
    })?;
    Ok(folder)
}

fn random<const N: usize>() -> Result<[u8; N], DesktopError> {
    let mut bytes = [0; N];
    fs::File::open("/dev/urandom")
        .and_then(|mut source| io::Read::read_exact(&mut source, &mut bytes))
        .map_err(|fault| DesktopError::failed(WHAT, format!("no random numbers: {fault}")))?;
    Ok(bytes)
}

/// An authority file with one cookie that fits every display.
fn write_authority(file: &Path, cookie: &[u8]) -> io::Result<()> {
    const EVERY_HOST: u16 = 0xffff;
    let mut entry = EVERY_HOST.to_be_bytes().to_vec();
    for field in [&b""[..], b"", b"MIT-MAGIC-COOKIE-1", cookie] {
        entry.extend(u16::try_from(field.len()).map_err(io::Error::other)?.to_be_bytes());
        entry.extend(field);
    }
    fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?.write_all(&entry)
}
