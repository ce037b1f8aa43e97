//! The text that no program tells of, read off the pixels: by two small networks (PP-OCRv6), only where
//! the screen has changed and the accessibility tree explains nothing, in the background, and never the
//! same pixels twice.
//!
//! The networks are files that are fetched apart from the program; without them nothing here is used.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::desktop::DesktopError;
use crate::desktop::area::{Area, AreaKind};
use crate::desktop::region::Cells;
use crate::element::{Element, Window};
use crate::frame::Frame;
use crate::geometry::ScreenRect;

mod classifier;
mod depthwise;
mod detect;
mod ink;
mod korean;
mod merge;
mod network;
mod onnx;
mod pixels;
mod protobuf;
mod reader;
mod recognise;
mod sides;
mod worker;

use merge::Text;
use worker::{Done, Job, Worker};

pub use reader::{Line, Networks, Reader};

/// The command that fetches the networks.
pub const PULL: &str = "freehand model pull ocr";

/// Reads the text on one screen, and remembers what it has read of it.
#[derive(Debug)]
pub struct Ocr {
    networks: Networks,
    patience: Duration,
    worker: Option<Worker>,
    /// Why nothing can be read; it is not tried again.
    broken: Option<DesktopError>,
    /// The picture that all below is about.
    frame: Option<Frame>,
    /// What of it has been read.
    read: Cells,
    texts: Vec<Text>,
}

impl Ocr {
    /// With these networks; a look waits for the text as long as `patience`, and takes what is ready then.
    /// Nothing is opened before there is something to read.
    pub fn new(networks: Networks, patience: Duration) -> Self {
        Self {
            networks,
            patience,
            worker: None,
            broken: None,
            frame: None,
            read: Cells::default(),
            texts: Vec::new(),
        }
    }

    /// Whether the screen still is as it was at the last look, where `now` shows it.
    pub(super) fn shows(&self, now: &Frame) -> bool {
        let before = self.frame.as_ref().and_then(|frame| frame.crop(&now.bounds()));
        before.is_some_and(|before| before.digest() == now.digest())
    }

    /// Adds to `elements` the text of `frame` that they do not explain, without numbers; says what is missing of it.
    pub(super) async fn look(
        &mut self,
        frame: &Frame,
        (windows, areas): (&[Window], &[Area]),
        elements: &mut Vec<Element>,
    ) -> Option<String> {
        let mut wanted = Cells::unexplained(frame, windows, elements);
        for ruler in areas.iter().filter(|area| area.kind == AreaKind::Ruler) {
            wanted.mark(frame, &ruler.bounds, false);
        }
        self.turn_to(frame, &wanted);
        let gap = match self.broken.clone() {
            Some(fault) => Some(fault.to_string()),
            None => self.catch_up(frame, &wanted).await,
        };
        let seen: Vec<Text> =
            self.texts.iter().filter(|text| wanted.touches(frame, &text.bounds)).cloned().collect();
        merge::into_list(&seen, windows, elements);
        gap
    }

    /// Forgets what is not as it was.
    fn turn_to(&mut self, frame: &Frame, wanted: &Cells) {
        let changed = Cells::changed(self.frame.as_ref(), frame);
        let same = self.frame.as_ref().is_some_and(|before| before.bounds() == frame.bounds());
        if !same {
            (self.read, self.texts) = (Cells::none(frame), Vec::new());
        }
        let read = &mut self.read;
        self.texts.retain(|text| {
            let stays = !changed.touches(frame, &text.bounds);
            // The rest of the line is read anew too.
            if !stays {
                read.mark(frame, &text.bounds, false);
            }
            stays
        });
        self.read = std::mem::take(&mut self.read).without(&changed);
        self.frame = Some(frame.clone());
        while let Some(done) = self.worker.as_mut().and_then(Worker::ready) {
            self.take(done, frame, wanted);
        }
    }

    /// Has the rest read, and waits for it with patience.
    async fn catch_up(&mut self, frame: &Frame, wanted: &Cells) -> Option<String> {
        let end = Instant::now() + self.patience;
        let due = wanted.clone().without(&self.read);
        let mut left = due.parts(frame);
        if left.is_empty() {
            return None;
        }
        let job = |part: &ScreenRect| {
            let part = frame.crop(part)?;
            Some(Job { due: due.within(frame, &part), frame: part })
        };
        let jobs = left.iter().filter_map(job).collect();
        if let Err(fault) = self.start().map(|worker| worker.read(jobs)) {
            self.broken = Some(fault.clone());
            return Some(fault.to_string());
        }
        while !left.is_empty() {
            let next = match self.worker.as_mut() {
                Some(worker) => timeout_at(end, worker.next()).await,
                None => Ok(None),
            };
            match next {
                Ok(Some(done)) => {
                    left.retain(|part| *part != done.frame.bounds());
                    self.take(done, frame, wanted);
                }
                Ok(None) => {
                    let fault = DesktopError::failed("reading the text on the screen", "it broke off");
                    self.broken = Some(fault);
                }
                Err(_) => {
                    return Some("some text on the screen is still being read; look again".into());
                }
            }
            if let Some(fault) = &self.broken {
                return Some(fault.to_string());
            }
        }
        None
    }

    fn start(&mut self) -> Result<&Worker, DesktopError> {
        let worker = match self.worker.take() {
            Some(worker) => worker,
            None => Worker::start(self.networks.clone())?,
        };
        Ok(self.worker.insert(worker))
    }

    /// Takes what was read, where it still is as it was read.
    fn take(&mut self, done: Done, frame: &Frame, wanted: &Cells) {
        let part = done.frame.bounds();
        match done.texts {
            Err(fault) => {
                tracing::warn!(%fault, "no text is read off the screen any more");
                self.broken = Some(fault);
            }
            Ok(texts) => {
                if frame.crop(&part).is_none_or(|now| now.digest() != done.frame.digest()) {
                    return;
                }
                // At its edges a part cuts lines that were read before.
                let due = wanted.clone().without(&self.read);
                let fresh: Vec<Text> =
                    texts.into_iter().filter(|text| due.touches(frame, &text.bounds)).collect();
                let again =
                    |old: &Text| fresh.iter().any(|new| new.bounds.intersect(&old.bounds).is_some());
                self.texts.retain(|old| !again(old));
                self.texts.extend(fresh);
                self.read.mark(frame, &part, true);
            }
        }
    }
}

/// A line for the person, where nothing is read and a program shows what no element tells of.
pub(super) fn unread(windows: &[Window], elements: &[Element]) -> Option<String> {
    let tells = |window: &Window| {
        let own = |other: &Window| {
            window.id == other.id
                || window.app == other.app
                || window.pid.is_some() && window.pid == other.pid
        };
        let speaking = elements.iter().filter_map(|element| element.window);
        speaking.filter_map(|id| windows.iter().find(|window| window.id == id)).any(own)
    };
    let covered = |at: usize, window: &Window| {
        windows.iter().take(at).any(|front| front.bounds.contains(window.bounds.center()))
    };
    let mut silent = windows.iter().enumerate().filter(|(at, w)| !covered(*at, w) && !tells(w));
    let (_, window) = silent.next()?;
    Some(format!(
        "`{}` tells nothing of what it shows; `freehand doctor` may say why, and `{PULL}` once has its text read",
        window.app
    ))
}
