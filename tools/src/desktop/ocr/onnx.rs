//! Takes out of the file of a network what is done here more quickly than where the rest is: most of its convolutions and the layer that
//! picks one of many classes; and averages, which take fewer rows here. What is left gives what these take
//! in, and takes in what they give. What cannot be told apart stays as it is.

use std::collections::{HashMap, HashSet};

use super::classifier::Classifier;
use super::dense::Dense;
use super::depthwise::Depthwise;
use super::layer::{Layer, Sliding};
use super::pointwise::Pointwise;
use super::pool::Pool;
use super::protobuf::{add, each, fields, numbers, texts};

/// What was made of a file.
pub(super) struct Cut {
    /// The rest of it.
    pub(super) file: Vec<u8>,
    /// What was taken out, in the order in which it is to be done.
    pub(super) stages: Vec<Stage>,
    /// The layer behind the last value.
    pub(super) classifier: Option<Classifier>,
}

impl Cut {
    /// Nothing is taken out.
    pub(super) const fn none(file: Vec<u8>) -> Self {
        Self { file, stages: Vec::new(), classifier: None }
    }
}

/// What the rest does until the next layer that was taken out, and that one.
pub(super) struct Stage {
    /// The value that the layer takes.
    pub(super) from: String,
    /// The value that it gives.
    pub(super) to: String,
    /// Values that are there by then and are needed behind it.
    pub(super) kept: HashSet<String>,
    pub(super) layer: Layer,
}

/// The numbers of fields in the definition of the format.
mod field {
    pub(super) const GRAPH: u64 = 7;
    pub(super) const NODE: u64 = 1;
    pub(super) const TENSOR: u64 = 5;
    pub(super) const INPUT: u64 = 11;
    pub(super) const OUTPUT: u64 = 12;
}

/// Takes apart the network in `file`.
pub(super) fn cut(file: &[u8]) -> Option<Cut> {
    let graph = each(file, field::GRAPH).next()?.bytes;
    let all: Vec<Node<'_>> =
        each(graph, field::NODE).map(|field| Node::of(field.whole, field.bytes)).collect();
    let nodes = without_names(all.clone());
    let tensors = each(graph, field::TENSOR).filter_map(|field| Tensor::of(field.bytes));
    let tensors: HashMap<&str, Tensor<'_>> = tensors.map(|tensor| (tensor.name, tensor)).collect();
    let found: Vec<Found<'_>> =
        nodes.iter().filter_map(|node| Found::of(node, &nodes, &tensors)).collect();
    let last = last(&nodes, &tensors);
    let mut gone: HashSet<&[u8]> = found.iter().flat_map(|found| found.nodes.iter().copied()).collect();
    if let Some((value, _)) = &last {
        gone.extend(behind(value, &all));
    }
    let left: Vec<&Node<'_>> = nodes.iter().filter(|node| !gone.contains(node.whole)).collect();
    let inputs = each(graph, field::INPUT).filter_map(|field| texts(field.bytes, 1).next());
    let inputs: HashSet<&str> = inputs.filter(|name| !tensors.contains_key(name)).collect();
    let kept = kept(&left, &found, inputs.clone(), tensors.keys().copied().collect())?;
    let mut rest = Vec::with_capacity(graph.len());
    for field in fields(graph).filter(|field| !gone.contains(field.whole)) {
        if field.number != field::OUTPUT || last.is_none() {
            rest.extend_from_slice(field.whole);
        }
    }
    let given = kept.iter().flatten().copied().chain(found.iter().map(|found| found.from));
    let made = |name: &&str| !inputs.contains(name) && found.iter().all(|found| found.to != *name);
    let given: HashSet<&str> = given.filter(made).collect();
    let end = last.iter().map(|(value, _)| (field::OUTPUT, *value));
    let taken = found.iter().map(|found| (field::INPUT, found.to));
    // What the network gives in the end is the first of all that it gives.
    for (list, name) in end.chain(taken).chain(given.into_iter().map(|name| (field::OUTPUT, name))) {
        let mut value = Vec::new();
        add(&mut value, 1, name.as_bytes());
        add(&mut rest, list, &value);
    }
    let mut whole = Vec::with_capacity(file.len());
    for field in fields(file) {
        if field.number == field::GRAPH {
            add(&mut whole, field::GRAPH, &rest);
        } else {
            whole.extend_from_slice(field.whole);
        }
    }
    let stages = found.into_iter().zip(kept).map(|(found, kept)| Stage {
        from: found.from.to_owned(),
        to: found.to.to_owned(),
        kept: kept.into_iter().map(str::to_owned).collect(),
        layer: found.layer,
    });
    Some(Cut { file: whole, stages: stages.collect(), classifier: last.map(|(_, layer)| layer) })
}

/// Without the operations that only give a value another name: the model knows it by its first one.
fn without_names(mut nodes: Vec<Node<'_>>) -> Vec<Node<'_>> {
    let mut first: HashMap<&str, &str> = HashMap::new();
    for node in &mut nodes {
        for input in &mut node.inputs {
            *input = first.get(input).copied().unwrap_or(input);
        }
        if let ("Identity", [input], [output]) = node.parts() {
            first.insert(output, input);
        }
    }
    nodes.retain(|node| node.does != "Identity");
    nodes
}

/// The layer at the end that picks one of many classes, with the value that it takes.
fn last<'a>(
    nodes: &[Node<'a>],
    tensors: &HashMap<&'a str, Tensor<'a>>,
) -> Option<(&'a str, Classifier)> {
    let maker = |value: &str| nodes.iter().find(|node| node.outputs.contains(&value));
    let ("Softmax", [sums], _) = nodes.last()?.parts() else { return None };
    let ("Add", [products, bias], _) = maker(sums)?.parts() else { return None };
    let ("MatMul", [value, weights], _) = maker(products)?.parts() else { return None };
    let (weights, bias) = (tensors.get(weights)?, tensors.get(bias)?);
    let ([_, classes], [same]) = (weights.sides.as_slice(), bias.sides.as_slice()) else { return None };
    let layer = (classes == same).then(|| Classifier::new(&weights.values()?, &bias.values()?))??;
    Some((value, layer))
}

/// All that is made of `value`.
fn behind<'a>(value: &'a str, nodes: &[Node<'a>]) -> Vec<&'a [u8]> {
    let mut made = HashSet::from([value]);
    let mut behind = Vec::new();
    for node in nodes {
        if node.inputs.iter().any(|input| made.contains(input)) {
            made.extend(&node.outputs);
            behind.push(node.whole);
        }
    }
    behind
}

/// For each layer, the values that are there before it and are needed behind it. `None` where what
/// one of them takes is never there.
fn kept<'a>(
    nodes: &[&Node<'a>],
    found: &[Found<'a>],
    mut there: HashSet<&'a str>,
    mut constant: HashSet<&'a str>,
) -> Option<Vec<HashSet<&'a str>>> {
    for node in nodes {
        if node.inputs.iter().all(|input| constant.contains(input)) {
            constant.extend(&node.outputs);
        }
    }
    let mut stages = Vec::new();
    for (at, next) in found.iter().enumerate() {
        let mut later: HashSet<&str> = found.iter().skip(at + 1).map(|found| found.from).collect();
        for node in nodes {
            if node.inputs.iter().all(|input| there.contains(input) || constant.contains(input)) {
                there.extend(node.outputs.iter().filter(|output| !constant.contains(*output)));
            } else {
                later.extend(&node.inputs);
            }
        }
        if !there.contains(next.from) {
            return None;
        }
        stages.push(there.intersection(&later).copied().collect());
        there.insert(next.to);
    }
    Some(stages)
}

/// A layer in the file.
struct Found<'a> {
    from: &'a str,
    to: &'a str,
    /// The nodes that do it.
    nodes: Vec<&'a [u8]>,
    layer: Layer,
}

impl<'a> Found<'a> {
    /// What `node` is, if it is a layer that is done here.
    fn of(node: &Node<'a>, nodes: &[Node<'a>], tensors: &HashMap<&'a str, Tensor<'a>>) -> Option<Self> {
        let is_close = node.number("dilations").is_none_or(|all| all.iter().all(|v| *v == 1));
        let padded = node.number("auto_pad").is_none() || node.word("auto_pad").is_some();
        if !is_close || !padded {
            return None;
        }
        match node.parts() {
            ("Conv", [from, weights], [to]) => {
                Self::convolution((node, from, to), tensors.get(weights)?, nodes, tensors)
            }
            ("AveragePool", [from], [to]) => {
                let kernel = node.number("kernel_shape")?;
                let [high, wide] = *kernel else { return None };
                let is_nought = |name| node.number(name).is_none_or(|all| all.iter().all(|v| *v == 0));
                let apart = node.number("strides")? == kernel
                    && (is_nought("pads") && is_nought("ceil_mode"))
                    && node.word("auto_pad").is_none();
                let layer = Layer::Pool(Pool::new((high, wide)).filter(|_| apart)?);
                Some(Self { from, to, nodes: vec![node.whole], layer })
            }
            _ => None,
        }
    }

    /// A convolution, with the addition behind it if there is one.
    fn convolution(
        (node, from, to): (&Node<'a>, &'a str, &'a str),
        weights: &Tensor<'a>,
        nodes: &[Node<'a>],
        tensors: &HashMap<&'a str, Tensor<'a>>,
    ) -> Option<Self> {
        let [gives, takes, high, wide] = *weights.sides.as_slice() else { return None };
        // Where there are so many weights, there are not more planes.
        let weights = weights.values().filter(|weights| !weights.is_empty())?;
        let [down, along] = *node.number("strides")? else { return None };
        let frame = match node.word("auto_pad") {
            None => <[usize; 4]>::try_from(node.number("pads")?).ok()?,
            // As large as before: what cannot be halved is behind.
            Some("SAME_UPPER") if (down, along) == (1, 1) => {
                let [up, before] = [(high - 1) / 2, (wide - 1) / 2];
                [up, before, high - 1 - up, wide - 1 - before]
            }
            Some(_) => return None,
        };
        let (mut nodes_of, mut to, mut bias) = (vec![node.whole], to, vec![0.0; gives]);
        let mut users = nodes.iter().filter(|other| other.inputs.contains(&to));
        if let (Some(next), None) = (users.next(), users.next())
            && let ("Add", [_, added], [sum]) = next.parts()
            && let Some(added) = tensors.get(added).filter(|added| added.sides == [1, gives, 1, 1])
        {
            nodes_of.push(next.whole);
            (to, bias) = (sum, added.values()?);
        }
        let sliding = Sliding::new((high, wide), frame, (down, along))?;
        let layer = match (node.number("group")?, takes) {
            ([1], _) if sliding == Sliding::STILL && !is_of_one_place(from, nodes) => {
                Layer::Pointwise(Pointwise::new(&weights, &bias)?)
            }
            ([1], _) => Layer::Dense(Dense::new(&weights, bias, sliding)?),
            ([all], 1) if *all == gives => Layer::Depthwise(Depthwise::new(weights, bias, sliding)?),
            _ => return None,
        };
        Some(Self { from, to, nodes: nodes_of, layer })
    }
}

/// Whether the planes of `value` are likely to have a single place: they come of averages, maybe by way of a layer.
fn is_of_one_place<'a>(mut value: &'a str, nodes: &[Node<'a>]) -> bool {
    let steps = ["Relu", "Add", "Conv"];
    for _ in 0..=steps.len() {
        let Some(maker) = nodes.iter().find(|node| node.outputs.contains(&value)) else { return false };
        match (maker.does, maker.inputs.first()) {
            ("GlobalAveragePool" | "ReduceMean", _) => return true,
            (does, Some(input)) if steps.contains(&does) => value = input,
            _ => return false,
        }
    }
    false
}

/// One operation.
#[derive(Clone)]
struct Node<'a> {
    whole: &'a [u8],
    does: &'a str,
    inputs: Vec<&'a str>,
    outputs: Vec<&'a str>,
    attributes: HashMap<&'a str, Vec<usize>>,
    words: HashMap<&'a str, &'a str>,
}

impl<'a> Node<'a> {
    fn of(whole: &'a [u8], bytes: &'a [u8]) -> Self {
        let attributes = each(bytes, 5).filter_map(|field| {
            let one = each(field.bytes, 3).next().map(|field| vec![field.value]);
            Some((texts(field.bytes, 1).next()?, one.unwrap_or_else(|| numbers(field.bytes, 8))))
        });
        let words = each(bytes, 5)
            .filter_map(|field| Some((texts(field.bytes, 1).next()?, texts(field.bytes, 4).next()?)));
        Self {
            whole,
            words: words.collect(),
            does: texts(bytes, 4).next().unwrap_or_default(),
            inputs: texts(bytes, 1).filter(|name| !name.is_empty()).collect(),
            outputs: texts(bytes, 2).collect(),
            attributes: attributes.collect(),
        }
    }

    /// The numbers of an attribute.
    fn number(&self, name: &str) -> Option<&[usize]> {
        self.attributes.get(name).map(Vec::as_slice)
    }

    /// The word of an attribute.
    fn word(&self, name: &str) -> Option<&'a str> {
        self.words.get(name).copied()
    }

    /// What it does, what it takes and what it gives.
    fn parts(&self) -> (&'a str, &[&'a str], &[&'a str]) {
        (self.does, &self.inputs, &self.outputs)
    }
}

/// Weights.
struct Tensor<'a> {
    name: &'a str,
    sides: Vec<usize>,
    raw: &'a [u8],
}

impl<'a> Tensor<'a> {
    fn of(bytes: &'a [u8]) -> Option<Self> {
        let raw = each(bytes, 9).next().map(|field| field.bytes).unwrap_or_default();
        Some(Self { name: texts(bytes, 8).next()?, sides: numbers(bytes, 1), raw })
    }

    fn values(&self) -> Option<Vec<f32>> {
        let (values, rest) = self.raw.as_chunks::<4>();
        let count = self.sides.iter().try_fold(1_usize, |all, side| all.checked_mul(*side))?;
        (rest.is_empty() && values.len() == count)
            .then(|| values.iter().map(|value| f32::from_le_bytes(*value)).collect())
    }
}
