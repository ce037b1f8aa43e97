//! What a file says about its network: the sizes, and in what its family differs from the others.
//!
//! A tensor that has no place in the network computed here is a reason to refuse the file: leaving it out
//! would give fluent nonsense.

use super::gguf::Gguf;
use super::simd;
use super::turns::{Pairs, Rotation};
use super::weights::vector;

/// The sizes of a network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    pub(super) layers: usize,
    pub(super) width: usize,
    pub(super) hidden: usize,
    pub(super) heads: usize,
    pub(super) key_heads: usize,
    /// Dimensions of a head.
    pub(super) head: usize,
    /// Tokens it has logits for.
    pub(super) vocabulary: usize,
    /// Tokens it was trained to look back on.
    pub(super) context: usize,
}

/// A network without its weights.
#[derive(Debug, Clone)]
pub(super) struct Shape {
    pub(super) sizes: Sizes,
    /// Whether queries, keys and values have something added to them.
    pub(super) biases: bool,
    /// Whether each head of queries and keys is scaled by itself.
    pub(super) head_norms: bool,
    pub(super) rotation: Rotation,
    pub(super) epsilon: f32,
}

/// The families whose networks are computed here, with how their dimensions are paired.
const FAMILIES: [(&str, Pairs); 3] =
    [("qwen2", Pairs::Halves), ("qwen3", Pairs::Halves), ("llama", Pairs::Neighbours)];

/// Tensors outside the layers that have a place.
const OUTSIDE: [&str; 4] = ["token_embd.weight", "output_norm.weight", "output.weight", STRETCH];
/// Parts of a layer that have a place.
const PARTS: [&str; 14] = [
    "attn_norm.weight",
    "attn_q.weight",
    "attn_k.weight",
    "attn_v.weight",
    "attn_q.bias",
    "attn_k.bias",
    "attn_v.bias",
    "attn_q_norm.weight",
    "attn_k_norm.weight",
    "attn_output.weight",
    "ffn_norm.weight",
    "ffn_gate.weight",
    "ffn_up.weight",
    "ffn_down.weight",
];
/// By how much each pair turns slower than usual.
const STRETCH: &str = "rope_freqs.weight";

impl Shape {
    /// The network of a file.
    pub(super) fn read(gguf: &Gguf) -> Result<Self, String> {
        let name = gguf.text("general.architecture")?;
        let Some((_, pairs)) = FAMILIES.iter().find(|(family, _)| *family == name) else {
            return Err(format!("architecture `{name}` is not supported by the embedded engine"));
        };
        if let Some(other) = gguf.names().find(|name| !has_place(name)) {
            return Err(format!("the tensor `{other}` has no place in a network like `{name}`"));
        }
        let sizes = Sizes::read(gguf, name)?;
        #[expect(clippy::cast_possible_truncation, reason = "the numbers were written as floats")]
        let epsilon = gguf.real(&format!("{name}.attention.layer_norm_rms_epsilon"))? as f32;
        Ok(Self {
            biases: name == "qwen2" || gguf.has("blk.0.attn_q.bias"),
            head_norms: name == "qwen3" || gguf.has("blk.0.attn_q_norm.weight"),
            rotation: rotation(gguf, name, *pairs, sizes.head)?,
            epsilon,
            sizes,
        })
    }
}

impl Sizes {
    fn read(gguf: &Gguf, name: &str) -> Result<Self, String> {
        let key = |key: &str| format!("{name}.{key}");
        let width = gguf.count(&key("embedding_length"), 1 << 16)?;
        let heads = gguf.count(&key("attention.head_count"), 1 << 10)?;
        let say = |other: &str, most| gguf.says(&key(other)).then(|| gguf.count(&key(other), most));
        let key_heads = say("attention.head_count_kv", heads).transpose()?.unwrap_or(heads);
        let head = match say("attention.key_length", 1 << 10).transpose()? {
            Some(head) => head,
            None if width.is_multiple_of(heads) => width / heads,
            None => return Err(format!("{width} dimensions cannot be shared by {heads} heads")),
        };
        let same = |other: &str| say(other, 1 << 10).is_none_or(|size| size == Ok(head));
        if !heads.is_multiple_of(key_heads)
            || !head.is_multiple_of(simd::LANES)
            || !same("attention.value_length")
            || !same("rope.dimension_count")
        {
            return Err(format!(
                "{heads} heads of {head} dimensions over {key_heads} are not supported, or not all of \
                 their dimensions turn"
            ));
        }
        Ok(Self {
            layers: gguf.count(&key("block_count"), 1 << 10)?,
            width,
            hidden: gguf.count(&key("feed_forward_length"), 1 << 20)?,
            heads,
            key_heads,
            head,
            vocabulary: gguf.rows("token_embd.weight")?,
            context: gguf.count(&key("context_length"), 1 << 24)?,
        })
    }
}

/// How heads turn, stretched as the file says so that positions beyond those of the training fit.
#[expect(clippy::cast_possible_truncation, reason = "the numbers were written as floats")]
fn rotation(gguf: &Gguf, name: &str, pairs: Pairs, head: usize) -> Result<Rotation, String> {
    let base = gguf.real(&format!("{name}.rope.freq_base")).unwrap_or(10_000.0) as f32;
    let mut rotation = Rotation::new(pairs, head, base);
    let kind = format!("{name}.rope.scaling.type");
    match gguf.text(&kind) {
        Ok("linear") => {
            let factor = gguf.real(&format!("{name}.rope.scaling.factor"))? as f32;
            rotation.speeds.iter_mut().for_each(|speed| *speed /= factor);
        }
        Ok("none") => {}
        Ok(other) => return Err(format!("positions stretched by `{other}` are not supported")),
        Err(_) if gguf.says(&kind) => return Err(format!("`{kind}` of its header is not a text")),
        Err(_) => {}
    }
    if gguf.has(STRETCH) {
        let factors = vector(gguf, STRETCH, head / 2)?;
        rotation.speeds.iter_mut().zip(factors).for_each(|(speed, factor)| *speed /= factor);
    }
    if rotation.speeds.iter().all(|speed| speed.is_finite()) {
        Ok(rotation)
    } else {
        Err("its positions turn by no number".into())
    }
}

fn has_place(tensor: &str) -> bool {
    let part = tensor.strip_prefix("blk.").and_then(|rest| rest.split_once('.')).map(|(_, part)| part);
    OUTSIDE.contains(&tensor) || part.is_some_and(|part| PARTS.contains(&part))
}
