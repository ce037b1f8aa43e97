//! The text that no program tells of, read off the pixels: by two small networks (PP-OCRv6), only where
//! the screen has changed and the accessibility tree explains nothing, in the background, and never the
//! same pixels twice.
//!
//! The networks are files that are fetched apart from the program; without them nothing here is used.

use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::desktop::DesktopError;
use crate::desktop::area::Area;
use crate::desktop::region::Cells;
use crate::element::{Element, Window};
use crate::frame::Frame;
use crate::geometry::{Rect, ScreenRect};

mod classifier;
mod dense;
mod depthwise;
mod detect;
mod grounds;
mod ink;
mod korean;
mod layer;
mod machine;
mod merge;
mod network;
mod onnx;
mod pixels;
mod pointwise;
mod pool;
mod protobuf;
mod reader;
mod recognise;
mod sides;
mod tesseract;
mod unread;
mod worker;

use merge::Text;
use worker::{Done, Job, Worker};

pub use reader::{Line, Networks, Reader};

/// The command that fetches the networks.
pub const PULL: &str = "freehand model pull ocr";
/// What is said of a program that tells nothing where nothing is read either.
pub const UNREAD: &str = "tells nothing of what it shows, and no text is read off the screen";

/// How often what is read grows by the texts that it would cut.
const CUT: usize = 4;
/// How far in px beside a part, and above and below it, the boxes are looked at that reach beyond it.
const ROUND: (u32, u32) = (128, 16);
/// The part of its likelihood that a text must have to be taken for one, and where one stood before.
const SURE: f32 = 0.6;
const SURE_AGAIN: f32 = 0.4;
/// How far in px from what is read anew a text may end that stands on its line.
const BESIDE: u32 = 16;

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
    /// Where texts stood that have changed and are not read yet.
    stood: Vec<ScreenRect>,
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
            stood: Vec::new(),
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
        let wanted = Cells::unexplained(frame, (windows, areas), elements);
        self.turn_to(frame, &wanted);
        let gap = match self.broken.clone() {
            Some(fault) => Some(fault.to_string()),
            None => self.catch_up(frame, &wanted).await,
        };
        if gap.is_none() {
            self.stood.clear();
        }
        let seen: Vec<Text> =
            self.texts.iter().filter(|text| wanted.touches(frame, &text.bounds)).cloned().collect();
        merge::into_list(&seen, windows, elements);
        gap
    }

    /// Forgets what is not as it was, except where it stood.
    fn turn_to(&mut self, frame: &Frame, wanted: &Cells) {
        let changed = Cells::changed(self.frame.as_ref(), frame);
        let same = self.frame.as_ref().is_some_and(|before| before.bounds() == frame.bounds());
        if !same {
            (self.read, self.texts, self.stood) = (Cells::none(frame), Vec::new(), Vec::new());
        }
        for text in self.texts.extract_if(.., |text| changed.touches(frame, &text.bounds)) {
            // The rest of the line is read anew too.
            self.read.mark(frame, &text.bounds, false);
            self.stood.push(text.bounds);
        }
        self.read = std::mem::take(&mut self.read).without(&changed);
        self.frame = Some(frame.clone());
        while let Some(done) = self.worker.as_mut().and_then(Worker::ready) {
            self.take(done, frame, wanted);
        }
    }

    /// Has the rest read, and waits for it with patience.
    async fn catch_up(&mut self, frame: &Frame, wanted: &Cells) -> Option<String> {
        let end = Instant::now() + self.patience;
        let (due, mut left) = self.due(frame, wanted);
        if left.is_empty() {
            return None;
        }
        let jobs = left.iter().filter_map(|part| job(frame, part, &due)).collect();
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

    /// What is to be read, by cells and by parts. A text of which a part would hold the end alone is read anew as a
    /// whole: together with its neighbour it is one line, and the end is another text by itself.
    fn due(&mut self, frame: &Frame, wanted: &Cells) -> (Cells, Vec<ScreenRect>) {
        let mut due = wanted.clone().without(&self.read);
        let mut parts = due.parts(frame);
        for _ in 0..CUT {
            let is_cut = |text: &&Text| {
                let ends = [text.bounds.x, text.bounds.right() - 1];
                let within = |part: &ScreenRect| ends.map(|x| (part.x..part.right()).contains(&x));
                let cut = |part: &ScreenRect| {
                    part.intersect(&text.bounds).is_some() && within(part) != [true; 2]
                };
                parts.iter().any(cut) && due.touches(frame, &beside(&text.bounds))
            };
            let cut: Vec<ScreenRect> =
                self.texts.iter().filter(is_cut).map(|text| text.bounds).collect();
            if cut.is_empty() {
                break;
            }
            for bounds in &cut {
                self.read.mark(frame, bounds, false);
            }
            due = wanted.clone().without(&self.read);
            parts = due.parts(frame);
        }
        (due, parts)
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
                let inside = |text: &Text| part.intersect(&text.bounds) == Some(text.bounds);
                let is_rest = |new: &Text| {
                    let beyond = |old: &&Text| is_same_line(new, old) && !inside(old);
                    let is_cut = |old: &Text| is_at_edge(&new.bounds, &part) || goes_on(old, &part);
                    self.texts.iter().filter(beyond).any(is_cut)
                };
                let is_fresh = |text: &Text| {
                    self.is_text(text) && due.touches(frame, &text.bounds) && !is_rest(text)
                };
                let fresh: Vec<Text> = texts.into_iter().filter(is_fresh).collect();
                let again = |old: &Text| fresh.iter().any(|new| is_same_line(new, old));
                self.texts.retain(|old| !again(old));
                self.texts.extend(fresh);
                self.stood.retain(|place| part.intersect(place) != Some(*place));
                self.read.mark(frame, &part, true);
            }
        }
    }

    /// Whether what was read is a text. Where one stood it rather is one that is hard to read, as a digit on which the caret
    /// stands, than none.
    fn is_text(&self, read: &Text) -> bool {
        let stood = || self.stood.iter().any(|place| place.contains(read.bounds.center()));
        read.sure >= SURE || read.sure >= SURE_AGAIN && stood()
    }
}

/// Whether it goes to an edge of the part that it was read in, and may go on beyond it.
const fn is_at_edge(read: &ScreenRect, part: &ScreenRect) -> bool {
    read.x <= part.x
        || read.y <= part.y
        || read.right() >= part.right()
        || read.bottom() >= part.bottom()
}

/// Whether a line stands above or below the part as well. What came under a word of the next line has the lower half of
/// this one read too.
const fn goes_on(line: &Text, part: &ScreenRect) -> bool {
    line.bounds.y < part.y || line.bounds.bottom() > part.bottom()
}

/// Whether two texts are of one line; boxes of neighbouring lines may share some rows.
fn is_same_line(one: &Text, other: &Text) -> bool {
    let has = |line: &Text, text: &Text| {
        (line.bounds.y..line.bounds.bottom()).contains(&text.bounds.center().y)
    };
    one.bounds.intersect(&other.bounds).is_some() && (has(one, other) || has(other, one))
}

/// A part to be read, of which these cells are meant.
fn job(frame: &Frame, part: &ScreenRect, due: &Cells) -> Option<Job> {
    let round = frame.crop(&round(part))?;
    let part = frame.crop(part)?;
    Some(Job { due: due.within(frame, &part), frame: part, round })
}

/// A part with what stands around it.
const fn round(part: &ScreenRect) -> ScreenRect {
    Rect::new(
        part.x.saturating_sub_unsigned(ROUND.0),
        part.y.saturating_sub_unsigned(ROUND.1),
        part.width.saturating_add(2 * ROUND.0),
        part.height.saturating_add(2 * ROUND.1),
    )
}

/// The line of a text, a little to either side of it.
fn beside(bounds: &ScreenRect) -> ScreenRect {
    let quarter = bounds.height / 4;
    Rect::new(
        bounds.x.saturating_sub_unsigned(BESIDE),
        bounds.y.saturating_add_unsigned(quarter),
        bounds.width.saturating_add(2 * BESIDE),
        bounds.height.saturating_sub(2 * quarter),
    )
}

/// A line for the person, where nothing is read and a program shows what no element tells of; not of one of which the
/// lines that are `told` already say why.
pub(super) fn unread(windows: &[Window], elements: &[Element], told: &[&[String]]) -> Option<String> {
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
    let explained = |window: &Window| {
        let name = format!("`{}`", window.app);
        told.iter().copied().flatten().any(|line| line.contains(&name))
    };
    let silent =
        |(at, window): &(usize, &Window)| !covered(*at, window) && !tells(window) && !explained(window);
    let (_, window) = windows.iter().enumerate().find(silent)?;
    Some(format!("`{}` {UNREAD}; `freehand doctor` says what is missing", window.app))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::element::WindowId;
    use crate::frame::Monitor;
    use image::{Rgb, RgbImage};

    /// A screen of one shade.
    fn screen(shade: u8) -> Frame {
        let (bounds, scale) = (Rect::new(0, 0, 400, 200), 1.0);
        let pixels = RgbImage::from_pixel(400, 200, Rgb([shade; 3]));
        Frame::new(Monitor { name: "screen".into(), bounds, scale }, pixels)
    }

    /// One that has no networks and reads nothing by itself.
    fn idle() -> Ocr {
        let networks = Networks { detection: "none".into(), recognition: "none".into() };
        Ocr::new(networks, Duration::ZERO)
    }

    #[test]
    fn a_text_whose_end_would_be_read_is_read_as_a_whole() {
        let bounds = Rect::new(0, 0, 400, 200);
        let ink = |x: u32, y: u32| (40..52).contains(&y) && x % 5 < 2 && !(y + x).is_multiple_of(3);
        let pixels = RgbImage::from_fn(400, 200, |x, y| Rgb([if ink(x, y % 60) { 0 } else { 255 }; 3]));
        let frame = Frame::new(Monitor { name: "screen".into(), bounds, scale: 1.0 }, pixels);
        let (title, app) = (String::new(), String::new());
        let windows = [Window { id: WindowId(1), title, app, pid: None, bounds, focused: true }];
        let wanted = Cells::unexplained(&frame, (&windows, &[]), &[]);
        let mut ocr = idle();
        let text = |x, y| Text { words: "a".into(), bounds: Rect::new(x, y, 186, 12), sure: 1.0 };
        ocr.texts = vec![text(10, 40), text(10, 100), text(10, 160)];
        ocr.read = wanted.clone();
        // In the middle of three rows something has been written, right behind the text there.
        ocr.read.mark(&frame, &Rect::new(200, 100, 40, 12), false);
        let (due, parts) = ocr.due(&frame, &wanted);
        assert_eq!(parts.len(), 1);
        assert_eq!(parts[0].intersect(&Rect::new(10, 100, 186, 12)), Some(Rect::new(10, 100, 186, 12)));
        assert!(!due.touches(&frame, &Rect::new(10, 40, 186, 12)));
        assert!(!due.touches(&frame, &Rect::new(10, 160, 186, 12)));
    }

    #[test]
    fn what_the_side_of_a_part_cuts_off_takes_no_place() {
        let (frame, mut ocr) = (screen(255), idle());
        let text = |words: &str, x, width| Text {
            words: words.into(),
            bounds: Rect::new(x, 80, width, 16),
            sure: 1.0,
        };
        let mut wanted = Cells::none(&frame);
        wanted.mark(&frame, &frame.bounds(), true);
        let mut read = |before: &[Text], part: ScreenRect, found: Text| {
            (ocr.texts, ocr.read) = (before.to_vec(), Cells::none(&frame));
            ocr.take(
                Done { frame: frame.crop(&part).unwrap(), texts: Ok(vec![found]) },
                &frame,
                &wanted,
            );
            std::mem::take(&mut ocr.texts)
        };
        // The end of a box and what of the next text the part still holds.
        let before = [text("Inner", 274, 48)];
        assert_eq!(read(&before, Rect::new(232, 64, 48, 40), text("0", 256, 24)), before);
        let new = text("Inner circle", 256, 90);
        assert_eq!(read(&before, Rect::new(232, 64, 150, 40), new.clone()), [new]);
    }

    #[test]
    fn a_line_stays_when_the_one_below_it_is_read_anew() {
        let (frame, mut ocr) = (screen(255), idle());
        let text = |words: &str, y, height| Text {
            words: words.into(),
            bounds: Rect::new(80, y, 200, height),
            sure: 1.0,
        };
        let mut wanted = Cells::none(&frame);
        wanted.mark(&frame, &frame.bounds(), true);
        let line = text("Seven ships unloaded timber.", 64, 17);
        (ocr.texts, ocr.read) = (vec![line.clone()], Cells::none(&frame));
        let part = frame.crop(&Rect::new(64, 70, 240, 40)).unwrap();
        let below = text("Mrs Okafor closed the meeting.", 80, 20);
        let texts = vec![text("seven smps umodded tm", 72, 7), below.clone()];
        ocr.take(Done { frame: part, texts: Ok(texts) }, &frame, &wanted);
        let words: Vec<&str> = ocr.texts.iter().map(|text| text.words.as_str()).collect();
        assert_eq!(words, [line.words.as_str(), below.words.as_str()]);
    }

    #[tokio::test]
    async fn where_a_text_stood_one_is_believed_sooner() {
        let mut ocr = idle();
        let text =
            |words: &str, y, sure| Text { words: words.into(), bounds: Rect::new(80, y, 10, 16), sure };
        let mut wanted = Cells::none(&screen(0));
        wanted.mark(&screen(0), &screen(0).bounds(), true);
        let read = |ocr: &mut Ocr, shade: u8, found: &[Text]| -> Vec<String> {
            ocr.turn_to(&screen(shade), &wanted);
            let done = Done { frame: screen(shade), texts: Ok(found.to_vec()) };
            ocr.take(done, &screen(shade), &wanted);
            ocr.texts.iter().map(|text| text.words.clone()).collect()
        };
        assert_eq!(read(&mut ocr, 1, &[text("0", 20, 0.7), text("e", 60, 0.5)]), ["0"]);
        let found = [text("p", 17, 0.5), text("e", 60, 0.5)];
        assert_eq!(read(&mut ocr, 2, &found), ["p"]);
        assert!(read(&mut ocr, 3, &[text("p", 17, 0.3)]).is_empty());
        // Once it has been read there is nothing to be believed sooner, and nothing is kept.
        assert!(read(&mut ocr, 4, &found).is_empty() && ocr.stood.is_empty());
        // Nor where nothing is left to be read.
        ocr.stood.push(found[0].bounds);
        assert_eq!(ocr.look(&screen(4), (&[], &[]), &mut Vec::new()).await, None);
        assert!(ocr.stood.is_empty());
    }

    #[test]
    fn a_program_of_which_it_is_said_why_is_not_said_to_be_silent() {
        let window = |id: u64, app: &str, x: i32| {
            let (title, bounds) = (String::new(), Rect::new(x, 0, 9, 9));
            Window { id: WindowId(id), title, app: app.into(), pid: None, bounds, focused: false }
        };
        let windows = [window(1, "Plain.py", 0), window(2, "xterm", 20)];
        let said = |told: &[&str]| {
            let told: Vec<String> = told.iter().map(|line| (*line).to_owned()).collect();
            unread(&windows, &[], &[&told]).map(|line| line.split(' ').next().unwrap().to_owned())
        };
        assert_eq!(said(&[]).as_deref(), Some("`Plain.py`"));
        assert_eq!(said(&["`Plain.py` does not answer"]).as_deref(), Some("`xterm`"));
        assert_eq!(said(&["`xterm` hangs", "`Plain.py` does not answer"]), None);
    }

    #[test]
    fn beside_what_is_read_the_boxes_are_seen_that_reach_beyond_it() {
        let bounds = Rect::new(-100, 0, 400, 200);
        let frame = Frame::new(
            Monitor { name: "screen".into(), bounds, scale: 1.0 },
            RgbImage::from_pixel(400, 200, Rgb([255; 3])),
        );
        let job = job(&frame, &Rect::new(0, 64, 48, 40), &Cells::none(&frame)).unwrap();
        assert_eq!(job.frame.bounds(), Rect::new(0, 64, 48, 40));
        assert_eq!(job.round.bounds(), Rect::new(-100, 48, 276, 72));
    }
}
