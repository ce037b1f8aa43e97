use candle_core::quantized::{GgmlDType, QTensor};
use candle_core::{Device, Tensor};

use super::*;

const KINDS: [GgmlDType; 8] = [
    GgmlDType::Q4_0,
    GgmlDType::Q4_1,
    GgmlDType::Q5_0,
    GgmlDType::Q5_1,
    GgmlDType::Q8_0,
    GgmlDType::Q4K,
    GgmlDType::Q5K,
    GgmlDType::Q6K,
];

#[expect(clippy::cast_precision_loss, reason = "noise")]
fn noise(count: usize, mut state: u32) -> Vec<f32> {
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as f32 / 8_388_608.0 - 1.0
    };
    (0..count).map(|_| next()).collect()
}

/// A matrix of noise, what its blocks stand for by candle's own reading, and packed.
fn matrix(dtype: GgmlDType, rows: usize, columns: usize) -> (Vec<f32>, Box<dyn Weights>) {
    let values = Tensor::from_vec(noise(rows * columns, 5), (rows, columns), &Device::Cpu).unwrap();
    let quantised = QTensor::quantize(&values, dtype).unwrap();
    let right = quantised.dequantize(&Device::Cpu).unwrap().flatten_all().unwrap().to_vec1().unwrap();
    let packed = pack(dtype, &quantised.data().unwrap(), rows, columns).unwrap();
    (right, packed)
}

#[test]
fn rows_stand_for_the_numbers_of_the_file() {
    for dtype in KINDS {
        let (right, packed) = matrix(dtype, 19, 512);
        for (number, right) in right.chunks(512).enumerate() {
            let mut row = vec![0.0; 512];
            packed.row(number, &mut row);
            for (got, right) in row.iter().zip(right) {
                assert!((got - right).abs() <= 1e-6, "{dtype:?} row {number}: {got} not {right}");
            }
        }
    }
}

#[test]
fn products_are_right_on_each_level_for_each_number_of_rows() {
    for dtype in KINDS {
        let columns = if dtype.block_size() == 32 { 96 } else { 768 };
        let (weights, packed) = matrix(dtype, 21, columns);
        for count in [1, 2, 3, 4, 5, 7, 9] {
            let x = noise(count * columns, 11);
            let mut input = Input::default();
            input.set(&x, columns);
            for level in Level::all().into_iter().chain([Level::Portable]) {
                let mut out = vec![0.0; count * 21];
                packed.multiply(level, 0..3, &input, &Columns::new(&mut out, 21));
                for (row, out) in out.chunks(21).enumerate() {
                    for (number, got) in out.iter().enumerate() {
                        let pairs =
                            weights[number * columns..].iter().zip(&x[row * columns..]).take(columns);
                        let right: f32 = pairs.clone().map(|(w, x)| w * x).sum();
                        let size: f32 = pairs.map(|(w, x)| (w * x).abs()).sum();
                        assert!(
                            (got - right).abs() < size * 0.004,
                            "{dtype:?} on {level:?}: {got}, not {right} of {size}"
                        );
                    }
                }
            }
        }
    }
}

/// The largest products that blocks can have must not overflow on the way.
#[test]
fn extremes_do_not_overflow() {
    for (dtype, size, columns) in [
        (GgmlDType::Q4_0, 18, 64),
        (GgmlDType::Q5_0, 22, 64),
        (GgmlDType::Q8_0, 34, 64),
        (GgmlDType::Q6K, 210, 512),
    ] {
        for byte in [0xFF, 0x80, 0x7F] {
            let bytes = vec![byte; size * columns / dtype.block_size() * 8];
            let mut bytes = bytes;
            for block in bytes.chunks_mut(size) {
                let at = if dtype == GgmlDType::Q6K { size - 2 } else { 0 };
                block[at..at + 2].copy_from_slice(&half::f16::from_f32(0.01).to_le_bytes());
            }
            let packed = pack(dtype, &bytes, 8, columns).unwrap();
            for sign in [1.0, -1.0] {
                let mut input = Input::default();
                input.set(&vec![sign; columns], columns);
                let compute = |level| {
                    let mut out = vec![0.0; 8];
                    packed.multiply(level, 0..1, &input, &Columns::new(&mut out, 8));
                    out
                };
                let right = compute(Level::Portable);
                for level in Level::all() {
                    for (got, right) in compute(level).iter().zip(&right) {
                        assert!((got - right).abs() <= right.abs() * 1e-4, "{dtype:?} {level:?}");
                    }
                }
            }
        }
    }
}

#[test]
fn several_matrices_are_multiplied_in_one_go() {
    let Some(level) = Level::of_this_processor() else { return };
    let (_, a) = matrix(GgmlDType::Q4K, 300, 256);
    let (_, b) = matrix(GgmlDType::Q5_0, 20, 256);
    let a = Packed { level, rows: 300, columns: 256, weights: a };
    let b = Packed { level, rows: 20, columns: 256, weights: b };
    let mut input = Input::default();
    input.set(&noise(256 * 6, 3), 256);
    let (mut together, mut alone) = ([vec![], vec![7.0; 9]], [vec![], vec![]]);
    let [first, second] = &mut together;
    Packed::multiply(&mut [(&a, first), (&b, second)], &input);
    let [first, second] = &mut alone;
    Packed::multiply(&mut [(&a, first)], &input);
    Packed::multiply(&mut [(&b, second)], &input);
    assert_eq!(together, alone);
    assert_eq!([alone[0].len(), alone[1].len()], [1800, 120]);
}

#[test]
fn wrong_sizes_are_not_packed() {
    for (rows, columns, bytes) in [(8, 64, 287), (8, 48, 216), (8, 0, 0), (7, 64, 288)] {
        assert!(pack(GgmlDType::Q4_0, &vec![0; bytes], rows, columns).is_none());
    }
    assert!(pack(GgmlDType::Q2K, &[], 0, 0).is_none());
}
