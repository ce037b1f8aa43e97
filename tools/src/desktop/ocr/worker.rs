//! Reads in the background, on a thread of its own, so that a look takes what is ready and the model may
//! think while the rest is read. Only the newest parts wait to be read: what has changed meanwhile is not
//! worth the time.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, PoisonError};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::merge::Text;
use super::pixels::Part;
use super::reader::{Line, Networks, Reader};
use crate::desktop::DesktopError;
use crate::desktop::cache::{self, Cache, Digest};
use crate::desktop::region::Cells;
use crate::frame::Frame;
use crate::geometry::{Point, Rect};

/// Parts of screens that are remembered by their pixels.
const MEMORY: usize = 500;

/// A part of the screen to be read.
#[derive(Debug, Clone)]
pub(super) struct Job {
    /// Its pixels, with where they are.
    pub(super) frame: Frame,
    /// The same with what stands around it, which says where a box ends that reaches beyond it.
    pub(super) round: Frame,
    /// Which of its cells are meant; lines that touch none of them are not read.
    pub(super) due: Cells,
}

/// What came of a job.
#[derive(Debug)]
pub(super) struct Done {
    /// What was read.
    pub(super) frame: Frame,
    /// The texts in it.
    pub(super) texts: Result<Vec<Text>, DesktopError>,
}

#[derive(Debug, Default)]
struct Queue {
    jobs: VecDeque<Job>,
    closed: bool,
}

#[derive(Debug, Default)]
struct Desk {
    queue: Mutex<Queue>,
    filled: Condvar,
}

/// The thread, and what leads to it and from it. Dropped, it ends after the part that it reads.
#[derive(Debug)]
pub(super) struct Worker {
    desk: Arc<Desk>,
    done: UnboundedReceiver<Done>,
}

impl Worker {
    /// Starts the thread. It reads the networks at its first job.
    pub(super) fn start(networks: Networks) -> Result<Self, DesktopError> {
        let desk = Arc::<Desk>::default();
        let (out, done) = unbounded_channel();
        let inside = Arc::clone(&desk);
        std::thread::Builder::new()
            .name("text".into())
            .spawn(move || work(&networks, &inside, &out))
            .map_err(|error| DesktopError::failed("reading the text on the screen", error))?;
        Ok(Self { desk, done })
    }

    /// Has these read next, in their order, instead of what was waiting.
    pub(super) fn read(&self, jobs: Vec<Job>) {
        let mut queue = self.desk.queue.lock().unwrap_or_else(PoisonError::into_inner);
        queue.jobs = jobs.into();
        drop(queue);
        self.desk.filled.notify_one();
    }

    /// What has been read meanwhile.
    pub(super) fn ready(&mut self) -> Option<Done> {
        self.done.try_recv().ok()
    }

    /// Waits for the next that is read; `None` when the thread is gone.
    pub(super) async fn next(&mut self) -> Option<Done> {
        self.done.recv().await
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.desk.queue.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.desk.filled.notify_one();
    }
}

fn work(networks: &Networks, desk: &Desk, out: &UnboundedSender<Done>) {
    let mut reader = None;
    let mut known: Cache<Vec<Text>> = Cache::new(MEMORY);
    while let Some(job) = next(desk) {
        let opened = match reader.take() {
            Some(opened) => Ok(opened),
            None => Reader::open(networks),
        };
        let texts = opened.and_then(|opened| {
            let texts = texts(&opened, &job, &mut known);
            reader = Some(opened);
            texts
        });
        if out.send(Done { frame: job.frame, texts }).is_err() {
            return;
        }
    }
}

fn next(desk: &Desk) -> Option<Job> {
    let mut queue = desk.queue.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        if queue.closed {
            return None;
        }
        if let Some(job) = queue.jobs.pop_front() {
            return Some(job);
        }
        queue = desk.filled.wait(queue).unwrap_or_else(PoisonError::into_inner);
    }
}

/// The texts of one part, remembered or read. They are remembered by where they are inside of it.
fn texts(reader: &Reader, job: &Job, known: &mut Cache<Vec<Text>>) -> Result<Vec<Text>, DesktopError> {
    let origin = job.frame.bounds().origin();
    let moved = |texts: Vec<Text>, x: i32, y: i32| -> Vec<Text> {
        texts.into_iter().map(|text| Text { bounds: text.bounds.offset(x, y), ..text }).collect()
    };
    let digest = digest(job);
    if let Some(texts) = digest.as_ref().and_then(|digest| known.get(digest)) {
        return Ok(moved(texts, origin.x, origin.y));
    }
    let wanted = |line: &Part| {
        let Rect { x, y, width, height, .. } = *line;
        job.due.touches(&job.frame, &Rect::new(x, y, width, height).offset(origin.x, origin.y))
    };
    let corner = job.round.bounds().origin();
    let corner = Point::new(origin.x.saturating_sub(corner.x), origin.y.saturating_sub(corner.y));
    let lines = reader.read_where(job.frame.pixels(), (job.round.pixels(), corner), &wanted)?;
    let text = |line: Line| {
        let Rect { x, y, width, height, .. } = line.bounds;
        Text { words: line.text, bounds: Rect::new(x, y, width, height), sure: line.sure }
    };
    let texts: Vec<Text> = lines.into_iter().map(text).collect();
    if let Some(digest) = digest {
        known.put(digest, texts.clone());
    }
    Ok(moved(texts, origin.x, origin.y))
}

/// The digest of the pixels and of which of them are meant.
fn digest(job: &Job) -> Option<Digest> {
    let mut hasher = blake3::Hasher::new();
    for frame in [&job.frame, &job.round] {
        let size = frame.size();
        let pixels = cache::digest(frame.pixels(), &Rect::new(0, 0, size.width, size.height))?;
        hasher.update(pixels.as_bytes());
    }
    hasher.update(&job.due.bytes());
    Some(hasher.finalize())
}
