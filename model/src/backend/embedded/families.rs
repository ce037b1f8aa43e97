//! Each family against Hugging Face transformers: `model/goldens/networks.py` wrote tiny models and what
//! comes out of them.

use std::ops::ControlFlow;
use std::path::PathBuf;

use serde::Deserialize;

use super::branch::Branch;
use super::gguf::Gguf;
use super::network::{Network, Wanted};

#[derive(Deserialize)]
struct Golden {
    ids: Vec<u32>,
    greedy: Vec<u32>,
    /// After each of `ids`.
    logits: Vec<Vec<f32>>,
}

fn golden(name: &str) -> (Network, Golden) {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("goldens").join(name);
    let gguf = Gguf::open(&path.with_extension("gguf")).unwrap();
    let golden = std::fs::read(path.with_extension("json")).unwrap();
    (Network::read(&gguf, 256).unwrap(), serde_json::from_slice(&golden).unwrap())
}

fn read(network: &Network, branch: &mut Branch, ids: &[u32], wanted: Wanted) -> Vec<f32> {
    branch.read(network, ids, wanted, &|| ControlFlow::Continue(())).unwrap().unwrap()
}

fn likeliest(logits: &[f32]) -> u32 {
    let most = (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
    most.unwrap().try_into().unwrap()
}

#[test]
fn logits_are_those_of_transformers() {
    for name in ["qwen2", "qwen3", "llama", "llama3"] {
        let (network, golden) = golden(name);
        let spread = golden.logits.concat().iter().fold(0.0_f32, |most, x| most.max(x.abs()));
        let close = |got: &[f32], right: &[f32], what: &str| {
            assert_eq!(got.len(), right.len());
            for (got, right) in got.iter().zip(right) {
                // The weights of both have 16 bits, and so has the input of candle's product.
                assert!((got - right).abs() < 2e-3 * spread, "{name}, {what}: {got} not {right}");
            }
        };
        let mut branch = Branch::new(&network);
        let rows = read(&network, &mut branch, &golden.ids, Wanted::All);
        close(&rows, &golden.logits.concat(), "at once");
        branch.cut(7);
        read(&network, &mut branch, &golden.ids[7..12], Wanted::Nothing);
        let mut last = read(&network, &mut branch, &golden.ids[12..], Wanted::Last);
        close(&last, golden.logits.last().unwrap(), "in parts, after forgetting");
        for right in &golden.greedy {
            let next = likeliest(&last);
            assert_eq!(next, *right, "{name}");
            last = read(&network, &mut branch, &[next], Wanted::Last);
        }
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
