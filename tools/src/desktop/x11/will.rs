//! What is let go of when this process is killed. An X server keeps a key down whose presser has
//! gone, so a small process of its own waits for our end and then sends what we can no longer send.
//!
//! The will is the very bytes of the requests, in memory that both share: changing it costs no
//! message, and whoever carries it out needs to understand nothing of X11.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::os::unix::process::CommandExt;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::fs::MemfdFlags;
use x11rb::connection::{Connection, RequestConnection};
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::xproto::{
    BUTTON_RELEASE_EVENT, ConnectionExt as _, KEY_RELEASE_EVENT, Keycode, KillClientRequest,
};
use x11rb::protocol::xtest;

use super::link::{Place, Wire};
use super::release::PATIENCE;

/// Waits until its standard input ends, which happens when we let go of it and when we die. The will
/// comes in as the standard error, and the standard output is a connection to the X server. What we
/// pressed last may still be on its way, hence the pause. A server throws away what it has not read yet
/// of a client that has gone; so the will ends with the request to hang up, and that is waited for.
const EXECUTOR: &str = r"
exec 3<&2 2>/dev/null
trap '' HUP INT TERM
cat >/dev/null
[ -s /proc/self/fd/3 ] || exit 0
sleep 0.1
cat /proc/self/fd/3
cat <&1 >/dev/null
";

/// A will and the process that carries it out.
#[derive(Debug)]
pub(super) struct Will {
    text: File,
    /// A thing of the connection, by which the server is told to end it.
    pixmap: u32,
    /// The number of the XTEST extension in requests.
    xtest: u8,
    executor: Child,
    lifeline: Option<ChildStdin>,
}

impl Will {
    /// An empty will for the display at `place`.
    pub(super) fn on(place: &Place) -> io::Result<Self> {
        let (wire, screen) = place.open(Some(PATIENCE)).map_err(io::Error::other)?;
        let xtest = wire.extension_information(xtest::X11_EXTENSION_NAME).map_err(io::Error::other)?;
        let xtest = xtest.ok_or_else(|| io::Error::other("there is no XTEST"))?.major_opcode;
        let root = wire.setup().roots.get(screen).map_or(0, |screen| screen.root);
        let pixmap = pixmap(&wire, root).map_err(io::Error::other)?;
        let server = wire.stream().as_fd().try_clone_to_owned()?;
        rustix::io::ioctl_fionbio(&server, false)?;
        let text = File::from(rustix::fs::memfd_create("freehand-will", MemfdFlags::CLOEXEC)?);
        let mut executor = Command::new("/bin/sh")
            .args(["-c", EXECUTOR, "freehand-release"])
            .stdin(Stdio::piped())
            .stdout(server)
            .stderr(text.try_clone()?)
            .process_group(0)
            .spawn()?;
        let lifeline = executor.stdin.take();
        Ok(Self { text, pixmap, xtest, executor, lifeline })
    }

    /// From now on these are let go of, and nothing else.
    pub(super) fn amend(&self, keys: &[Keycode], buttons: &[u8]) -> io::Result<()> {
        let releases = buttons
            .iter()
            .map(|button| (BUTTON_RELEASE_EVENT, *button))
            .chain(keys.iter().map(|key| (KEY_RELEASE_EVENT, *key)));
        let mut bytes = Vec::new();
        for (type_, detail) in releases {
            let request =
                xtest::FakeInputRequest { type_, detail, ..xtest::FakeInputRequest::default() };
            let ([request], _) = request.serialize(self.xtest);
            bytes.extend_from_slice(&request);
        }
        if !bytes.is_empty() {
            let ([hang_up], _) = KillClientRequest { resource: self.pixmap }.serialize();
            bytes.extend_from_slice(&hang_up);
        }
        // In this order a kill in between leaves something too many after the end and nothing too few.
        self.text.write_all_at(&bytes, 0)?;
        self.text.set_len(bytes.len() as u64)
    }
}

/// Of one pixel, for nothing but its number.
fn pixmap(wire: &Wire, root: u32) -> Result<u32, ReplyOrIdError> {
    let pixmap = wire.generate_id()?;
    wire.create_pixmap(1, pixmap, root, 1, 1)?.check()?;
    Ok(pixmap)
}

impl Drop for Will {
    fn drop(&mut self) {
        drop(self.lifeline.take());
        // A server that stands still is left to it: it sends as soon as the server goes on.
        let end = Instant::now() + PATIENCE;
        while matches!(self.executor.try_wait(), Ok(None)) && Instant::now() < end {
            std::thread::park_timeout(Duration::from_millis(1));
        }
    }
}
