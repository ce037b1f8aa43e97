//! What a file says of a network that candle computes, held against the tensors that are in the file before
//! candle takes any memory for it. Candle itself believes the header: it divides by its numbers, makes room
//! for as many layers as it claims and for tables as wide as it claims heads are.
//!
//! Sizes follow from the shapes of tensors, so the header can only repeat them. What candle's networks read
//! over is a reason to refuse the file: leaving it out would give fluent nonsense.

use std::collections::{BTreeMap, HashSet};

use super::gguf::Gguf;

/// Heads of a layer, and dimensions of one.
const MOST_HEADS: usize = 1 << 10;
const WIDEST_HEAD: usize = 1 << 12;
/// The base that candle's Phi-3 turns by, whatever the file says.
const PHI3_BASE: f64 = 10_000.0;

/// The families that candle computes, as files call them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Family {
    Phi3,
    Glm4,
    Lfm2,
}

/// The sizes of a network.
struct Sizes {
    width: usize,
    hidden: usize,
    vocabulary: usize,
    heads: usize,
    /// Dimensions of a head.
    head: usize,
    /// Heads of keys in each layer; none where a layer does not look back by attention.
    key_heads: Vec<usize>,
    /// Tokens that the layers without attention look back on.
    back: usize,
}

/// A shape of a tensor, and whether the network can do without it.
type Place = (Vec<usize>, bool);

/// Refuses a file whose header does not fit its tensors, or whose tensors or settings candle would read over.
/// Gives the tokens back to which candle's network is right: it leaves a sliding window out while it writes.
pub(super) fn check(gguf: &Gguf, family: Family, name: &str) -> Result<usize, String> {
    let header = Header { gguf, name };
    let sizes = header.sizes(family)?;
    header.settings(family, &sizes)?;
    let places = sizes.places(family, gguf);
    if let Some(other) = gguf.names().filter(|name| !places.contains_key(*name)).min() {
        return Err(format!("the tensor `{other}` has no place in candle's network of `{name}`"));
    }
    for (tensor, (shape, is_needed)) in &places {
        if *is_needed || gguf.has(tensor) {
            gguf.entry(tensor, shape)?;
        }
    }
    header.context()
}

/// The header of a file.
struct Header<'a> {
    gguf: &'a Gguf,
    /// What its keys begin with.
    name: &'a str,
}

impl Header<'_> {
    fn key(&self, key: &str) -> String {
        format!("{}.{key}", self.name)
    }

    fn count(&self, key: &str, most: usize) -> Result<usize, String> {
        self.gguf.count(&self.key(key), most)
    }

    /// Refuses another number than `right`, which `why` explains.
    fn is(&self, key: &str, right: usize, why: &str) -> Result<(), String> {
        let key = self.key(key);
        match self.gguf.number(&key)? {
            number if usize::try_from(number) == Ok(right) => Ok(()),
            number => Err(format!("`{key}` is {number}, it must be {right}: {why}")),
        }
    }

    /// The same for a number that may be missing.
    fn is_if_said(&self, key: &str, right: usize, why: &str) -> Result<(), String> {
        if self.gguf.says(&self.key(key)) { self.is(key, right, why) } else { Ok(()) }
    }

    fn sizes(&self, family: Family) -> Result<Sizes, String> {
        let [vocabulary, width] = self.gguf.matrix("token_embd.weight")?;
        self.is("embedding_length", width, "so many columns has `token_embd.weight`")?;
        let layers = layers(self.gguf);
        self.is("block_count", layers, "the file has the tensors of so many layers")?;
        let heads = self.count("attention.head_count", MOST_HEADS)?;
        let head = match family {
            Family::Glm4 => self.count("attention.key_length", WIDEST_HEAD)?,
            Family::Phi3 | Family::Lfm2 if width.is_multiple_of(heads) => width / heads,
            Family::Phi3 | Family::Lfm2 => {
                let [heads_key, width_key] =
                    ["attention.head_count", "embedding_length"].map(|k| self.key(k));
                return Err(format!(
                    "`{heads_key}` is {heads}, it must divide `{width_key}`, which is {width}"
                ));
            }
        };
        // Pairs of dimensions turn, with GLM-4 in half of each head.
        let step = if family == Family::Glm4 { 4 } else { 2 };
        if head > WIDEST_HEAD || !head.is_multiple_of(step) {
            return Err(format!(
                "`{}` of {heads} makes heads of {head} dimensions, they must have a multiple of {step} and \
                 at most {WIDEST_HEAD}",
                self.key("attention.head_count")
            ));
        }
        let back = if family == Family::Lfm2 { self.count("shortconv.l_cache", 1 << 10)? } else { 0 };
        let hidden = self.count("feed_forward_length", 1 << 20)?;
        let key_heads = self.key_heads(family, heads, layers)?;
        Ok(Sizes { width, hidden, vocabulary, heads, head, key_heads, back })
    }

    /// Heads of keys, which LFM2 files give for each layer.
    fn key_heads(&self, family: Family, heads: usize, layers: usize) -> Result<Vec<usize>, String> {
        let key = self.key("attention.head_count_kv");
        let all = match self.gguf.numbers(&key) {
            Ok(all) if family == Family::Lfm2 => {
                all.iter().map(|n| usize::try_from(*n).unwrap_or(usize::MAX)).collect()
            }
            _ => vec![self.gguf.count(&key, heads)?; layers],
        };
        if all.len() != layers {
            return Err(format!(
                "`{key}` has {} numbers, it must have one for each of {layers} layers",
                all.len()
            ));
        }
        match all.iter().find(|n| **n != 0 && !heads.is_multiple_of(**n)) {
            Some(wrong) => Err(format!("`{key}` is {wrong}, it must divide the {heads} heads")),
            None => Ok(all),
        }
    }

    /// What candle's networks do not look at.
    fn settings(&self, family: Family, sizes: &Sizes) -> Result<(), String> {
        let Self { gguf, name } = self;
        let stretched = self.key("rope.scaling.type");
        if gguf.says(&stretched) && gguf.text(&stretched) != Ok("none") {
            return Err(format!("candle's network of `{name}` does not stretch positions"));
        }
        let own = "so wide are its heads";
        self.is_if_said("attention.key_length", sizes.head, own)?;
        self.is_if_said("attention.value_length", sizes.head, own)?;
        let turning = "so many dimensions of a head does candle's network turn";
        match family {
            Family::Phi3 => {
                self.is("rope.dimension_count", sizes.head, turning)?;
                let base = self.key("rope.freq_base");
                if !gguf.says(&base) {
                    return Ok(());
                }
                match gguf.real(&base)? {
                    said if (said - PHI3_BASE).abs() < 1.0 => Ok(()),
                    said => Err(format!("`{base}` is {said}, candle's network turns by {PHI3_BASE}")),
                }
            }
            Family::Glm4 => self.is("rope.dimension_count", sizes.head / 2, turning),
            Family::Lfm2 => self.is_if_said("rope.dimension_count", sizes.head, turning),
        }
    }

    fn context(&self) -> Result<usize, String> {
        let trained = self.count("context_length", 1 << 24)?;
        let window = "attention.sliding_window";
        let slides = self.gguf.says(&self.key(window));
        Ok(if slides { trained.min(self.count(window, 1 << 24)?) } else { trained })
    }
}

/// Layers of which a file has tensors.
fn layers(gguf: &Gguf) -> usize {
    let numbers = gguf.names().filter_map(|name| name.strip_prefix("blk.")?.split_once('.'));
    numbers.map(|(number, _)| number).collect::<HashSet<_>>().len()
}

impl Sizes {
    /// All tensors that the network has, by their names.
    fn places(&self, family: Family, gguf: &Gguf) -> BTreeMap<String, Place> {
        let Self { width, vocabulary, .. } = *self;
        let mut places = BTreeMap::new();
        let norm = if family == Family::Lfm2 && !gguf.has("output_norm.weight") {
            "token_embd_norm.weight"
        } else {
            "output_norm.weight"
        };
        for (name, shape, is_needed) in [
            ("token_embd.weight", vec![vocabulary, width], true),
            (norm, vec![width], true),
            // Without it the embedding serves, but for Phi-3.
            ("output.weight", vec![vocabulary, width], family == Family::Phi3),
        ] {
            places.insert(name.to_owned(), (shape, is_needed));
        }
        for (layer, key_heads) in self.key_heads.iter().enumerate() {
            for (part, shape) in self.parts(family, *key_heads) {
                let is_needed = part.rsplit('.').next() != Some("bias");
                places.insert(format!("blk.{layer}.{part}"), (shape, is_needed));
            }
        }
        places
    }

    /// The tensors of a layer with so many heads of keys.
    fn parts(&self, family: Family, key_heads: usize) -> Vec<(&'static str, Vec<usize>)> {
        let Self { width, hidden, back, .. } = *self;
        let (queries, keys) = (self.heads * self.head, key_heads * self.head);
        let mut parts = vec![
            ("attn_norm.weight", vec![width]),
            ("ffn_norm.weight", vec![width]),
            ("ffn_down.weight", vec![width, hidden]),
        ];
        let apart = [
            ("attn_q.weight", vec![queries, width]),
            ("attn_k.weight", vec![keys, width]),
            ("attn_v.weight", vec![keys, width]),
        ];
        let attention_output = ("attn_output.weight", vec![width, queries]);
        let both = ("ffn_up.weight", vec![2 * hidden, width]);
        match family {
            Family::Phi3 => {
                parts.extend([
                    ("attn_qkv.weight", vec![queries + 2 * keys, width]),
                    attention_output,
                    both,
                ]);
            }
            Family::Glm4 => {
                parts.extend(apart);
                parts.extend([
                    ("attn_q.bias", vec![queries]),
                    ("attn_k.bias", vec![keys]),
                    ("attn_v.bias", vec![keys]),
                    attention_output,
                    ("post_attention_norm.weight", vec![width]),
                    both,
                    ("post_ffw_norm.weight", vec![width]),
                ]);
            }
            Family::Lfm2 => {
                parts.extend([
                    ("ffn_gate.weight", vec![hidden, width]),
                    ("ffn_up.weight", vec![hidden, width]),
                ]);
                if key_heads > 0 {
                    parts.extend(apart);
                    parts.extend([
                        ("attn_q_norm.weight", vec![self.head]),
                        ("attn_k_norm.weight", vec![self.head]),
                        attention_output,
                    ]);
                } else {
                    parts.extend([
                        ("shortconv.conv.weight", vec![width, back]),
                        ("shortconv.in_proj.weight", vec![3 * width, width]),
                        ("shortconv.out_proj.weight", vec![width, width]),
                    ]);
                }
            }
        }
        parts
    }
}
