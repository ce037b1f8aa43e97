//! The network of Qwen2 models, from token ids to the logits of the tokens that may follow.
//!
//! It computes on rows of floats and leaves only the quantised products to candle, whose own Qwen2 can
//! neither shorten nor reuse what it remembers.

use std::ops::ControlFlow;
use std::thread;

use candle_core::{Device, Result as Computed, Tensor};

use super::attention::{self, Layout};
use super::cache::Cache;
use super::gguf::Gguf;
use super::simd::{self, Gated, Norm};
use super::weights::{Matrix, vector, with_values};

/// Rows up to which candle can compute several products in one go faster than one by one.
const FEW_ROWS: usize = 32;

/// Which logits a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// None, the tokens are only remembered.
    Nothing,
    /// Those after the last token.
    Last,
    /// Those after each token.
    All,
}

/// The sizes of a network.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sizes {
    layers: usize,
    width: usize,
    hidden: usize,
    heads: usize,
    key_heads: usize,
    head: usize,
    /// Tokens it has logits for.
    pub(super) vocabulary: usize,
    /// Tokens it was trained to look back on.
    pub(super) context: usize,
}

/// The weights of a network and how to compute with them.
#[derive(Debug)]
pub(super) struct Network {
    pub(super) sizes: Sizes,
    layout: Layout,
    epsilon: f32,
    embedding: Matrix,
    layers: Vec<Layer>,
    norm: Vec<f32>,
    /// `None` where the embedding serves as output too.
    output: Option<Matrix>,
    /// Cosine and sine for each half dimension of each position, position by position.
    turns: Vec<(f32, f32)>,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Vec<f32>,
    query: Matrix,
    key: Matrix,
    value: Matrix,
    query_bias: Vec<f32>,
    key_bias: Vec<f32>,
    value_bias: Vec<f32>,
    attention_output: Matrix,
    hidden_norm: Vec<f32>,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
}

impl Sizes {
    fn read(gguf: &Gguf) -> Result<Self, String> {
        let architecture = gguf.text("general.architecture")?;
        if architecture != "qwen2" {
            return Err(format!(
                "architecture `{architecture}` is not supported by the embedded engine"
            ));
        }
        if gguf.text("qwen2.rope.scaling.type").is_ok_and(|kind| kind != "none") {
            return Err("stretched positions are not supported by the embedded engine".into());
        }
        let width = gguf.count("qwen2.embedding_length", 1 << 16)?;
        let heads = gguf.count("qwen2.attention.head_count", 1 << 10)?;
        let key_heads = gguf.count("qwen2.attention.head_count_kv", heads)?;
        let head = width / heads;
        if !width.is_multiple_of(heads)
            || !heads.is_multiple_of(key_heads)
            || !head.is_multiple_of(simd::LANES)
        {
            return Err(format!(
                "{width} dimensions in {heads} heads over {key_heads} are not supported"
            ));
        }
        Ok(Self {
            layers: gguf.count("qwen2.block_count", 1 << 10)?,
            width,
            hidden: gguf.count("qwen2.feed_forward_length", 1 << 20)?,
            heads,
            key_heads,
            head,
            vocabulary: gguf.rows("token_embd.weight")?,
            context: gguf.count("qwen2.context_length", 1 << 24)?,
        })
    }
}

impl Network {
    /// The network of a file, which will not look back on more than `context` tokens.
    pub(super) fn read(gguf: &Gguf, context: usize) -> Result<Self, String> {
        let sizes = Sizes::read(gguf)?;
        let sizes = Sizes { context: sizes.context.min(context), ..sizes };
        let layers = (0..sizes.layers).map(|i| Layer::read(gguf, &sizes, i));
        let matrix = |name| Matrix::read(gguf, name, sizes.vocabulary, sizes.width);
        let output = gguf.has("output.weight").then(|| matrix("output.weight"));
        let epsilon = gguf.real("qwen2.attention.layer_norm_rms_epsilon")?;
        let base = gguf.real("qwen2.rope.freq_base").unwrap_or(10_000.0);
        #[expect(clippy::cast_possible_truncation, reason = "the numbers were written as floats")]
        Ok(Self {
            layout: Layout { group: sizes.heads / sizes.key_heads, size: sizes.head },
            epsilon: epsilon as f32,
            embedding: matrix("token_embd.weight")?,
            layers: layers.collect::<Result<_, _>>()?,
            norm: vector(gguf, "output_norm.weight", sizes.width)?,
            output: output.transpose()?,
            turns: turns(sizes.head, base as f32, sizes.context),
            sizes,
        })
    }

    /// Makes the fast copies of all weights, on all threads that candle has.
    pub(super) fn pack(&self) -> Computed<()> {
        let matrices: Vec<&Matrix> = self.layers.iter().flat_map(Layer::matrices).collect();
        let threads = candle_core::utils::get_num_threads().max(1);
        thread::scope(|scope| {
            let share = |first| {
                let mut share = matrices.iter().skip(first).step_by(threads);
                move || share.try_for_each(|matrix| matrix.pack())
            };
            let packers: Vec<_> = (0..threads).map(|first| scope.spawn(share(first))).collect();
            packers.into_iter().try_for_each(|packer| {
                packer.join().unwrap_or_else(|_| candle_core::bail!("packing the weights failed"))
            })
        })
    }

    /// An empty cache for this network.
    pub(super) fn cache(&self) -> Cache {
        Cache::new(self.sizes.layers, self.sizes.key_heads, self.sizes.head)
    }

    /// Reads `ids` after the tokens of the cache and puts them there. Gives the wanted logits, row by
    /// row, or `None` and the cache as it was if `go_on` says to break off, which it is asked in each
    /// layer.
    pub(super) fn read_on(
        &self,
        cache: &mut Cache,
        ids: &[u32],
        wanted: Wanted,
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<f32>>> {
        let rows = match wanted {
            Wanted::Nothing => 0,
            Wanted::Last => 1.min(ids.len()),
            Wanted::All => ids.len(),
        };
        let mut x = self.embedding.rows(ids)?;
        for (number, layer) in self.layers.iter().enumerate() {
            if go_on().is_break() {
                return Ok(None);
            }
            let keep = if number + 1 == self.layers.len() { rows } else { ids.len() };
            layer.pass(self, number, cache, &mut x, keep)?;
        }
        cache.set_len(cache.len() + ids.len());
        let mut logits = Vec::with_capacity(rows * self.sizes.vocabulary);
        // One by one: the output is by far the largest matrix, and packing it for many rows would cost
        // more memory than it saves time.
        for row in x.chunks_exact(self.sizes.width) {
            let row = self.normed(row, &self.norm)?;
            let output = self.output.as_ref().unwrap_or(&self.embedding);
            with_values(&output.times(&row)?, |values| logits.extend_from_slice(values))?;
        }
        Ok(Some(logits))
    }

    /// The rows of `x`, each scaled to a mean square of one and then by `weight`.
    fn normed(&self, x: &[f32], weight: &[f32]) -> Computed<Tensor> {
        let width = self.sizes.width;
        let mut out = vec![0.0; x.len()];
        simd::fill_parts(&mut out, width, |number, out| {
            let row = x.get(number * width..(number + 1) * width).unwrap_or_default();
            simd::run(Norm { row, weight, epsilon: self.epsilon, out });
        });
        rows(out, width)
    }

    /// Turns each pair of dimensions of each head by the angle of its position.
    fn turn(&self, x: &mut [f32], first: usize, width: usize) {
        let half = self.sizes.head / 2;
        for (row, turns) in x.chunks_exact_mut(width).zip(self.turns.chunks_exact(half).skip(first)) {
            for head in row.chunks_exact_mut(half * 2) {
                let (low, high) = head.split_at_mut(half);
                for ((low, high), (cos, sin)) in low.iter_mut().zip(high).zip(turns) {
                    (*low, *high) = (*low * cos - *high * sin, *high * cos + *low * sin);
                }
            }
        }
    }
}

impl Layer {
    fn read(gguf: &Gguf, sizes: &Sizes, number: usize) -> Result<Self, String> {
        let Sizes { width, hidden, .. } = *sizes;
        let key_width = sizes.key_heads * sizes.head;
        let name = |part: &str| format!("blk.{number}.{part}");
        let matrix = |part, rows, columns| Matrix::read(gguf, &name(part), rows, columns);
        let vector = |part, length| vector(gguf, &name(part), length);
        Ok(Self {
            attention_norm: vector("attn_norm.weight", width)?,
            query: matrix("attn_q.weight", width, width)?,
            key: matrix("attn_k.weight", key_width, width)?,
            value: matrix("attn_v.weight", key_width, width)?,
            query_bias: vector("attn_q.bias", width)?,
            key_bias: vector("attn_k.bias", key_width)?,
            value_bias: vector("attn_v.bias", key_width)?,
            attention_output: matrix("attn_output.weight", width, width)?,
            hidden_norm: vector("ffn_norm.weight", width)?,
            gate: matrix("ffn_gate.weight", hidden, width)?,
            up: matrix("ffn_up.weight", hidden, width)?,
            down: matrix("ffn_down.weight", width, hidden)?,
        })
    }

    fn matrices(&self) -> [&Matrix; 7] {
        [&self.down, &self.gate, &self.up, &self.query, &self.attention_output, &self.key, &self.value]
    }

    /// Passes the rows of `x` through the layer and writes their keys and values into the cache. Only
    /// the last `keep` rows come out.
    fn pass(
        &self,
        network: &Network,
        number: usize,
        cache: &mut Cache,
        x: &mut Vec<f32>,
        keep: usize,
    ) -> Computed<()> {
        let width = network.sizes.width;
        let mut queries = self.remember(network, number, cache, x)?;
        let dropped = (x.len() / width).saturating_sub(keep);
        x.drain(..dropped * width);
        queries.drain(..dropped * width);
        if x.is_empty() {
            return Ok(());
        }
        let mut mixed = vec![0.0; queries.len()];
        let first = cache.len() + dropped;
        attention::attend(network.layout, &queries, cache.heads(number), first, &mut mixed);
        add(x, &self.attention_output.times(&rows(mixed, width)?)?)?;
        let normed = network.normed(x, &self.hidden_norm)?;
        let pair = products(&[&self.gate, &self.up], &normed)?;
        let [gate, up] = pair.as_slice() else { candle_core::bail!("two products were expected") };
        add(x, &self.down.times(&gated(gate, up, network.sizes.hidden)?)?)
    }

    /// Writes keys and values into the cache, and gives the queries.
    fn remember(
        &self,
        network: &Network,
        number: usize,
        cache: &mut Cache,
        x: &[f32],
    ) -> Computed<Vec<f32>> {
        let normed = network.normed(x, &self.attention_norm)?;
        let all = products(&[&self.query, &self.key, &self.value], &normed)?;
        let [queries, keys, values] = all.as_slice() else {
            candle_core::bail!("three products were expected")
        };
        let mut queries = biased(queries, &self.query_bias)?;
        let mut keys = biased(keys, &self.key_bias)?;
        let values = biased(values, &self.value_bias)?;
        network.turn(&mut queries, cache.len(), self.query_bias.len());
        network.turn(&mut keys, cache.len(), self.key_bias.len());
        cache.write(number, &keys, &values);
        Ok(queries)
    }
}

fn rows(values: Vec<f32>, width: usize) -> Computed<Tensor> {
    let count = values.len() / width;
    Tensor::from_vec(values, (count, width), &Device::Cpu)
}

/// The products of `matrices` with the same rows. Neighbours of the same type are computed in one go.
fn products(matrices: &[&Matrix], x: &Tensor) -> Computed<Vec<Tensor>> {
    if x.dim(0)? >= FEW_ROWS {
        return matrices.iter().map(|matrix| matrix.times(x)).collect();
    }
    let mut out = Vec::with_capacity(matrices.len());
    for group in matrices.chunk_by(|a, b| a.dtype() == b.dtype()) {
        out.extend(Matrix::all_times(group, x)?);
    }
    Ok(out)
}

fn biased(x: &Tensor, bias: &[f32]) -> Computed<Vec<f32>> {
    with_values(x, |values| {
        values
            .chunks_exact(bias.len())
            .flat_map(|row| row.iter().zip(bias).map(|(x, b)| x + b))
            .collect()
    })
}

fn add(x: &mut [f32], more: &Tensor) -> Computed<()> {
    with_values(more, |more| x.iter_mut().zip(more).for_each(|(x, more)| *x += more))
}

fn gated(gate: &Tensor, up: &Tensor, width: usize) -> Computed<Tensor> {
    let out = with_values(gate, |gate| {
        with_values(up, |up| {
            let mut out = vec![0.0; gate.len()];
            simd::fill_parts(&mut out, width, |number, out| {
                let range = number * width..(number + 1) * width;
                let gate = gate.get(range.clone()).unwrap_or_default();
                let up = up.get(range).unwrap_or_default();
                simd::run(Gated { gate, up, out });
            });
            out
        })
    })??;
    rows(out, width)
}

/// The angle of each half dimension of each position, as cosine and sine.
#[expect(clippy::cast_precision_loss, reason = "positions and dimensions are small")]
fn turns(size: usize, base: f32, positions: usize) -> Vec<(f32, f32)> {
    let speeds: Vec<f32> =
        (0..size).step_by(2).map(|i| 1.0 / base.powf(i as f32 / size as f32)).collect();
    let angles = (0..positions).flat_map(|position| speeds.iter().map(move |s| position as f32 * s));
    angles.map(|angle| (angle.cos(), angle.sin())).collect()
}
