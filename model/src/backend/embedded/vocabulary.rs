//! The tokens of a model: how text becomes token ids and how ids become text, read from the model's file.
//!
//! Text is always cut into tokens without looking for control tokens in it, so nothing that is quoted
//! in a prompt, such as the text of a web page, can end a turn or begin one. Control tokens are put
//! between the texts as ids.

use std::collections::HashMap;

use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::normalizers::unicode::NFC;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::sequence::Sequence;
use tokenizers::pre_tokenizers::split::{Split, SplitPattern};
use tokenizers::{SplitDelimiterBehavior, Tokenizer};
use toktrie::{TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use super::gguf::Gguf;
use crate::backend::ModelError;
use crate::prompt::{Prompt, Speaker};

/// Where Qwen2 cuts text before it looks for tokens.
const CUTS: &str = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+";

/// The type of ordinary tokens in a GGUF file.
const ORDINARY: i64 = 1;
/// The type of tokens that no text has but that are written as their name.
const NAMED: i64 = 4;

/// The tokens of a model.
pub(super) struct Vocabulary {
    tokenizer: Tokenizer,
    trie: TokTrie,
    turn_start: TokenId,
    turn_end: TokenId,
    /// Tokens that end an answer.
    ends: Vec<TokenId>,
    /// Tokens that have no place in an answer.
    banned: Vec<TokenId>,
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vocabulary of {} tokens", self.trie.vocab_size())
    }
}

impl Vocabulary {
    /// The vocabulary of a file whose network has logits for `count` tokens.
    pub(super) fn read(gguf: &Gguf, count: usize) -> Result<Self, String> {
        let kind = (gguf.text("tokenizer.ggml.model")?, gguf.text("tokenizer.ggml.pre")?);
        if kind != ("gpt2", "qwen2") {
            return Err(format!(
                "tokenizer `{}/{}` is not supported by the embedded engine",
                kind.0, kind.1
            ));
        }
        let names = gguf.texts("tokenizer.ggml.tokens")?;
        let types = gguf.numbers("tokenizer.ggml.token_type")?;
        if names.len() > count || types.len() != names.len() {
            return Err(format!(
                "has {} tokens of {} types for {count} logits",
                names.len(),
                types.len()
            ));
        }
        let ids: Vocab = names.iter().cloned().zip(0..).collect();
        if ids.len() != names.len() {
            return Err("has two tokens of the same name".into());
        }
        let find = |name: &str| ids.get(name).copied().ok_or_else(|| format!("has no token `{name}`"));
        let (turn_start, turn_end) = (find("<|im_start|>")?, find("<|im_end|>")?);
        let mut ends = vec![turn_end, turn_start];
        ends.extend(ids.get("<|endoftext|>"));
        ends.extend(gguf.token("tokenizer.ggml.eos_token_id").filter(|id| (*id as usize) < names.len()));
        ends.sort_unstable();
        ends.dedup();
        let banned = (0..).zip(types).filter(|(_, kind)| !matches!(**kind, ORDINARY | NAMED));
        let spare = names.len()..count;
        let banned = banned.map(|(id, _)| id).chain(spare.filter_map(|id| id.try_into().ok()));
        Ok(Self {
            banned: banned.filter(|id| !ends.contains(id)).collect(),
            trie: trie(names, types, count, turn_end, &ends)?,
            tokenizer: tokenizer(ids, gguf.texts("tokenizer.ggml.merges")?)?,
            turn_start,
            turn_end,
            ends,
        })
    }

    /// The ids of a text. No control token is among them, whatever the text says.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<TokenId>, ModelError> {
        let encoding = self.tokenizer.encode_fast(text, false);
        let encoding = encoding.map_err(|e| ModelError::Failed(format!("a text has no tokens: {e}")))?;
        Ok(encoding.get_ids().to_vec())
    }

    /// The ids of a prompt up to where the model's answer begins, at most `most`, and how many of them
    /// are those of its lasting turns.
    pub(super) fn render(
        &self,
        prompt: &Prompt,
        most: u32,
    ) -> Result<(Vec<TokenId>, usize), ModelError> {
        let turns = prompt.turns.as_slice();
        let bytes = turns.iter().map(|turn| turn.text.len()).sum::<usize>();
        // Each token stands for a few bytes, so that an absurd prompt need not be read to be refused.
        let least = count(bytes / self.trie.max_token_len().max(1));
        if least > most {
            return Err(ModelError::TooLong { prompt: least, context: most });
        }
        let mut ids = Vec::new();
        let mut lasting = 0;
        if prompt.plain {
            for turn in turns {
                ids.extend(self.encode(&turn.text)?);
            }
            return self.checked(ids, 0, most);
        }
        for (number, turn) in turns.iter().enumerate() {
            if number == prompt.lasting {
                lasting = ids.len();
            }
            ids.push(self.turn_start);
            ids.extend(self.encode(&format!("{}\n{}", name(turn.speaker), turn.text))?);
            ids.push(self.turn_end);
            ids.extend(self.encode("\n")?);
        }
        ids.push(self.turn_start);
        ids.extend(self.encode(&format!("{}\n", name(Speaker::Assistant)))?);
        self.checked(ids, lasting, most)
    }

    /// The ids of a prompt, where they are some and leave room for an answer.
    fn checked(
        &self,
        mut ids: Vec<TokenId>,
        lasting: usize,
        most: u32,
    ) -> Result<(Vec<TokenId>, usize), ModelError> {
        if ids.is_empty() {
            // The network needs something to begin with.
            ids.push(self.turn_end);
        }
        if count(ids.len()) < most {
            Ok((ids, lasting))
        } else {
            Err(ModelError::TooLong { prompt: count(ids.len()), context: most })
        }
    }

    /// Whether `id` ends an answer.
    pub(super) fn is_end(&self, id: TokenId) -> bool {
        self.ends.contains(&id)
    }

    /// Tokens that have no place in an answer.
    pub(super) fn banned(&self) -> &[TokenId] {
        &self.banned
    }

    /// What `id` stands for: often whole words, sometimes half a character, the name of a control token.
    pub(super) fn bytes(&self, id: TokenId) -> &[u8] {
        let bytes = self.trie.token(id);
        bytes.strip_prefix(&[TokTrie::SPECIAL_TOKEN_MARKER]).unwrap_or(bytes)
    }
}

impl TokenizerEnv for Vocabulary {
    fn tok_trie(&self) -> &TokTrie {
        &self.trie
    }

    fn tokenize_bytes(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| self.encode(text).unwrap_or_default())
    }

    fn tokenize_bytes_special(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            self.trie.tokenize_with_special(text, |text| self.encode(text).unwrap_or_default())
        })
    }
}

/// As a number of tokens.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

fn name(speaker: Speaker) -> &'static str {
    match speaker {
        Speaker::System => "system",
        Speaker::User => "user",
        Speaker::Assistant => "assistant",
    }
}

fn tokenizer(ids: Vocab, merges: &[String]) -> Result<Tokenizer, String> {
    let pair = |merge: &String| merge.split_once(' ').map(|(a, b)| (a.to_owned(), b.to_owned()));
    let merges: Option<Vec<_>> = merges.iter().map(pair).collect();
    let merges = merges.ok_or("has a merge that is no pair")?;
    let bpe = BPE::builder().vocab_and_merges(ids, merges).build();
    let mut tokenizer = Tokenizer::new(bpe.map_err(|e| format!("its merges cannot be used: {e}"))?);
    let split = Split::new(SplitPattern::Regex(CUTS.into()), SplitDelimiterBehavior::Isolated, false);
    let split = split.map_err(|e| e.to_string())?;
    let bytes = ByteLevel::new(false, false, false);
    tokenizer
        .with_normalizer(Some(NFC))
        .with_pre_tokenizer(Some(Sequence::new(vec![split.into(), bytes.into()])));
    Ok(tokenizer)
}

/// What each token stands for, in the form that constraints are checked with.
fn trie(
    names: &[String],
    types: &[i64],
    count: usize,
    turn_end: TokenId,
    ends: &[TokenId],
) -> Result<TokTrie, String> {
    let bytes_of = alphabet();
    let mut all = Vec::with_capacity(count);
    for (name, kind) in names.iter().zip(types) {
        if *kind == ORDINARY {
            let bytes: Option<Vec<u8>> = name.chars().map(|c| bytes_of.get(&c).copied()).collect();
            all.push(
                bytes.ok_or_else(|| format!("has the token `{name}`, which is not written in bytes"))?,
            );
        } else {
            all.push(special(name));
        }
    }
    all.extend((names.len()..count).map(|id| special(&format!("<[{id}]>"))));
    if all.iter().any(|bytes| bytes.len() > 1 << 10) {
        return Err("has a token of more than a thousand bytes".into());
    }
    let size = u32::try_from(count).map_err(|e| e.to_string())?;
    // The first end is the one that constraints end with.
    let ends: Vec<TokenId> =
        std::iter::once(turn_end).chain(ends.iter().copied().filter(|id| *id != turn_end)).collect();
    Ok(TokTrie::from(&TokRxInfo::new(size, turn_end), &all).with_eos_tokens(&ends))
}

fn special(name: &str) -> Vec<u8> {
    [&[TokTrie::SPECIAL_TOKEN_MARKER], name.as_bytes()].concat()
}

/// The byte of each character in the names of tokens: the character itself where that is printable,
/// else one of those from U+0100 on.
fn alphabet() -> HashMap<char, u8> {
    let (printable, other): (Vec<u8>, Vec<u8>) =
        (0..=u8::MAX).partition(|byte| matches!(byte, b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF));
    let printable = printable.into_iter().map(|byte| (char::from(byte), byte));
    printable.chain(('\u{100}'..).zip(other)).collect()
}
