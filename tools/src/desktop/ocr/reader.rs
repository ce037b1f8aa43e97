//! Reads one picture: where its lines are, what they say, and nothing twice.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use image::RgbImage;
use rten::ThreadPool;

use super::korean::Korean;
use super::network::Network;
use super::pixels::Part;
use super::recognise::{self, Alphabet, Said};
use super::{SURE, detect, ink};
use crate::desktop::DesktopError;
use crate::desktop::cache::{self, Cache, Digest};
use crate::geometry::{Image, Point, Rect};

/// Texts that are remembered by their pixels.
const MEMORY: usize = 20_000;
/// Cores that are used at most: a picture has not enough text for more.
const CORES: usize = 8;

/// The files of the two networks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks {
    /// The one that finds lines of text, in the ONNX format.
    pub detection: PathBuf,
    /// The one that reads a line, in the ONNX format, with its characters.
    pub recognition: PathBuf,
}

/// A text in a picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// What it says.
    pub text: String,
    /// Where it is, in pixels of the picture.
    pub bounds: Rect<Image>,
    /// How sure the network is, 0 to 1.
    pub sure: f32,
}

/// The networks, ready to read.
#[derive(Debug)]
pub struct Reader {
    detection: Network,
    recognition: Network,
    alphabet: Alphabet,
    /// All cores at one thing.
    together: Arc<ThreadPool>,
    /// Each core at a thing of its own.
    apart: Vec<Arc<ThreadPool>>,
    known: Mutex<Cache<Said>>,
    korean: Korean,
}

impl Reader {
    /// Reads the files, which takes a tenth of a second.
    pub fn open(networks: &Networks) -> Result<Self, DesktopError> {
        let detection = Network::open(&networks.detection)?;
        let recognition = Network::open(&networks.recognition)?;
        let alphabet = Alphabet::of(&recognition)?;
        let cores = std::thread::available_parallelism().map_or(1, usize::from).min(CORES);
        Ok(Self {
            detection,
            recognition,
            alphabet,
            together: Arc::new(ThreadPool::with_num_threads(cores)),
            apart: (0..cores).map(|_| Arc::new(ThreadPool::with_num_threads(1))).collect(),
            known: Mutex::new(Cache::new(MEMORY)),
            korean: Korean::default(),
        })
    }

    /// The texts of `image`, from top to bottom. Takes up to seconds: call it where that may block.
    pub fn read(&self, image: &RgbImage) -> Result<Vec<Line>, DesktopError> {
        let mut lines = self.read_where(image, (image, Point::new(0, 0)), &|_| true)?;
        lines.retain(|line| line.sure >= SURE);
        Ok(lines)
    }

    /// The texts of `image` whose line is `wanted`, however unsure. It is that part of `round` that begins at `corner`.
    pub(super) fn read_where(
        &self,
        image: &RgbImage,
        (round, corner): (&RgbImage, Point<Image>),
        wanted: &dyn Fn(&Part) -> bool,
    ) -> Result<Vec<Line>, DesktopError> {
        if image.width() < 3 || image.height() < 3 {
            return Ok(Vec::new());
        }
        let lines = detect::lines(&self.detection, image, &self.together)?;
        let wanted = lines.iter().filter(|line| wanted(line));
        let texts: Vec<ink::Text> =
            wanted.flat_map(|line| ink::texts(round, &line.offset(corner.x, corner.y))).collect();
        let chunks: Vec<Part> = texts.iter().flat_map(|text| text.chunks.iter().copied()).collect();
        let mut said = self.say(round, &chunks)?.into_iter();
        let lines = texts.into_iter().map(|text| {
            let said = recognise::join(&said.by_ref().take(text.chunks.len()).collect::<Vec<_>>());
            let bounds = text.bounds.offset(corner.x.saturating_neg(), corner.y.saturating_neg());
            Line { text: said.text, bounds, sure: said.sure }
        });
        Ok(lines.filter(|line| !line.text.is_empty()).collect())
    }

    /// What each chunk says: remembered, or read now.
    fn say(&self, image: &RgbImage, chunks: &[Part]) -> Result<Vec<Said>, DesktopError> {
        let digests: Vec<Option<Digest>> =
            chunks.iter().map(|chunk| cache::digest(image, chunk)).collect();
        let known = |digest: &Option<Digest>| {
            let mut cache = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            digest.as_ref().and_then(|digest| cache.get(digest))
        };
        let mut said: Vec<Option<Said>> = digests.iter().map(known).collect();
        let unknown: Vec<Part> = chunks
            .iter()
            .zip(&said)
            .filter(|(_, said)| said.is_none())
            .map(|(chunk, _)| *chunk)
            .collect();
        let read = recognise::read(&self.recognition, &self.alphabet, image, &unknown, &self.apart)?;
        let read = self.korean.complete(image, &unknown, &read);
        let mut read = read.into_iter();
        let mut cache = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        for (said, digest) in said.iter_mut().zip(digests).filter(|(said, _)| said.is_none()) {
            let fresh = read.next();
            if let (Some(digest), Some(fresh)) = (digest, &fresh) {
                cache.put(digest, fresh.clone());
            }
            *said = fresh;
        }
        Ok(said.into_iter().flatten().collect())
    }
}
