//! A model behind an OpenAI-compatible server, on this machine or where the user says. Such servers
//! agree on the address and little else: what one of them refuses is left out from then on, and what
//! it leaves out is made up for here.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use async_trait::async_trait;

use super::{Capabilities, Model, ModelError, TokenSink, Unread};
use crate::prompt::{Completion, Constraint, Finish, Prompt};
use answer::Form;
use exchange::Server;
use trouble::Trouble;
use wire::Feature;

mod address;
mod answer;
mod choose;
mod exchange;
mod sse;
#[cfg(test)]
mod tests;
mod think;
mod trouble;
mod wire;

pub use exchange::Limits;

/// The variable of the environment in which whoever makes an [`OpenAi`] should look for its key. It is
/// named in errors and not read here.
pub const KEY_VARIABLE: &str = "FREEHAND_API_KEY";

/// Tokens of the context where the server does not tell: what the small ones of today can do.
const USUAL_CONTEXT: u32 = 8192;

/// A model behind an OpenAI-compatible server.
///
/// A [`Constraint::JsonSchema`] and a [`Constraint::OneOf`] are enforced by the server as long as it
/// has not refused to; after that the answer is free text. A [`Constraint::Lark`] is an error.
#[derive(Debug)]
pub struct OpenAi {
    server: Server,
    model: OnceLock<String>,
    context: AtomicU32,
    dropped: Dropped,
    /// Whether the server has ever told likelihoods.
    likelihoods: AtomicBool,
}

/// The features that the server has refused.
#[derive(Debug, Default)]
struct Dropped {
    form: AtomicBool,
    usage: AtomicBool,
    likelihoods: AtomicBool,
}

impl Dropped {
    fn of(&self, feature: Feature) -> &AtomicBool {
        match feature {
            Feature::Form => &self.form,
            Feature::StreamUsage => &self.usage,
            Feature::Likelihoods => &self.likelihoods,
        }
    }

    fn has(&self, feature: Feature) -> bool {
        self.of(feature).load(Ordering::Relaxed)
    }

    fn note(&self, feature: Feature) {
        tracing::debug!(?feature, "the server refuses a feature, going on without");
        self.of(feature).store(true, Ordering::Relaxed);
    }
}

/// What a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The model that is asked.
    pub model: String,
    /// All that it has.
    pub offered: Vec<String>,
}

impl OpenAi {
    /// The server at `url`, for example `http://127.0.0.1:8080/v1`. Without the name of a `model` the
    /// server's first one is asked. Nothing is sent yet, and nothing is ever sent anywhere else.
    pub fn new(url: &str, model: Option<String>, key: Option<String>) -> Result<Self, ModelError> {
        Self::with_limits(url, model, key, Limits::default())
    }

    /// The same with a patience of one's own.
    pub fn with_limits(
        url: &str,
        model: Option<String>,
        key: Option<String>,
        limits: Limits,
    ) -> Result<Self, ModelError> {
        let base = address::base(url)?;
        if address::exposed(&base) {
            tracing::warn!(url = base, "the screen's content goes to another machine in clear text");
        }
        let named = OnceLock::new();
        if let Some(model) = model.filter(|name| !name.is_empty()) {
            named.get_or_init(|| model);
        }
        Ok(Self {
            server: Server::new(base, key, limits)?,
            model: named,
            context: AtomicU32::new(USUAL_CONTEXT),
            dropped: Dropped::default(),
            likelihoods: AtomicBool::new(false),
        })
    }

    /// Asks the server what it offers, and settles the model's name and context by it.
    pub async fn probe(&self) -> Result<Served, ModelError> {
        let text = match self.server.get("/models").await {
            Ok(text) => text,
            Err(Trouble::Failed(error)) => return Err(error),
            Err(Trouble::Unknown(_)) => {
                return Err(self
                    .server
                    .bad("a question about its models with a refusal; check the address"));
            }
        };
        let Ok(offered) = serde_json::from_str::<wire::Offered>(&text) else {
            return Err(self.server.bad("with something that is no list of models; check the address"));
        };
        // A server that also serves embeddings lists them among the models.
        let talks = |name: &str| !name.to_ascii_lowercase().contains("embed");
        let named = self.model.get();
        let chosen = offered.data.iter().find(|model| match named {
            Some(name) => model.id == *name,
            None => talks(&model.id),
        });
        if let Some(context) = chosen.and_then(wire::OfferedModel::context) {
            self.context.store(context, Ordering::Relaxed);
        }
        let model = match (named, chosen) {
            (Some(name), _) => name.clone(),
            (None, Some(model)) => self.model.get_or_init(|| model.id.clone()).clone(),
            (None, None) => return Err(self.server.bad("that it has no model; load one into it")),
        };
        Ok(Served { model, offered: offered.data.into_iter().map(|model| model.id).collect() })
    }

    async fn name(&self) -> Result<String, ModelError> {
        match self.model.get() {
            Some(name) => Ok(name.clone()),
            None => Ok(self.probe().await?.model),
        }
    }
}

#[async_trait]
impl Model for OpenAi {
    fn capabilities(&self) -> Capabilities {
        let model = self.model.get().map_or("", String::as_str);
        Capabilities {
            name: format!("{} {model}", self.server.base).trim_end().to_owned(),
            context: self.context.load(Ordering::Relaxed),
            constrained: !self.dropped.has(Feature::Form),
            likelihoods: self.likelihoods.load(Ordering::Relaxed),
            images: false,
        }
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        let form = match prompt.constraint {
            Constraint::OneOf(_) => Form::Quoted,
            Constraint::Free | Constraint::JsonSchema(_) | Constraint::Lark(_) => Form::Plain,
        };
        let name = self.name().await?;
        // Each round has one feature less, so it ends.
        loop {
            let without = [Feature::Form, Feature::StreamUsage].map(|f| (f, self.dropped.has(f)));
            let dropped = |feature| without.contains(&(feature, true));
            let body = wire::request(prompt, &name, dropped)?;
            match self.server.ask(&body, form, sink).await {
                Ok(answer) => return Ok(answer),
                Err(Trouble::Failed(error)) => return Err(error),
                Err(Trouble::Unknown(feature)) if without.contains(&(feature, false)) => {
                    self.dropped.note(feature);
                }
                Err(Trouble::Unknown(_)) => {
                    return Err(self
                        .server
                        .bad("400; it refuses a plain question, look at the server's log"));
                }
            }
        }
    }

    /// Where the server tells the likelihoods of the first token, they are the answer. Where it does
    /// not, it is asked for one of the options, which then has a probability of 0.9, an invention of
    /// ours; all are equally likely where it names none.
    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Vec<f64>, ModelError> {
        if options.len() < 2 {
            return Ok(vec![1.0; options.len()]);
        }
        let name = self.name().await?;
        if !self.dropped.has(Feature::Likelihoods) {
            match self.server.ask_whole(&wire::likelihoods(prompt, &name)).await {
                Ok(reply) => {
                    if let Some(chances) = choose::by_tokens(reply.first_tokens(), options) {
                        self.likelihoods.store(true, Ordering::Relaxed);
                        return Ok(chances);
                    }
                    if reply.first_tokens().is_empty() {
                        self.dropped.note(Feature::Likelihoods);
                    }
                }
                Err(Trouble::Unknown(_)) => self.dropped.note(Feature::Likelihoods),
                Err(Trouble::Failed(error)) => return Err(error),
            }
        }
        let longest = options.iter().map(|option| option.chars().count()).max().unwrap_or_default();
        let room = u32::try_from(longest).unwrap_or(u32::MAX).saturating_add(16);
        let question = Prompt {
            constraint: Constraint::OneOf(options.to_vec()),
            max_tokens: prompt.max_tokens.max(room),
            temperature: 0.0,
            ..prompt.clone()
        };
        let answer = self.complete(&question, &mut Unread).await?;
        let named =
            (answer.finish != Finish::Cancelled).then(|| choose::named(&answer.text, options)).flatten();
        Ok(choose::by_name(named, options.len()))
    }
}
