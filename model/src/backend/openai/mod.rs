//! A model behind an OpenAI-compatible server, on this machine or where the user says. Such servers
//! agree on the address and little else: what one of them refuses is left out from then on, and what
//! it leaves out is made up for here.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use serde_json::Value;

use super::{Capabilities, Model, ModelError, TokenSink, Unread};
use crate::prompt::{Completion, Constraint, Finish, Preference, Prompt, Usage};
use about::{About, Offered, OfferedModel};
use answer::Form;
use exchange::{Protocol, Question, Server};
use features::{Dropped, Feature};
use thinking::Thought;
use trouble::Trouble;

mod about;
mod address;
mod answer;
mod choose;
#[cfg(test)]
mod endless;
mod examine;
#[cfg(test)]
mod examined;
mod exchange;
#[cfg(test)]
mod fakes;
mod features;
#[cfg(test)]
mod fuzz;
mod ollama;
mod pictures;
#[cfg(test)]
mod servers;
mod sse;
#[cfg(test)]
mod tests;
mod think;
mod thinking;
mod trouble;
mod wire;

pub use about::Maker;
pub use examine::{Finding, Report, State};
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
    /// What is known about the model, once the server was asked.
    about: Mutex<About>,
    /// Whether the server has ever told likelihoods.
    likelihoods: AtomicBool,
    /// Whether the model sees pictures, where whoever asks knows that better than the server.
    images: Option<bool>,
}

/// What a server offers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Served {
    /// The model that is asked.
    pub model: String,
    /// All that it has.
    pub offered: Vec<String>,
    /// Who made the server, as far as it tells.
    pub maker: Maker,
    /// The dialect that the model is best spoken to in, where the server tells one.
    pub dialect: Option<String>,
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
            about: Mutex::default(),
            likelihoods: AtomicBool::new(false),
            images: None,
        })
    }

    /// The same for a model that is known to see pictures, or to see none. Of any other the server is asked, and
    /// where that says nothing, none are sent.
    #[must_use]
    pub fn with_images(self, images: Option<bool>) -> Self {
        Self { images, ..self }
    }

    /// Asks the server what it offers, and settles by it which model is asked, and how.
    pub async fn probe(&self) -> Result<Served, ModelError> {
        let text = self.patiently("/models", None).await?;
        let Ok(offered) = serde_json::from_str::<Offered>(&text) else {
            return Err(self.server.bad("with something that is no list of models; check the address"));
        };
        // A server that also serves embeddings lists them among the models.
        let talks = |name: &str| !name.to_ascii_lowercase().contains("embed");
        let named = self.model.get();
        let chosen = offered.data.iter().find(|model| match named {
            // Ollama leaves out the tag of those that it has but one of.
            Some(name) => model.id == *name || model.id.strip_suffix(":latest") == Some(name),
            None => talks(&model.id),
        });
        let model = match (named, chosen) {
            (Some(name), _) => name.clone(),
            (None, Some(model)) => self.model.get_or_init(|| model.id.clone()).clone(),
            (None, None) => return Err(self.server.bad("that it has no model; load one into it")),
        };
        let mut about = chosen.or(offered.data.first()).map(OfferedModel::about).unwrap_or_default();
        if let Some((path, body)) = about.maker.details(&model)
            && let Ok(told) = self.server.tell(&path, body.as_ref()).await
        {
            about.learn(&serde_json::from_str(&told).unwrap_or_default());
        }
        if let Some(context) = about.context {
            self.context.store(context, Ordering::Relaxed);
        }
        if about.chooses {
            self.likelihoods.store(true, Ordering::Relaxed);
        }
        *self.about.lock().unwrap_or_else(PoisonError::into_inner) = about.clone();
        let offered = offered.data.into_iter().map(|model| model.id).collect();
        Ok(Served { model, offered, maker: about.maker, dialect: about.dialect })
    }

    /// Whether it is shown pictures.
    fn sees(&self) -> bool {
        let known = self.images.or(self.about().images);
        known.unwrap_or(false) && !self.dropped.has(Feature::Images)
    }

    /// Whether `prompt` is asked with pictures: not once the server has refused them.
    fn shows(&self, prompt: &Prompt) -> Result<bool, ModelError> {
        let (has, sees) = (prompt.has_picture(), self.sees());
        if has && !sees && !self.dropped.has(Feature::Images) {
            return Err(ModelError::Blind { name: self.capabilities().name });
        }
        Ok(has && sees)
    }

    fn about(&self) -> About {
        self.about.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks at `path`, sending `body` if there is one, and asks again while the server says that it is only
    /// not ready yet.
    async fn patiently(&self, path: &str, body: Option<&Value>) -> Result<String, ModelError> {
        let mut patience = Patience::new(self.server.limits.first_token);
        loop {
            let asked = match body {
                Some(body) => self.server.post(path, body).await,
                None => self.server.get(path).await,
            };
            match asked {
                Ok(text) => return Ok(text),
                Err(trouble) => patience.wait(trouble, &self.server, &mut Unread).await?,
            };
        }
    }

    async fn name(&self) -> Result<String, ModelError> {
        match self.model.get() {
            Some(name) => Ok(name.clone()),
            None => Ok(self.probe().await?.model),
        }
    }
}

impl OpenAi {
    /// The question in the words that this server knows best.
    /// A `thought` that the server did not end stands before the answer.
    fn question(
        &self,
        prompt: &Prompt,
        name: &str,
        thought: Option<&Thought>,
    ) -> Result<Question, ModelError> {
        let goes_on = thought.filter(|_| !self.dropped.has(Feature::Prefill));
        let begun = goes_on.map(|thought| think::closed(&thought.text)).unwrap_or_default();
        let ended = thought.map(|_| thinking::ended(prompt, &begun));
        let prompt = ended.as_ref().unwrap_or(prompt);
        let allowance = thinking::allowance(prompt.thinking);
        let form = match prompt.constraint {
            Constraint::OneOf(_) => Form::Quoted,
            Constraint::Free | Constraint::JsonSchema(_) | Constraint::Lark(_) => Form::Plain,
        };
        let presumes = prompt.thinking > 0 && prompt.constraint != Constraint::Free;
        let about = self.about();
        if about.maker == Maker::Ollama {
            let context = self.context.load(Ordering::Relaxed).min(USUAL_CONTEXT);
            let thinks = about.thinks.unwrap_or(true) && !self.dropped.has(Feature::Thinking);
            let body = ollama::request(prompt, name, context, self.sees(), thinks)?;
            return Ok(Question { body, protocol: Protocol::Ollama, form, presumes, allowance, begun });
        }
        let mut body = wire::request(prompt, name, about.maker, |feature| self.dropped.has(feature))?;
        if goes_on.is_some() {
            thinking::go_on(&mut body, about.maker);
        }
        Ok(Question { body, protocol: Protocol::OpenAi, form, presumes, allowance, begun })
    }

    /// Adds what was thought on to what was thought `before`; an error where there is no other way left to ask
    /// for the answer.
    fn think_on(
        &self,
        prompt: &Prompt,
        before: Option<Thought>,
        more: Thought,
    ) -> Result<Thought, ModelError> {
        let is_first = before.is_none();
        let mut thought = before.unwrap_or_else(|| Thought { text: more.text, usage: Usage::default() });
        thought.usage += more.usage;
        let may_be_asked_not_to = prompt.thinking > 0;
        let is_left = if is_first {
            may_be_asked_not_to || !self.dropped.has(Feature::Prefill)
        } else {
            // One that thinks on behind the end of its thought takes no notice of it.
            self.dropped.note(Feature::Prefill) && may_be_asked_not_to
        };
        if is_left { Ok(thought) } else { Err(self.server.endless(&thought)) }
    }
}

/// How long one question goes on being asked.
#[derive(Debug)]
struct Patience {
    until: Instant,
    /// Whether a connection has been dropped before.
    dropped: bool,
}

/// The longest time after which a server is asked again, whatever it says.
const LONGEST_REST: Duration = Duration::from_secs(30);

impl Patience {
    fn new(time: Duration) -> Self {
        Self { until: Instant::now() + time, dropped: false }
    }

    /// Waits before the same is asked again, where that may help and harms nobody; `false` if the one who
    /// reads along ends it.
    async fn wait(
        &mut self,
        trouble: Trouble,
        server: &Server,
        sink: &mut dyn TokenSink,
    ) -> Result<bool, ModelError> {
        match trouble {
            Trouble::Later(time, error) => {
                let time = time.clamp(Duration::from_millis(50), LONGEST_REST);
                if Instant::now() + time > self.until {
                    return Err(error);
                }
                tracing::debug!(?time, %error, "the server is asked again later");
                Ok(server.rest(time, sink).await)
            }
            Trouble::Dropped(_) if !self.dropped => {
                self.dropped = true;
                Ok(true)
            }
            other @ (Trouble::Unknown(_)
            | Trouble::Thinks(_)
            | Trouble::Dropped(_)
            | Trouble::Failed(_)) => Err(other.error(server)),
        }
    }
}

fn cancelled() -> Completion {
    Completion {
        text: String::new(),
        thinking: None,
        finish: Finish::Cancelled,
        usage: Usage::default(),
    }
}

#[async_trait]
impl Model for OpenAi {
    fn capabilities(&self) -> Capabilities {
        let model = self.model.get().map_or("", String::as_str);
        Capabilities {
            name: format!("{} {model}", self.server.base).trim_end().to_owned(),
            context: self.context.load(Ordering::Relaxed),
            constrained: !self.dropped.has_all_forms(),
            likelihoods: self.likelihoods.load(Ordering::Relaxed),
            images: self.sees().then(|| pictures::sizes(model)),
        }
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        sink: &mut dyn TokenSink,
    ) -> Result<Completion, ModelError> {
        let name = self.name().await?;
        let mut patience = Patience::new(self.server.limits.first_token);
        let mut thought: Option<Thought> = None;
        // Each round has one feature less, its thoughts behind it, or a little less patience, so it ends.
        loop {
            let shows = self.shows(prompt)?;
            let question = self.question(prompt, &name, thought.as_ref())?;
            match self.server.ask(&question, sink).await {
                Ok(answer) => {
                    return Ok(match thought {
                        Some(thought) => thought.before(answer),
                        None => answer,
                    });
                }
                Err(Trouble::Thinks(more)) => thought = Some(self.think_on(prompt, thought, more)?),
                // Whatever it says: some refuse an answer that is begun in words of their own.
                Err(Trouble::Failed(ModelError::BadReply { .. }))
                    if thought.is_some() && self.dropped.note(Feature::Prefill) => {}
                Err(trouble) if shows && trouble.may_blame_pictures() => {
                    self.dropped.note(Feature::Images);
                }
                Err(Trouble::Unknown(feature)) => {
                    // One that repeats the question names features that are not to blame.
                    let other = || shows && self.dropped.note(Feature::Images);
                    if !self.dropped.note(feature) && !other() {
                        return Err(self
                            .server
                            .bad("400; it refuses a plain question, look at the server's log"));
                    }
                }
                Err(trouble) => {
                    if !patience.wait(trouble, &self.server, sink).await? {
                        return Ok(cancelled());
                    }
                }
            }
        }
    }

    /// Where the server tells the likelihoods of the first token, they are the answer. Where it does
    /// not, it is asked for one of the options, which then has a probability of 0.9, an invention of
    /// ours; all are equally likely where it names none.
    async fn choose(&self, prompt: &Prompt, options: &[String]) -> Result<Preference, ModelError> {
        let mut usage = Usage::default();
        if options.len() < 2 {
            return Ok(Preference { probabilities: vec![1.0; options.len()], usage });
        }
        let name = self.name().await?;
        self.shows(prompt)?;
        if self.about().chooses
            && let Some(shares) = self.shares(prompt, options, &name).await?
        {
            return Ok(shares);
        }
        if !self.dropped.has(Feature::Likelihoods)
            && let Some(probabilities) = self.by_tokens(prompt, options, &name, &mut usage).await?
        {
            return Ok(Preference { probabilities, usage });
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
        usage += answer.usage;
        let named =
            (answer.finish != Finish::Cancelled).then(|| choose::named(&answer.text, options)).flatten();
        Ok(Preference { probabilities: choose::by_name(named, options.len()), usage })
    }
}
