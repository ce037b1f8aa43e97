//! Whole model servers, made up: each lists its model, answers, thinks, calls, counts and refuses in the way
//! that it is known to.

use serde_json::{Value, json};

use super::Maker;
use super::servers::{body, path, reply};
use crate::fake_server::{Asked, Fake, Play};

/// Tokens of the context of each.
pub(super) const CONTEXT: u32 = 4096;
/// Characters of a token.
const CHARACTERS: usize = 4;
/// What a model that thinks says before its answer.
pub(super) const THOUGHT: &str = "It is 3 times 17.";

/// A server as somebody has started it.
#[derive(Debug, Clone, Copy)]
pub(super) struct MadeUp {
    pub(super) maker: Maker,
    /// Whether its model thinks aloud unless it is told not to.
    pub(super) thinks: bool,
    /// Whether its model sees.
    pub(super) sees: bool,
    /// Whether it was started with all that it can have: with what reads calls and thoughts, and with the count
    /// of what is reused.
    pub(super) equipped: bool,
}

/// What a model says.
#[derive(Debug, Default)]
struct Said {
    thought: Option<&'static str>,
    text: String,
    call: Option<Value>,
}

impl MadeUp {
    pub(super) async fn start(self) -> Fake {
        Fake::start(move |asked: &Asked| self.play(asked)).await
    }

    fn play(self, asked: &Asked) -> Play {
        match (self.maker, path(asked)) {
            (_, "/v1/models") => self.models(),
            (_, "/v1/chat/completions") => self.completion(&body(asked)),
            (Maker::LlamaCpp, "/props") => reply(&json!({
                "default_generation_settings": { "n_ctx": CONTEXT }, "modalities": { "vision": self.sees } })),
            (Maker::Sglang, "/model_info") => reply(
                &json!({ "model_path": "m", "is_generation": true, "has_image_understanding": self.sees }),
            ),
            (Maker::LmStudio, "/api/v0/models/m") => reply(&json!({
                "id": "m", "type": if self.sees { "vlm" } else { "llm" }, "state": "loaded",
                "max_context_length": 131_072, "loaded_context_length": CONTEXT })),
            (Maker::Ollama, "/api/show") => reply(&self.shown()),
            (Maker::Ollama, "/api/chat") => self.lines(&body(asked)),
            // It says so of all that it does not know, and that it went well.
            (Maker::LmStudio, path) => {
                reply(&json!({ "error": format!("Unexpected endpoint or method. (GET {path})") }))
            }
            _ => Play::reply("404 Not Found", "application/json", "{\"detail\":\"Not Found\"}"),
        }
    }

    /// What it answers to a question to its model.
    pub(super) fn says(self, asked: &Value) -> Play {
        if self.maker == Maker::Ollama { self.lines(asked) } else { self.completion(asked) }
    }

    fn models(self) -> Play {
        let model = match self.maker {
            Maker::LlamaCpp => {
                json!({ "id": "m", "owned_by": "llamacpp", "meta": { "n_ctx_train": 32_768 } })
            }
            Maker::Ollama => json!({ "id": "m:latest", "owned_by": "library" }),
            Maker::Vllm => json!({ "id": "m", "owned_by": "vllm", "max_model_len": CONTEXT }),
            Maker::Sglang => json!({ "id": "m", "owned_by": "sglang", "max_model_len": CONTEXT }),
            Maker::LmStudio => json!({ "id": "m", "owned_by": "organization_owner" }),
            Maker::Freehand | Maker::Other => json!({ "id": "m" }),
        };
        // LM Studio lists all that it has on the disk, and what it makes vectors with.
        let other = json!({ "id": "text-embedding-nomic", "owned_by": "organization_owner" });
        let list = if self.maker == Maker::LmStudio { vec![other, model] } else { vec![model] };
        reply(&json!({ "object": "list", "data": list }))
    }

    fn shown(self) -> Value {
        let able =
            [("completion", true), ("vision", self.sees), ("thinking", self.thinks), ("tools", true)];
        let able: Vec<_> = able.iter().filter(|(_, has)| *has).map(|(name, _)| *name).collect();
        json!({ "model_info": { "qwen3.context_length": CONTEXT }, "capabilities": able })
    }

    /// A refusal in the form of this server.
    fn refusal(self, message: &str) -> Play {
        let body = match self.maker {
            Maker::LmStudio | Maker::Ollama => json!({ "error": message }),
            Maker::Sglang => json!({ "object": "error", "message": message, "type": "BadRequestError",
                "param": null, "code": 400 }),
            Maker::Freehand | Maker::LlamaCpp | Maker::Vllm | Maker::Other => {
                json!({ "error": { "message": message, "type": "BadRequestError", "param": null, "code": 400 } })
            }
        };
        Play::reply("400 Bad Request", "application/json", &body.to_string())
    }

    /// What this server says to a prompt of so many tokens.
    fn too_long(self, tokens: usize, stream: bool) -> Option<Play> {
        let message = match self.maker {
            Maker::Vllm => format!(
                "This model's maximum context length is {CONTEXT} tokens. However, your request has {tokens} \
                 input tokens."
            ),
            Maker::Sglang => format!(
                "The input ({tokens} tokens) is longer than the model's context length ({CONTEXT} tokens)."
            ),
            Maker::LmStudio => format!(
                "The number of tokens to keep from the initial prompt is greater than the context length \
                 (n_keep: {tokens}>= n_ctx: {CONTEXT}). Try to load the model with a larger context length."
            ),
            Maker::LlamaCpp => {
                let error = json!({ "code": 400, "message": "the request exceeds the available context size",
                    "n_prompt_tokens": tokens, "n_ctx": CONTEXT });
                let error = json!({ "error": error }).to_string();
                return Some(Play::reply("400 Bad Request", "application/json", &error));
            }
            // It cuts the prompt without a word.
            Maker::Ollama | Maker::Freehand | Maker::Other => return None,
        };
        if self.maker == Maker::LmStudio && stream {
            // It has begun to answer before it notices.
            let error = json!({ "error": { "message": message } });
            return Some(Play::events(&format!("event: error\ndata: {error}\n\n")));
        }
        Some(self.refusal(&message))
    }

    /// What the model says to this, or why it is not asked.
    fn say(self, asked: &Value) -> Result<Said, Play> {
        let tokens = asked["messages"].to_string().len() / CHARACTERS;
        if tokens > CONTEXT as usize
            && let Some(refusal) = self.too_long(tokens, asked["stream"] == true)
        {
            return Err(refusal);
        }
        let shown = asked["messages"].to_string();
        let is_shown = shown.contains("image_url") || shown.contains("\"images\"");
        if is_shown && !self.sees {
            let why = if self.maker == Maker::LlamaCpp {
                "image input is not supported - hint: provide the mmproj"
            } else {
                "m is not a multimodal model"
            };
            return Err(self.refusal(why));
        }
        if self.maker == Maker::LmStudio && asked["response_format"]["type"] == "json_object" {
            return Err(self.refusal("'response_format.type' must be 'json_schema' or 'text'"));
        }
        if self.maker == Maker::Vllm && asked.get("thinking_token_budget").is_some() && !self.equipped {
            let why = "thinking_token_budget is set but reasoning_config is not configured";
            return Err(self.refusal(why));
        }
        let thought = (self.thinks && self.may_think(asked)).then_some(THOUGHT);
        if asked.get("tools").is_some() {
            return self.call(asked).map(|call| match call {
                Some(call) => Said { thought, text: String::new(), call: Some(call) },
                None => Said { thought, text: "<tool_call>get_weather</tool_call>".into(), call: None },
            });
        }
        let form = asked.pointer("/response_format/json_schema/schema").or(asked.get("format"));
        let text = form.map_or_else(|| if is_shown { "Red." } else { "No." }.to_owned(), filled);
        Ok(Said { thought, text, call: None })
    }

    fn may_think(self, asked: &Value) -> bool {
        match self.maker {
            Maker::LlamaCpp | Maker::Vllm | Maker::Sglang => {
                asked["chat_template_kwargs"]["enable_thinking"] != false
            }
            Maker::Ollama => asked["think"] != false && asked["reasoning_effort"] != "none",
            // It takes the field and does nothing with it.
            Maker::LmStudio | Maker::Freehand | Maker::Other => true,
        }
    }

    fn call(self, asked: &Value) -> Result<Option<Value>, Play> {
        if !self.equipped && self.maker == Maker::Vllm && asked["tool_choice"] != "none" {
            let flags = "requires --enable-auto-tool-choice and --tool-call-parser to be set";
            return Err(self.refusal(&format!("\"auto\" tool choice {flags}")));
        }
        if !self.equipped && self.maker == Maker::Sglang {
            return Ok(None);
        }
        let function = json!({ "name": "get_weather", "arguments": "{\"city\": \"Oslo\"}" });
        Ok(Some(json!({ "index": 0, "id": "1", "type": "function", "function": function })))
    }

    /// The name of the field for thoughts; none where they stand in the text.
    fn field(self) -> Option<&'static str> {
        match self.maker {
            Maker::LlamaCpp => Some("reasoning_content"),
            Maker::Vllm => self.equipped.then_some("reasoning"),
            Maker::Sglang | Maker::LmStudio => self.equipped.then_some("reasoning_content"),
            Maker::Ollama => Some("reasoning"),
            Maker::Freehand | Maker::Other => None,
        }
    }

    /// The deltas of an answer.
    fn deltas(self, said: &Said) -> Vec<Value> {
        let mut deltas = vec![json!({ "role": "assistant", "content": "" })];
        let pieces =
            |text: &str| -> Vec<String> { text.split_inclusive(' ').map(str::to_owned).collect() };
        match (said.thought, self.field()) {
            (Some(thought), Some(field)) => {
                deltas.extend(pieces(thought).into_iter().map(|piece| json!({ field: piece })));
            }
            (Some(thought), None) => {
                let open = format!("<think>\n{thought}\n</think>\n\n");
                deltas.extend(pieces(&open).into_iter().map(|piece| json!({ "content": piece })));
            }
            (None, _) => {}
        }
        // Two pieces at least, as of a model that writes.
        let (first, rest) = said.text.split_at_checked(1).unwrap_or_default();
        deltas.extend([first, rest].map(|piece| json!({ "content": piece })));
        deltas.extend(said.call.iter().map(|call| json!({ "tool_calls": [call] })));
        deltas
    }

    fn usage(self, said: &Said) -> Value {
        let counted = matches!(self.maker, Maker::LlamaCpp)
            || (matches!(self.maker, Maker::Vllm | Maker::Sglang) && self.equipped);
        let cached = if counted { json!({ "cached_tokens": 30 }) } else { Value::Null };
        let thought = said.thought.map_or(0, str::len) / CHARACTERS;
        let mut usage = json!({ "prompt_tokens": 40, "completion_tokens": 2 + thought, "total_tokens": 42 + thought });
        match self.maker {
            Maker::LlamaCpp | Maker::Vllm | Maker::Sglang => usage["prompt_tokens_details"] = cached,
            Maker::LmStudio => {
                usage["completion_tokens_details"] = json!({ "reasoning_tokens": thought });
            }
            Maker::Ollama | Maker::Freehand | Maker::Other => {}
        }
        usage
    }

    fn likelihoods(self, asked: &Value) -> Value {
        if self.maker == Maker::LmStudio || asked["logprobs"] != true {
            return Value::Null;
        }
        let token = |token: &str, logprob: f64| json!({ "token": token, "logprob": logprob });
        let top = [token("No", -0.1), token("Yes", -2.4)];
        json!({ "content": [{ "token": "No", "logprob": -0.1, "top_logprobs": top }] })
    }

    fn completion(self, asked: &Value) -> Play {
        let said = match self.say(asked) {
            Ok(said) => said,
            Err(refusal) => return refusal,
        };
        let deltas = self.deltas(&said);
        let reason = if said.call.is_some() { "tool_calls" } else { "stop" };
        if asked["stream"] != true {
            let mut message = json!({ "role": "assistant", "content": "" });
            for (name, piece) in deltas.iter().flat_map(|delta| delta.as_object().unwrap()) {
                message[name] = match (&message[name], piece) {
                    (Value::String(before), Value::String(piece)) if name != "role" => {
                        format!("{before}{piece}").into()
                    }
                    _ => piece.clone(),
                };
            }
            let choice = json!({ "index": 0, "message": message, "finish_reason": reason,
                "logprobs": self.likelihoods(asked) });
            return reply(&json!({ "choices": [choice], "usage": self.usage(&said) }));
        }
        let event = |value: Value| format!("data: {value}\n\n");
        let mut events: String = deltas
            .into_iter()
            .map(|delta| {
                event(json!({ "choices": [{ "index": 0, "delta": delta, "finish_reason": null }] }))
            })
            .collect();
        let mut last = json!({ "choices": [{ "index": 0, "delta": {}, "finish_reason": reason }] });
        if self.maker == Maker::Sglang {
            last["choices"][0]["matched_stop"] = 151_645.into();
        }
        events += &event(last);
        if asked["stream_options"]["include_usage"] == true {
            let mut last = json!({ "choices": [], "usage": self.usage(&said) });
            if self.maker == Maker::LlamaCpp {
                last["timings"] = json!({ "prompt_ms": 5.0, "predicted_ms": 7.0 });
            }
            events += &event(last);
        }
        Play::events(&(events + "data: [DONE]\n\n"))
    }

    /// Ollama's own way to answer.
    fn lines(self, asked: &Value) -> Play {
        if asked["think"] == true && !self.thinks {
            return self.refusal("\"m\" does not support thinking");
        }
        let said = match self.say(asked) {
            Ok(said) => said,
            Err(refusal) => return refusal,
        };
        let line = |message: Value| json!({ "message": message, "done": false }).to_string() + "\n";
        let mut lines: String =
            said.thought.map(|text| line(json!({ "thinking": text }))).into_iter().collect();
        let (first, rest) = said.text.split_at_checked(1).unwrap_or_default();
        lines.extend([first, rest].map(|piece| line(json!({ "role": "assistant", "content": piece }))));
        let last = json!({ "message": { "content": "" }, "done": true, "done_reason": "stop",
            "prompt_eval_count": 40, "eval_count": 2, "prompt_eval_duration": 5_000_000,
            "eval_duration": 7_000_000 });
        Play::reply("200 OK", "application/x-ndjson", &(lines + &last.to_string()))
    }
}

/// The first value that fits a schema of texts among which to choose, as the tests have them.
fn filled(schema: &Value) -> String {
    if let Some(text) = schema.pointer("/enum/0") {
        return text.to_string();
    }
    let fields = schema["properties"].as_object().into_iter().flatten();
    let fields = fields.map(|(name, field)| (name.clone(), field["enum"][0].clone()));
    Value::Object(fields.collect()).to_string()
}
