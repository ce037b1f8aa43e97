//! The network of the Qwen2, Qwen3 and Llama families, from token ids to the logits of the tokens that
//! may follow.
//!
//! They are one network with a few differences, which [`Shape`] tells. candle's own networks can neither
//! shorten nor reuse what they remember.

use std::ops::{ControlFlow, Range};
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

/// Tokens that a pass reads after those of a cache.
#[derive(Debug)]
pub(super) struct Part<'a> {
    pub(super) cache: &'a mut Cache,
    pub(super) ids: &'a [u32],
    pub(super) wanted: Wanted,
}

/// Where the tokens of one line stand in a pass.
#[derive(Debug, Clone)]
struct Stretch {
    /// Its cache, by number.
    cache: usize,
    /// Its rows among all of the pass.
    rows: Range<usize>,
    /// The position of its first token in its line.
    position: usize,
    /// The place of its first token in the cache.
    place: usize,
    /// Places before its own that it does not look at.
    unseen: Range<usize>,
    /// Rows from its end that come out of the last layer.
    wanted: usize,
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

    /// Reads each part after the tokens of its cache and puts them there, all in one pass. Gives the wanted
    /// logits of each, row by row, or `None` and the caches as they were if `go_on` says to break off, which it
    /// is asked in each layer.
    pub(super) fn read_on(
        &self,
        parts: &mut [Part<'_>],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>> {
        let mut stretches = Vec::with_capacity(parts.len());
        let mut ids = Vec::new();
        for (cache, part) in parts.iter().enumerate() {
            let (rows, len) = (ids.len()..ids.len() + part.ids.len(), part.cache.len());
            let wanted = match part.wanted {
                Wanted::Nothing => 0,
                Wanted::Last => 1.min(part.ids.len()),
                Wanted::All => part.ids.len(),
            };
            stretches.push(Stretch { cache, rows, position: len, place: len, unseen: 0..0, wanted });
            ids.extend_from_slice(part.ids);
        }
        let mut caches: Vec<&mut Cache> = parts.iter_mut().map(|part| &mut *part.cache).collect();
        let logits = self.pass(&mut caches, &stretches, &ids, go_on)?;
        if logits.is_some() {
            for part in parts.iter_mut() {
                part.cache.set_len(part.cache.len() + part.ids.len());
            }
        }
        Ok(logits)
    }

    /// The logits after each token of each of `ways` to go on after the tokens of the cache, which know nothing
    /// of each other, in one pass. The cache stays as it was.
    pub(super) fn foresee(
        &self,
        cache: &mut Cache,
        ways: &[&[u32]],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>> {
        let position = cache.len();
        let mut stretches = Vec::with_capacity(ways.len());
        let mut first = 0;
        for way in ways {
            let (rows, place) = (first..first + way.len(), position + first);
            let (unseen, wanted) = (position..place, way.len());
            stretches.push(Stretch { cache: 0, rows, position, place, unseen, wanted });
            first += way.len();
        }
        self.pass(&mut [cache], &stretches, &ways.concat(), go_on)
    }

    /// Passes `ids` through all layers. Gives the wanted logits of each stretch.
    fn pass(
        &self,
        caches: &mut [&mut Cache],
        stretches: &[Stretch],
        ids: &[u32],
        go_on: &dyn Fn() -> ControlFlow<()>,
    ) -> Computed<Option<Vec<Vec<f32>>>> {
        let mut x = self.embedding.rows(ids)?;
        let mut scratch = Scratch::default();
        for (number, layer) in self.layers.iter().enumerate() {
            if go_on().is_break() {
                return Ok(None);
            }
            let only_wanted = number + 1 == self.layers.len();
            layer.pass(self, number, caches, stretches, &mut x, only_wanted, &mut scratch)?;
        }
        let mut logits = Vec::new();
        if !x.is_empty() {
            let output = self.output.as_ref().unwrap_or(&self.embedding);
            self.normalise(&x, &self.norm, &mut scratch.normed);
            weights::multiply(&mut [(output, &mut logits)], &scratch.normed, &mut scratch.input)?;
        }
        if let [_] = stretches {
            return Ok(Some(vec![logits]));
        }
        let mut left = logits.as_slice();
        let of_each = stretches.iter().map(|stretch| {
            let length = (stretch.wanted * self.sizes.vocabulary).min(left.len());
            let (own, rest) = left.split_at(length);
            left = rest;
            own.to_vec()
        });
        Ok(Some(of_each.collect()))
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

    /// Passes the rows of `x` through the layer and writes their keys and values into their caches. Only the
    /// wanted rows come out if that is said.
    #[expect(clippy::too_many_arguments, reason = "a pass and the place in it")]
    fn pass(
        &self,
        network: &Network,
        number: usize,
        caches: &mut [&mut Cache],
        stretches: &[Stretch],
        x: &mut Vec<f32>,
        only_wanted: bool,
        scratch: &mut Scratch,
    ) -> Computed<()> {
        let Sizes { width, heads, head, hidden, .. } = network.sizes;
        self.remember(network, number, caches, stretches, x, scratch)?;
        let Scratch { input, normed, queries, mixed, gate, up, out, .. } = scratch;
        let query_width = heads * head;
        if only_wanted {
            keep_wanted(x, width, stretches);
            keep_wanted(queries, query_width, stretches);
        }
        if x.is_empty() {
            return Ok(());
        }
        mixed.resize(queries.len(), 0.0);
        let (mut queries, mut answers) = (queries.as_slice(), mixed.as_mut_slice());
        for stretch in stretches {
            let count = if only_wanted { stretch.wanted } else { stretch.rows.len() };
            let (own, rest) = queries.split_at((count * query_width).min(queries.len()));
            let (answer, others) = answers.split_at_mut((count * query_width).min(answers.len()));
            (queries, answers) = (rest, others);
            let Some(cache) = caches.get(stretch.cache) else { continue };
            let first = stretch.place + stretch.rows.len() - count;
            attention::attend(network.layout, own, cache.heads(number), first, &stretch.unseen, answer);
        }
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

    /// Writes keys and values into the caches, and leaves the queries.
    fn remember(
        &self,
        network: &Network,
        number: usize,
        caches: &mut [&mut Cache],
        stretches: &[Stretch],
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
        let (query_width, key_width) = (heads * head, key_heads * head);
        for Stretch { cache, rows, position, place, .. } in stretches {
            let of = |width: usize| rows.start * width..rows.end * width;
            let Some(keys) = keys.get_mut(of(key_width)) else { continue };
            let queries = queries.get_mut(of(query_width)).unwrap_or_default();
            network.turns.turn(queries, *position, query_width);
            network.turns.turn(keys, *position, key_width);
            if let Some(cache) = caches.get_mut(*cache) {
                cache.write(number, *place, keys, values.get(of(key_width)).unwrap_or_default());
            }
        }
        Ok(())
    }
}

/// Leaves only the wanted rows.
fn keep_wanted(rows: &mut Vec<f32>, width: usize, stretches: &[Stretch]) {
    let mut kept = 0;
    for Stretch { rows: own, wanted, .. } in stretches {
        rows.copy_within((own.end - wanted) * width..own.end * width, kept);
        kept += wanted * width;
    }
    rows.truncate(kept);
}

fn add_to_each(rows: &mut [f32], bias: &[f32]) {
    for row in rows.chunks_exact_mut(bias.len()) {
        add(row, bias);
    }
}

fn add(x: &mut [f32], more: &[f32]) {
    x.iter_mut().zip(more).for_each(|(x, more)| *x += more);
}
