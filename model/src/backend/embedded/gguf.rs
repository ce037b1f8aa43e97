//! Reads the header of a GGUF file out of a memory map, and trusts none of its numbers: each length is
//! held against what is left of the file before anything is allocated or sliced.
//!
//! The weights stay in the map, so that parts of the file that are never asked for cost no memory.

use std::collections::HashMap;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

use candle_core::quantized::GgmlDType;
use memmap2::Mmap;

use crate::backend::ModelError;

const MAGIC: &[u8] = b"GGUF";
const DEFAULT_ALIGNMENT: u64 = 32;
const MAX_DIMENSIONS: u32 = 4;
/// A multiple of the page size of all systems that are known.
#[cfg(unix)]
const PAGE: usize = 1 << 16;

/// What an entry of the header says. Numbers are widened, since writers differ in the width they use.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Number(i64),
    Real(f64),
    Text(String),
    Flag(bool),
    Numbers(Vec<i64>),
    Reals(Vec<f32>),
    Texts(Vec<String>),
    /// Something that nothing here needs.
    Skipped,
}

/// Where one tensor lies, with its dimensions from the outermost in.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Entry {
    pub(super) dtype: GgmlDType,
    pub(super) shape: Vec<usize>,
    /// In bytes from the start of the file.
    pub(super) start: usize,
    /// In bytes.
    pub(super) size: usize,
}

/// A GGUF file whose header holds together.
#[derive(Debug)]
pub(super) struct Gguf {
    pub(super) map: Arc<Mmap>,
    metadata: HashMap<String, Value>,
    tensors: HashMap<String, Entry>,
}

impl Gguf {
    /// Opens `path` and checks that each tensor of its header lies within the file.
    pub(super) fn open(path: &Path) -> Result<Self, ModelError> {
        let unread = |reason| ModelError::BadFile { path: path.to_path_buf(), reason };
        let file = File::open(path).map_err(|e| unread(format!("cannot be opened: {e}")))?;
        #[expect(unsafe_code, reason = "a memory map is only offered as unsafe")]
        // SAFETY: the map is private and read-only. Models are put in their place by rename, so nothing
        // shortens or rewrites the mapped file under the map.
        let map = unsafe { Mmap::map(&file) }.map_err(|e| unread(format!("cannot be read: {e}")))?;
        let (metadata, tensors) = parse(&map).map_err(|reason| useless(path, &reason))?;
        Ok(Self { map: Arc::new(map), metadata, tensors })
    }

    /// Gives the memory of a part of the file back to the system, which reads it anew when needed.
    pub(super) fn release(&self, start: usize, size: usize) {
        #[cfg(unix)]
        {
            // Whole pages only: what shares one with a neighbour goes with the neighbour.
            let first = start.next_multiple_of(PAGE);
            let end = if start + size >= self.map.len() {
                self.map.len()
            } else {
                (start + size) / PAGE * PAGE
            };
            if first >= end {
                return;
            }
            #[expect(unsafe_code, reason = "advice about a map is only offered as unsafe")]
            // SAFETY: pages of a read-only map of a file come back from the file with the same content.
            let released = unsafe {
                self.map.unchecked_advise_range(memmap2::UncheckedAdvice::DontNeed, first, end - first)
            };
            if let Err(error) = released {
                tracing::debug!(%error, "the pages of the model's file stay in memory");
            }
        }
        #[cfg(not(unix))]
        let _ = (start, size);
    }

    /// A text of the header.
    pub(super) fn text(&self, key: &str) -> Result<&str, String> {
        match self.metadata.get(key) {
            Some(Value::Text(text)) => Ok(text),
            other => Err(wrong(key, "a text", other)),
        }
    }

    /// A number of the header that must lie in `1..=most`.
    pub(super) fn count(&self, key: &str, most: usize) -> Result<usize, String> {
        let number = self.number(key)?;
        match usize::try_from(number) {
            Ok(n) if (1..=most).contains(&n) => Ok(n),
            _ => Err(format!("`{key}` is {number}, it must lie between 1 and {most}")),
        }
    }

    /// A number of the header.
    pub(super) fn number(&self, key: &str) -> Result<i64, String> {
        match self.metadata.get(key) {
            Some(&Value::Number(n)) => Ok(n),
            other => Err(wrong(key, "a number", other)),
        }
    }

    /// A token's id in the header, where it has one.
    pub(super) fn token(&self, key: &str) -> Option<u32> {
        match self.metadata.get(key) {
            Some(&Value::Number(n)) => u32::try_from(n).ok(),
            _ => None,
        }
    }

    /// A real number of the header.
    pub(super) fn real(&self, key: &str) -> Result<f64, String> {
        match self.metadata.get(key) {
            Some(&Value::Real(x)) if x.is_finite() => Ok(x),
            other => Err(wrong(key, "a real number", other)),
        }
    }

    /// Whether the header says yes to something, where it says anything.
    pub(super) fn flag(&self, key: &str) -> Option<bool> {
        match self.metadata.get(key) {
            Some(&Value::Flag(is_so)) => Some(is_so),
            _ => None,
        }
    }

    /// A list of real numbers of the header.
    pub(super) fn reals(&self, key: &str) -> Result<&[f32], String> {
        match self.metadata.get(key) {
            Some(Value::Reals(reals)) => Ok(reals),
            other => Err(wrong(key, "a list of real numbers", other)),
        }
    }

    /// A list of texts of the header.
    pub(super) fn texts(&self, key: &str) -> Result<&[String], String> {
        match self.metadata.get(key) {
            Some(Value::Texts(texts)) => Ok(texts),
            other => Err(wrong(key, "a list of texts", other)),
        }
    }

    /// A list of numbers of the header.
    pub(super) fn numbers(&self, key: &str) -> Result<&[i64], String> {
        match self.metadata.get(key) {
            Some(Value::Numbers(numbers)) => Ok(numbers),
            other => Err(wrong(key, "a list of numbers", other)),
        }
    }

    /// Where the tensor `name` lies; an error unless it has exactly this shape.
    pub(super) fn entry(&self, name: &str, shape: &[usize]) -> Result<&Entry, String> {
        let entry = self.tensors.get(name).ok_or_else(|| format!("has no tensor `{name}`"))?;
        if entry.shape == shape {
            Ok(entry)
        } else {
            Err(format!("the tensor `{name}` is {:?}, it should be {shape:?}", entry.shape))
        }
    }

    /// The rows and columns of the matrix `name`.
    pub(super) fn matrix(&self, name: &str) -> Result<[usize; 2], String> {
        match self.tensors.get(name).map(|entry| entry.shape.as_slice()) {
            Some(&[rows, columns]) => Ok([rows, columns]),
            Some(_) => Err(format!("the tensor `{name}` is no matrix")),
            None => Err(format!("has no tensor `{name}`")),
        }
    }

    /// The rows of the matrix `name`.
    pub(super) fn rows(&self, name: &str) -> Result<usize, String> {
        self.matrix(name).map(|[rows, _]| rows)
    }

    /// Whether the header says anything under `key`.
    pub(super) fn says(&self, key: &str) -> bool {
        self.metadata.contains_key(key)
    }

    /// The names of all tensors.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// Whether there is a tensor `name`.
    pub(super) fn has(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }
}

/// The error about a file that holds no weights of ours.
pub(super) fn useless(path: &Path, reason: &str) -> ModelError {
    let reason = format!("{reason}; fetch it again, or name another model");
    ModelError::BadFile { path: path.to_path_buf(), reason }
}

fn wrong(key: &str, wanted: &str, found: Option<&Value>) -> String {
    match found {
        None => format!("has no `{key}` in its header"),
        Some(_) => format!("`{key}` of its header is not {wanted}"),
    }
}

type Header = (HashMap<String, Value>, HashMap<String, Entry>);

fn parse(bytes: &[u8]) -> Result<Header, String> {
    let mut reader = Reader { rest: bytes, len: bytes.len() };
    if reader.take(4).ok() != Some(MAGIC) {
        return Err("is not a GGUF file".into());
    }
    let version = reader.u32()?;
    if !matches!(version, 2 | 3) {
        return Err(format!("has GGUF version {version}, known are 2 and 3"));
    }
    let tensor_count = reader.u64()?;
    let entry_count = reader.u64()?;
    let mut metadata = HashMap::new();
    for _ in 0..entry_count {
        let key = reader.text()?;
        let kind = reader.u32()?;
        let value = reader.value(kind)?;
        metadata.insert(key, value);
    }
    let mut raw = Vec::new();
    for _ in 0..tensor_count {
        raw.push((reader.text()?, reader.shape()?, reader.u32()?, reader.u64()?));
    }
    let alignment = match metadata.get("general.alignment") {
        Some(&Value::Number(n)) => u64::try_from(n).ok().filter(|n| n.is_power_of_two()),
        _ => Some(DEFAULT_ALIGNMENT),
    };
    let alignment = alignment.ok_or("has an alignment that is no power of two")?;
    let header = (bytes.len() - reader.rest.len()) as u64;
    let data = header.checked_next_multiple_of(alignment).ok_or("has an impossible alignment")?;
    let mut tensors = HashMap::with_capacity(raw.len());
    let mut left = bytes.len();
    for (name, shape, kind, offset) in raw {
        let entry = place(shape, kind, data, offset, bytes.len() as u64)
            .map_err(|reason| format!("the tensor `{name}` {reason}"))?;
        // Each takes memory of its own once it is packed, so they may not be the same bytes.
        let is_left = left.checked_sub(entry.size);
        left = is_left.ok_or_else(|| format!("has tensors that lie on each other, as `{name}` does"))?;
        tensors.insert(name, entry);
    }
    Ok((metadata, tensors))
}

fn place(shape: Vec<usize>, kind: u32, data: u64, offset: u64, file: u64) -> Result<Entry, String> {
    let dtype = dtype(kind).ok_or_else(|| format!("has the unknown type {kind}"))?;
    let row = shape.last().copied().unwrap_or(0);
    if row == 0 || !row.is_multiple_of(dtype.block_size()) {
        return Err(format!(
            "has rows of {row} values, {dtype:?} needs a multiple of {}",
            dtype.block_size()
        ));
    }
    let size = shape
        .iter()
        .try_fold(1_u64, |all, &n| all.checked_mul(n as u64))
        .and_then(|values| (values / dtype.block_size() as u64).checked_mul(dtype.type_size() as u64));
    let start = data.checked_add(offset);
    let end = start.zip(size).and_then(|(start, size)| start.checked_add(size));
    match (start, size, end) {
        (Some(start), Some(size), Some(end)) if end <= file => {
            let start = usize::try_from(start).map_err(|e| e.to_string())?;
            let size = usize::try_from(size).map_err(|e| e.to_string())?;
            Ok(Entry { dtype, shape, start, size })
        }
        (_, _, Some(end)) => Err(format!("ends at byte {end}, the file at {file}: it is cut off")),
        _ => Err("has an impossible size".into()),
    }
}

fn dtype(kind: u32) -> Option<GgmlDType> {
    Some(match kind {
        0 => GgmlDType::F32,
        1 => GgmlDType::F16,
        2 => GgmlDType::Q4_0,
        3 => GgmlDType::Q4_1,
        6 => GgmlDType::Q5_0,
        7 => GgmlDType::Q5_1,
        8 => GgmlDType::Q8_0,
        10 => GgmlDType::Q2K,
        11 => GgmlDType::Q3K,
        12 => GgmlDType::Q4K,
        13 => GgmlDType::Q5K,
        14 => GgmlDType::Q6K,
        30 => GgmlDType::BF16,
        _ => return None,
    })
}

/// What is left to read of the header.
struct Reader<'a> {
    rest: &'a [u8],
    len: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], String> {
        let cut_off = || format!("ends within its header, after {} bytes: it is cut off", self.len);
        let (head, rest) = self.rest.split_at_checked(count).ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], String> {
        self.take(N)?.try_into().map_err(|_| "cannot be read".to_owned())
    }

    fn u32(&mut self) -> Result<u32, String> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    fn u64(&mut self) -> Result<u64, String> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    fn text(&mut self) -> Result<String, String> {
        let length = usize::try_from(self.u64()?).map_err(|e| e.to_string())?;
        Ok(String::from_utf8_lossy(self.take(length)?).into_owned())
    }

    /// The dimensions are written from the innermost out.
    fn shape(&mut self) -> Result<Vec<usize>, String> {
        let count = self.u32()?;
        if count > MAX_DIMENSIONS {
            return Err(format!(
                "has a tensor of {count} dimensions, at most {MAX_DIMENSIONS} are known"
            ));
        }
        let mut shape = Vec::new();
        for _ in 0..count {
            shape.push(usize::try_from(self.u64()?).map_err(|e| e.to_string())?);
        }
        shape.reverse();
        Ok(shape)
    }

    fn value(&mut self, kind: u32) -> Result<Value, String> {
        Ok(match kind {
            6 => Value::Real(f32::from_le_bytes(self.array()?).into()),
            7 => Value::Flag(self.array()? != [0]),
            8 => Value::Text(self.text()?),
            9 => {
                let kind = self.u32()?;
                let count = self.u64()?;
                self.list(kind, count)?
            }
            12 => Value::Real(f64::from_le_bytes(self.array()?)),
            _ => Value::Number(self.number(kind)?),
        })
    }

    fn number(&mut self, kind: u32) -> Result<i64, String> {
        Ok(match kind {
            0 => u8::from_le_bytes(self.array()?).into(),
            1 => i8::from_le_bytes(self.array()?).into(),
            2 => u16::from_le_bytes(self.array()?).into(),
            3 => i16::from_le_bytes(self.array()?).into(),
            4 => self.u32()?.into(),
            5 => i32::from_le_bytes(self.array()?).into(),
            10 => i64::try_from(self.u64()?).unwrap_or(i64::MAX),
            11 => i64::from_le_bytes(self.array()?),
            _ => return Err(format!("has an entry of the unknown type {kind} in its header")),
        })
    }

    /// Only lists of texts and of 32-bit numbers are kept, so that a list never needs much more memory
    /// than the file has bytes for it.
    fn list(&mut self, kind: u32, count: u64) -> Result<Value, String> {
        let width: u64 = match kind {
            0 | 1 | 7 => 1,
            2 | 3 => 2,
            4..=6 => 4,
            8 => {
                let mut texts = Vec::new();
                for _ in 0..count {
                    texts.push(self.text()?);
                }
                return Ok(Value::Texts(texts));
            }
            10..=12 => 8,
            _ => return Err(format!("has a list of the unsupported type {kind} in its header")),
        };
        let bytes = count.checked_mul(width).and_then(|n| usize::try_from(n).ok()).unwrap_or(usize::MAX);
        let bytes = self.take(bytes)?;
        let (words, _) = bytes.as_chunks::<4>();
        Ok(match kind {
            4 => Value::Numbers(words.iter().map(|w| u32::from_le_bytes(*w).into()).collect()),
            5 => Value::Numbers(words.iter().map(|w| i32::from_le_bytes(*w).into()).collect()),
            6 => Value::Reals(words.iter().map(|w| f32::from_le_bytes(*w)).collect()),
            _ => Value::Skipped,
        })
    }
}
