//! Which display is meant, and the way to a desktop on it.

use std::fmt;
use std::path::Path;
use std::str::FromStr;
use std::time::{Duration, Instant};

use anyhow::Result;
use freehand_model::ModelError;
use freehand_policies::preset::DisplayTrust;
use freehand_tools::desktop::discreet::Discreet;
use freehand_tools::desktop::ocr::Ocr;
use freehand_tools::desktop::veil::Veil;
use freehand_tools::desktop::{Desktop, DesktopError, StopSign};
use freehand_tools::frame::Monitor;
use freehand_tools::geometry::{Screen, ScreenRect, Size};
use freehand_tools::secret::Secrets;
use tokio::sync::watch;

use crate::exit::words;
use crate::places;
use crate::ruling;
use crate::terminal::{self, Tone};

/// As long as one step of a run waits for text that is being read off the screen; the rest is read while
/// the model thinks.
pub const STEP: Duration = Duration::from_millis(2500);
/// As long as a person may wait for all of it.
pub const WHOLE: Duration = Duration::from_secs(30);

/// The size in px of a virtual display when nobody asks for another.
const USUAL: Size<Screen> = Size::new(1280, 800);

/// The display that a user names.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Display {
    /// That of the session.
    #[default]
    Session,
    /// An X display, by its name.
    Named(String),
    /// One that is started for the command, of this size in px, and ends with it.
    Virtual(Size<Screen>),
    /// One that is kept under a name, with a home of its own; started where it does not run.
    Kept {
        /// The name.
        name: String,
        /// The size in px, where one is wanted.
        size: Option<Size<Screen>>,
    },
}

/// Characters of the name of a desktop.
const NAME: usize = 32;

impl Display {
    /// The same in this size, which only a virtual one can have.
    pub fn sized(self, size: Size<Screen>) -> Result<Self, String> {
        match self {
            Self::Virtual(_) => Ok(Self::Virtual(size)),
            Self::Kept { name, .. } => Ok(Self::Kept { name, size: Some(size) }),
            Self::Session | Self::Named(_) => {
                Err("`--size` is for a virtual display; name one with `--display virtual`".into())
            }
        }
    }

    /// Whose it is.
    pub const fn trust(&self, vouched: bool) -> DisplayTrust {
        match self {
            Self::Virtual(_) | Self::Kept { .. } => DisplayTrust::Own,
            Self::Session | Self::Named(_) if vouched => DisplayTrust::Vouched,
            Self::Session | Self::Named(_) => DisplayTrust::Users,
        }
    }
}

impl FromStr for Display {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let expected = || {
            format!(
                "`{text}` is not a display; use `:1`, `virtual`, `virtual:1280x800` or a name: `virtual:work`"
            )
        };
        if text == "virtual" {
            return Ok(Self::Virtual(USUAL));
        }
        if let Some(rest) = text.strip_prefix("virtual:") {
            if desktop_name(rest).is_ok() {
                return Ok(Self::Kept { name: rest.to_owned(), size: None });
            }
            return size(rest).map(Self::Virtual).ok_or_else(expected);
        }
        let (_, number) = text.rsplit_once(':').ok_or_else(expected)?;
        let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '.');
        if is_number { Ok(Self::Named(text.to_owned())) } else { Err(expected()) }
    }
}

impl fmt::Display for Display {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Session => f.write_str("session"),
            Self::Named(name) => f.write_str(name),
            Self::Virtual(size) => write!(f, "virtual:{size}"),
            Self::Kept { name, .. } => write!(f, "virtual:{name}"),
        }
    }
}

/// The name of a kept desktop: it becomes a folder, and is no size.
pub fn desktop_name(text: &str) -> Result<String, String> {
    let plain = text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-');
    if plain && text.starts_with(|c: char| c.is_ascii_lowercase()) && text.len() <= NAME {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is no name of a desktop; use up to {NAME} small letters, digits and dashes, with a letter first"
    ))
}

/// A size in px as an option takes it.
pub fn size_option(text: &str) -> Result<Size<Screen>, String> {
    size(text).ok_or_else(|| format!("`{text}` is not a size; write it as 1280x800"))
}

/// A size in px, written as `1280x800`.
pub fn size(text: &str) -> Option<Size<Screen>> {
    let (width, height) = text.split_once('x')?;
    Some(Size::new(width.parse().ok()?, height.parse().ok()?))
}

/// A part of the screen in px, written as `10,20,300x200`.
pub fn region(text: &str) -> Result<ScreenRect, String> {
    let parts = || {
        let mut words = text.splitn(3, ',');
        let (x, y) = (words.next()?.trim().parse().ok()?, words.next()?.trim().parse().ok()?);
        let size: Size<Screen> = size(words.next()?.trim())?;
        Some(ScreenRect::new(x, y, size.width, size.height))
    };
    parts().filter(|region| !region.is_empty()).ok_or_else(|| {
        format!("`{text}` is not a part of the screen; write it as X,Y,WxH: 10,20,300x200")
    })
}

/// A part of the screen in px, as [`region`] reads it.
pub fn written(region: &ScreenRect) -> String {
    format!("{},{},{}x{}", region.x, region.y, region.width, region.height)
}

/// A desktop, and what has to stay alive for it.
pub struct Opened {
    /// What is seen and used. Dropped first.
    pub desktop: Box<dyn Desktop>,
    /// The display's name, for example `:99`.
    pub name: String,
    /// Its monitors, by their numbers.
    pub monitors: Vec<Monitor>,
    /// What of Freehand's own is not to be seen on it.
    pub veil: Veil,
    _display: Option<Box<dyn Send>>,
}

impl Opened {
    /// The same, with nothing of these secrets to be seen on it.
    pub fn showing_none_of(self, secrets: &Secrets) -> Self {
        Self { desktop: Box::new(Discreet::new(self.desktop, secrets.clone())), ..self }
    }
}

/// What is told of the person who sits at a display.
pub struct Watched {
    /// When mouse or keyboard was last used.
    pub seen: watch::Receiver<Option<Instant>>,
    /// Whether the stop sign was given.
    pub stops: watch::Receiver<bool>,
    /// It is told while this lives.
    pub watch: Box<dyn Send>,
}

#[cfg(target_os = "linux")]
mod platform {
    use freehand_tools::desktop::DesktopError;
    use freehand_tools::desktop::curtain::Curtain;
    use freehand_tools::desktop::ocr::Ocr;
    use freehand_tools::desktop::veil::Veil;
    use freehand_tools::desktop::x11::person::Person;
    pub use freehand_tools::desktop::x11::presence::Presence;
    use freehand_tools::desktop::x11::virtual_display::VirtualDisplay;
    use freehand_tools::desktop::x11::{self, X11};

    use super::{Display, Opened, Path, StopSign, Watched};
    use crate::exit::usage;

    pub(super) fn show_presence(name: &str, veil: &Veil) -> Result<Presence, DesktopError> {
        Presence::open(name, veil)
    }

    pub(super) fn open(
        display: &Display,
        kept: Option<&Path>,
        ocr: Option<Ocr>,
        curtain: Curtain,
        monitor: Option<usize>,
    ) -> anyhow::Result<Opened> {
        let (mut desktop, display): (X11, Option<Box<dyn Send>>) = match display {
            Display::Session => (X11::connect(None)?, None),
            Display::Named(name) => (X11::connect(Some(name))?, None),
            Display::Virtual(size) => {
                let display = VirtualDisplay::start(*size)?;
                (X11::on(&display)?, Some(Box::new(display)))
            }
            Display::Kept { size, .. } => {
                let display = VirtualDisplay::kept(*size, kept.unwrap_or(Path::new("")))?;
                (X11::on(&display)?, Some(Box::new(display)))
            }
        };
        if let Some(ocr) = ocr {
            desktop.read_text(ocr);
        }
        desktop.hide(curtain);
        desktop
            .watch(monitor)
            .map_err(|fault| if fault.is_fatal() { fault.into() } else { usage(fault.to_string()) })?;
        let monitors = desktop.monitors()?;
        let veil = Veil::default();
        desktop.look_through(veil.clone());
        let name = desktop.name().to_owned();
        Ok(Opened { desktop: Box::new(desktop), name, monitors, veil, _display: display })
    }

    pub(super) fn release_everything() {
        x11::release_everything();
    }

    pub(super) fn watch(display: &Display, sign: &StopSign) -> Result<Watched, DesktopError> {
        let name = match display {
            Display::Named(name) => Some(name.as_str()),
            Display::Session | Display::Virtual(_) | Display::Kept { .. } => None,
        };
        let person = Person::watch(name, sign)?;
        Ok(Watched { seen: person.seen(), stops: person.stops(), watch: Box::new(person) })
    }
}

#[cfg(not(target_os = "linux"))]
mod platform {
    use freehand_tools::desktop::DesktopError;
    use freehand_tools::desktop::curtain::Curtain;
    use freehand_tools::desktop::ocr::Ocr;
    use freehand_tools::desktop::presence::Words;
    use freehand_tools::desktop::veil::Veil;
    use freehand_tools::geometry::ScreenPoint;
    use tokio::sync::watch;

    use super::{Display, Opened, Path, StopSign, Watched};

    /// There is none so far.
    pub enum Presence {}

    impl Presence {
        /// Lets it say this.
        pub fn say(&self, _: Words) -> Result<(), DesktopError> {
            match *self {}
        }

        /// Shows where it will click.
        pub fn ring(&self, _: Option<ScreenPoint>) -> Result<(), DesktopError> {
            match *self {}
        }

        /// Whether the person has stopped it.
        pub fn stops(&self) -> watch::Receiver<bool> {
            match *self {}
        }
    }

    pub(super) fn show_presence(_: &str, _: &Veil) -> Result<Presence, DesktopError> {
        Err(unsupported("showing on the desktop that Freehand is at work"))
    }

    fn unsupported(what: &str) -> DesktopError {
        let reason = "only X11 on Linux is supported so far".into();
        DesktopError::Unsupported { what: what.into(), reason }
    }

    pub(super) fn open(
        _: &Display,
        _: Option<&Path>,
        _: Option<Ocr>,
        _: Curtain,
        _: Option<usize>,
    ) -> anyhow::Result<Opened> {
        Err(unsupported("working on this desktop").into())
    }

    pub(super) fn release_everything() {}

    pub(super) fn watch(_: &Display, _: &StopSign) -> Result<Watched, DesktopError> {
        Err(unsupported("watching for the person at the desk"))
    }
}

pub use platform::Presence;

/// Shows on the display `name` that Freehand is at work; whoever looks through `veil` does not see it.
pub fn show_presence(name: &str, veil: &Veil) -> Result<Presence, DesktopError> {
    platform::show_presence(name, veil)
}

/// Opens a desktop on `display`. Blocks for about half a second when it has to be started. A look at it
/// waits as long as `patience` for text that has to be read off the screen.
pub fn open(display: &Display, patience: Duration) -> Result<Opened> {
    open_at(display, patience, None)
}

/// The same, to look at the monitor with this number, counted from 1.
pub fn open_at(display: &Display, patience: Duration, monitor: Option<usize>) -> Result<Opened> {
    let ocr = match places::networks() {
        Ok(networks) => Some(Ocr::new(networks, patience)),
        Err(error) => {
            let absent = matches!(error.downcast_ref(), Some(ModelError::NotFetched { .. }));
            if !absent {
                terminal::say(Tone::Bad, &format!("no text is read off the screen: {}", words(&error)));
            }
            None
        }
    };
    let monitor = monitor.map(|monitor| monitor.saturating_sub(1));
    let kept = match display {
        Display::Kept { name, .. } => Some(places::desktops()?.join(name)),
        Display::Session | Display::Named(_) | Display::Virtual(_) => None,
    };
    platform::open(display, kept.as_deref(), ocr, ruling::curtain()?, monitor)
}

/// Watches the person who sits at `display`.
pub fn watch(display: &Display, sign: &StopSign) -> Result<Watched, DesktopError> {
    platform::watch(display, sign)
}

/// Lets go of every key and button, whatever state the program is in.
pub fn release_everything() {
    platform::release_everything();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions() {
        assert_eq!(region("10, -20,300x200"), Ok(ScreenRect::new(10, -20, 300, 200)));
        assert_eq!(written(&ScreenRect::new(10, -20, 300, 200)), "10,-20,300x200");
        for text in ["", "10,20", "10,20,300", "10,20,0x5", "a,b,1x1", "1,2,3x4,5"] {
            assert!(region(text).is_err(), "{text}");
        }
    }

    #[test]
    fn displays() {
        for (text, expected) in [
            (":1", Display::Named(":1".into())),
            ("localhost:10.0", Display::Named("localhost:10.0".into())),
            ("virtual", Display::Virtual(USUAL)),
            ("virtual:1920x1080", Display::Virtual(Size::new(1920, 1080))),
            ("virtual:work-2", Display::Kept { name: "work-2".into(), size: None }),
        ] {
            assert_eq!(text.parse(), Ok(expected.clone()));
            assert_eq!(expected.to_string().parse(), Ok(expected), "{text}");
        }
        for text in [
            "",
            "1",
            ":",
            ":x",
            "virtual:",
            "virtual:12",
            "virtual:Work",
            "virtual:../x",
            "virtual:a/b",
            "virtual:-1x5",
            "virtual:1x2x3",
        ] {
            assert!(text.parse::<Display>().is_err(), "{text}");
        }
    }
}
