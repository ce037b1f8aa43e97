//! Families that candle-transformers computes, behind the same trait as the network of this crate.
//!
//! Slower, and with less memory for what was read: candle's caches can only grow or begin anew, and only
//! the first pass of a prompt may have more than one token, since several of its networks leave out a mask
//! or a state in a longer pass later on. What a network leaves out altogether, such as a sliding window
//! while it writes, is a limit to the context or a reason to refuse the file.

use std::fmt;
use std::io::Cursor;
use std::ops::ControlFlow;

use candle_core::quantized::gguf_file::{Content, Value};
use candle_core::{DType, Device, Result as Computed, Tensor, bail};
use candle_transformers::models::{quantized_glm4, quantized_lfm2, quantized_phi3};
use toktrie::TokenId;

use super::decoder::{Decoder, LineId, Reading};
use super::gguf::Gguf;
use super::network::Wanted;

/// A family that candle computes.
struct Family {
    /// As files call it.
    name: &'static str,
    /// Tensors outside the layers and parts of a layer that its network uses.
    tensors: &'static [&'static str],
    read: fn(Content, &mut Cursor<&[u8]>) -> Computed<Pass>,
}

/// A network's pass: token ids of the shape (1, count) and the position of the first.
pub(super) type Pass = Box<dyn FnMut(&Tensor, usize) -> Computed<Tensor> + Send>;

const FAMILIES: [Family; 3] = [
    Family {
        name: "phi3",
        tensors: &[
            "token_embd",
            "output_norm",
            "output",
            "attn_norm",
            "attn_qkv",
            "attn_output",
            "ffn_norm",
            "ffn_up",
            "ffn_down",
        ],
        read: |content, file| {
            let mut net = quantized_phi3::ModelWeights::from_gguf(false, content, file, &Device::Cpu)?;
            Ok(Box::new(move |ids, at| net.forward(ids, at)))
        },
    },
    Family {
        name: "glm4",
        tensors: &[
            "token_embd",
            "output_norm",
            "output",
            "attn_norm",
            "attn_q",
            "attn_k",
            "attn_v",
            "attn_output",
            "post_attention_norm",
            "ffn_norm",
            "ffn_up",
            "ffn_down",
            "post_ffw_norm",
        ],
        read: |content, file| {
            let (device, floats) = (Device::Cpu, DType::F32);
            let mut net = quantized_glm4::ModelWeights::from_gguf(content, file, &device, floats)?;
            Ok(Box::new(move |ids, at| net.forward(ids, at)))
        },
    },
    Family {
        name: "lfm2",
        tensors: &[
            "token_embd",
            "token_embd_norm",
            "output_norm",
            "output",
            "attn_norm",
            "attn_q",
            "attn_k",
            "attn_v",
            "attn_output",
            "attn_q_norm",
            "attn_k_norm",
            "shortconv.conv",
            "shortconv.in_proj",
            "shortconv.out_proj",
            "ffn_norm",
            "ffn_gate",
            "ffn_up",
            "ffn_down",
        ],
        read: |content, file| {
            let mut net = quantized_lfm2::ModelWeights::from_gguf(content, file, &Device::Cpu)?;
            Ok(Box::new(move |ids, at| net.forward(ids, at)))
        },
    },
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
    FAMILIES.iter().any(|known| known.name == family)
}

impl Upstream {
    /// The network of a file, which will not look back on more than `context` tokens.
    pub(super) fn read(gguf: &Gguf, context: usize) -> Result<Self, String> {
        let name = gguf.text("general.architecture")?;
        let Some(family) = FAMILIES.iter().find(|family| family.name == name) else {
            return Err(format!("architecture `{name}` is not supported by the embedded engine"));
        };
        if let Some(other) = gguf.names().find(|name| !family.has_place(name)) {
            return Err(format!("the tensor `{other}` has no place in candle's network of `{name}`"));
        }
        check(gguf, name)?;
        let context = self::context(gguf, name)?.min(context);
        let failed = |error: candle_core::Error| format!("candle cannot use it: {error}");
        let mut file: Cursor<&[u8]> = Cursor::new(&gguf.map);
        let mut header = Content::read(&mut file).map_err(failed)?;
        // Some of its networks take memory for all positions that the file speaks of.
        let length = u32::try_from(context).map_err(|error| error.to_string())?;
        header.metadata.insert(format!("{name}.context_length"), Value::U32(length));
        let pass = (family.read)(header, &mut file).map_err(failed)?;
        let vocabulary = gguf.rows("token_embd.weight")?;
        Ok(Self::new(family.name, pass, context, vocabulary))
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

impl Family {
    fn has_place(&self, tensor: &str) -> bool {
        let part = match tensor.strip_prefix("blk.").and_then(|rest| rest.split_once('.')) {
            Some((_, part)) => part,
            None => tensor,
        };
        let part = part.strip_suffix(".weight").or_else(|| part.strip_suffix(".bias")).unwrap_or(part);
        self.tensors.contains(&part)
    }
}

/// Tokens back to which candle's network is right: it leaves a sliding window out while it writes.
fn context(gguf: &Gguf, name: &str) -> Result<usize, String> {
    let trained = gguf.count(&format!("{name}.context_length"), 1 << 24)?;
    let window = format!("{name}.attention.sliding_window");
    Ok(if gguf.says(&window) { trained.min(gguf.count(&window, 1 << 24)?) } else { trained })
}

/// Refuses what candle's networks read over.
fn check(gguf: &Gguf, name: &str) -> Result<(), String> {
    let stretched = format!("{name}.rope.scaling.type");
    if gguf.says(&stretched) && gguf.text(&stretched) != Ok("none") {
        return Err(format!("candle's network of `{name}` does not stretch positions"));
    }
    let count = |key: &str| gguf.count(&format!("{name}.{key}"), 1 << 20);
    let turning = match name {
        "phi3" => Some(count("embedding_length")? / count("attention.head_count")?),
        // Half of each head.
        "glm4" => Some(count("attention.key_length")? / 2),
        _ => None,
    };
    match turning {
        Some(turning) if count("rope.dimension_count")? != turning => {
            Err(format!("candle's network of `{name}` turns {turning} dimensions of a head"))
        }
        _ => Ok(()),
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
