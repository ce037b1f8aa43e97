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
