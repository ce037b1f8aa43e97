//! The network with weights made up here, held against candle's own Qwen2.

use std::fs::File;
use std::ops::ControlFlow;

use candle_core::quantized::gguf_file;
use candle_core::{Device, Tensor};
use candle_transformers::models::quantized_qwen2::ModelWeights;
use tempfile::NamedTempFile;

use super::branch::Branch;
use super::made::{BLOCKS, FLOATS, LOGITS, network, write, write_exactly};
use super::network::{Network, Wanted};

/// The logits after the last of `ids`, read in parts of these sizes.
fn logits(network: &Network, ids: &[u32], parts: &[usize]) -> Vec<f32> {
    let mut branch = Branch::new(network);
    let (mut logits, mut left) = (Vec::new(), ids);
    for part in parts {
        let (ids, rest) = left.split_at(*part);
        logits =
            branch.read(network, ids, Wanted::Last, &|| ControlFlow::Continue(())).unwrap().unwrap();
        left = rest;
    }
    assert!(left.is_empty());
    logits
}

fn distance(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len());
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
}

/// How far `a` is from `b`, as a share of `b`.
fn error(a: &[f32], b: &[f32]) -> f32 {
    let size = |x: &mut dyn Iterator<Item = f32>| x.map(|x| x * x).sum::<f32>().sqrt();
    size(&mut a.iter().zip(b).map(|(a, b)| a - b)) / size(&mut b.iter().copied())
}

/// candle's own network with the weights of this file.
fn reference(file: &NamedTempFile) -> impl FnMut(&[u32]) -> Vec<f32> + use<> {
    let mut reader = File::open(file.path()).unwrap();
    let content = gguf_file::Content::read(&mut reader).unwrap();
    let mut network = ModelWeights::from_gguf(content, &mut reader, &Device::Cpu).unwrap();
    move |ids| {
        let input = Tensor::new(ids, &Device::Cpu).unwrap().unsqueeze(0).unwrap();
        network.clear_kv_cache();
        network.forward(&input, 0).unwrap().squeeze(0).unwrap().to_vec1().unwrap()
    }
}

#[test]
fn it_computes_what_the_reference_computes() {
    let ids: Vec<u32> = (0..77).map(|i| i * 37 % 256).collect();
    for shape in [FLOATS, BLOCKS] {
        let file = write(&shape, "qwen2");
        // What the blocks stand for, computed in floats; candle rounds its input to whole numbers, too.
        let (mut exact, mut rounded) = (reference(&write_exactly(&shape)), reference(&file));
        let network = network(file.path());
        for length in [1, 2, 17, 77] {
            let ids = &ids[..length];
            let right = exact(ids);
            let (own, candles) =
                (error(&logits(&network, ids, &[length]), &right), error(&rounded(ids), &right));
            assert!(own < 1e-3 + 1.2 * candles, "{:?} over {length}: {own}, {candles}", shape.dtype);
        }
    }
}

#[test]
fn parts_and_repeats_change_nothing() {
    let ids: Vec<u32> = (0..300).map(|i| i * 53 % 256).collect();
    for shape in [FLOATS, BLOCKS] {
        let network = network(write(&shape, "qwen2").path());
        let whole = logits(&network, &ids, &[300]);
        for parts in [&[200, 100][..], &[1, 299], &[299, 1], &[40, 40, 40, 180]] {
            assert!(distance(&whole, &logits(&network, &ids, parts)) < 1e-4, "{parts:?}");
        }
        let go_on = || ControlFlow::Continue(());
        let mut branch = Branch::new(&network);
        branch.read(&network, &ids[..250], Wanted::Nothing, &go_on).unwrap();
        branch.read(&network, &[1, 2, 3, 4], Wanted::Last, &go_on).unwrap();
        assert_eq!(branch.keep(&ids), 250);
        let again = branch.read(&network, &ids[250..], Wanted::Last, &go_on).unwrap().unwrap();
        assert!(distance(&whole, &again) < 1e-4, "after forgetting");
        branch.cut(290);
        let rows = branch.read(&network, &ids[290..], Wanted::All, &go_on).unwrap().unwrap();
        assert_eq!(rows.len(), 10 * LOGITS);
        assert!(distance(&whole, &rows[9 * LOGITS..]) < 1e-4, "the last of all rows");
    }
}
