//! Quantised weights packed for this processor, and products with them.
//!
//! candle has fast kernels for some kinds of blocks and some widths, and its packed copy is half as large
//! again as the file. Here every common kind of block gets one, for every width, and the packed copy is as
//! large as the file: one token after another comes as fast as memory can be read.
//!
//! Only for processors with AVX2: on others candle's own kernels are used.

use std::fmt;
use std::ops::Range;
use std::thread;

use candle_core::quantized::GgmlDType;
use candle_core::utils::{barrier_pool, get_num_threads};

pub(super) use self::input::Input;
use self::level::Level;
use self::machine::ROWS;
use self::output::Columns;
use self::tiles::{Tiles, Weights};
use self::unit::{Eight, Even, Fine, Five, Four, Least, Shares, Six};

mod ggml;
mod input;
mod kernel;
mod level;
mod machine;
mod output;
mod tiles;
mod unit;

/// The weights of one matrix.
pub(super) struct Packed {
    level: Level,
    rows: usize,
    columns: usize,
    weights: Box<dyn Weights>,
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} rows of {} packed weights", self.rows, self.columns)
    }
}

impl Packed {
    /// Packs a matrix of the file, or gives `None` where this processor or this kind of block has no fast
    /// product here. `bytes` are its blocks, row by row.
    pub(super) fn new(dtype: GgmlDType, bytes: &[u8], rows: usize, columns: usize) -> Option<Self> {
        let level = Level::of_this_processor()?;
        let weights = pack(dtype, bytes, rows, columns)?;
        Some(Self { level, rows, columns, weights })
    }

    /// Values of a row.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The row `row`, as numbers, if there is such.
    pub(super) fn row(&self, row: usize, out: &mut [f32]) -> bool {
        let is_there = row < self.rows && out.len() == self.columns;
        if is_there {
            self.weights.row(row, out);
        }
        is_there
    }

    /// The products of several matrices with the same rows, each in place of what its `out` held.
    pub(super) fn multiply(parts: &mut [(&Self, &mut Vec<f32>)], input: &Input) {
        let count = input.rows().len();
        let mut first = 0;
        let jobs: Vec<_> = parts
            .iter_mut()
            .map(|(matrix, out)| {
                out.resize(count * matrix.rows, 0.0);
                let tiles = first..first + matrix.rows.div_ceil(ROWS);
                first = tiles.end;
                (*matrix, tiles, Columns::new(out, matrix.rows))
            })
            .collect();
        barrier_pool().execute_chunked(first, |range| {
            for (matrix, tiles, columns) in &jobs {
                let from = range.start.max(tiles.start);
                let to = range.end.min(tiles.end);
                if from < to {
                    let own: Range<usize> = from - tiles.start..to - tiles.start;
                    matrix.weights.multiply(matrix.level, own, input, columns);
                }
            }
        });
    }
}

fn pack(dtype: GgmlDType, bytes: &[u8], rows: usize, columns: usize) -> Option<Box<dyn Weights>> {
    macro_rules! tiles {
        ($layout:ident, $scales:ty, $numbers:ty, $blocks:literal) => {{
            let tiles = Tiles::<ggml::$layout, $scales, $numbers, $blocks>::pack(bytes, rows, columns);
            tiles.map(|tiles| Box::new(tiles) as Box<dyn Weights>)
        }};
    }
    match dtype {
        GgmlDType::Q4_0 => tiles!(Q4_0, Even<8>, Four, 1),
        GgmlDType::Q4_1 => tiles!(Q4_1, Least, Four, 1),
        GgmlDType::Q5_0 => tiles!(Q5_0, Even<16>, Five, 1),
        GgmlDType::Q5_1 => tiles!(Q5_1, Least, Five, 1),
        GgmlDType::Q8_0 => tiles!(Q8_0, Even<0>, Eight, 1),
        GgmlDType::Q4K => tiles!(Q4K, Shares, Four, 8),
        GgmlDType::Q5K => tiles!(Q5K, Shares, Five, 8),
        GgmlDType::Q6K => tiles!(Q6K, Fine, Six, 8),
        GgmlDType::F32
        | GgmlDType::F16
        | GgmlDType::BF16
        | GgmlDType::Q8_1
        | GgmlDType::Q2K
        | GgmlDType::Q3K
        | GgmlDType::Q8K => None,
    }
}

/// Runs `work` on each of `count` things, on all of candle's threads, and gives what it gives in order.
fn on_all_threads<T: Send>(count: usize, work: impl Fn(usize) -> T + Sync) -> Vec<T> {
    let each = count.div_ceil(get_num_threads().max(1)).max(1);
    let ranges = (0..count).step_by(each).map(|start| start..count.min(start + each));
    let work = &work;
    thread::scope(|scope| {
        let threads: Vec<_> =
            ranges.map(|range| scope.spawn(move || range.map(work).collect::<Vec<_>>())).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap_or_default()).collect()
    })
}

#[cfg(test)]
mod tests;
