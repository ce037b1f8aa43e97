//! What attention remembers of the tokens so far: their keys and values, for each layer and head.
//!
//! Keys lie in tiles of [`LANES`] tokens, dimension by dimension, so that one query meets a tile of
//! tokens at a time; values lie token by token. A shorter cache is a smaller length: nothing moves.

use super::simd::{LANES, Lanes};

/// Tokens that room is made for at a time.
const STEP: usize = 512;

/// Keys and values of one key head in one layer.
#[derive(Debug, Clone, Default)]
pub(super) struct Head {
    /// By tile, then by dimension; the lanes are the tokens of the tile.
    pub(super) keys: Vec<Lanes>,
    /// By token; each has its dimensions in lanes.
    pub(super) values: Vec<Lanes>,
}

/// Keys and values of all layers.
#[derive(Debug, Clone)]
pub(super) struct Cache {
    layers: Vec<Vec<Head>>,
    /// Dimensions of a head.
    size: usize,
    /// Tokens that all layers have.
    len: usize,
}

impl Cache {
    /// An empty cache for `layers` layers of `heads` key heads of `size` dimensions.
    pub(super) fn new(layers: usize, heads: usize, size: usize) -> Self {
        Self { layers: vec![vec![Head::default(); heads]; layers], size, len: 0 }
    }

    /// Tokens that all layers have.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// Says that all layers now have `len` tokens. What lies beyond is written over later.
    pub(super) fn set_len(&mut self, len: usize) {
        self.len = len;
    }

    /// The heads of a layer.
    pub(super) fn heads(&self, layer: usize) -> &[Head] {
        self.layers.get(layer).map_or(&[], Vec::as_slice)
    }

    /// Bytes of `len` tokens in the form of [`Cache::beginning`].
    pub(super) fn size_of(&self, len: usize) -> usize {
        let heads: usize = self.layers.iter().map(Vec::len).sum();
        heads * self.lanes_of(len).iter().sum::<usize>() * size_of::<Lanes>()
    }

    /// The first `len` tokens, which must be there, head by head: keys, then values.
    pub(super) fn beginning(&self, len: usize) -> impl Iterator<Item = &[u8]> {
        let [keys, values] = self.lanes_of(len);
        self.layers.iter().flatten().flat_map(move |head| {
            let keys = head.keys.get(..keys).unwrap_or_default();
            [keys, head.values.get(..values).unwrap_or_default()].map(bytemuck::cast_slice)
        })
    }

    /// Takes up what [`Cache::beginning`] gave, in place of all that is there. Gives whether it fits.
    pub(super) fn take_up(&mut self, len: usize, mut bytes: &[u8]) -> bool {
        if bytes.len() != self.size_of(len) {
            return false;
        }
        let [keys, values] = self.lanes_of(len);
        let room = len.next_multiple_of(STEP) / LANES * self.size;
        for head in self.layers.iter_mut().flatten() {
            for (lanes, count) in [(&mut head.keys, keys), (&mut head.values, values)] {
                let (part, rest) = bytes.split_at(count * size_of::<Lanes>());
                lanes.clear();
                lanes.reserve(room);
                lanes.extend(
                    part.chunks_exact(size_of::<Lanes>()).map(bytemuck::pod_read_unaligned::<Lanes>),
                );
                lanes.resize(room.max(count), [0.0; LANES]);
                bytes = rest;
            }
        }
        self.len = len;
        true
    }

    /// Takes up the first `len` tokens of another cache of the same network, in place of all that is there.
    pub(super) fn copy(&mut self, other: &Self, len: usize) {
        let room = self.lanes_of(len.next_multiple_of(STEP));
        let used = self.lanes_of(len);
        for (head, other) in self.layers.iter_mut().flatten().zip(other.layers.iter().flatten()) {
            let pairs = [(&mut head.keys, &other.keys), (&mut head.values, &other.values)];
            for (((lanes, from), used), room) in pairs.into_iter().zip(used).zip(room) {
                lanes.clear();
                lanes.extend_from_slice(from.get(..used).unwrap_or(from));
                lanes.resize(room, [0.0; LANES]);
            }
        }
        self.len = len;
    }

    /// Lanes that the keys and the values of `len` tokens take in one head.
    fn lanes_of(&self, len: usize) -> [usize; 2] {
        [len.div_ceil(LANES) * self.size, len * self.size / LANES]
    }

    /// Writes the keys and values of tokens into a layer, from the place `first` on. `keys` and `values` go by
    /// token, then by head.
    pub(super) fn write(&mut self, layer: usize, first: usize, keys: &[f32], values: &[f32]) {
        let size = self.size;
        let Some(heads) = self.layers.get_mut(layer) else { return };
        let width = size * heads.len();
        let count = keys.len() / width;
        let room = (first + count).next_multiple_of(STEP) / LANES * size;
        for (number, head) in heads.iter_mut().enumerate() {
            if head.keys.len() < room {
                head.keys.resize(room, [0.0; LANES]);
                head.values.resize(room, [0.0; LANES]);
            }
            let keys = keys.chunks_exact(size).skip(number).step_by(width / size);
            let values = values.chunks_exact(size).skip(number).step_by(width / size);
            for (position, (key, value)) in (first..).zip(keys.zip(values)) {
                head.write(position, key, value);
            }
        }
    }
}

impl Head {
    fn write(&mut self, position: usize, key: &[f32], value: &[f32]) {
        let tile = self.keys.iter_mut().skip(position / LANES * key.len());
        for (lanes, x) in tile.zip(key) {
            if let Some(lane) = lanes.get_mut(position % LANES) {
                *lane = *x;
            }
        }
        let (value, _) = value.as_chunks::<LANES>();
        for (slot, lanes) in self.values.iter_mut().skip(position * value.len()).zip(value) {
            *slot = *lanes;
        }
    }
}

#[cfg(test)]
#[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "small whole numbers")]
mod tests {
    use super::*;

    #[test]
    fn keys_lie_in_tiles_and_values_in_rows() {
        let mut cache = Cache::new(2, 2, 32);
        let row = |token: usize| (0..64).map(move |i| (token * 100 + i) as f32);
        let first: Vec<f32> = (0..20).flat_map(row).collect();
        cache.write(1, 0, &first, &first);
        cache.set_len(20);
        // Cut to 18 tokens, then written over from there.
        cache.set_len(18);
        let second: Vec<f32> = (50..52).flat_map(row).collect();
        cache.write(1, 18, &second, &second);
        cache.set_len(20);
        for (position, token) in (0..18).zip(0..).chain([(18, 50), (19, 51)]) {
            for (number, head) in cache.heads(1).iter().enumerate() {
                for i in 0..32 {
                    let right = (token * 100 + number * 32 + i) as f32;
                    assert_eq!(head.keys[position / LANES * 32 + i][position % LANES], right);
                    assert_eq!(head.values[position * 2 + i / LANES][i % LANES], right);
                }
            }
        }
        assert!(cache.heads(0).iter().all(|head| head.keys.is_empty()), "an unused layer takes no room");
    }
}
