//! Each family against Hugging Face transformers: `model/goldens/networks.py` wrote tiny models and what
//! comes out of them.

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde::Deserialize;

use super::decoder::{Decoder, LineId, Own, Reading};
use super::gguf::Gguf;
use super::network::{Network, Wanted};
use super::upstream::Upstream;

#[derive(Deserialize)]
pub(super) struct Golden {
    ids: Vec<u32>,
    greedy: Vec<u32>,
    /// After each of `ids`.
    logits: Vec<Vec<f32>>,
}

fn golden(name: &str) -> (Gguf, Golden) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("goldens").join(name);
    let gguf = Gguf::open(&path.with_extension("gguf")).unwrap();
    let golden = std::fs::read(path.with_extension("json")).unwrap();
    (gguf, serde_json::from_slice(&golden).unwrap())
}

fn read(decoder: &mut dyn Decoder, line: LineId, ids: &[u32], wanted: Wanted) -> Vec<f32> {
    let part = Reading { line, ids, wanted };
    decoder.read(&[part], &|| ControlFlow::Continue(())).unwrap().unwrap().concat()
}

fn likeliest(logits: &[f32]) -> u32 {
    let most = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
    most.unwrap().try_into().unwrap()
}

/// Reads at once, in parts after forgetting, and on after that. `tolerance` is a share of the largest logit.
pub(super) fn compare(name: &str, decoder: &mut dyn Decoder, golden: &Golden, tolerance: f32) {
    let spread = golden.logits.concat().iter().fold(0.0_f32, |most, x| most.max(x.abs()));
    let close = |got: &[f32], right: &[f32], what: &str| {
        assert_eq!(got.len(), right.len());
        for (got, right) in got.iter().zip(right) {
            assert!((got - right).abs() < tolerance * spread, "{name}, {what}: {got} not {right}");
        }
    };
    let go_on = || ControlFlow::Continue(());
    let (line, _) = decoder.open(&[], 0, &go_on);
    let rows = read(decoder, line, &golden.ids, Wanted::All);
    close(&rows, &golden.logits.concat(), "at once");
    decoder.cut(line, 7);
    let ways = [&golden.ids[7..12], &golden.ids[7..8]];
    let foreseen = decoder.foresee(line, &ways, &go_on).unwrap().unwrap();
    close(&foreseen[0], &golden.logits[7..12].concat(), "foreseen");
    close(&foreseen[1], &golden.logits[7], "foreseen beside");
    read(decoder, line, &golden.ids[7..12], Wanted::Nothing);
    let mut last = read(decoder, line, &golden.ids[12..], Wanted::Last);
    close(&last, golden.logits.last().unwrap(), "in parts, after forgetting");
    for right in &golden.greedy {
        let next = likeliest(&last);
        assert_eq!(next, *right, "{name}");
        last = read(decoder, line, &[next], Wanted::Last);
    }
    let whole = [&golden.ids[..], &golden.greedy].concat();
    for (ids, least) in [(&whole[..], whole.len()), (&whole[..9], 0)] {
        decoder.close(line, 0, &go_on);
        let (_, reused) = decoder.open(ids, 0, &go_on);
        assert!((least..=ids.len()).contains(&reused), "{name}: {reused}");
    }
}

#[test]
fn logits_are_those_of_transformers() {
    for name in ["qwen2", "qwen3", "llama", "llama3"] {
        let (gguf, golden) = golden(name);
        let mut own = Own::new(Network::read(&gguf, 256).unwrap(), None, 1);
        // The weights of both have 16 bits, and so has the input of candle's product.
        compare(name, &mut own, &golden, 2e-3);
    }
}

/// candle's networks, which forget by beginning anew.
#[test]
fn logits_of_other_families_are_those_of_transformers() {
    for name in ["phi3", "glm4", "lfm2"] {
        let (gguf, golden) = golden(name);
        let mut upstream = Upstream::read(&gguf, 256).unwrap();
        compare(name, &mut upstream, &golden, 1e-4);
    }
}

/// A part that is missing from the computation must not be left out silently.
#[test]
fn a_tensor_without_a_place_is_refused() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("goldens/llama.gguf");
    let mut bytes = std::fs::read(path).unwrap();
    let name = b"blk.1.ffn_gate.weight";
    let at = bytes.windows(name.len()).position(|window| window == name).unwrap();
    bytes[at..at + name.len()].copy_from_slice(b"blk.1.ffn_gate.weighs");
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let refused = Network::read(&Gguf::open(file.path()).unwrap(), 256).unwrap_err();
    assert_eq!(refused, "the tensor `blk.1.ffn_gate.weighs` has no place in a network like `llama`");
}

/// The bytes of a golden file, with one number of its header changed to what stands in 32 bits.
fn claiming(name: &str, key: &str, number: u32) -> Vec<u8> {
    let path =
        PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("goldens").join(name).with_extension("gguf");
    let mut bytes = std::fs::read(path).unwrap();
    let key = format!("{name}.{key}").into_bytes();
    let is_key = |at: &usize| bytes[*at..].starts_with(&key);
    // The length of a key stands before it, the kind of its value after it.
    let ends = (0..bytes.len()).filter(is_key).map(|at| at + key.len());
    let value = ends.map(|end| end + 4).find(|at| bytes[at - 4..*at] == 4_u32.to_le_bytes()).unwrap();
    bytes[value..value + 4].copy_from_slice(&number.to_le_bytes());
    bytes
}

fn refused(bytes: &[u8]) -> Option<String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), bytes).unwrap();
    let gguf = match Gguf::open(file.path()) {
        Ok(gguf) => gguf,
        Err(error) => return Some(error.to_string()),
    };
    Upstream::read(&gguf, 256).err()
}

/// What candle would believe, up to its division by zero and its memory for 2^32 layers.
#[test]
fn a_header_that_its_tensors_do_not_bear_out_is_refused() {
    for (name, key, number, right) in [
        (
            "lfm2",
            "attention.head_count",
            0,
            "`lfm2.attention.head_count` is 0, it must lie between 1 and 1024",
        ),
        (
            "phi3",
            "attention.head_count",
            3,
            "`phi3.attention.head_count` is 3, it must divide `phi3.embedding_length`, which is 64",
        ),
        (
            "phi3",
            "attention.head_count",
            1,
            "`phi3.attention.head_count_kv` is 2, it must lie between 1 and 1",
        ),
        ("phi3", "attention.head_count", 64, "heads of 1 dimensions, they must have a multiple of 2"),
        ("glm4", "attention.key_length", 1 << 20, "is 1048576, it must lie between 1 and 4096"),
        (
            "glm4",
            "attention.head_count_kv",
            3,
            "`glm4.attention.head_count_kv` is 3, it must divide the 4 heads",
        ),
        ("phi3", "attention.head_count_kv", 0, "`phi3.attention.head_count_kv` is 0"),
        (
            "phi3",
            "embedding_length",
            1 << 20,
            "`phi3.embedding_length` is 1048576, it must be 64: so many columns has `token_embd.weight`",
        ),
        ("glm4", "rope.dimension_count", 4, "`glm4.rope.dimension_count` is 4, it must be 8"),
        (
            "lfm2",
            "shortconv.l_cache",
            1000,
            "`blk.0.shortconv.conv.weight` is [64, 3], it should be [64, 1000]",
        ),
        ("phi3", "feed_forward_length", 48, "it should be ["),
        ("lfm2", "context_length", 0, "`lfm2.context_length` is 0"),
    ] {
        let reason = refused(&claiming(name, key, number)).unwrap();
        assert!(reason.contains(right), "{name}.{key} of {number}: {reason}");
    }
    for name in ["phi3", "glm4", "lfm2"] {
        for number in [0, 1, 9, u32::MAX] {
            let reason = refused(&claiming(name, "block_count", number)).unwrap();
            assert!(
                reason.starts_with(&format!("`{name}.block_count` is {number}, it must be")),
                "{reason}"
            );
        }
    }
}

#[test]
fn changed_bytes_never_panic_in_candle() {
    let mut state = 1_u32;
    let mut dice = move || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        state >> 8
    };
    // The kind of a number of 32 bits in a header.
    let number = 4_u32;
    for name in ["phi3", "glm4", "lfm2"] {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("goldens").join(name);
        let bytes = std::fs::read(path.with_extension("gguf")).unwrap();
        let numbers: Vec<usize> =
            (0..1000).filter(|at| bytes[*at..at + 4] == number.to_le_bytes()).map(|at| at + 4).collect();
        for _ in 0..150 {
            let mut changed = bytes.clone();
            // A number of the header, and bytes anywhere in it.
            let at = numbers[dice() as usize % numbers.len()];
            let wrong = [0, 1, 2, 3, 1 << 20, u32::MAX, dice() % 100, dice()][dice() as usize % 8];
            changed[at..at + 4].copy_from_slice(&wrong.to_le_bytes());
            for _ in 0..dice() % 3 {
                let at = dice() as usize % 3000;
                changed[at] = dice().to_le_bytes()[0];
            }
            let reason = refused(&changed);
            assert!(
                !reason.is_some_and(|reason| reason.contains("broke off")),
                "{name} with {wrong} at {at}"
            );
        }
    }
}
