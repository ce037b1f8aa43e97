//! Files, schemas and grammars that are not what they should be: refused with a reason, and never a panic.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
use serde_json::json;
use tempfile::{NamedTempFile, TempDir};

use super::asked::prompt;
use super::gguf::Gguf;
use super::grammar::Grammar;
use super::made::{FLOATS, LOGITS, write};
use super::network::Network;
use super::vocabulary::Vocabulary;
use super::*;
use crate::prompt::Constraint;

/// What loading these bytes says.
fn refused(bytes: &[u8], directory: &TempDir) -> Option<String> {
    let path = directory.path().join("model.gguf");
    File::create(&path).unwrap().write_all(bytes).unwrap();
    match Embedded::load(&path, &Settings::default()) {
        Ok(_) => None,
        Err(ModelError::BadFile { reason, .. }) => Some(reason),
        Err(other) => panic!("{other}"),
    }
}

#[test]
fn broken_files_are_refused_with_a_reason() {
    let directory = TempDir::new().unwrap();
    let bytes = std::fs::read(write(&FLOATS, "qwen2").path()).unwrap();
    assert_eq!(refused(&bytes, &directory), None);
    for length in (0..bytes.len() - 32).step_by(bytes.len() / 60) {
        assert!(refused(&bytes[..length], &directory).is_some(), "cut to {length} bytes");
    }
    let cut = refused(&bytes[..bytes.len() - 1000], &directory).unwrap();
    assert!(cut.contains("it is cut off; fetch it again, or name another model"), "{cut}");
    for offset in [8, 16] {
        let mut bytes = bytes.clone();
        bytes[offset..offset + 8].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(refused(&bytes, &directory).unwrap().contains("ends within its header"));
    }
    let page = refused(b"<!DOCTYPE html>", &directory).unwrap();
    assert!(page.starts_with("is not a GGUF file; "), "{page}");
    let other = std::fs::read(write(&FLOATS, "mamba").path()).unwrap();
    let right = "architecture `mamba` is not supported by the embedded engine; ";
    assert!(refused(&other, &directory).unwrap().starts_with(right));
}

/// A short file could otherwise ask for as much memory as it has tensors.
#[test]
fn tensors_that_share_their_bytes_are_refused() {
    let directory = TempDir::new().unwrap();
    let file = write(&FLOATS, "qwen2");
    let second = Gguf::open(file.path()).unwrap().entry("blk.1.attn_norm.weight", &[64]).unwrap().start;
    let mut bytes = std::fs::read(file.path()).unwrap();
    // Where a tensor lies is said at the end of what describes it: dimensions, a type, the place.
    let place = |bytes: &[u8], name: &str| {
        let end =
            bytes.windows(name.len()).position(|part| part == name.as_bytes()).unwrap() + name.len();
        let dimensions = usize::from(bytes[end]);
        end + 4 + 8 * dimensions + 4
    };
    let parts: Vec<String> = super::made::weights(&FLOATS).into_iter().map(|(name, _)| name).collect();
    for part in parts.iter().filter_map(|name| name.strip_prefix("blk.0.")) {
        let first = place(&bytes, &format!("blk.0.{part}"));
        let offset = bytes[first..first + 8].to_vec();
        for layer in [1, 2] {
            let at = place(&bytes, &format!("blk.{layer}.{part}"));
            bytes[at..at + 8].copy_from_slice(&offset);
        }
    }
    bytes.truncate(second);
    let reason = refused(&bytes, &directory).unwrap();
    assert!(reason.starts_with("has tensors that lie on each other, as `blk."), "{reason}");
}

#[tokio::test]
async fn weights_that_are_no_numbers_decide_nothing() {
    let directory = TempDir::new().unwrap();
    let path = directory.path().join("model.gguf");
    let mut bytes = std::fs::read(write(&FLOATS, "qwen2").path()).unwrap();
    let last = bytes.len() - 4;
    bytes[last..].copy_from_slice(&f32::NAN.to_le_bytes());
    std::fs::write(&path, bytes).unwrap();
    let model = Embedded::load(&path, &Settings::default()).unwrap();
    let question = prompt("which?", Constraint::OneOf(vec!["a".into(), "b".into()]), 5);
    let answer = model.complete(&question, &mut Unread).await;
    let damaged = |error: ModelError| error.to_string().contains("its weights are damaged");
    assert!(answer.is_err_and(damaged));
    let chosen = model.choose(&question, &["a".to_owned(), "b".to_owned()]).await;
    assert!(chosen.is_err_and(damaged));
}

#[test]
fn changed_bytes_never_panic() {
    let directory = TempDir::new().unwrap();
    let bytes = std::fs::read(write(&FLOATS, "qwen2").path()).unwrap();
    let header = 9_000;
    let mut state = 1_u32;
    for _ in 0..200 {
        let mut changed = bytes.clone();
        for _ in 0..4 {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let at = (state >> 8) as usize % header;
            changed[at] = state.to_le_bytes()[2];
        }
        let reason = refused(&changed, &directory);
        let panicked = reason.is_some_and(|reason| reason.starts_with("has tokens that cannot be used"));
        assert!(!panicked);
    }
}
/// A text as a header has it.
fn text(words: &str) -> Vec<u8> {
    [&(words.len() as u64).to_le_bytes()[..], words.as_bytes()].concat()
}

/// A value of a header with its type before it: right, or with a length that nothing in the file holds.
fn any_value() -> impl Strategy<Value = Vec<u8>> {
    let with = |kind: u32, bytes: Vec<u8>| [&kind.to_le_bytes()[..], &bytes].concat();
    let lengths = prop_oneof![0_u64..20, any::<u64>()];
    prop_oneof![
        (0_u32..13, prop::collection::vec(any::<u8>(), 8))
            .prop_map(move |(kind, bytes)| with(kind, bytes)),
        any::<u32>().prop_map(move |number| with(4, number.to_le_bytes().to_vec())),
        "[a-z0-9<>|]{0,12}".prop_map(move |words| with(8, text(&words))),
        prop::sample::select(vec!["gpt2", "qwen2", "llama", "qwen3", "phi3", "default"])
            .prop_map(move |words| with(8, text(words))),
        prop::collection::vec("[a-z<>|]{0,6}", 0..8).prop_map(move |words| {
            let list = [&8_u32.to_le_bytes()[..], &(words.len() as u64).to_le_bytes()].concat();
            with(9, words.iter().fold(list, |list, word| [list, text(word)].concat()))
        }),
        (0_u32..14, lengths, prop::collection::vec(any::<u8>(), 0..64)).prop_map(
            move |(kind, count, bytes)| {
                with(9, [&kind.to_le_bytes()[..], &count.to_le_bytes(), &bytes].concat())
            }
        ),
    ]
}

/// What describes a tensor: its dimensions, type and place.
fn any_tensor() -> impl Strategy<Value = Vec<u8>> {
    let numbers = || prop_oneof![0_u64..300, Just(LOGITS as u64), any::<u64>()];
    (prop::collection::vec(numbers(), 0..6), 0_u32..32, numbers()).prop_map(|(shape, kind, offset)| {
        let mut bytes = u32::try_from(shape.len()).unwrap().to_le_bytes().to_vec();
        bytes.extend(shape.into_iter().flat_map(u64::to_le_bytes));
        [bytes, kind.to_le_bytes().to_vec(), offset.to_le_bytes().to_vec()].concat()
    })
}

const KEYS: [&str; 17] = [
    "general.architecture",
    "general.alignment",
    "qwen2.block_count",
    "qwen2.context_length",
    "qwen2.embedding_length",
    "qwen2.feed_forward_length",
    "qwen2.attention.head_count",
    "qwen2.attention.head_count_kv",
    "qwen2.attention.layer_norm_rms_epsilon",
    "qwen2.rope.freq_base",
    "tokenizer.ggml.model",
    "tokenizer.ggml.pre",
    "tokenizer.ggml.tokens",
    "tokenizer.ggml.token_type",
    "tokenizer.ggml.scores",
    "tokenizer.ggml.merges",
    "tokenizer.chat_template",
];
const TENSORS: [&str; 5] =
    ["token_embd.weight", "output_norm.weight", "blk.0.attn_q.weight", "blk.0.attn_norm.weight", "x"];

/// JSON with the words of schemas in it.
fn any_schema() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        prop::sample::select(vec![
            "object",
            "array",
            "string",
            "integer",
            "null",
            "#",
            "#/$defs/a",
            "date",
            "(a|"
        ])
        .prop_map(serde_json::Value::from),
        any::<i64>().prop_map(serde_json::Value::from),
        any::<f64>().prop_map(serde_json::Value::from),
        any::<bool>().prop_map(serde_json::Value::from),
        ".{0,8}".prop_map(serde_json::Value::from),
    ];
    let words = [
        "type",
        "properties",
        "required",
        "items",
        "enum",
        "const",
        "anyOf",
        "oneOf",
        "allOf",
        "not",
        "$ref",
        "$defs",
        "pattern",
        "minItems",
        "maxItems",
        "minLength",
        "maxLength",
        "minimum",
        "multipleOf",
        "format",
        "additionalProperties",
        "patternProperties",
        "prefixItems",
        "x-guidance",
        "a",
    ];
    leaf.prop_recursive(4, 32, 5, move |inner| {
        let field = (prop::sample::select(words.to_vec()).prop_map(str::to_owned), inner.clone());
        prop_oneof![
            prop::collection::vec(inner, 0..5).prop_map(serde_json::Value::from),
            prop::collection::vec(field, 0..6).prop_map(|fields| fields.into_iter().collect()),
        ]
    })
}

fn grammar() -> &'static Grammar {
    static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
    GRAMMAR.get_or_init(|| {
        let file = write(&FLOATS, "qwen2");
        let vocabulary = Vocabulary::read(&Gguf::open(file.path()).unwrap(), LOGITS).unwrap();
        Grammar::new(&Arc::new(vocabulary)).unwrap()
    })
}

/// Short schemas that stand for much, and long ones, with whether each is refused where that is settled here.
fn nasty_schemas() -> Vec<(serde_json::Value, Option<bool>)> {
    let twice = |word: &str| {
        let next = |at: usize| json!({ "$ref": format!("#/$defs/{}", at + 1) });
        let level = |at: usize| (at.to_string(), json!({ word: [next(at), next(at)] }));
        let mut levels: serde_json::Map<_, _> = (0..40).map(level).collect();
        levels.insert("40".into(), json!({ "type": "string" }));
        json!({ "$ref": "#/$defs/0", "$defs": levels })
    };
    let fields = |count: usize| -> serde_json::Map<_, _> {
        (0..count).map(|at| (format!("field{at}"), json!({}))).collect()
    };
    let ways = |count: usize| (0..count).map(|at| json!({ "const": at })).collect::<Vec<_>>();
    let texts = |count: usize| (0..count).map(|at| format!("text {at}")).collect::<Vec<_>>();
    let link = |at: usize| json!({ "allOf": [{ "$ref": format!("#/$defs/{}", at + 1) }] });
    let mut chain: serde_json::Map<_, _> = (0..5000).map(|at| (at.to_string(), link(at))).collect();
    chain.insert("5000".into(), json!({ "type": "string" }));
    vec![
        (json!({ "type": "string", "maxLength": 4_000_000_000_u64 }), None),
        (json!({ "type": "string", "minLength": 4_000_000_000_u64 }), None),
        (
            json!({ "type": "array", "items": { "type": "integer" }, "minItems": 4_000_000_000_u64 }),
            None,
        ),
        (json!({ "type": "array", "prefixItems": [{}, {}], "maxItems": 1_000_000 }), None),
        (json!({ "type": "string", "pattern": "((a{1000}){1000}){1000}" }), None),
        (json!({ "type": "string", "pattern": "(x+x+)+y(.*.*)*" }), None),
        (json!({ "type": "string", "pattern": "a?".repeat(20_000) }), None),
        (json!({ "type": "number", "multipleOf": 1e-300, "minimum": -1e300, "maximum": 1e300 }), None),
        (json!({ "anyOf": [{ "$ref": "#" }, { "type": "array", "items": { "$ref": "#" } }] }), None),
        (twice("allOf"), None),
        (twice("anyOf"), None),
        (twice("oneOf"), None),
        (json!({ "$ref": "#/$defs/0", "$defs": chain }), None),
        (json!({ "type": "object", "properties": fields(2000) }), None),
        (json!({ "type": "object", "properties": fields(300) }), Some(false)),
        (json!({ "type": "object", "properties": fields(20_000) }), Some(true)),
        (json!({ "enum": texts(10_000) }), Some(false)),
        (json!({ "enum": texts(50_000) }), Some(true)),
        (json!({ "anyOf": ways(1000) }), Some(false)),
        (json!({ "anyOf": ways(5000) }), Some(true)),
    ]
}

/// Each takes seconds at most and little memory, and whoever asks next is answered.
#[tokio::test]
async fn a_schema_that_claims_much_takes_little() {
    let file = write(&FLOATS, "qwen2");
    let model = Embedded::load(file.path(), &Settings::default()).unwrap();
    for (schema, is_refused) in nasty_schemas() {
        let begun = std::time::Instant::now();
        let words = schema.to_string().chars().take(80).collect::<String>();
        let asked = prompt("which?", Constraint::JsonSchema(schema), 3);
        match model.complete(&asked, &mut Unread).await {
            Ok(_) => assert_ne!(is_refused, Some(true), "{words}"),
            Err(ModelError::BadConstraint(reason)) => {
                assert_ne!(is_refused, Some(false), "{words}: {reason}");
            }
            Err(other) => assert!(is_refused.is_none(), "{words}: {other}"),
        }
        assert!(begun.elapsed().as_secs() < 20, "{words}");
    }
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let peak = peak.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    assert!(peak.is_none_or(|kib| kib < 1_000_000), "{peak:?} KiB");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    /// Each entry is one that could be; together they rarely are.
    #[test]
    fn no_made_up_header_panics(
        entries in prop::collection::vec((0..KEYS.len(), any_value()), 0..KEYS.len()),
        tensors in prop::collection::vec((0..TENSORS.len(), any_tensor()), 0..4),
        behind in prop::collection::vec(any::<u8>(), 0..2000),
    ) {
        let counts = [tensors.len() as u64, entries.len() as u64].map(u64::to_le_bytes).concat();
        let entries = entries.into_iter().map(|(key, value)| [text(KEYS[key]), value].concat());
        let tensors = tensors.into_iter().map(|(name, shape)| [text(TENSORS[name]), shape].concat());
        let parts = [b"GGUF\x03\0\0\0".to_vec(), counts].into_iter().chain(entries).chain(tensors);
        let bytes = parts.chain([behind]).collect::<Vec<_>>().concat();
        let file = NamedTempFile::new().unwrap();
        std::fs::write(file.path(), bytes).unwrap();
        if let Ok(gguf) = Gguf::open(file.path()) {
            let _ = Network::read(&gguf, 64);
            let _ = Vocabulary::read(&gguf, LOGITS);
        }
    }

    #[test]
    fn no_made_up_schema_panics(schema in any_schema(), bytes in prop::collection::vec(any::<u8>(), 0..80)) {
        if let Ok(Some(mut rules)) = grammar().rules(&Constraint::JsonSchema(schema)) {
            let _ = rules.forced();
            let _ = rules.mask(&mut vec![0.0; LOGITS]);
        }
        let text = String::from_utf8_lossy(&bytes);
        let _ = grammar().rules(&Constraint::Lark(text.clone().into_owned()));
        let _ = grammar().rules(&Constraint::OneOf(vec![text.into_owned()]));
    }

    #[test]
    fn no_schema_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ":", ",", "\"type\"", "\"object\"", "\"properties\"", "\"enum\"", "\"const\"", "\"$ref\"",
        "\"#\"", "\"anyOf\"", "\"pattern\"", "\"(a+)+$\"", "\"items\"", "\"minimum\"", "1e400", "-1", "9999999999",
        "\"minItems\"", "\"required\"", "true", "null", "\"é\"", "\"x-guidance\"", "\"format\"", "\"date\"",
    ]), 0..16)) {
        let (grammar, text) = (grammar(), parts.concat());
        if let Ok(schema) = serde_json::from_str(&text) {
            let _ = grammar.rules(&Constraint::JsonSchema(schema));
        }
        let _ = grammar.rules(&Constraint::Lark(format!("start: {text}")));
    }

    #[test]
    fn no_header_panics(bytes in prop::collection::vec(any::<u8>(), 0..200), cut in 0_usize..9000) {
        static WHOLE: OnceLock<Vec<u8>> = OnceLock::new();
        let whole = WHOLE.get_or_init(|| std::fs::read(write(&FLOATS, "qwen2").path()).unwrap());
        let file = NamedTempFile::new().unwrap();
        for head in [&b"GGUF\x03\0\0\0"[..], &whole[..cut]] {
            std::fs::write(file.path(), [head, &bytes].concat()).unwrap();
            if let Ok(gguf) = Gguf::open(file.path()) {
                let _ = Network::read(&gguf, 64);
                let _ = Vocabulary::read(&gguf, LOGITS);
            }
        }
    }
}
