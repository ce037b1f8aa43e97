//! Opening programs and addresses. No shell reads anything; what is started gets the environment of
//! its display, a process group of its own and no terminal.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::browsers::FLAG;
use crate::desktop::DesktopError;

/// A program that fails to start mostly does so within this time.
const EARLY: Duration = Duration::from_millis(150);
/// Browsers by their programs, the ones that can be told to speak to the accessibility bus first.
const BROWSERS: [&str; 6] =
    ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "firefox", "firefox-esr"];

/// The programs that were started, so that none stays as a zombie.
#[derive(Debug, Clone, Default)]
pub(super) struct Children(Arc<Mutex<Started>>);

#[derive(Debug, Default)]
struct Started {
    all: Vec<Child>,
    /// The number of the one that came last, which may have ended and been forgotten.
    last: Option<u32>,
}

impl Children {
    /// Counts one more.
    pub(super) fn add(&self, child: Child) {
        let mut started = self.started();
        started.last = Some(child.id());
        started.all.push(child);
    }

    /// Forgets those that have ended; says how many still run.
    pub(super) fn reap(&self) -> usize {
        let mut started = self.started();
        started.all.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
        started.all.len()
    }

    /// How the program with that number ended, if it has.
    fn ended(&self, pid: u32) -> Option<std::process::ExitStatus> {
        let mut started = self.started();
        let child = started.all.iter_mut().find(|child| child.id() == pid)?;
        child.try_wait().ok().flatten()
    }

    /// Whether the one that was added last still runs.
    pub(super) fn last_runs(&self) -> bool {
        let mut started = self.started();
        let Started { all, last } = &mut *started;
        let last = all.iter_mut().find(|child| Some(child.id()) == *last);
        last.is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    fn started(&self) -> MutexGuard<'_, Started> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Has programs tell what they show, whatever the session asks of them.
pub(super) const TELLING: [(&str, &str); 5] = [
    ("QT_ACCESSIBILITY", "1"),
    ("QT_LINUX_ACCESSIBILITY_ALWAYS_ON", "1"),
    // A page within a program of Qt says nothing without it.
    ("QTWEBENGINE_ENABLE_LINUX_ACCESSIBILITY", "1"),
    ("ACCESSIBILITY_ENABLED", "1"),
    ("GNOME_ACCESSIBILITY", "1"),
];

/// What a program that is started finds around it.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    /// Added to our own environment.
    pub(super) environment: Vec<(String, OsString)>,
    /// Where a browser keeps its profile, so that it does not find the user's own; only where the
    /// display is ours.
    pub(super) profiles: Option<PathBuf>,
    /// The home of its programs, where it is not the user's.
    pub(super) home: Option<PathBuf>,
    pub(super) children: Children,
}

impl Surroundings {
    /// Starts a program with its arguments.
    pub(super) async fn start(&self, argv: &[String]) -> Result<(), DesktopError> {
        let (program, arguments) =
            argv.split_first().filter(|(program, _)| !program.is_empty()).ok_or_else(|| {
                DesktopError::failed("opening a program", "none is named; name one that is installed")
            })?;
        let what = format!("opening `{program}`");
        let mut command = Command::new(program);
        command.args(self.flags(program)).args(arguments);
        self.dress(&mut command);
        let child = command.spawn().map_err(|fault| {
            let reason = if fault.kind() == io::ErrorKind::NotFound {
                "no program of that name is installed; install it or name another".into()
            } else {
                format!("it cannot be run ({fault}); name another program")
            };
            DesktopError::failed(&what, reason)
        })?;
        let pid = child.id();
        self.children.reap();
        self.children.add(child);
        let end = Instant::now() + EARLY;
        while Instant::now() < end {
            match self.children.ended(pid) {
                Some(status) if !status.success() => {
                    return Err(DesktopError::failed(&what, format!("it ended at once ({status})")));
                }
                Some(_) => return Ok(()),
                None => tokio::time::sleep(Duration::from_millis(10)).await,
            }
        }
        Ok(())
    }

    /// Opens an address.
    pub(super) async fn open(&self, url: &str) -> Result<(), DesktopError> {
        let what = format!("opening `{url}`");
        check(url).map_err(|reason| DesktopError::failed(&what, reason))?;
        // The desktop's own opener may use a browser that runs on another display, and starts one
        // for which root is no good.
        let opener = self.profiles.is_none() && !rustix::process::geteuid().is_root();
        let openers = if opener { &["xdg-open"][..] } else { &[] };
        let program =
            openers.iter().chain(&BROWSERS).find(|program| on_path(program)).ok_or_else(|| {
                DesktopError::failed(
                    &what,
                    "no browser is installed; install `chromium` or `firefox-esr`",
                )
            })?;
        self.start(&[(*program).to_owned(), url.to_owned()]).await
    }

    /// Gives a command the environment of the display.
    pub(super) fn dress(&self, command: &mut Command) {
        command
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .env_remove("WAYLAND_DISPLAY")
            .env_remove("NO_AT_BRIDGE")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .process_group(0);
        if let Some(home) = &self.home {
            command.env("HOME", home).current_dir(home);
            for name in ["XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME"] {
                command.env_remove(name);
            }
        }
    }

    /// What a browser must be told so that its page can be read, and a new one not ask for anything.
    fn flags(&self, program: &str) -> Vec<String> {
        let name = Path::new(program).file_name().and_then(|name| name.to_str()).unwrap_or(program);
        if !BROWSERS.contains(&name) {
            return Vec::new();
        }
        let profile = self.profiles.as_ref().map(|profiles| profiles.join(name));
        if name.starts_with("firefox") {
            let own = profile.filter(|profile| std::fs::create_dir_all(profile).is_ok());
            return own
                .map(|own| vec!["--profile".into(), own.display().to_string()])
                .unwrap_or_default();
        }
        let mut flags = vec![FLAG.to_owned()];
        if let Some(profile) = profile {
            flags.push(format!("--user-data-dir={}", profile.display()));
            flags.extend(
                ["--no-first-run", "--no-default-browser-check", "--disable-background-networking"]
                    .map(str::to_owned),
            );
            flags.push("--password-store=basic".into());
        }
        if rustix::process::geteuid().is_root() {
            flags.push("--no-sandbox".into());
        }
        flags
    }
}

/// Only addresses that a browser shows; never something that it would take for an option.
fn check(url: &str) -> Result<(), &'static str> {
    let (scheme, rest) =
        url.split_once(':').ok_or("it is no address; write it with `https://` in front")?;
    if !["http", "https", "file"].contains(&scheme.to_ascii_lowercase().as_str()) {
        return Err("only http, https and file addresses are opened");
    }
    if !rest.starts_with("//") || rest.len() < 3 {
        return Err("it is no whole address; write for example `https://example.org/`");
    }
    if url.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("it holds blanks or control characters; write them as `%20`");
    }
    Ok(())
}

/// Whether a program of that name can be run.
pub(super) fn on_path(program: &str) -> bool {
    find(program).is_some()
}

fn find(program: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path).map(|folder| folder.join(program)).find(|file| {
        use std::os::unix::fs::PermissionsExt;
        file.metadata().is_ok_and(|about| about.is_file() && about.permissions().mode() & 0o111 != 0)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_program_has_ended_though_it_was_forgotten() {
        let children = Children::default();
        let start = |argv: &[&str]| Command::new(argv[0]).args(&argv[1..]).spawn().unwrap();
        children.add(start(&["sleep", "60"]));
        let other = children.started().last.unwrap();
        assert!(children.last_runs());
        children.add(start(&["true"]));
        while children.reap() > 1 {
            std::thread::park_timeout(Duration::from_millis(5));
        }
        assert!(!children.last_runs(), "what runs is another one");
        assert_eq!(children.ended(other), None);
        children.started().all[0].kill().unwrap();
    }

    #[test]
    fn only_whole_web_and_file_addresses_are_opened() {
        for (url, good) in [
            ("https://example.org/a?b=c", true),
            ("http://127.0.0.1:8000/", true),
            ("file:///tmp/a.html", true),
            ("HTTPS://EXAMPLE.ORG/", true),
            ("javascript:alert(1)", false),
            ("data:text/html,x", false),
            ("chrome://settings", false),
            ("example.org", false),
            ("--version", false),
            ("https:", false),
            ("https://a b/", false),
            ("https://a\n/", false),
            ("", false),
        ] {
            assert_eq!(check(url).is_ok(), good, "{url}");
        }
    }

    #[test]
    fn browsers_are_told_to_be_readable() {
        let own = Surroundings { profiles: Some("/tmp/p".into()), ..Surroundings::default() };
        assert!(own.flags("/usr/bin/chromium").contains(&"--user-data-dir=/tmp/p/chromium".to_owned()));
        let users = Surroundings::default();
        assert!(!users.flags("chromium").iter().any(|flag| flag.starts_with("--user-data-dir")));
        assert!(users.flags("mousepad").is_empty());
    }
}
