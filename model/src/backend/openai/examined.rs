//! The client against whole servers: what the doctor finds about each, and what it is asked and told.

use std::ops::ControlFlow;

use serde_json::{Value, json};

use super::fakes::{CONTEXT, MadeUp, THOUGHT};
use super::servers::{body, client};
use super::{Maker, State};
use crate::backend::{Model as _, ModelError, TokenSink, Unread};
use crate::fake_server::{Asked, Fake, Play};
use crate::prompt::{Constraint, Finish, Preference, Prompt, Speaker, Turn};

const ALL: [Maker; 5] = [Maker::LlamaCpp, Maker::Ollama, Maker::Vllm, Maker::Sglang, Maker::LmStudio];

fn whole(maker: Maker) -> MadeUp {
    MadeUp { maker, thinks: true, sees: true, equipped: true }
}

fn bare(maker: Maker) -> MadeUp {
    MadeUp { maker, thinks: false, sees: false, equipped: false }
}

fn asking(constraint: Constraint, thinking: u32) -> Prompt {
    let turns = vec![Turn::new(Speaker::System, "be brief"), Turn::new(Speaker::User, "q")];
    Prompt { turns, constraint, max_tokens: 8, thinking, ..Prompt::default() }
}

fn schema() -> Constraint {
    let word = json!({ "type": "string", "enum": ["yes"] });
    Constraint::JsonSchema(json!({ "type": "object", "properties": { "word": word } }))
}

/// Keeps what is thought and what is said apart.
#[derive(Debug, Default)]
struct Listener {
    thoughts: Vec<String>,
    words: String,
}

impl TokenSink for Listener {
    fn piece(&mut self, text: &str) -> ControlFlow<()> {
        self.words.push_str(text);
        ControlFlow::Continue(())
    }

    fn thought(&mut self, text: &str) -> ControlFlow<()> {
        self.thoughts.push(text.to_owned());
        ControlFlow::Continue(())
    }
}

/// The bodies that were sent, the last one last.
fn bodies(fake: &Fake) -> Vec<Value> {
    fake.asked().iter().filter(|asked| asked.line.starts_with("POST")).map(body).collect()
}

#[tokio::test]
async fn the_doctor_finds_what_each_can_do() {
    use State::{Ignored, No, Yes};
    // Streaming, thinking, schema, tools, likelihoods, images, cached tokens.
    for (server, right) in [
        (whole(Maker::LlamaCpp), [Yes, Yes, Yes, Yes, Yes, Yes, Yes]),
        (whole(Maker::Ollama), [Yes, Yes, Yes, Yes, Yes, Yes, Ignored]),
        (whole(Maker::Vllm), [Yes, Yes, Yes, Yes, Yes, Yes, Yes]),
        (whole(Maker::Sglang), [Yes, Yes, Yes, Yes, Yes, Yes, Yes]),
        (whole(Maker::LmStudio), [Yes, Ignored, Yes, Yes, Ignored, Yes, Ignored]),
        (bare(Maker::LlamaCpp), [Yes, No, Yes, Yes, Yes, No, Yes]),
        (bare(Maker::Ollama), [Yes, No, Yes, Yes, Yes, No, Ignored]),
        (bare(Maker::Vllm), [Yes, No, Yes, No, Yes, No, Ignored]),
        (bare(Maker::Sglang), [Yes, No, Yes, Ignored, Yes, No, Ignored]),
        (bare(Maker::LmStudio), [Yes, No, Yes, Yes, Ignored, No, Ignored]),
    ] {
        let fake = server.start().await;
        let report = client(&fake).examine(|_| {}).await.unwrap();
        assert_eq!((report.server, report.context), (server.maker.name(), Some(CONTEXT)), "{report:?}");
        let found: Vec<_> = report.findings.iter().map(|finding| finding.state).collect();
        assert_eq!(found, right, "{server:?}: {report:#?}");
        let wanting = report.findings.iter().filter(|f| f.state != Yes && f.what != "thinking");
        assert!(wanting.clone().all(|finding| finding.advice.is_some()), "{report:#?}");
    }
}

#[tokio::test]
async fn thoughts_come_apart_while_they_are_thought() {
    for maker in ALL {
        for equipped in [true, false] {
            let fake = MadeUp { equipped, ..whole(maker) }.start().await;
            let model = client(&fake);
            model.probe().await.unwrap();
            let mut heard = Listener::default();
            let told = model.complete(&asking(schema(), 64), &mut heard).await.unwrap();
            assert_eq!(
                (told.text.as_str(), told.thinking.as_deref(), told.finish),
                ("{\"word\":\"yes\"}", Some(THOUGHT), Finish::Stop),
                "{maker:?}"
            );
            assert_eq!(
                (heard.thoughts.concat().trim(), heard.words.as_str()),
                (THOUGHT, told.text.as_str())
            );
            // Ollama's made-up server says it in one line.
            assert!(heard.thoughts.len() > 2 || maker == Maker::Ollama, "{heard:?}");
            assert_eq!(told.usage.prompt, 40, "{maker:?}");
            let last = bodies(&fake).pop().unwrap();
            let room = last.pointer("/options/num_predict").or(last.get("max_tokens"));
            assert_eq!(room, Some(&json!(72)), "the thoughts have room beside the answer: {last}");
            // LM Studio cannot be asked not to.
            let told = model.complete(&asking(schema(), 0), &mut Unread).await.unwrap();
            assert_eq!(told.thinking.is_some(), maker == Maker::LmStudio, "{maker:?}");
            assert_eq!(told.text, "{\"word\":\"yes\"}");
            let fed_back =
                bodies(&fake).iter().any(|body| body["messages"].to_string().contains(THOUGHT));
            assert!(!fed_back);
        }
    }
}

#[tokio::test]
async fn each_is_asked_to_choose_in_its_own_way() {
    let options = ["Yes".to_owned(), "No".to_owned()];
    for maker in ALL {
        let fake = whole(maker).start().await;
        let model = client(&fake);
        model.probe().await.unwrap();
        let Preference { probabilities, usage } =
            model.choose(&asking(Constraint::Free, 0), &options).await.unwrap();
        assert!((probabilities.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{probabilities:?}");
        if maker == Maker::LmStudio {
            // Without likelihoods it names the first text that fits, and both questions have been paid for.
            assert!(probabilities[0] > 0.8 && !model.capabilities().likelihoods, "{probabilities:?}");
            assert_eq!(usage.prompt, 80);
        } else {
            assert!(probabilities[1] > 0.8 && model.capabilities().likelihoods, "{probabilities:?}");
            assert_eq!(usage.prompt, 40, "{maker:?}");
        }
    }
}

#[tokio::test]
async fn each_tells_that_a_prompt_is_too_long() {
    for maker in ALL.into_iter().filter(|maker| *maker != Maker::Ollama) {
        let fake = whole(maker).start().await;
        let model = client(&fake);
        model.probe().await.unwrap();
        let mut prompt = asking(Constraint::Free, 0);
        prompt.turns.push(Turn::new(Speaker::User, "word ".repeat(6000)));
        let error = model.complete(&prompt, &mut Unread).await.unwrap_err();
        let right = matches!(error, ModelError::TooLong { prompt: 7000..8000, context: CONTEXT });
        assert!(right, "{maker:?}: {error:?}");
    }
}

#[tokio::test]
async fn what_is_refused_about_thinking_is_not_asked_again() {
    // One that has no budget, and one whose model does not think, told by nothing but its refusal.
    let fake = MadeUp { equipped: false, ..whole(Maker::Vllm) }.start().await;
    let model = client(&fake);
    model.probe().await.unwrap();
    for requests in [2, 3] {
        assert!(model.complete(&asking(schema(), 64), &mut Unread).await.unwrap().thinking.is_some());
        assert_eq!(bodies(&fake).len(), requests);
    }
    assert_eq!(bodies(&fake)[1]["chat_template_kwargs"]["enable_thinking"], true);

    let fake = bare(Maker::Ollama).start().await;
    let model = client(&fake);
    model.probe().await.unwrap();
    assert!(model.complete(&asking(schema(), 64), &mut Unread).await.unwrap().thinking.is_none());
    assert_eq!(bodies(&fake).last().unwrap().get("think"), None, "it says that it does not think");
}

#[tokio::test]
async fn a_server_that_knows_no_effort_is_asked_without() {
    let refuses = |known: &'static [&'static str]| {
        move |asked: &Asked| {
            let effort = asked.line.starts_with("POST").then(|| body(asked)["reasoning_effort"].clone());
            match effort.as_ref().and_then(Value::as_str) {
                Some(effort) if !known.contains(&effort) => {
                    let said = "{\"error\":{\"message\":\"Invalid value for 'reasoning_effort'\"}}";
                    Play::reply("400 Bad Request", "application/json", said)
                }
                _ if effort.is_none() => super::servers::listed("x"),
                _ => super::servers::said("ok"),
            }
        }
    };
    let known: [(&'static [&str], &[Value]); 3] = [
        (&["none", "low", "high"], &[json!("none"), json!("none")]),
        (&["low", "high"], &[json!("none"), json!("low"), json!("low")]),
        (&[], &[json!("none"), json!("low"), Value::Null, Value::Null]),
    ];
    for (known, right) in known {
        let fake = Fake::start(refuses(known)).await;
        let model = client(&fake);
        for _ in 0..2 {
            let told = model.complete(&asking(Constraint::Free, 0), &mut Unread).await.unwrap();
            assert_eq!(told.text, "ok");
        }
        let efforts: Vec<_> =
            bodies(&fake).iter().map(|body| body["reasoning_effort"].clone()).collect();
        assert_eq!(efforts, right, "{known:?}");
    }
}
