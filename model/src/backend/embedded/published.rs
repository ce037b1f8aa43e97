//! A `tokenizer.json`: the names of its tokens, and the tokenizer without those that only steer, so that no
//! text can name them.

use std::collections::HashMap;

use serde_json::{Value, json};
use tokenizers::Tokenizer;

use super::vocabulary::{NAMED, ORDINARY, STEERING, UNUSED};

/// What a `tokenizer.json` says.
pub(super) struct Published {
    pub(super) names: Vec<String>,
    /// The type of each, as GGUF files tell them.
    pub(super) kinds: Vec<i64>,
    pub(super) tokenizer: Tokenizer,
    /// The same without a space before each text, where it puts one there.
    pub(super) bare: Option<Tokenizer>,
    pub(super) spelling: Spelling,
}

/// How the names of tokens say their bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Spelling {
    /// Each letter is a byte.
    Bytes,
    /// Letters are themselves, `▁` is a space, and `<0x0A>` is a byte.
    Letters,
}

impl Published {
    /// Reads a `tokenizer.json` for a network with logits for `count` tokens.
    pub(super) fn read(mut json: Value, count: usize) -> Result<Self, String> {
        let kind = json.pointer("/model/type").and_then(Value::as_str).unwrap_or_default();
        if kind != "BPE" {
            return Err(format!(
                "tokenizers of the kind `{kind}` are not supported by the embedded engine"
            ));
        }
        let spelling = match json.get("decoder").map(Value::to_string) {
            Some(decoder) if decoder.contains("\"ByteLevel\"") => Spelling::Bytes,
            Some(decoder) if decoder.contains("\"ByteFallback\"") => Spelling::Letters,
            _ => return Err("its tokenizer.json does not say how tokens become text".into()),
        };
        let added = json.get("added_tokens").and_then(Value::as_array).cloned().unwrap_or_default();
        let words = json.pointer("/model/vocab").and_then(Value::as_object);
        let words = words.ok_or("its tokenizer.json has no `vocab`")?;
        // As many as there are names, and some between them: another file only claims how many there are.
        let count = count.min(2 * (words.len() + added.len()) + 1024);
        let mut names: Vec<Option<(String, i64)>> = vec![None; count];
        let mut put = |name: &str, id: Option<u64>, kind: i64| {
            let id = id.and_then(|id| usize::try_from(id).ok());
            match id.and_then(|id| names.get_mut(id)) {
                Some(slot) => *slot = Some((name.to_owned(), kind)),
                None => return Err(format!("the token `{name}` of its tokenizer.json has no logits")),
            }
            Ok(())
        };
        for (name, id) in words {
            put(name, id.as_u64(), ORDINARY)?;
        }
        for token in &added {
            let name = token.get("content").and_then(Value::as_str).unwrap_or_default();
            let kind = if steers(token) { STEERING } else { NAMED };
            put(name, token.get("id").and_then(Value::as_u64), kind)?;
        }
        if let Some(added) = json.get_mut("added_tokens").and_then(Value::as_array_mut) {
            added.retain(|token| !steers(token) && !is_thought(token));
        }
        let len = names.iter().rposition(Option::is_some).map_or(0, |last| last + 1);
        names.truncate(len);
        let hole = |id: usize| (format!("<[{id}]>"), UNUSED);
        let (names, kinds) = (0..).zip(names).map(|(id, name)| name.unwrap_or_else(|| hole(id))).unzip();
        let tokenizer = build(&json)?;
        let bare = without_first_space(&mut json).then(|| build(&json)).transpose()?;
        Ok(Self { names, kinds, tokenizer, bare, spelling })
    }
}

impl Spelling {
    /// The bytes of a token by its name.
    pub(super) fn bytes(self, name: &str, alphabet: &HashMap<char, u8>) -> Option<Vec<u8>> {
        if self == Self::Bytes {
            return name.chars().map(|c| alphabet.get(&c).copied()).collect();
        }
        let byte = name.strip_prefix("<0x").and_then(|rest| rest.strip_suffix('>'));
        match byte
            .filter(|digits| digits.len() == 2)
            .and_then(|digits| u8::from_str_radix(digits, 16).ok())
        {
            Some(byte) => Some(vec![byte]),
            None => Some(name.replace('▁', " ").into_bytes()),
        }
    }
}

fn steers(token: &Value) -> bool {
    token.get("special") == Some(&Value::Bool(true))
}

/// What stands around thoughts is no text either, though some do not say so.
fn is_thought(token: &Value) -> bool {
    let name = token.get("content").and_then(Value::as_str);
    name.is_some_and(|name| super::vocabulary::THINKS.contains(&name))
}

fn build(json: &Value) -> Result<Tokenizer, String> {
    serde_json::from_value(json.clone())
        .map_err(|error| format!("its tokenizer.json cannot be used: {error}"))
}

/// Takes out what puts a space before each text. Gives whether there was such.
fn without_first_space(json: &mut Value) -> bool {
    let is_prepend = |part: &Value| part.get("type").and_then(Value::as_str) == Some("Prepend");
    let mut found = false;
    if json.get("normalizer").is_some_and(is_prepend) {
        json["normalizer"] = Value::Null;
        found = true;
    }
    if let Some(parts) = json.pointer_mut("/normalizer/normalizers").and_then(Value::as_array_mut) {
        let before = parts.len();
        parts.retain(|part| !is_prepend(part));
        found |= parts.len() < before;
    }
    let cuts = json.get_mut("pre_tokenizer");
    cuts.is_some_and(never_prepend) || found
}

fn never_prepend(part: &mut Value) -> bool {
    let mut found = false;
    if part.get("type").and_then(Value::as_str) == Some("Metaspace")
        && part.get("prepend_scheme").and_then(Value::as_str) != Some("never")
    {
        part["prepend_scheme"] = json!("never");
        if let Some(part) = part.as_object_mut() {
            part.remove("add_prefix_space");
        }
        found = true;
    }
    if part.get("type").and_then(Value::as_str) == Some("ByteLevel")
        && part.get("add_prefix_space") == Some(&Value::Bool(true))
    {
        part["add_prefix_space"] = json!(false);
        found = true;
    }
    for part in part.get_mut("pretokenizers").and_then(Value::as_array_mut).into_iter().flatten() {
        found |= never_prepend(part);
    }
    found
}
