//! The tokens of a model: how text becomes token ids and how ids become text, read from the model's file.
//!
//! Text is always cut into tokens without looking for control tokens in it, so nothing that is quoted
//! in a prompt, such as the text of a web page, can end a turn or begin one. Control tokens are put
//! between the texts as ids.

use std::collections::HashMap;

use tokenizers::Tokenizer;
use tokenizers::models::bpe::Vocab;
use toktrie::{TokRxInfo, TokTrie, TokenId, TokenizerEnv};

use super::cuts;
use super::folder::Folder;
use super::gguf::Gguf;
use super::pieces;
use super::published::{Published, Spelling};
use super::specials::{Specials, veil};
use super::template::{Template, name};
use crate::backend::ModelError;
use crate::prompt::{Prompt, Speaker, Turn};

/// The type of ordinary tokens in a GGUF file.
pub(super) const ORDINARY: i64 = 1;
/// The type of tokens that no text has but that are written as their name.
pub(super) const NAMED: i64 = 4;
/// The type of tokens that only steer.
pub(super) const STEERING: i64 = 3;
/// The type of ids that no token has.
pub(super) const UNUSED: i64 = 5;

/// Tokens that end an answer, as the families call them: those that end a turn, and those that begin one.
const ENDS: [&str; 12] = [
    "<|im_end|>",
    "<|im_start|>",
    "<|endoftext|>",
    "<|eot_id|>",
    "<|eom_id|>",
    "<|end_of_text|>",
    "<|start_header_id|>",
    "<｜end▁of▁sentence｜>",
    "<｜User｜>",
    "<|end|>",
    "<end_of_turn>",
    "</s>",
];
/// What stands before and after what a model thinks aloud.
pub(super) const THINKS: [&str; 2] = ["<think>", "</think>"];
/// Has all that tokenizers get wrong: spaces at the ends, digits, letters of two and more bytes.
const SAMPLE: &str = " Row 1024:\tdon't, I'LL — naïve 東京 😀  x\r\n\n  end ";

/// The tokens of a model.
pub(super) struct Vocabulary {
    tokenizer: Tokenizer,
    /// The same for texts that others stand before, where that makes a difference.
    bare: Option<Tokenizer>,
    trie: TokTrie,
    template: Option<Template>,
    specials: Specials,
    /// Begins and ends what the model thinks aloud, where it does that.
    thinks: Option<[TokenId; 2]>,
    /// Tokens that end an answer.
    ends: Vec<TokenId>,
    /// Tokens that have no place in an answer.
    banned: Vec<TokenId>,
}

/// What a vocabulary is put together from.
struct Parts<'a> {
    names: &'a [String],
    /// The type of each, as GGUF files tell them.
    kinds: &'a [i64],
    /// Tokens that there are logits for.
    count: usize,
    /// Tokens that end an answer besides those known by name, the most usual one first.
    ends: Vec<TokenId>,
    /// The names of what begins and what ends a text.
    edges: [String; 2],
    template: Option<String>,
    /// The bytes that an ordinary token stands for.
    spell: &'a dyn Fn(&str) -> Option<Vec<u8>>,
    tokenizer: Tokenizer,
    bare: Option<Tokenizer>,
}

/// A prompt in tokens.
#[derive(Debug)]
pub(super) struct Rendered {
    pub(super) ids: Vec<TokenId>,
    /// Of these, the tokens of the lasting turns.
    pub(super) lasting: usize,
    /// Whether the model thinks aloud before it answers.
    pub(super) thinks: bool,
}

impl std::fmt::Debug for Vocabulary {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vocabulary of {} tokens", self.trie.vocab_size())
    }
}

impl Vocabulary {
    /// The vocabulary of a file whose network has logits for `count` tokens.
    pub(super) fn read(gguf: &Gguf, count: usize) -> Result<Self, String> {
        let kind = gguf.text("tokenizer.ggml.model")?;
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
        let token = |key: &str| {
            let id = gguf.token(&format!("tokenizer.ggml.{key}_token_id"));
            id.filter(|id| (*id as usize) < names.len())
        };
        let ends = token("eot").into_iter().chain(token("eos")).collect();
        let called =
            |id: Option<TokenId>| id.and_then(|id| names.get(id as usize)).cloned().unwrap_or_default();
        let alphabet = alphabet();
        let (family, spelling, types, (tokenizer, bare)) = match kind {
            "gpt2" => {
                let family = gguf.text("tokenizer.ggml.pre")?;
                let merges = gguf.texts("tokenizer.ggml.merges")?;
                (family, Spelling::Bytes, types.to_vec(), (cuts::tokenizer(family, ids, merges)?, None))
            }
            "llama" => {
                (kind, Spelling::Letters, pieces::kinds(types), pieces::tokenizers(gguf, &ids, types)?)
            }
            other => {
                return Err(format!(
                    "tokens of the kind `{other}` are not supported by the embedded engine"
                ));
            }
        };
        Self::put_together(Parts {
            kinds: &types,
            count,
            ends,
            edges: [called(token("bos")), called(token("eos"))],
            template: gguf.text("tokenizer.chat_template").ok().map(ToOwned::to_owned),
            spell: &|name| spelling.bytes(name, &alphabet),
            tokenizer,
            bare,
            names,
        })
        .map_err(|error| {
            error.unwrap_or_else(|| {
                format!("its tokenizer `{family}` does not give back what it is given")
            })
        })
    }

    /// The vocabulary of a folder whose network has logits for `count` tokens.
    pub(super) fn of_folder(folder: &Folder, count: usize) -> Result<Self, String> {
        let Published { names, kinds, tokenizer, bare, spelling } =
            Published::read(folder.tokenizer()?, count)?;
        let edge = |key| folder.token(key).map(Option::unwrap_or_default);
        let alphabet = alphabet();
        let spell = |name: &str| spelling.bytes(name, &alphabet);
        let parts = Parts {
            names: &names,
            kinds: &kinds,
            count,
            ends: folder.ends()?,
            edges: [edge("bos_token")?, edge("eos_token")?],
            template: folder.template()?,
            spell: &spell,
            tokenizer,
            bare,
        };
        let lost = "its tokenizer.json does not give back what it is given";
        Self::put_together(parts).map_err(|error| error.unwrap_or_else(|| lost.into()))
    }

    /// Puts a vocabulary together and tries it. There is no word to an error where text comes back as another.
    fn put_together(parts: Parts<'_>) -> Result<Self, Option<String>> {
        let Parts { names, kinds, count, ends: own, edges, template, spell, tokenizer, bare } = parts;
        let by_name: HashMap<&str, TokenId> = names.iter().map(String::as_str).zip(0..).collect();
        let own: Vec<TokenId> = own.into_iter().filter(|id| (*id as usize) < names.len()).collect();
        let mut ends: Vec<TokenId> =
            ENDS.iter().filter_map(|name| by_name.get(*name).copied()).collect();
        for id in &own {
            if !ends.contains(id) {
                ends.push(*id);
            }
        }
        // The first is the one that constraints end with.
        let first = by_name.get("<|im_end|>").or(own.first()).or(ends.first()).copied();
        let first = first.ok_or_else(|| Some("has no token that ends an answer".to_owned()))?;
        ends.sort_by_key(|id| (*id != first, *id));
        let specials = names.iter().zip(kinds).zip(0..);
        let specials = specials.filter(|((_, kind), _)| matches!(**kind, STEERING | NAMED));
        let specials = Specials::new(specials.map(|((name, _), id)| (name.as_str(), id)));
        let thinks = THINKS.map(|name| specials.id(name));
        let thinks = if let [Some(begin), Some(end)] = thinks { Some([begin, end]) } else { None };
        let template = match template {
            Some(source) => Some(Template::new(&source, &edges[0], &edges[1])?),
            None if specials.id("<|im_start|>").is_some() => None,
            None => return Err(Some("has no chat template, so it was not trained to be asked".into())),
        };
        let banned = (0..).zip(kinds).filter(|(_, kind)| !matches!(**kind, ORDINARY | NAMED));
        let spare = names.len()..count;
        let banned = banned.map(|(id, _)| id).chain(spare.filter_map(|id| id.try_into().ok()));
        let vocabulary = Self {
            banned: banned.filter(|id| !ends.contains(id)).collect(),
            trie: trie(names, kinds, count, spell, first, &ends)?,
            tokenizer,
            bare,
            template,
            specials,
            thinks,
            ends,
        };
        let encoded = vocabulary.encode_bare(SAMPLE).map_err(|error| Some(error.to_string()))?;
        if vocabulary.text(&encoded) == SAMPLE.as_bytes() { Ok(vocabulary) } else { Err(None) }
    }

    fn text(&self, ids: &[TokenId]) -> Vec<u8> {
        ids.iter().flat_map(|id| self.bytes(*id)).copied().collect()
    }

    /// The ids of a text that stands by itself. No control token is among them, whatever the text says.
    pub(super) fn encode(&self, text: &str) -> Result<Vec<TokenId>, ModelError> {
        encode(&self.tokenizer, text)
    }

    /// The ids of a text that others may stand before: some tokenizers begin each text with a space.
    pub(super) fn encode_bare(&self, text: &str) -> Result<Vec<TokenId>, ModelError> {
        encode(self.bare.as_ref().unwrap_or(&self.tokenizer), text)
    }

    /// A prompt up to where the model's answer begins, in at most `most` tokens.
    pub(super) fn render(&self, prompt: &Prompt, most: u32) -> Result<Rendered, ModelError> {
        let bytes = prompt.turns.iter().map(|turn| turn.text.len()).sum::<usize>();
        // Each token stands for a few bytes, so that an absurd prompt need not be read to be refused.
        let least = count(bytes / self.trie.max_token_len().max(1));
        if least > most {
            return Err(ModelError::TooLong { prompt: least, context: most });
        }
        if prompt.plain {
            let texts = prompt.turns.iter().map(|turn| self.encode(&turn.text));
            let ids: Vec<TokenId> = texts.collect::<Result<Vec<_>, _>>()?.concat();
            return self.fitting(Rendered { ids, lasting: 0, thinks: false }, most);
        }
        let veil = veil(&prompt.turns);
        // Templates take thoughts out of earlier answers, where they find them by these names.
        let meant = |turn: &Turn| if turn.speaker == Speaker::Assistant { &THINKS[..] } else { &[] };
        let veiled =
            |turn: &Turn| Turn::new(turn.speaker, self.specials.hide(&turn.text, veil, meant(turn)));
        let turns: Vec<Turn> = prompt.turns.iter().map(veiled).collect();
        let thinks = prompt.thinking > 0 && self.thinks.is_some();
        let mut text = self.written(&turns, true, thinks)?;
        let [begin, end] = THINKS;
        let has_begun = text.trim_end().ends_with(begin);
        match (thinks, has_begun) {
            (true, false) => text.push_str(&format!("{begin}\n")),
            // Some templates begin to think unasked: it has then thought of nothing.
            (false, true) if self.thinks.is_some() => {
                text.truncate(text.trim_end().len());
                text.push_str(&format!("\n\n{end}\n\n"));
            }
            _ => {}
        }
        let ids = self.cut(&text, veil)?;
        let lasting = match turns.get(..prompt.lasting) {
            None | Some([]) => 0,
            Some(lasting) => {
                // A template that takes no part of a conversation keeps the rest from being reused.
                let lasting = self.written(lasting, false, thinks).unwrap_or_default();
                let lasting = self.cut(&lasting, veil)?;
                ids.iter().zip(&lasting).take_while(|(a, b)| a == b).count()
            }
        };
        self.fitting(Rendered { ids, lasting, thinks }, most)
    }

    /// A prompt that leaves room for an answer, and is not empty.
    fn fitting(&self, mut prompt: Rendered, most: u32) -> Result<Rendered, ModelError> {
        if prompt.ids.is_empty() {
            // The network needs something to begin with.
            prompt.ids.extend(self.ends.first());
        }
        let length = count(prompt.ids.len());
        if length < most {
            Ok(prompt)
        } else {
            Err(ModelError::TooLong { prompt: length, context: most })
        }
    }

    /// The turns as the model was trained to read them.
    fn written(&self, turns: &[Turn], answer: bool, thinks: bool) -> Result<String, ModelError> {
        if let Some(template) = &self.template {
            return template.render(turns, answer, thinks).map_err(ModelError::Failed);
        }
        let turn =
            |turn: &Turn| format!("<|im_start|>{}\n{}<|im_end|>\n", name(turn.speaker), turn.text);
        let mut text: String = turns.iter().map(turn).collect();
        if answer {
            text.push_str(&format!("<|im_start|>{}\n", name(Speaker::Assistant)));
        }
        Ok(text)
    }

    /// The ids of a text of our own making, in which control tokens are meant where they stand, but for
    /// those that `veil` marks.
    fn cut(&self, text: &str, veil: char) -> Result<Vec<TokenId>, ModelError> {
        let mut ids = Vec::new();
        for (text, special) in self.specials.split(text) {
            if text.contains(veil) {
                ids.extend(self.encode(&text.replace(veil, ""))?);
            } else if !text.is_empty() {
                ids.extend(self.encode(text)?);
            }
            ids.extend(special);
        }
        Ok(ids)
    }

    /// What begins and what ends what the model thinks aloud, where it does that.
    pub(super) fn thinks(&self) -> Option<[TokenId; 2]> {
        self.thinks
    }

    /// Whether `id` ends an answer.
    pub(super) fn is_end(&self, id: TokenId) -> bool {
        self.ends.contains(&id)
    }

    /// Whether `id` is a token that no text has.
    #[cfg(test)]
    pub(super) fn is_named(&self, id: TokenId) -> bool {
        self.trie.is_special_token(id)
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
        self.trie.tokenize_with_greedy_fallback(bytes, |text| self.encode_bare(text).unwrap_or_default())
    }

    fn tokenize_bytes_special(&self, bytes: &[u8]) -> Vec<TokenId> {
        self.trie.tokenize_with_greedy_fallback(bytes, |text| {
            self.trie.tokenize_with_special(text, |text| self.encode_bare(text).unwrap_or_default())
        })
    }
}

fn encode(tokenizer: &Tokenizer, text: &str) -> Result<Vec<TokenId>, ModelError> {
    let encoding = tokenizer.encode_fast(text, false);
    let encoding = encoding.map_err(|e| ModelError::Failed(format!("a text has no tokens: {e}")))?;
    Ok(encoding.get_ids().to_vec())
}

/// As a number of tokens.
pub(super) fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// What each token stands for, in the form that constraints are checked with.
fn trie(
    names: &[String],
    types: &[i64],
    count: usize,
    spell: &dyn Fn(&str) -> Option<Vec<u8>>,
    first_end: TokenId,
    ends: &[TokenId],
) -> Result<TokTrie, String> {
    let mut all = Vec::with_capacity(count);
    for (name, kind) in names.iter().zip(types) {
        if *kind == ORDINARY {
            let bytes = spell(name);
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
    Ok(TokTrie::from(&TokRxInfo::new(size, first_end), &all).with_eos_tokens(ends))
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
