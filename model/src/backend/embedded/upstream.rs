//! Families that candle-transformers computes, behind the same trait as the network of this crate.
//!
//! Slower, and with less memory for what was read: candle's caches can only grow or begin anew, and only
//! the first pass of a prompt may have more than one token, since several of its networks leave out a mask
//! or a state in a longer pass later on. What a network leaves out altogether, such as a sliding window
//! while it writes, is a limit to the context or a reason to refuse the file.

use std::fmt;
use std::io::Cursor;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind};

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{DType, Device, Result as Computed, Tensor, bail};
use candle_transformers::models::{quantized_glm4, quantized_lfm2, quantized_phi3};
use toktrie::TokenId;

use super::claims::{self, Family};
use super::decoder::{Decoder, LineId, Reading};
use super::gguf::Gguf;
use super::network::Wanted;

/// A network's pass: token ids of the shape (1, count) and the position of the first.
pub(super) type Pass = Box<dyn FnMut(&Tensor, usize) -> Computed<Tensor> + Send>;

/// Makes the network out of a file's header and its bytes.
type Read = fn(Content, &mut Cursor<&[u8]>) -> Computed<Pass>;

/// The families that candle computes, as files call them.
const FAMILIES: [(&str, Family, Read); 3] = [
    ("phi3", Family::Phi3, |content, file| {
        let mut net = quantized_phi3::ModelWeights::from_gguf(false, content, file, &Device::Cpu)?;
        Ok(Box::new(move |ids, at| net.forward(ids, at)))
    }),
    ("glm4", Family::Glm4, |content, file| {
        let (device, floats) = (Device::Cpu, DType::F32);
        let mut net = quantized_glm4::ModelWeights::from_gguf(content, file, &device, floats)?;
        Ok(Box::new(move |ids, at| net.forward(ids, at)))
    }),
    ("lfm2", Family::Lfm2, |content, file| {
        let mut net = quantized_lfm2::ModelWeights::from_gguf(content, file, &Device::Cpu)?;
        Ok(Box::new(move |ids, at| net.forward(ids, at)))
    }),
];

/// A network of candle with the one line of tokens that it remembers.
pub(super) struct Upstream {
    name: &'static str,
    pass: Pass,
    ids: Vec<TokenId>,
    /// Tokens in the network's own cache, which cannot be shortened: with more of them than `ids` has, all
    /// are read anew.
    cached: usize,
    context: usize,
    vocabulary: usize,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, pass: _, ids: _, cached, context, vocabulary } = self;
        f.debug_struct("Upstream")
            .field("name", name)
            .field("cached", cached)
            .field("context", context)
            .field("vocabulary", vocabulary)
            .finish()
    }
}

/// Whether candle computes this family.
pub(super) fn knows(family: &str) -> bool {
    FAMILIES.iter().any(|(name, ..)| *name == family)
}

impl Upstream {
    /// The network of a file, which will not look back on more than `context` tokens.
    pub(super) fn read(gguf: &Gguf, context: usize) -> Result<Self, String> {
        let name = gguf.text("general.architecture")?;
        let Some((name, family, read)) = FAMILIES.iter().find(|(known, ..)| *known == name) else {
            return Err(format!("architecture `{name}` is not supported by the embedded engine"));
        };
        let context = claims::check(gguf, *family, name)?.min(context);
        let failed = |error: candle_core::Error| format!("candle cannot use it: {error}");
        let mut file: Cursor<&[u8]> = Cursor::new(&gguf.map);
        let mut header = Content::read(&mut file).map_err(failed)?;
        // Some of its networks take memory for all positions that the file speaks of.
        let length = u32::try_from(context).map_err(|error| error.to_string())?;
        header.metadata.insert(format!("{name}.context_length"), Value::U32(length));
        // A fault of candle's must not end the program that only wanted to know whether the file is one.
        let pass = catch_unwind(AssertUnwindSafe(|| read(header, &mut file)));
        let pass = pass.unwrap_or_else(|_| bail!("it broke off")).map_err(failed)?;
        let vocabulary = gguf.rows("token_embd.weight")?;
        Ok(Self::new(name, pass, context, vocabulary))
    }

    /// A network that remembers nothing yet. Its pass begins anew at position 0.
    pub(super) fn new(name: &'static str, pass: Pass, context: usize, vocabulary: usize) -> Self {
        Self { name, pass, ids: Vec::new(), cached: 0, context, vocabulary }
    }

    fn pass(&mut self, ids: &[TokenId], at: usize) -> Computed<Vec<f32>> {
        let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
        (self.pass)(&ids, at)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
    }

    /// Reads on and gives the wanted logits, row by row.
    fn read_on(
        &mut self,
        ids: &[TokenId],
        wanted: Wanted,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<f32>>> {
        let mut rows = Vec::new();
        let mut row = Vec::new();
        let mut left = ids;
        if self.cached != self.ids.len() || self.cached == 0 {
            // All before the first token whose logits are wanted can be read in one pass.
            let first = if wanted == Wanted::All { 1 } else { ids.len() };
            let (together, rest) = ids.split_at(first.min(ids.len()));
            left = rest;
            let beginning = [&self.ids, together].concat();
            if go_on().is_break() {
                return Ok(None);
            }
            if self.name == "lfm2" && self.cached > 0 && beginning.len() == 1 {
                bail!("candle's network of `lfm2` cannot begin anew with a single token");
            }
            row = self.pass(&beginning, 0)?;
            self.cached = beginning.len();
            self.ids = beginning;
            rows.extend_from_slice(&row);
        }
        for id in left {
            if go_on().is_break() {
                return Ok(None);
            }
            row = self.pass(&[*id], self.ids.len())?;
            self.ids.push(*id);
            self.cached = self.ids.len();
            if wanted == Wanted::All {
                rows.extend_from_slice(&row);
            }
        }
        Ok(Some(match wanted {
            Wanted::Nothing => Vec::new(),
            Wanted::Last => row,
            Wanted::All => rows,
        }))
    }
}

impl Decoder for Upstream {
    fn context(&self) -> usize {
        self.context
    }

    fn vocabulary(&self) -> usize {
        self.vocabulary
    }

    fn lines(&self) -> usize {
        1
    }

    fn at_once(&self) -> usize {
        usize::MAX
    }

    fn open(
        &mut self,
        ids: &[TokenId],
        _lasting: usize,
        _go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> (LineId, usize) {
        let goes_on = self.cached == self.ids.len() && ids.starts_with(&self.ids);
        if !goes_on {
            self.ids.clear();
        }
        (LineId(0), self.ids.len())
    }

    fn read(
        &mut self,
        parts: &[Reading<'_>],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>> {
        let [Reading { ids, wanted, .. }] = parts else { bail!("there is only one line") };
        Ok(self.read_on(ids, *wanted, go_on)?.map(|logits| vec![logits]))
    }

    fn foresee(
        &mut self,
        _line: LineId,
        ways: &[&[TokenId]],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>> {
        let len = self.ids.len();
        let mut logits = Vec::with_capacity(ways.len());
        for way in ways {
            let rows = self.read_on(way, Wanted::All, go_on);
            self.ids.truncate(len);
            let Some(rows) = rows? else { return Ok(None) };
            logits.push(rows);
        }
        Ok(Some(logits))
    }

    fn cut(&mut self, _line: LineId, len: usize) {
        self.ids.truncate(len);
    }

    fn close(&mut self, _line: LineId, _lasting: usize, _go_on: &dyn Fn() -> ControlFlow<()>) {}
}
