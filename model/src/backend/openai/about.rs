//! What a server is and has. They all list their models alike; what a model can do, each tells at an address
//! of its own, which is asked only of a server that says who it is.

use serde::Deserialize;
use serde_json::{Value, json};

/// Who made a server, as far as it tells.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Maker {
    /// `freehand serve`.
    Freehand,
    /// The server of llama.cpp.
    LlamaCpp,
    /// Ollama.
    Ollama,
    /// vLLM.
    Vllm,
    /// SGLang.
    Sglang,
    /// LM Studio.
    LmStudio,
    /// Somebody else.
    #[default]
    Other,
}

impl Maker {
    /// The name, for people.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Freehand => "freehand serve",
            Self::LlamaCpp => "llama.cpp",
            Self::Ollama => "Ollama",
            Self::Vllm => "vLLM",
            Self::Sglang => "SGLang",
            Self::LmStudio => "LM Studio",
            Self::Other => "an OpenAI-compatible server",
        }
    }

    fn of(owner: &str) -> Self {
        match owner {
            "freehand" => Self::Freehand,
            "llamacpp" => Self::LlamaCpp,
            // Ollama calls those that it has fetched its library.
            "library" => Self::Ollama,
            "vllm" => Self::Vllm,
            "sglang" => Self::Sglang,
            "organization_owner" => Self::LmStudio,
            _ => Self::Other,
        }
    }

    /// Where the server tells about `model`, below its root, and what it is sent there.
    pub(super) fn details(self, model: &str) -> Option<(String, Option<Value>)> {
        match self {
            Self::LlamaCpp => Some(("/props".into(), None)),
            Self::Ollama => Some(("/api/show".into(), Some(json!({ "model": model })))),
            Self::LmStudio => Some((format!("/api/v0/models/{model}"), None)),
            Self::Sglang => Some(("/model_info".into(), None)),
            Self::Freehand | Self::Vllm | Self::Other => None,
        }
    }
}

/// The models that a server offers.
#[derive(Debug, Deserialize)]
pub(super) struct Offered {
    pub(super) data: Vec<OfferedModel>,
}

/// One of them.
#[derive(Debug, Deserialize)]
pub(super) struct OfferedModel {
    pub(super) id: String,
    #[serde(flatten)]
    rest: Value,
}

/// What is known about a model.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct About {
    pub(super) maker: Maker,
    /// Tokens of its context.
    pub(super) context: Option<u32>,
    /// Whether it sees images, where that is told.
    pub(super) images: Option<bool>,
    /// Whether it thinks aloud before it answers, where that is told.
    pub(super) thinks: Option<bool>,
    /// Whether the server tells how likely whole texts are.
    pub(super) chooses: bool,
    /// The dialect that it is best spoken to in.
    pub(super) dialect: Option<String>,
}

impl OfferedModel {
    /// What the list tells.
    pub(super) fn about(&self) -> About {
        let text = |place: &str| self.rest.pointer(place).and_then(Value::as_str);
        let places = ["/max_model_len", "/loaded_context_length", "/context_length", "/meta/n_ctx"];
        About {
            maker: Maker::of(text("/owned_by").unwrap_or_default()),
            context: places.iter().find_map(|place| tokens(self.rest.pointer(place)?)),
            images: None,
            thinks: None,
            chooses: self.rest.pointer("/freehand/choose") == Some(&Value::Bool(true)),
            dialect: text("/freehand/dialect").map(str::to_owned),
        }
    }
}

impl About {
    /// Adds what the server tells about the model at its own address.
    pub(super) fn learn(&mut self, told: &Value) {
        let has = |list: &str, word: &str| {
            let words = told.get(list).and_then(Value::as_array);
            words.map(|words| words.iter().any(|known| known == word))
        };
        match self.maker {
            Maker::LlamaCpp => {
                let context = told.pointer("/default_generation_settings/n_ctx").and_then(tokens);
                self.context = context.or(self.context);
                self.images = told.pointer("/modalities/vision").and_then(Value::as_bool);
            }
            Maker::Ollama => {
                let known = told.get("model_info").and_then(Value::as_object);
                let context =
                    known.into_iter().flatten().find(|(key, _)| key.ends_with(".context_length"));
                self.context = context.and_then(|(_, count)| tokens(count)).or(self.context);
                self.images = has("capabilities", "vision");
                self.thinks = has("capabilities", "thinking");
            }
            Maker::LmStudio => {
                let places = ["loaded_context_length", "max_context_length"];
                let context = places.iter().find_map(|place| tokens(told.get(place)?));
                self.context = context.or(self.context);
                self.images = told.get("type").and_then(Value::as_str).map(|kind| kind == "vlm");
            }
            Maker::Sglang => {
                self.images = told.get("has_image_understanding").and_then(Value::as_bool);
            }
            Maker::Freehand | Maker::Vllm | Maker::Other => {}
        }
    }
}

fn tokens(value: &Value) -> Option<u32> {
    u32::try_from(value.as_u64()?).ok().filter(|count| *count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn offered(model: Value) -> About {
        serde_json::from_value::<OfferedModel>(model).unwrap().about()
    }

    #[test]
    fn knows_the_servers_by_their_lists() {
        for (model, maker, context) in [
            (json!({"id": "m", "owned_by": "vllm", "max_model_len": 32768}), Maker::Vllm, Some(32768)),
            (
                json!({"id": "m", "owned_by": "llamacpp", "meta": {"n_ctx": 4096}}),
                Maker::LlamaCpp,
                Some(4096),
            ),
            (json!({"id": "m", "owned_by": "library", "created": 1}), Maker::Ollama, None),
            (json!({"id": "m", "owned_by": "sglang", "max_model_len": 9}), Maker::Sglang, Some(9)),
            (json!({"id": "m", "owned_by": "organization_owner"}), Maker::LmStudio, None),
            (json!({"id": "m", "owned_by": 3, "context_length": -1}), Maker::Other, None),
            (json!({"id": "m"}), Maker::Other, None),
        ] {
            let about = offered(model.clone());
            assert_eq!((about.maker, about.context), (maker, context), "{model}");
        }
        let own = offered(json!({"id": "m", "owned_by": "freehand",
            "freehand": {"choose": true, "dialect": "numbered"}}));
        assert!(own.chooses && own.dialect.as_deref() == Some("numbered"));
    }

    #[test]
    fn learns_what_each_tells() {
        for (owner, told, context, images) in [
            (
                "llamacpp",
                json!({"default_generation_settings": {"n_ctx": 8192}, "modalities": {"vision": true}}),
                Some(8192),
                Some(true),
            ),
            (
                "library",
                json!({"model_info": {"qwen3.context_length": 40960}, "capabilities": ["completion", "tools"]}),
                Some(40960),
                Some(false),
            ),
            (
                "organization_owner",
                json!({"type": "vlm", "max_context_length": 131_072, "loaded_context_length": 4096}),
                Some(4096),
                Some(true),
            ),
            (
                "sglang",
                json!({"has_image_understanding": true, "is_generation": true}),
                None,
                Some(true),
            ),
            ("sglang", json!({"detail": "Not Found"}), None, None),
            ("llamacpp", json!([]), None, None),
            ("library", json!({"model_info": 3}), None, None),
        ] {
            let mut about = offered(json!({"id": "m", "owned_by": owner}));
            about.learn(&told);
            assert_eq!((about.context, about.images), (context, images), "{told}");
        }
    }
}
