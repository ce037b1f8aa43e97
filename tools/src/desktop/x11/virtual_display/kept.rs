//! A virtual display that stays between runs: it has a folder with a home, browser profiles and a note of
//! where it runs, and it goes on until it is ended. One run at a time has it.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use super::servant::Keeper;
use super::{Begun, VirtualDisplay, WHAT, environment, resize};
use crate::desktop::DesktopError;
use crate::desktop::x11::launch::Surroundings;
use crate::desktop::x11::link::{Link, Place};
use crate::geometry::{Screen, Size};
use serde::{Deserialize, Serialize};

/// The note of where it runs.
const NOTE: &str = "display.json";
const LOCK: &str = "lock";
/// As many times 50 ms as programs have to keep what they know.
const GRACE: u32 = 100;

/// What is noted of a display.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Note {
    /// What its programs carry in their environment.
    pub(super) mark: String,
    /// Its sockets and keys.
    pub(super) folder: PathBuf,
    /// Its name, for example `:99`.
    pub(super) name: String,
    /// The key to it.
    pub(super) cookie: Vec<u8>,
    /// The address of its session bus.
    pub(super) bus: String,
}

impl Note {
    fn read(place: &Path) -> Option<Self> {
        let note: Self = serde_json::from_slice(&fs::read(place.join(NOTE)).ok()?).ok()?;
        // What is ended and removed by it must be a display's.
        let name = note.folder.file_name()?.to_str()?;
        let sound = note.folder.parent() == Some(&std::env::temp_dir())
            && name.starts_with("freehand-display-")
            && note.mark.len() == 32
            && note.mark.bytes().all(|byte| byte.is_ascii_hexdigit());
        sound.then_some(note)
    }

    fn write(&self, place: &Path) -> io::Result<()> {
        let temporary = place.join("display.unfinished");
        let mut options = OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&temporary)?;
        file.write_all(&serde_json::to_vec(self)?)?;
        fs::rename(temporary, place.join(NOTE))
    }

    /// Ends all that was started for it.
    fn end(&self) -> io::Result<()> {
        // A keeper whose standard input is closed at once does its work at once.
        Keeper::start(&self.mark, &self.folder, GRACE).map(drop)
    }
}

/// How a kept display stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It does not run; what is in its home is kept.
    Off,
    /// It runs, and nobody uses it.
    On,
    /// A run uses it.
    InUse,
}

/// How the display that is kept in `place` stands.
pub fn standing(place: &Path) -> Standing {
    match lock(place) {
        Ok(Some(_)) => {}
        Ok(None) => return Standing::InUse,
        Err(_) => return Standing::Off,
    }
    if Note::read(place).is_some_and(|note| note.open().is_ok()) { Standing::On } else { Standing::Off }
}

/// Ends the display that is kept in `place`; its home stays. Whether it ran.
pub fn end(place: &Path) -> Result<bool, DesktopError> {
    let _lock = locked(place)?;
    let Some(note) = Note::read(place) else { return Ok(false) };
    let ran = note.open().is_ok();
    note.end().map_err(|fault| DesktopError::failed("ending a display", fault))?;
    let _ = fs::remove_file(place.join(NOTE));
    Ok(ran)
}

impl Note {
    fn place(&self) -> Place {
        Place { name: self.name.clone(), cookie: Some(self.cookie.clone()) }
    }

    fn open(&self) -> Result<Link, DesktopError> {
        Link::open(self.place())
    }
}

impl VirtualDisplay {
    /// The display that is kept in the folder `place`: the one that runs, or a new one of `size`, in px.
    /// It goes on when this is dropped.
    pub fn kept(size: Option<Size<Screen>>, place: &Path) -> Result<Self, DesktopError> {
        let unwritable = |fault: io::Error| {
            DesktopError::failed(WHAT, format!("`{}` cannot be used: {fault}", place.display()))
        };
        let home = place.join("home");
        DirBuilder::new().mode(0o700).recursive(true).create(&home).map_err(unwritable)?;
        let lock = locked(place)?;
        if let Some(note) = Note::read(place) {
            if let Ok(link) = note.open() {
                if let Some(size) = size {
                    resize::resize(&link, size)?;
                }
                return Ok(Self::again(&note, place, lock));
            }
            note.end().map_err(unwritable)?;
        }
        let profiles = place.join("profiles");
        let dress = |surroundings: &mut Surroundings| {
            surroundings.home = Some(home);
            surroundings.profiles = Some(profiles);
        };
        let size = size.unwrap_or(Self::DEFAULT_SIZE);
        let Begun { mut display, note, keeper } = Self::begin(resize::room(size), true, dress)?;
        resize::resize(&note.open()?, size)?;
        note.write(place).map_err(unwritable)?;
        keeper.leave();
        display.lock = Some(lock);
        Ok(display)
    }

    /// The one that runs already.
    fn again(note: &Note, place: &Path, lock: File) -> Self {
        let mut environment = environment(&note.mark, &note.folder);
        let more: [(&str, OsString); 2] = [
            ("DISPLAY", note.name.clone().into()),
            ("DBUS_SESSION_BUS_ADDRESS", note.bus.clone().into()),
        ];
        environment.extend(more.map(|(name, value)| (name.to_owned(), value)));
        let surroundings = Surroundings {
            environment,
            profiles: Some(place.join("profiles")),
            home: Some(place.join("home")),
            ..Surroundings::default()
        };
        Self { place: note.place(), surroundings, keeper: None, lock: Some(lock) }
    }
}

fn lock(place: &Path) -> io::Result<Option<File>> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(place.join(LOCK))?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(fault)) => Err(fault),
    }
}

fn locked(place: &Path) -> Result<File, DesktopError> {
    let reason = match lock(place) {
        Ok(Some(lock)) => return Ok(lock),
        Ok(None) => "another run uses it; wait for its end, or name another desktop".to_owned(),
        Err(fault) => format!("`{}` cannot be used: {fault}", place.display()),
    };
    Err(DesktopError::failed(WHAT, reason))
}
