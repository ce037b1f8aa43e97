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

fn read(branch: &mut Branch, network: &Network, ids: &[u32], wanted: Wanted) -> Vec<f32> {
    let go_on = || ControlFlow::Continue(());
    Branch::read(network, &mut [(branch, ids, wanted)], &go_on).unwrap().unwrap().concat()
}

/// The logits after the last of `ids`, read in parts of these sizes.
fn logits(network: &Network, ids: &[u32], parts: &[usize]) -> Vec<f32> {
    let mut branch = Branch::new(network);
    let (mut logits, mut left) = (Vec::new(), ids);
    for part in parts {
        let (ids, rest) = left.split_at(*part);
        logits = read(&mut branch, network, ids, Wanted::Last);
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
        let mut branch = Branch::new(&network);
        read(&mut branch, &network, &ids[..250], Wanted::Nothing);
        read(&mut branch, &network, &[1, 2, 3, 4], Wanted::Last);
        assert_eq!(branch.keep(&ids), 250);
        let again = read(&mut branch, &network, &ids[250..], Wanted::Last);
        assert!(distance(&whole, &again) < 1e-4, "after forgetting");
        branch.cut(290);
        let rows = read(&mut branch, &network, &ids[290..], Wanted::All);
        assert_eq!(rows.len(), 10 * LOGITS);
        assert!(distance(&whole, &rows[9 * LOGITS..]) < 1e-4, "the last of all rows");
    }
}

#[test]
fn lines_beside_each_other_are_as_if_alone() {
    let ids: Vec<u32> = (0..300).map(|i| i * 53 % 256).collect();
    for shape in [FLOATS, BLOCKS] {
        let network = network(write(&shape, "qwen2").path());
        let lines = [&ids[..40], &ids[100..117], &ids[200..300]];
        let mut branches: Vec<Branch> = lines.iter().map(|_| Branch::new(&network)).collect();
        for ((branch, ids), len) in branches.iter_mut().zip(lines).zip([39, 0, 60]) {
            read(branch, &network, &ids[..len], Wanted::Nothing);
        }
        let wanted = [Wanted::Last, Wanted::All, Wanted::Last];
        let parts = branches.iter_mut().zip(lines).zip(wanted);
        let mut parts: Vec<_> = parts
            .map(|((branch, ids), wanted)| {
                let left = &ids[branch.ids().len()..];
                (branch, left, wanted)
            })
            .collect();
        let go_on = || ControlFlow::Continue(());
        let logits = Branch::read(&network, &mut parts, &go_on).unwrap().unwrap();
        assert_eq!(logits[1].len(), 17 * LOGITS);
        for (ids, rows) in lines.iter().zip(&logits) {
            let alone = self::logits(&network, ids, &[ids.len()]);
            assert!(distance(&alone, &rows[rows.len() - LOGITS..]) < 1e-4);
        }
    }
}

/// In floats: blocks round what goes into them, and the places that are not looked at change the order of sums.
#[test]
fn what_is_foreseen_knows_nothing_of_each_other_and_is_not_remembered() {
    let ids: Vec<u32> = (0..100).map(|i| i * 53 % 256).collect();
    let network = network(write(&FLOATS, "qwen2").path());
    let mut branch = Branch::new(&network);
    read(&mut branch, &network, &ids[..70], Wanted::Nothing);
    let ways: [&[u32]; 4] = [&[1, 2, 3], &[4], &[1, 2, 9, 9, 9], &ids[70..90]];
    let go_on = || ControlFlow::Continue(());
    let logits = branch.foresee(&network, &ways, &go_on).unwrap().unwrap();
    for (way, rows) in ways.iter().zip(&logits) {
        for (length, row) in (1..=way.len()).zip(rows.chunks_exact(LOGITS)) {
            let ids = [&ids[..70], &way[..length]].concat();
            assert!(distance(&self::logits(&network, &ids, &[70, length]), row) < 1e-4, "{way:?}");
        }
    }
    let right = self::logits(&network, &ids, &[100]);
    assert!(distance(&right, &read(&mut branch, &network, &ids[70..], Wanted::Last)) < 1e-4);
}
