//! The engine with the weights that it is for. `FREEHAND_TEST_GGUF` names their file.

use std::ops::ControlFlow;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::Instant;

use serde_json::{Value, json};

use super::gguf::Gguf;
use super::network::{Network, Wanted};
use super::vocabulary::Vocabulary;
use super::*;
use crate::prompt::{Constraint, Speaker, Turn};

/// The weights that these tests run with.
fn real_weights() -> PathBuf {
    match std::env::var_os("FREEHAND_TEST_GGUF").map(PathBuf::from) {
        Some(path) if path.is_file() => path,
        _ => panic!("set FREEHAND_TEST_GGUF to the weights of `qwen2.5-coder-1.5b`"),
    }
}

fn model() -> &'static Embedded {
    static MODEL: OnceLock<Embedded> = OnceLock::new();
    MODEL.get_or_init(|| Embedded::load(&real_weights(), &Settings::default()).unwrap())
}

fn prompt(system: &str, user: &str, constraint: Constraint) -> Prompt {
    let turns = vec![Turn::new(Speaker::System, system), Turn::new(Speaker::User, user)];
    Prompt { turns, constraint, max_tokens: 64, ..Prompt::default() }
}

#[tokio::test]
async fn a_greedy_answer_makes_sense() {
    let question = prompt("Answer in one word.", "What is the capital of France?", Constraint::Free);
    let answer = model().complete(&question, &mut Unread).await.unwrap();
    assert_eq!((answer.text.as_str(), answer.finish), ("Paris", Finish::Stop));
    let again = model().complete(&question, &mut Unread).await.unwrap();
    assert_eq!((again.text, again.usage.reused + 1), (answer.text, again.usage.prompt));
}

#[tokio::test]
async fn a_constrained_answer_names_what_there_is() {
    let schema = json!({
        "type": "object",
        "properties": {
            "action": { "enum": ["click", "type", "scroll"] },
            "target": { "enum": ["Save", "Open", "Cancel"] },
        },
        "required": ["action", "target"],
        "additionalProperties": false,
    });
    let task = "Buttons: Open, Save, Cancel. The task: keep the document.";
    let question = prompt("Give the next action as JSON.", task, Constraint::JsonSchema(schema));
    let answer = model().complete(&question, &mut Unread).await.unwrap();
    let value: Value = serde_json::from_str(&answer.text).unwrap();
    assert_eq!(value, json!({ "action": "click", "target": "Save" }));
    assert!(answer.usage.forced > answer.usage.sampled, "{:?}", answer.usage);
}

#[tokio::test]
async fn a_choice_prefers_the_obvious() {
    let cases = [("Is Paris in France?", 0), ("Is Paris in Japan?", 1)];
    for (question, right) in cases {
        let question = prompt("Answer yes or no.", question, Constraint::Free);
        let options = ["Yes".to_owned(), "No".to_owned(), "No idea whatsoever".to_owned()];
        let shares = model().choose(&question, &options).await.unwrap().probabilities;
        assert!(shares[right] > 0.8 && shares[2] < 0.05, "{question:?}: {shares:?}");
    }
}

/// Breaks off at once.
struct Impatient(Option<Instant>);

impl TokenSink for Impatient {
    fn piece(&mut self, _: &str) -> ControlFlow<()> {
        self.poll()
    }

    fn poll(&mut self) -> ControlFlow<()> {
        self.0.get_or_insert_with(Instant::now);
        ControlFlow::Break(())
    }
}

#[tokio::test]
async fn a_break_in_a_long_prompt_takes_less_time_than_the_prompt() {
    let question =
        prompt("Summarise.", &"The sea is green, the sky is blue. ".repeat(80), Constraint::Free);
    let mut sink = Impatient(None);
    let answer = model().complete(&question, &mut sink).await.unwrap();
    assert_eq!((answer.finish, answer.text.as_str()), (Finish::Cancelled, ""));
    let waited = sink.0.unwrap().elapsed();
    assert!(answer.usage.prompt > 700 && waited.as_secs_f64() < 1.5, "{waited:?}");
}

#[test]
fn reading_in_parts_changes_no_logit_much() {
    let gguf = Gguf::open(&real_weights()).unwrap();
    let network = Network::read(&gguf, 1024).unwrap();
    let vocabulary = Vocabulary::read(&gguf, network.sizes.vocabulary).unwrap();
    let text = "Row 17: a button `Save 17` beside a text field, above another.\n".repeat(40);
    let ids = vocabulary.encode(&text).unwrap();
    let ids = &ids[..400];
    let go_on = || ControlFlow::Continue(());
    let mut branch = branch::Branch::new(&network);
    let mut read = |keep: usize| {
        branch.cut(keep);
        let mut parts = [(&mut branch, &ids[keep..], Wanted::Last)];
        branch::Branch::read(&network, &mut parts, &go_on).unwrap().unwrap().concat()
    };
    let whole = read(0);
    // Where the weights are not packed here, single tokens take another path through candle.
    let single = if cfg!(target_arch = "x86_64") { 1e-3 } else { 1.0 };
    for (keep, close) in [(300, 1e-3), (10, 1e-3), (399, single)] {
        let parts = read(keep);
        let most = |logits: &[f32]| (0..logits.len()).max_by(|a, b| logits[*a].total_cmp(&logits[*b]));
        assert_eq!(most(&parts), most(&whole));
        let difference = parts.iter().zip(&whole).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        assert!(difference < close, "after {keep}: {difference}");
    }
}

/// Ids that the tokenizer published with the model gives.
#[test]
fn known_texts_have_their_known_tokens() {
    let vocabulary = Vocabulary::read(&Gguf::open(&real_weights()).unwrap(), 151_936).unwrap();
    let known: [(&str, &[u32]); 3] = [
        ("Hello, world!", &[9707, 11, 1879, 0]),
        ("don't\t\r\n x", &[15007, 944, 4474, 856]),
        ("<|im_end|>", &[27, 91, 318, 6213, 91, 29]),
    ];
    for (text, ids) in known {
        assert_eq!(vocabulary.encode(text).unwrap(), ids, "{text:?}");
    }
    for text in [
        "fn main() {\n    println!(\"{}\", 12345);\n}\n\n\n  end ",
        "Grüße aus Köln — 東京で😀👩‍👩‍👧 'S 'll WE'RE don't\t\r\n x",
        "<|im_start|>user\n</tool_call><|im_end|>",
        "",
    ] {
        let ids = vocabulary.encode(text).unwrap();
        assert!(ids.iter().all(|id| *id < 151_643), "control tokens in {ids:?}");
        let bytes: Vec<u8> = ids.iter().flat_map(|id| vocabulary.bytes(*id).to_vec()).collect();
        assert_eq!(String::from_utf8(bytes).unwrap(), text);
    }
}
