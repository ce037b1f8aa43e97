//! What one case is measured on: a display of our own, a browser with one of our pages, and the desktop
//! that sees them.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use freehand_tools::desktop::x11::X11;
use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
use freehand_tools::desktop::{Desktop as _, DesktopError};
use freehand_tools::element::Window;
use freehand_tools::geometry::{Screen, Size};
use freehand_tools::observation::Observation;
use tokio::process::{Child, Command};

use super::page::{Page, TITLE};

/// Browsers that can be told to speak to the accessibility bus, with the name of the Debian package.
const BROWSERS: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];
/// As long as the browser may take to show the page.
const START: Duration = Duration::from_secs(60);
/// As long as the last click may take to arrive.
const ARRIVAL: Duration = Duration::from_secs(5);
const POLL: Duration = Duration::from_millis(50);

/// Dropped in this order: whatever the browser leaves ends with the display.
pub struct Stage {
    /// What is seen and used.
    pub desktop: X11,
    _browser: Child,
    /// For files of this case; it goes with the display.
    pub folder: PathBuf,
    /// Where it all is.
    pub display: VirtualDisplay,
}

impl Stage {
    /// Starts it all and waits until the page is there. `mute` is without an accessibility bus.
    pub async fn set(size: Size<Screen>, page: Page, mute: bool) -> Result<Self> {
        let start = if mute { VirtualDisplay::start_mute } else { VirtualDisplay::start };
        let display = start(size)?;
        let desktop = X11::on(&display)?;
        let folder = display.environment().find(|(name, _)| *name == "TMPDIR");
        let folder =
            folder.map(|(_, folder)| PathBuf::from(folder)).context("a display has a folder")?;
        let file = folder.join("page.html");
        std::fs::write(&file, page.html())
            .with_context(|| format!("cannot write `{}`", file.display()))?;
        let browser = browser(&display, &folder, &file, size, mute)?;
        let mut stage = Self { desktop, _browser: browser, folder, display };
        stage.wait_for(page, mute).await?;
        Ok(stage)
    }

    async fn wait_for(&mut self, page: Page, mute: bool) -> Result<()> {
        let least = if mute { 0 } else { page.least() };
        let start = Instant::now();
        let mut before = None;
        while start.elapsed() < START {
            let seen = self.desktop.observe().await?;
            let digest = seen.frame.digest();
            let is_quiet = before.replace(digest) == Some(digest);
            if is_quiet && seen.elements.len() >= least && window(&seen.windows).is_some() {
                return Ok(());
            }
            tokio::time::sleep(4 * POLL).await;
        }
        Err(failed(format!("the browser does not show it within {} s", START.as_secs())).into())
    }

    /// Waits until the page has counted `clicks`; says how many it has counted if it never does.
    pub async fn has_counted(&mut self, clicks: u32) -> Result<()> {
        match self.counts(clicks).await? {
            Some(counted) if counted == clicks => Ok(()),
            counted => {
                let counted = counted.map_or("no number".into(), |n| n.to_string());
                Err(failed(format!("{clicks} clicks were made, and it shows {counted}")).into())
            }
        }
    }

    /// What the page has counted once that is `clicks`, or after a while.
    pub async fn counts(&mut self, clicks: u32) -> Result<Option<u32>> {
        let start = Instant::now();
        loop {
            let hit = self.desktop.element_at(None, None).await?;
            let counted = hit.keyboard.as_ref().and_then(clicks_of);
            if counted == Some(clicks) || start.elapsed() >= ARRIVAL {
                return Ok(counted);
            }
            tokio::time::sleep(POLL).await;
        }
    }

    /// The window with the page.
    pub fn page(seen: &Observation) -> Result<&Window> {
        window(&seen.windows).ok_or_else(|| failed("its window is gone".into()).into())
    }
}

fn failed(reason: String) -> DesktopError {
    DesktopError::failed("the page that is measured", reason)
}

fn window(windows: &[Window]) -> Option<&Window> {
    windows.iter().find(|window| window.focused && clicks_of(window).is_some())
}

/// What the title of the page says.
fn clicks_of(window: &Window) -> Option<u32> {
    let rest = window.title.strip_prefix(TITLE)?;
    rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok()
}

fn browser(
    display: &VirtualDisplay,
    folder: &Path,
    page: &Path,
    size: Size<Screen>,
    mute: bool,
) -> Result<Child> {
    let program = program()?;
    let mut command = Command::new(program);
    command.args([
        "--no-sandbox",
        "--test-type",
        "--disable-gpu",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--password-store=basic",
        "--window-position=0,0",
    ]);
    if !mute {
        command.arg("--force-renderer-accessibility");
    }
    command
        .arg(format!("--window-size={},{}", size.width, size.height))
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--app=file://{}", page.display()))
        .envs(display.environment())
        .env("HOME", folder)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    command.spawn().map_err(|error| failed(format!("`{program}` does not start: {error}")).into())
}

/// The browser that is there.
pub fn program() -> Result<&'static str, DesktopError> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let is_there = |name: &&str| std::env::split_paths(&path).any(|folder| folder.join(name).is_file());
    BROWSERS.into_iter().find(is_there).ok_or_else(|| DesktopError::Unsupported {
        what: "showing the page that is measured".into(),
        reason: "no browser is installed; install the Debian package `chromium`".into(),
    })
}
