//! Tokens of SentencePiece as GGUF files tell them: pieces of text with scores, from which follows in which order
//! they are joined. What is in no piece is spelt in bytes.

use std::cmp::Ordering;

use tokenizers::Tokenizer;
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::{NormalizerWrapper, Prepend, Replace, Sequence};

use super::gguf::Gguf;
use super::vocabulary::{ORDINARY, STEERING};

/// The types of pieces that have no other name here: that for what no piece has, and those of single bytes.
const UNKNOWN: i64 = 2;
const BYTE: i64 = 6;
/// As long as a piece may be, in characters: each can be cut in as many places.
const LONGEST: usize = 256;

/// The types of the pieces as other vocabularies tell them: bytes are tokens like any other.
pub(super) fn kinds(kinds: &[i64]) -> Vec<i64> {
    let of = |kind: &i64| match *kind {
        BYTE => ORDINARY,
        UNKNOWN => STEERING,
        other => other,
    };
    kinds.iter().map(of).collect()
}

/// The tokenizer of a file with these pieces, and the same without a space before each text where it puts one
/// there.
pub(super) fn tokenizers(
    gguf: &Gguf,
    ids: &Vocab,
    kinds: &[i64],
) -> Result<(Tokenizer, Option<Tokenizer>), String> {
    // Phi-3's swallow the spaces behind control tokens, which the file does not say.
    let family = gguf.text("general.architecture")?;
    if family != "llama" {
        return Err(format!(
            "has pieces of SentencePiece for a network of the family `{family}`; give the folder of safetensors \
             that it was made from"
        ));
    }
    if gguf.says("tokenizer.ggml.precompiled_charsmap") {
        return Err("has pieces of SentencePiece for text that is written otherwise first".into());
    }
    let scores = gguf.reals("tokenizer.ggml.scores")?;
    let names = gguf.texts("tokenizer.ggml.tokens")?;
    if scores.len() != names.len() || scores.iter().any(|score| score.is_nan()) {
        return Err("has pieces without scores".into());
    }
    let unknown = names.iter().zip(kinds).find(|(_, kind)| **kind == UNKNOWN).map(|(name, _)| name);
    let mut bpe = BPE::builder()
        .vocab_and_merges(ids.clone(), merges(names, kinds, scores, ids))
        .byte_fallback(true)
        .fuse_unk(true);
    if let Some(unknown) = unknown {
        bpe = bpe.unk_token(unknown.clone());
    }
    let bpe = bpe.build().map_err(|error| format!("its pieces cannot be used: {error}"))?;
    let with = |first_space: bool| -> Result<Tokenizer, String> {
        let spaces = Replace::new(" ", "▁").map_err(|error| error.to_string())?;
        let mut steps: Vec<NormalizerWrapper> = vec![spaces.into()];
        if first_space {
            steps.insert(0, Prepend::new("▁".into()).into());
        }
        let mut tokenizer = Tokenizer::new(bpe.clone());
        tokenizer.with_normalizer(Some(Sequence::new(steps)));
        Ok(tokenizer)
    };
    let first_space = gguf.flag("tokenizer.ggml.add_space_prefix").unwrap_or(true);
    Ok((with(first_space)?, first_space.then(|| with(false)).transpose()?))
}

/// What is joined to what, the first to be joined first: the higher the score of the whole, the sooner. Of the ways
/// to make the same piece, that with the longer beginning comes first, as in Hugging Face's conversion.
fn merges(names: &[String], kinds: &[i64], scores: &[f32], ids: &Vocab) -> Vec<(String, String)> {
    let mut all = Vec::new();
    for ((name, kind), score) in names.iter().zip(kinds).zip(scores) {
        if *kind != ORDINARY || name.chars().count() > LONGEST {
            continue;
        }
        for (at, _) in name.char_indices().skip(1) {
            let (left, right) = name.split_at(at);
            if ids.contains_key(left) && ids.contains_key(right) {
                all.push((*score, left, right));
            }
        }
    }
    let length = |text: &str| text.chars().count();
    all.sort_by(|(score, left, _), (other_score, other_left, _)| {
        let by_score = other_score.partial_cmp(score).unwrap_or(Ordering::Equal);
        by_score.then_with(|| length(other_left).cmp(&length(left)))
    });
    all.into_iter().map(|(_, left, right)| (left.to_owned(), right.to_owned())).collect()
}
