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

/// A network with what it remembers.
pub(super) trait Pass: Send {
    /// The logits after token ids of the shape (1, count); `at` is the position of the first.
    fn pass(&mut self, ids: &Tensor, at: usize) -> Computed<Tensor>;

    /// The same network, with the same weights, remembering the same; `None` where candle's cannot be copied.
    fn copy(&self) -> Option<Box<dyn Pass>>;
}

/// A network that can be copied: the weights are shared, and of what it remembers only what comes behind the
/// tokens that were copied is written over.
pub(super) struct Copied<F>(pub(super) F);

impl<F: FnMut(&Tensor, usize) -> Computed<Tensor> + Clone + Send + 'static> Pass for Copied<F> {
    fn pass(&mut self, ids: &Tensor, at: usize) -> Computed<Tensor> {
        (self.0)(ids, at)
    }

    fn copy(&self) -> Option<Box<dyn Pass>> {
        Some(Box::new(Self(self.0.clone())))
    }
}

/// A network that there is one of.
pub(super) struct Single<F>(pub(super) F);

impl<F: FnMut(&Tensor, usize) -> Computed<Tensor> + Send> Pass for Single<F> {
    fn pass(&mut self, ids: &Tensor, at: usize) -> Computed<Tensor> {
        (self.0)(ids, at)
    }

    fn copy(&self) -> Option<Box<dyn Pass>> {
        None
    }
}

/// Makes the network out of a file's header and its bytes.
type Read = fn(Content, &mut Cursor<&[u8]>) -> Computed<Box<dyn Pass>>;

/// The families that candle computes, as files call them.
const FAMILIES: [(&str, Family, Read); 3] = [
    ("phi3", Family::Phi3, |content, file| {
        let mut net = quantized_phi3::ModelWeights::from_gguf(false, content, file, &Device::Cpu)?;
        Ok(Box::new(Copied(move |ids: &Tensor, at| net.forward(ids, at))))
    }),
    ("glm4", Family::Glm4, |content, file| {
        let (device, floats) = (Device::Cpu, DType::F32);
        let mut net = quantized_glm4::ModelWeights::from_gguf(content, file, &device, floats)?;
        Ok(Box::new(Copied(move |ids: &Tensor, at| net.forward(ids, at))))
    }),
    ("lfm2", Family::Lfm2, |content, file| {
        let mut net = quantized_lfm2::ModelWeights::from_gguf(content, file, &Device::Cpu)?;
        Ok(Box::new(Single(move |ids: &Tensor, at| net.forward(ids, at))))
    }),
];

/// A network of candle with the one line of tokens that it remembers.
pub(super) struct Upstream {
    name: &'static str,
    pass: Box<dyn Pass>,
    ids: Vec<TokenId>,
    /// Tokens in the network's own cache, which cannot be shortened: with more of them than `ids` has, all
    /// are read anew.
    cached: usize,
    /// The network as it was after so many tokens, to go back to: where several ways go on from there.
    before: Option<(usize, Box<dyn Pass>)>,
    context: usize,
    vocabulary: usize,
}

impl fmt::Debug for Upstream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, pass: _, ids: _, cached, before: _, context, vocabulary } = self;
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
    pub(super) fn new(
        name: &'static str,
        pass: Box<dyn Pass>,
        context: usize,
        vocabulary: usize,
    ) -> Self {
        Self { name, pass, ids: Vec::new(), cached: 0, before: None, context, vocabulary }
    }

    /// Forgets all but the first `len` tokens: by taking up the network as it was then, where there is a copy.
    fn go_back(&mut self, len: usize) {
        self.ids.truncate(len);
        match &self.before {
            Some((at, before)) if *at == len => {
                if let Some(pass) = before.copy() {
                    (self.pass, self.cached) = (pass, len);
                }
            }
            _ => self.before = None,
        }
    }

    fn pass(&mut self, ids: &[TokenId], at: usize) -> Computed<Vec<f32>> {
        let ids = Tensor::new(ids, &Device::Cpu)?.unsqueeze(0)?;
        self.pass.pass(&ids, at)?.to_dtype(DType::F32)?.flatten_all()?.to_vec1()
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
        // All logits are only wanted of what may follow: afterwards it is gone back.
        if wanted == Wanted::All && self.before.is_none() && self.cached == self.ids.len() {
            self.before = self.pass.copy().map(|pass| (self.cached, pass));
        }
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
        self.before = None;
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
        // Read by itself, so that there is something to go back to.
        if self.cached != len
            && self.pass.copy().is_some()
            && self.read_on(&[], Wanted::Nothing, go_on)?.is_none()
        {
            return Ok(None);
        }
        let mut logits = Vec::with_capacity(ways.len());
        for way in ways {
            let rows = self.read_on(way, Wanted::All, go_on);
            self.go_back(len);
            let Some(rows) = rows? else { return Ok(None) };
            logits.push(rows);
        }
        Ok(Some(logits))
    }

    fn cut(&mut self, _line: LineId, len: usize) {
        self.go_back(len);
    }

    fn close(&mut self, _line: LineId, _lasting: usize, _go_on: &dyn Fn() -> ControlFlow<()>) {
        self.before = None;
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    /// A network that tells the sum and the number of its tokens, and counts those that it reads.
    fn summing(copied: bool) -> (Upstream, Arc<AtomicUsize>) {
        let read = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&read);
        let mut line: Vec<u32> = Vec::new();
        let pass = move |ids: &Tensor, at: usize| {
            let ids: Vec<u32> = ids.flatten_all()?.to_vec1()?;
            if at == 0 {
                line.clear();
            }
            assert_eq!(line.len(), at, "it was not gone back");
            counter.fetch_add(ids.len(), Ordering::Relaxed);
            line.extend(ids);
            let sum: u32 = line.iter().sum();
            Tensor::new(&[sum, u32::try_from(line.len()).unwrap()], &Device::Cpu)
        };
        let pass: Box<dyn Pass> = if copied { Box::new(Copied(pass)) } else { Box::new(Single(pass)) };
        (Upstream::new("x", pass, 256, 2), read)
    }

    #[test]
    fn ways_to_go_on_do_not_read_what_is_before_them_again() {
        let go_on = || ControlFlow::Continue(());
        for (copied, tokens) in [(true, 50 + 6 + 5), (false, 50 + 6 + 5 + 4 * 50)] {
            let (mut net, count) = summing(copied);
            let (line, _) = net.open(&[1; 50], 0, &go_on);
            let read = |net: &mut Upstream, ids: &[u32], wanted| {
                net.read(&[Reading { line, ids, wanted }], &go_on).unwrap().unwrap().concat()
            };
            assert_eq!(read(&mut net, &[1; 50], Wanted::Last), [50.0, 50.0]);
            let ways = net.foresee(line, &[&[3, 4, 5], &[7], &[2, 2]], &go_on).unwrap().unwrap();
            assert_eq!(ways[0], [53.0, 51.0, 57.0, 52.0, 62.0, 53.0]);
            assert_eq!((&ways[1][..], &ways[2][..]), (&[57.0, 51.0][..], &[52.0, 51.0, 54.0, 52.0][..]));
            // One that is read in two pieces, and another way after it.
            assert_eq!(read(&mut net, &[1, 1], Wanted::All), [51.0, 51.0, 52.0, 52.0]);
            assert_eq!(read(&mut net, &[9], Wanted::All), [61.0, 53.0]);
            net.cut(line, 50);
            assert_eq!(read(&mut net, &[8, 8], Wanted::Last), [66.0, 52.0]);
            assert_eq!(count.load(Ordering::Relaxed), tokens);
        }
    }
}
