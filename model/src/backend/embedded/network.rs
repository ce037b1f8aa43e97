//! The network of the Qwen2, Qwen3 and Llama families, from token ids to the logits of the tokens that
//! may follow.
//!
//! They are one network with a few differences, which [`Shape`] tells. candle's own networks can neither
//! shorten nor reuse what they remember.

use std::ops::ControlFlow;
use std::thread;

use candle_core::Result as Computed;

use super::attention::{self, Layout};
use super::cache::Cache;
use super::gguf::Gguf;
use super::packed::Input;
use super::shape::{Shape, Sizes};
use super::simd::{self, Gated, Norm, NormEach};
use super::turns::Turns;
use super::weights::{self, Matrix, vector};

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
    turns: Turns,
}

/// What a pass computes with, allocated once for all layers.
#[derive(Debug, Default)]
struct Scratch {
    input: Input,
    normed: Vec<f32>,
    queries: Vec<f32>,
    keys: Vec<f32>,
    values: Vec<f32>,
    mixed: Vec<f32>,
    gate: Vec<f32>,
    up: Vec<f32>,
    out: Vec<f32>,
}

#[derive(Debug)]
struct Layer {
    attention_norm: Vec<f32>,
    query: Matrix,
    key: Matrix,
    value: Matrix,
    /// For each head of the queries and of the keys, where the family has that.
    head_norms: Option<[Vec<f32>; 2]>,
    /// Of queries, keys and values, where the family has that.
    biases: Option<[Vec<f32>; 3]>,
    attention_output: Matrix,
    hidden_norm: Vec<f32>,
    gate: Matrix,
    up: Matrix,
    down: Matrix,
}

impl Network {
    /// The network of a file, which will not look back on more than `context` tokens.
    pub(super) fn read(gguf: &Gguf, context: usize) -> Result<Self, String> {
        let shape = Shape::read(gguf)?;
        let sizes = Sizes { context: shape.sizes.context.min(context), ..shape.sizes };
        let layers = (0..sizes.layers).map(|i| Layer::read(gguf, &shape, i));
        let matrix = |name| Matrix::read(gguf, name, sizes.vocabulary, sizes.width);
        let output = gguf.has("output.weight").then(|| matrix("output.weight"));
        let table = "token_embd.weight";
        let embedding = match output {
            // Only looked up in, so it can stay in the file.
            Some(_) => Matrix::unpacked(gguf, table, sizes.vocabulary, sizes.width)?,
            None => matrix(table)?,
        };
        Ok(Self {
            layout: Layout { group: sizes.heads / sizes.key_heads, size: sizes.head },
            epsilon: shape.epsilon,
            embedding,
            layers: layers.collect::<Result<_, _>>()?,
            norm: vector(gguf, "output_norm.weight", sizes.width)?,
            output: output.transpose()?,
            turns: Turns::new(&shape.rotation, sizes.context),
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
        let mut scratch = Scratch::default();
        for (number, layer) in self.layers.iter().enumerate() {
            if go_on().is_break() {
                return Ok(None);
            }
            let keep = if number + 1 == self.layers.len() { rows } else { ids.len() };
            layer.pass(self, number, cache, &mut x, keep, &mut scratch)?;
        }
        cache.set_len(cache.len() + ids.len());
        let mut logits = Vec::new();
        if rows > 0 {
            let output = self.output.as_ref().unwrap_or(&self.embedding);
            self.normalise(&x, &self.norm, &mut scratch.normed);
            weights::multiply(&mut [(output, &mut logits)], &scratch.normed, &mut scratch.input)?;
        }
        Ok(Some(logits))
    }

    /// Puts the rows of `x` into `out`, each scaled to a mean square of one and then by `weight`.
    fn normalise(&self, x: &[f32], weight: &[f32], out: &mut Vec<f32>) {
        let width = self.sizes.width;
        out.resize(x.len(), 0.0);
        simd::fill_parts(out, width, |number, out| {
            let row = x.get(number * width..(number + 1) * width).unwrap_or_default();
            simd::run(Norm { row, weight, epsilon: self.epsilon, out });
        });
    }
}

impl Layer {
    fn read(gguf: &Gguf, shape: &Shape, number: usize) -> Result<Self, String> {
        let Sizes { width, hidden, heads, key_heads, head, .. } = shape.sizes;
        let (query_width, key_width) = (heads * head, key_heads * head);
        let name = |part: &str| format!("blk.{number}.{part}");
        let matrix = |part, rows, columns| Matrix::read(gguf, &name(part), rows, columns);
        let vector = |part, length| vector(gguf, &name(part), length);
        let head_norms = || {
            Ok::<_, String>([vector("attn_q_norm.weight", head)?, vector("attn_k_norm.weight", head)?])
        };
        let biases = || {
            Ok::<_, String>([
                vector("attn_q.bias", query_width)?,
                vector("attn_k.bias", key_width)?,
                vector("attn_v.bias", key_width)?,
            ])
        };
        Ok(Self {
            attention_norm: vector("attn_norm.weight", width)?,
            query: matrix("attn_q.weight", query_width, width)?,
            key: matrix("attn_k.weight", key_width, width)?,
            value: matrix("attn_v.weight", key_width, width)?,
            head_norms: shape.head_norms.then(head_norms).transpose()?,
            biases: shape.biases.then(biases).transpose()?,
            attention_output: matrix("attn_output.weight", width, query_width)?,
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
        scratch: &mut Scratch,
    ) -> Computed<()> {
        let Sizes { width, heads, head, hidden, .. } = network.sizes;
        self.remember(network, number, cache, x, scratch)?;
        let Scratch { input, normed, queries, mixed, gate, up, out, .. } = scratch;
        let dropped = (x.len() / width).saturating_sub(keep);
        x.drain(..dropped * width);
        queries.drain(..dropped * heads * head);
        if x.is_empty() {
            return Ok(());
        }
        mixed.resize(queries.len(), 0.0);
        let first = cache.len() + dropped;
        attention::attend(network.layout, queries, cache.heads(number), first, mixed);
        weights::multiply(&mut [(&self.attention_output, out)], mixed, input)?;
        add(x, out);
        network.normalise(x, &self.hidden_norm, normed);
        weights::multiply(&mut [(&self.gate, gate), (&self.up, up)], normed, input)?;
        simd::fill_parts(gate, hidden, |number, gate| {
            let up = up.get(number * hidden..(number + 1) * hidden).unwrap_or_default();
            simd::run(Gated { gate, up });
        });
        weights::multiply(&mut [(&self.down, out)], gate, input)?;
        add(x, out);
        Ok(())
    }

    /// Writes keys and values into the cache, and leaves the queries.
    fn remember(
        &self,
        network: &Network,
        number: usize,
        cache: &mut Cache,
        x: &[f32],
        scratch: &mut Scratch,
    ) -> Computed<()> {
        let Scratch { input, normed, queries, keys, values, .. } = scratch;
        network.normalise(x, &self.attention_norm, normed);
        let mut parts =
            [(&self.query, &mut *queries), (&self.key, &mut *keys), (&self.value, &mut *values)];
        weights::multiply(&mut parts, normed, input)?;
        if let Some([query, key, value]) = &self.biases {
            add_to_each(queries, query);
            add_to_each(keys, key);
            add_to_each(values, value);
        }
        if let Some([query, key]) = &self.head_norms {
            let epsilon = network.epsilon;
            simd::run(NormEach { rows: queries, weight: query, epsilon });
            simd::run(NormEach { rows: keys, weight: key, epsilon });
        }
        let Sizes { heads, key_heads, head, .. } = network.sizes;
        network.turns.turn(queries, cache.len(), heads * head);
        network.turns.turn(keys, cache.len(), key_heads * head);
        cache.write(number, keys, values);
        Ok(())
    }
}

fn add_to_each(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        add(row, bias);
    }
}

fn add(x: &mut [f32], more: &[f32]) {
    x.iter_mut().zip(more).for_each(|(x, more)| *x += more);
}
