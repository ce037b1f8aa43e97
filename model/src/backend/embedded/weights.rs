//! The weights of a network: packed for this processor where that can be done, else as candle's quantised
//! tensors over the memory map of the file.
//!
//! candle's own reader copies each tensor out of the file, and its fast kernels then keep a packed copy
//! beside that one. Over a map the first copy is the file itself, whose pages can be given back once the
//! packed copy is made.

use std::fmt;
use std::marker::PhantomData;
use std::sync::Arc;

use candle_core::quantized::k_quants::{
    self, BlockQ2K, BlockQ3K, BlockQ4_0, BlockQ4_1, BlockQ4K, BlockQ5_0, BlockQ5_1, BlockQ5K, BlockQ6K,
    BlockQ8_0, GgmlType,
};
use candle_core::quantized::{GgmlDType, QStorage, QTensor, QuantizedType};
use candle_core::{CpuStorage, Device, Result as Computed, Storage, Tensor, bail};
use half::f16;
use memmap2::Mmap;

use super::gguf::{Entry, Gguf};
use super::packed::{Input, Packed};

/// Rows up to which candle can compute several products in one go faster than one by one.
const FEW_ROWS: usize = 32;

/// The weights of one matrix product, a row for each output.
#[derive(Debug)]
pub(super) enum Matrix {
    /// Packed for this processor.
    Packed(Packed),
    /// As they lie in the file, computed with by candle.
    Mapped(QTensor),
}

impl Matrix {
    /// The matrix `name` of the file, which must have `rows` rows of `columns` values. Where it can be
    /// packed it is, and its part of the file is not held in memory any more.
    pub(super) fn read(gguf: &Gguf, name: &str, rows: usize, columns: usize) -> Result<Self, String> {
        let entry = gguf.entry(name, &[rows, columns])?;
        let bytes = gguf.map.get(entry.start..entry.start + entry.size).unwrap_or_default();
        match Packed::new(entry.dtype, bytes, rows, columns) {
            Some(packed) => {
                gguf.release(entry.start, entry.size);
                Ok(Self::Packed(packed))
            }
            None => Self::unpacked(gguf, name, rows, columns),
        }
    }

    /// The same matrix, left in the file.
    pub(super) fn unpacked(
        gguf: &Gguf,
        name: &str,
        rows: usize,
        columns: usize,
    ) -> Result<Self, String> {
        let entry = gguf.entry(name, &[rows, columns])?;
        let storage = storage(&gguf.map, entry)?;
        QTensor::new(storage, entry.shape.as_slice())
            .map(Self::Mapped)
            .map_err(|e| format!("`{name}`: {e}"))
    }

    /// The rows `ids` as they are, one after the other.
    pub(super) fn rows(&self, ids: &[u32]) -> Computed<Vec<f32>> {
        match self {
            Self::Packed(packed) => {
                let width = packed.columns();
                let mut out = vec![0.0; ids.len() * width];
                for (id, out) in ids.iter().zip(out.chunks_exact_mut(width)) {
                    if !packed.row(*id as usize, out) {
                        bail!("there is no row {id}");
                    }
                }
                Ok(out)
            }
            Self::Mapped(tensor) => {
                tensor.embedding(&Tensor::new(ids, &Device::Cpu)?)?.flatten_all()?.to_vec1()
            }
        }
    }

    /// Makes candle pack weights for its own kernels now instead of in the first answer.
    pub(super) fn pack(&self) -> Computed<()> {
        let Self::Mapped(tensor) = self else { return Ok(()) };
        let (_, columns) = tensor.shape().dims2()?;
        let two_rows = Tensor::zeros((2, columns), candle_core::DType::F32, &Device::Cpu)?;
        two_rows.apply_op1_no_bwd(tensor).map(|_| ())
    }
}

/// The products of several matrices with the same rows `x`, each in place of what stands beside it.
/// `input` is what `x` is prepared in.
pub(super) fn multiply(
    parts: &mut [(&Matrix, &mut Vec<f32>)],
    x: &[f32],
    input: &mut Input,
) -> Computed<()> {
    let (mut packed, mut mapped) = (Vec::new(), Vec::new());
    for (matrix, out) in parts {
        match matrix {
            Matrix::Packed(matrix) => packed.push((matrix, &mut **out)),
            Matrix::Mapped(tensor) => mapped.push((tensor, &mut **out)),
        }
    }
    if let Some((first, _)) = packed.first() {
        input.set(x, first.columns());
        Packed::multiply(&mut packed, input);
    }
    let Some((first, _)) = mapped.first() else { return Ok(()) };
    let (_, width) = first.shape().dims2()?;
    let x = Tensor::from_slice(x, (x.len() / width, width), &Device::Cpu)?;
    let is_few = x.dim(0)? < FEW_ROWS;
    for group in mapped.chunk_by_mut(|(a, _), (b, _)| is_few && a.dtype() == b.dtype()) {
        let tensors: Vec<&QTensor> = group.iter().map(|(tensor, _)| *tensor).collect();
        let together = if is_few { QTensor::gemv_fused_shared_lhs(&tensors, &x)? } else { None };
        let products = match together {
            Some(products) => products,
            None => tensors.iter().map(|t| x.apply_op1_no_bwd(*t)).collect::<Computed<_>>()?,
        };
        for ((_, out), product) in group.iter_mut().zip(&products) {
            with_values(product, |values| {
                out.clear();
                out.extend_from_slice(values);
            })?;
        }
    }
    Ok(())
}

/// The vector `name` of the file, which must have `length` values.
pub(super) fn vector(gguf: &Gguf, name: &str, length: usize) -> Result<Vec<f32>, String> {
    let entry = gguf.entry(name, &[length])?;
    let tensor = QTensor::new(storage(&gguf.map, entry)?, length);
    let values = tensor.and_then(|t| t.dequantize(&Device::Cpu)).and_then(|t| t.to_vec1());
    values.map_err(|e| format!("`{name}`: {e}"))
}

/// Looks at the values of a tensor in place.
fn with_values<T>(tensor: &Tensor, look: impl FnOnce(&[f32]) -> T) -> Computed<T> {
    let (storage, layout) = tensor.storage_and_layout();
    let Storage::Cpu(values) = &*storage else { bail!("the tensor is not in main memory") };
    let Some((start, end)) = layout.contiguous_offsets() else { bail!("the tensor has gaps") };
    match values.as_slice::<f32>()?.get(start..end) {
        Some(values) => Ok(look(values)),
        None => bail!("the tensor is larger than its storage"),
    }
}

fn storage(map: &Arc<Mmap>, entry: &Entry) -> Result<QStorage, String> {
    Ok(match entry.dtype {
        GgmlDType::Q4_0 => mapped::<BlockQ4_0>(map, entry)?,
        GgmlDType::Q4_1 => mapped::<BlockQ4_1>(map, entry)?,
        GgmlDType::Q5_0 => mapped::<BlockQ5_0>(map, entry)?,
        GgmlDType::Q5_1 => mapped::<BlockQ5_1>(map, entry)?,
        GgmlDType::Q8_0 => mapped::<BlockQ8_0>(map, entry)?,
        GgmlDType::Q2K => mapped::<BlockQ2K>(map, entry)?,
        GgmlDType::Q3K => mapped::<BlockQ3K>(map, entry)?,
        GgmlDType::Q4K => mapped::<BlockQ4K>(map, entry)?,
        GgmlDType::Q5K => mapped::<BlockQ5K>(map, entry)?,
        GgmlDType::Q6K => mapped::<BlockQ6K>(map, entry)?,
        GgmlDType::F16 => mapped::<f16>(map, entry)?,
        GgmlDType::BF16 => mapped::<half::bf16>(map, entry)?,
        GgmlDType::F32 => mapped::<f32>(map, entry)?,
        GgmlDType::Q8_1 | GgmlDType::Q8K => return Err(format!("{:?} is not supported", entry.dtype)),
    })
}

fn mapped<T: GgmlType + 'static>(map: &Arc<Mmap>, entry: &Entry) -> Result<QStorage, String> {
    let blocks = Mapped::<T> {
        map: Arc::clone(map),
        start: entry.start,
        len: entry.size / size_of::<T>(),
        blocks: PhantomData,
    };
    blocks.check()?;
    Ok(QStorage::Cpu(Box::new(blocks)))
}

/// Blocks of quantised values within the map of a file.
struct Mapped<T> {
    map: Arc<Mmap>,
    /// In bytes from the start of the map.
    start: usize,
    /// In blocks.
    len: usize,
    blocks: PhantomData<fn() -> T>,
}

impl<T> fmt::Debug for Mapped<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} blocks from byte {}", self.len, self.start)
    }
}

impl<T: GgmlType> Mapped<T> {
    /// Whether the blocks lie within the map and where their type may lie.
    fn check(&self) -> Result<(), String> {
        let bytes = self.len.checked_mul(size_of::<T>()).and_then(|size| self.start.checked_add(size));
        if bytes.is_none_or(|end| end > self.map.len()) {
            return Err("a tensor ends after the file".into());
        }
        if !(self.map.as_ptr() as usize + self.start).is_multiple_of(align_of::<T>()) {
            return Err("a tensor does not start where its type may start".into());
        }
        Ok(())
    }

    fn as_slice(&self) -> &[T] {
        let start = self.map.as_ptr().wrapping_add(self.start).cast::<T>();
        #[expect(unsafe_code, reason = "the blocks are used where they lie")]
        // SAFETY: `check` ran when this was made: the range lies in the map and is aligned. Each block
        // type is plain numbers, for which every pattern of bits is a value. The map is never written
        // to and lives as long as `self`.
        unsafe {
            std::slice::from_raw_parts(start, self.len)
        }
    }
}

impl<T: GgmlType> QuantizedType for Mapped<T> {
    fn dtype(&self) -> GgmlDType {
        T::DTYPE
    }

    fn matmul_t(&self, mkn: (usize, usize, usize), lhs: &[f32], dst: &mut [f32]) -> Computed<()> {
        k_quants::matmul(mkn, lhs, self.as_slice(), dst)
    }

    fn matmul_t_f16(&self, mkn: (usize, usize, usize), lhs: &[f16], dst: &mut [f16]) -> Computed<()> {
        k_quants::matmul_f16(mkn, lhs, self.as_slice(), dst)
    }

    fn embedding(&self, ids: &[u32], rows: usize, hidden: usize) -> Computed<CpuStorage> {
        let width = hidden / T::BLCK_SIZE;
        let mut out = vec![0.0; ids.len() * hidden];
        for (id, out) in ids.iter().zip(out.chunks_exact_mut(hidden)) {
            let row = *id as usize;
            match self.as_slice().get(row * width..(row + 1) * width) {
                Some(blocks) if row < rows => T::to_float(blocks, out),
                _ => bail!("there is no row {row} in {rows} rows"),
            }
        }
        Ok(CpuStorage::F32(out))
    }

    fn dequantize(&self, count: usize) -> Computed<CpuStorage> {
        let mut out = vec![0.0; count];
        T::to_float(self.as_slice(), &mut out);
        Ok(CpuStorage::F32(out))
    }

    fn storage_size_in_bytes(&self) -> usize {
        self.len * size_of::<T>()
    }

    fn as_ptr(&self) -> *const u8 {
        self.as_slice().as_ptr().cast()
    }

    fn block_size(&self) -> usize {
        T::BLCK_SIZE
    }

    // Weights in a file are never quantised anew; candle does this only to storage that it made itself.
    fn from_float(&mut self, _: &[f32]) {}

    fn from_float_imatrix(&mut self, _: &[f32], _: &[f32], _: usize) {}

    fn size(&self) -> usize {
        self.storage_size_in_bytes()
    }
}
