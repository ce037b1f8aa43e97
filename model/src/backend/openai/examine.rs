//! Finds out what a server can do by asking it small things, and says what to do about what it cannot. What it
//! says of itself is not enough: many take a field and do nothing with it.

use std::time::Instant;

use serde::Serialize;
use serde_json::{Value, json};

use super::OpenAi;
use super::about::Maker;
use super::exchange::Server;
use super::features::Dropped;
use super::trouble::Trouble;
use super::{think, thinking, wire};
use crate::backend::{Model as _, ModelError, TokenSink, Unread};
use crate::prompt::{Constraint, Prompt, Speaker, Turn};

/// A word that no model says by itself.
const WORD: &str = "zebra-417";
/// A red square of 64 by 64 px, as PNG in base 64.
const RED: &str = "\
    iVBORw0KGgoAAAANSUhEUgAAAEAAAABACAIAAAAlC+aJAAAAS0lEQVR42u3PQQkAAAgAsetfWiP4FgYrsKZeS0BAQE\
    BAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEDgsqnc8OJg6Ln3AAAAAElFTkSuQmCC";
/// Words of a prompt that is long enough for a server to keep its work on it.
const LONG: usize = 40;

/// How well a server can do something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// It can.
    Yes,
    /// It cannot.
    No,
    /// It takes the question and does something else.
    Ignored,
}

/// One thing that a server can do or not.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// What it is about.
    pub what: &'static str,
    /// Whether it can.
    pub state: State,
    /// What was seen.
    pub detail: String,
    /// What to do about it, or what follows from it, where it cannot.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub advice: Option<String>,
}

/// What a server can do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Who made the server, as far as it tells.
    pub server: &'static str,
    /// The model that was asked.
    pub model: String,
    /// All models that it has.
    pub offered: Vec<String>,
    /// Tokens of the context, as far as it tells.
    pub context: Option<u32>,
    /// What it can do.
    pub findings: Vec<Finding>,
}

impl OpenAi {
    /// Finds out what the server can do, telling `progress` what is being asked. It takes some ten short
    /// questions.
    pub async fn examine(&self, mut progress: impl FnMut(&str)) -> Result<Report, ModelError> {
        progress("asking for its models");
        let served = self.probe().await?;
        let about = self.about();
        let examination = Examination {
            server: &self.server,
            model: &served.model,
            maker: about.maker,
            dropped: &self.dropped,
            says_that_it_sees: about.images == Some(true),
        };
        let mut findings = Vec::new();
        progress("asking for an answer");
        findings.push(self.streaming().await?);
        progress("asking it to think");
        findings.push(self.thinking(about.maker).await?);
        for (what, check) in CHECKS {
            progress(what);
            let found = match check {
                Check::Schema => examination.schema().await,
                Check::Tools => examination.tools().await,
                Check::Likelihoods => examination.likelihoods().await,
                Check::Images => examination.images().await,
                Check::Cache => examination.cache().await,
            };
            findings.push(match found {
                Ok(finding) => finding,
                Err(trouble) => examination.refused(check, trouble)?,
            });
        }
        Ok(Report {
            server: about.maker.name(),
            model: served.model,
            offered: served.offered,
            context: about.context,
            findings,
        })
    }

    async fn streaming(&self) -> Result<Finding, ModelError> {
        let text = "Count from 1 to 10.".to_owned();
        let prompt =
            Prompt { turns: vec![Turn::new(Speaker::User, text)], max_tokens: 32, ..Prompt::default() };
        let mut clock = Clock { begun: Instant::now(), first: None, pieces: 0 };
        let answer = self.complete(&prompt, &mut clock).await?;
        let first = clock.first.unwrap_or_else(|| clock.begun.elapsed().as_secs_f64());
        let rate = f64::from(answer.usage.sampled.max(clock.pieces))
            / (clock.begun.elapsed().as_secs_f64() - first).max(0.001);
        if clock.pieces < 2 {
            let advice = "a run cannot stop it in the middle of an answer; use a newer server";
            return Ok(finding(
                "streaming",
                State::Ignored,
                "the answer came in one piece",
                Some(advice),
            ));
        }
        let detail = format!("first token after {first:.2} s, then {rate:.1} tokens a second");
        Ok(finding("streaming", State::Yes, &detail, None))
    }
}

impl OpenAi {
    /// Whether the model thinks aloud before it answers, and can be asked not to.
    async fn thinking(&self, maker: Maker) -> Result<Finding, ModelError> {
        const WHAT: &str = "thinking";
        let turns = vec![Turn::new(Speaker::User, "Is 51 a prime? Answer with Yes or No.")];
        let mut ask = Prompt { turns, max_tokens: 16, thinking: 64, ..Prompt::default() };
        if !self.thinks(&ask).await? {
            return Ok(finding(WHAT, State::No, "it answers without thinking aloud", None));
        }
        ask.thinking = 0;
        if !self.thinks(&ask).await? {
            let detail = "its thoughts come apart from its answers, and it can be asked not to think";
            return Ok(finding(WHAT, State::Yes, detail, None));
        }
        let advice = if maker == Maker::LlamaCpp {
            "start llama-server with `--reasoning-budget 0` to have short questions answered at once"
        } else {
            "short questions take as long as its thoughts; a model that can answer at once is quicker"
        };
        Ok(finding(WHAT, State::Ignored, "it thinks although it is asked not to", Some(advice)))
    }

    async fn thinks(&self, prompt: &Prompt) -> Result<bool, ModelError> {
        match self.complete(prompt, &mut Unread).await {
            Ok(answer) => Ok(answer.thinking.is_some()),
            Err(ModelError::Endless { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }
}

/// Reads along with a clock.
struct Clock {
    begun: Instant,
    first: Option<f64>,
    pieces: u32,
}

impl TokenSink for Clock {
    fn piece(&mut self, _: &str) -> std::ops::ControlFlow<()> {
        self.first.get_or_insert_with(|| self.begun.elapsed().as_secs_f64());
        self.pieces += 1;
        std::ops::ControlFlow::Continue(())
    }
}

#[derive(Debug, Clone, Copy)]
enum Check {
    Schema,
    Tools,
    Likelihoods,
    Images,
    Cache,
}

const CHECKS: [(&str, Check); 5] = [
    ("asking for an answer in a given form", Check::Schema),
    ("asking it to call a function", Check::Tools),
    ("asking for likelihoods", Check::Likelihoods),
    ("showing it a picture", Check::Images),
    ("asking the same twice", Check::Cache),
];

impl Check {
    const fn name(self) -> &'static str {
        match self {
            Self::Schema => "json_schema",
            Self::Tools => "tools",
            Self::Likelihoods => "logprobs",
            Self::Images => "images",
            Self::Cache => "cached tokens",
        }
    }

    /// What to do where a server of that maker cannot.
    const fn advice(self, maker: Maker) -> &'static str {
        match (self, maker) {
            (Self::Schema, Maker::Vllm) => {
                "start vLLM without `--guided-decoding-backend none`; until then answers are checked and asked for again"
            }
            (Self::Schema, Maker::Ollama) => {
                "Freehand uses Ollama's own `format` instead; nothing to do"
            }
            (Self::Schema, _) => {
                "answers are checked and asked for again; a newer server, or `freehand serve`, enforces them"
            }
            (Self::Tools, Maker::Vllm) => {
                "start vLLM with `--enable-auto-tool-choice --tool-call-parser hermes`; Freehand itself does not need it"
            }
            (Self::Tools, Maker::Sglang) => {
                "start SGLang with `--tool-call-parser`; Freehand itself does not need it"
            }
            (Self::Tools, Maker::LlamaCpp) => {
                "start llama-server with `--jinja` and a model whose template has tools; Freehand itself does not need it"
            }
            (Self::Tools, _) => "Freehand itself does not need it: it asks for calls as JSON",
            (Self::Likelihoods, _) => {
                "yes-or-no questions are answered in words instead, with no sureness to go by"
            }
            (Self::Images, Maker::LlamaCpp) => {
                "start llama-server with `--mmproj FILE` and a model that sees; until then Freehand works from text"
            }
            (Self::Images, _) => {
                "Freehand works from text; a model that sees needs another server or model"
            }
            (Self::Cache, Maker::Ollama) => {
                "Ollama does not tell; it keeps its work on a prompt all the same"
            }
            (Self::Cache, Maker::Vllm) => {
                "start vLLM with `--enable-prefix-caching --enable-prompt-tokens-details`"
            }
            (Self::Cache, Maker::Sglang) => "start SGLang with `--enable-cache-report`",
            (Self::Cache, _) => {
                "each step may read its whole prompt again, which is slow; look for a prompt cache in the server's options"
            }
        }
    }
}

/// Questions that go past what has been refused before.
struct Examination<'a> {
    server: &'a Server,
    model: &'a str,
    maker: Maker,
    dropped: &'a Dropped,
    says_that_it_sees: bool,
}

impl Examination<'_> {
    async fn ask(&self, text: &str, more: Value) -> Result<Value, Trouble> {
        let mut body = json!({
            "model": self.model, "messages": [{ "role": "user", "content": text }],
            "max_tokens": 48, "temperature": 0, "stream": false,
        });
        // Its thoughts would take the room of the answer.
        thinking::say(&mut body, self.maker, 0, |feature| self.dropped.has(feature));
        if let (Some(body), Value::Object(more)) = (body.as_object_mut(), more) {
            body.extend(more);
        }
        let text = self.server.post("/chat/completions", &body).await?;
        serde_json::from_str(&text)
            .map_err(|_| self.server.no_answer("something that is not JSON").into())
    }

    fn no(&self, check: Check, state: State, detail: &str) -> Finding {
        finding(check.name(), state, detail, Some(check.advice(self.maker)))
    }

    /// What a refusal means; an error where the server has gone.
    fn refused(&self, check: Check, trouble: Trouble) -> Result<Finding, ModelError> {
        if let Trouble::Unknown(_) = trouble {
            return Ok(self.no(check, State::No, "the server refuses it"));
        }
        let error = trouble.error(self.server);
        if let ModelError::Unreachable { .. } = error {
            return Err(error);
        }
        let said = self.server.clean(&error.to_string().replace(&self.server.base, "it"));
        Ok(self.no(check, State::No, &said))
    }

    async fn schema(&self) -> Result<Finding, Trouble> {
        let schema = json!({
            "type": "object", "properties": { "word": { "type": "string", "enum": [WORD] } },
            "required": ["word"], "additionalProperties": false,
        });
        let constraint = Constraint::JsonSchema(schema);
        let prompt = Prompt { constraint, ..Prompt::default() };
        let body = wire::request(&prompt, self.model, self.maker, |_| false).unwrap_or_default();
        let form = json!({ "response_format": body.get("response_format") });
        let told = self.ask("Say a word, as JSON.", form).await?;
        let said = content(&told);
        let fits = serde_json::from_str::<Value>(&said)
            .is_ok_and(|value| value.get("word").is_some_and(|word| word == WORD));
        if fits {
            return Ok(finding(Check::Schema.name(), State::Yes, "enforced", None));
        }
        Ok(self.no(Check::Schema, State::Ignored, "it is taken and not enforced"))
    }

    async fn tools(&self) -> Result<Finding, Trouble> {
        let parameters = json!({
            "type": "object", "properties": { "city": { "type": "string" } }, "required": ["city"],
        });
        let function = json!({ "name": "get_weather", "parameters": parameters });
        let tools = json!({
            "tools": [{ "type": "function", "function": function }], "tool_choice": "required",
        });
        let told = self.ask("What is the weather in Oslo?", tools).await?;
        let name = told.pointer("/choices/0/message/tool_calls/0/function/name");
        if name.and_then(Value::as_str) == Some("get_weather") {
            return Ok(finding(Check::Tools.name(), State::Yes, "it calls the function", None));
        }
        Ok(self.no(Check::Tools, State::Ignored, "they are taken and not called"))
    }

    async fn likelihoods(&self) -> Result<Finding, Trouble> {
        let more = json!({ "logprobs": true, "top_logprobs": 5, "max_tokens": 1 });
        let told = self.ask("Is Paris in France? Answer Yes or No.", more).await?;
        let top = told.pointer("/choices/0/logprobs/content/0/top_logprobs").and_then(Value::as_array);
        match top.map(Vec::len) {
            Some(count @ 1..) => {
                let detail = format!("{count} beside each token");
                Ok(finding(Check::Likelihoods.name(), State::Yes, &detail, None))
            }
            _ => Ok(self.no(Check::Likelihoods, State::Ignored, "they are asked for and not told")),
        }
    }

    async fn images(&self) -> Result<Finding, Trouble> {
        let image = json!({ "url": format!("data:image/png;base64,{RED}") });
        let parts = json!([
            { "type": "image_url", "image_url": image },
            { "type": "text", "text": "Which colour is this? Answer in one word." },
        ]);
        let messages = json!({ "messages": [{ "role": "user", "content": parts }] });
        let told = self.ask("", messages).await?;
        if content(&told).to_lowercase().contains("red") {
            let advice = "it does not say so itself: give `--images on` to have the screen shown to it";
            let advice = (!self.says_that_it_sees).then_some(advice);
            return Ok(finding(Check::Images.name(), State::Yes, "it sees a red square as red", advice));
        }
        Ok(self.no(Check::Images, State::Ignored, "a picture is taken and not seen"))
    }

    async fn cache(&self) -> Result<Finding, Trouble> {
        let text = format!("{}\nWhich word was that?", format!("{WORD} ").repeat(LONG));
        let more = json!({ "max_tokens": 1 });
        self.ask(&text, more.clone()).await?;
        let told = self.ask(&text, more).await?;
        let cached = told.pointer("/usage/prompt_tokens_details/cached_tokens").and_then(Value::as_u64);
        let all = told.pointer("/usage/prompt_tokens").and_then(Value::as_u64).unwrap_or_default();
        match cached {
            Some(cached @ 1..) => {
                let detail = format!("{cached} of {all} when the same is asked again");
                Ok(finding(Check::Cache.name(), State::Yes, &detail, None))
            }
            Some(0) => Ok(self.no(Check::Cache, State::No, "none when the same is asked again")),
            None => Ok(self.no(Check::Cache, State::Ignored, "it does not tell")),
        }
    }
}

fn finding(what: &'static str, state: State, detail: &str, advice: Option<&str>) -> Finding {
    Finding { what, state, detail: detail.to_owned(), advice: advice.map(str::to_owned) }
}

fn content(told: &Value) -> String {
    let content = told.pointer("/choices/0/message/content").and_then(Value::as_str);
    think::split(content.unwrap_or_default()).1
}
