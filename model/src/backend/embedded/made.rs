//! Model files with made-up weights, small enough for every test.

use std::path::Path;

use candle_core::quantized::gguf_file::{self, Value};
use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};
use tempfile::NamedTempFile;

use super::gguf::Gguf;
use super::network::Network;
use super::{Embedded, Settings};

/// Tokens of the vocabulary: all bytes, one pair of them, and the control tokens.
const TOKENS: usize = 256 + 1 + 4;
/// Logits of the network: a few more than tokens, as real ones have.
pub(super) const LOGITS: usize = 272;

pub(super) struct Shape {
    width: usize,
    hidden: usize,
    heads: usize,
    key_heads: usize,
    pub(super) dtype: GgmlDType,
}

pub(super) const FLOATS: Shape =
    Shape { width: 64, hidden: 96, heads: 4, key_heads: 2, dtype: GgmlDType::F32 };
pub(super) const BLOCKS: Shape =
    Shape { width: 256, hidden: 512, heads: 8, key_heads: 2, dtype: GgmlDType::Q4K };
const LAYERS: usize = 3;

#[expect(clippy::cast_precision_loss, reason = "noise")]
fn noise(shape: &[usize], size: f32, seed: &mut u32) -> Tensor {
    let mut next = || {
        *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        ((*seed >> 8) as f32 / 8_388_608.0 - 1.0) * size
    };
    let values: Vec<f32> = (0..shape.iter().product()).map(|_| next()).collect();
    Tensor::from_vec(values, shape, &Device::Cpu).unwrap()
}

fn names() -> Vec<String> {
    let printable = |b: u32| matches!(b, 0x21..=0x7E | 0xA1..=0xAC | 0xAE..=0xFF);
    let spare =
        (0..256).filter(|b| !printable(*b)).zip(256..).collect::<std::collections::HashMap<_, _>>();
    let bytes = (0..256).map(|b| char::from_u32(*spare.get(&b).unwrap_or(&b)).unwrap().to_string());
    let others = ["th", "<|endoftext|>", "<|im_start|>", "<|im_end|>", "[PAD]"];
    bytes.chain(others.map(str::to_owned)).collect()
}

pub(super) fn weights(shape: &Shape) -> Vec<(String, QTensor)> {
    let Shape { width, hidden, heads, key_heads, dtype } = *shape;
    let key_width = width / heads * key_heads;
    let mut seed = 7;
    let mut tensors = Vec::new();
    let mut add = |name: String, shape: &[usize], size: f32, dtype| {
        let tensor = noise(shape, size, &mut seed);
        let is_norm = shape.len() == 1 && name.ends_with("weight");
        let tensor = if is_norm { (tensor + 1.0).unwrap() } else { tensor };
        tensors.push((name, QTensor::quantize(&tensor, dtype).unwrap()));
    };
    let vectors = GgmlDType::F32;
    add("token_embd.weight".into(), &[LOGITS, width], 1.0, dtype);
    add("output_norm.weight".into(), &[width], 0.1, vectors);
    for layer in 0..LAYERS {
        let name = |part: &str| format!("blk.{layer}.{part}");
        add(name("attn_norm.weight"), &[width], 0.1, vectors);
        add(name("ffn_norm.weight"), &[width], 0.1, vectors);
        add(name("attn_q.weight"), &[width, width], 0.4, dtype);
        add(name("attn_k.weight"), &[key_width, width], 0.4, dtype);
        add(name("attn_v.weight"), &[key_width, width], 0.2, dtype);
        add(name("attn_q.bias"), &[width], 0.5, vectors);
        add(name("attn_k.bias"), &[key_width], 0.5, vectors);
        add(name("attn_v.bias"), &[key_width], 0.5, vectors);
        add(name("attn_output.weight"), &[width, width], 0.2, dtype);
        add(name("ffn_gate.weight"), &[hidden, width], 0.2, dtype);
        add(name("ffn_up.weight"), &[hidden, width], 0.2, dtype);
        add(name("ffn_down.weight"), &[width, hidden], 0.2, dtype);
    }
    tensors
}

/// A model file with made-up weights.
pub(super) fn write(shape: &Shape, architecture: &str) -> NamedTempFile {
    write_with(shape, architecture, &weights(shape), &[])
}

/// A model that thinks aloud.
pub(crate) fn thinker() -> Embedded {
    let file = write_with(&FLOATS, "qwen2", &weights(&FLOATS), &["<think>", "</think>"]);
    Embedded::load(file.path(), &Settings::default()).unwrap()
}

/// The same file with the numbers that its blocks stand for.
pub(super) fn write_exactly(shape: &Shape) -> NamedTempFile {
    let exact = |tensor: QTensor| {
        QTensor::quantize(&tensor.dequantize(&Device::Cpu).unwrap(), GgmlDType::F32).unwrap()
    };
    let tensors = weights(shape).into_iter().map(|(name, tensor)| (name, exact(tensor)));
    write_with(shape, "qwen2", &tensors.collect::<Vec<_>>(), &[])
}

pub(super) fn write_with(
    shape: &Shape,
    architecture: &str,
    tensors: &[(String, QTensor)],
    more: &[&str],
) -> NamedTempFile {
    let number = |n: usize| Value::U32(n.try_into().unwrap());
    let text = |t: &str| Value::String(t.into());
    let kind = |i| match i {
        0..257 => 1,
        TOKENS.. => 4,
        _ => 3 + 2 * i32::from(i == TOKENS - 1),
    };
    let names: Vec<String> = names().into_iter().chain(more.iter().map(ToString::to_string)).collect();
    let kinds = (0..names.len()).map(kind).map(Value::I32).collect();
    let metadata = [
        ("general.architecture", text(architecture)),
        ("qwen2.block_count", number(LAYERS)),
        ("qwen2.context_length", number(512)),
        ("qwen2.embedding_length", number(shape.width)),
        ("qwen2.feed_forward_length", number(shape.hidden)),
        ("qwen2.attention.head_count", number(shape.heads)),
        ("qwen2.attention.head_count_kv", number(shape.key_heads)),
        ("qwen2.attention.layer_norm_rms_epsilon", Value::F32(1e-6)),
        ("qwen2.rope.freq_base", Value::F32(10_000.0)),
        ("tokenizer.ggml.model", text("gpt2")),
        ("tokenizer.ggml.pre", text("qwen2")),
        ("tokenizer.ggml.tokens", Value::Array(names.into_iter().map(Value::String).collect())),
        ("tokenizer.ggml.token_type", Value::Array(kinds)),
        ("tokenizer.ggml.merges", Value::Array(vec![text("t h")])),
        ("tokenizer.ggml.eos_token_id", number(259)),
    ];
    let file = NamedTempFile::new().unwrap();
    let metadata: Vec<_> = metadata.iter().map(|(key, value)| (*key, value)).collect();
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (name.as_str(), tensor)).collect();
    gguf_file::write(&mut file.reopen().unwrap(), &metadata, &tensors).unwrap();
    file
}

pub(super) fn network(path: &Path) -> Network {
    let network = Network::read(&Gguf::open(path).unwrap(), 512).unwrap();
    network.pack().unwrap();
    network
}
