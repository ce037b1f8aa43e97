//! Files, schemas and grammars that are not what they should be: refused with a reason, and never a panic.

use std::fs::File;
use std::io::Write as _;
use std::sync::{Arc, OnceLock};

use proptest::prelude::*;
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
proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_schema_panics(parts in prop::collection::vec(prop::sample::select(vec![
        "{", "}", "[", "]", ":", ",", "\"type\"", "\"object\"", "\"properties\"", "\"enum\"", "\"const\"", "\"$ref\"",
        "\"#\"", "\"anyOf\"", "\"pattern\"", "\"(a+)+$\"", "\"items\"", "\"minimum\"", "1e400", "-1", "9999999999",
        "\"minItems\"", "\"required\"", "true", "null", "\"é\"", "\"x-guidance\"", "\"format\"", "\"date\"",
    ]), 0..16)) {
        static GRAMMAR: OnceLock<Grammar> = OnceLock::new();
        let grammar = GRAMMAR.get_or_init(|| {
            let file = write(&FLOATS, "qwen2");
            let vocabulary = Vocabulary::read(&Gguf::open(file.path()).unwrap(), LOGITS).unwrap();
            Grammar::new(&Arc::new(vocabulary)).unwrap()
        });
        let text = parts.concat();
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
