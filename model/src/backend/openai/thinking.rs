//! How each server is told whether its model may think aloud first, and for how long. They agree on nothing:
//! a field of their own, an argument of the chat template, or a word for the effort. What is thought beyond
//! that is ended here: the answer is asked for behind the thought, or else without one.

use serde_json::{Value, json};

use super::about::Maker;
use super::features::Feature;
use super::wire::put;
use crate::prompt::{Completion, EFFORTS, Prompt, Speaker, Turn, Usage};

/// Says in `body` that the model may think for so many tokens, or is not to with 0, as far as the server has
/// not refused to hear it.
pub(super) fn say(body: &mut Value, maker: Maker, tokens: u32, dropped: impl Fn(Feature) -> bool) {
    if dropped(Feature::Thinking) {
        return;
    }
    let thinks = tokens > 0;
    match maker {
        Maker::Freehand => put(body, "thinking_budget", json!(tokens)),
        Maker::LlamaCpp | Maker::Vllm | Maker::Sglang => {
            // The templates of Qwen and of DeepSeek call the same by two names; others look at neither.
            let mut switch = json!({ "enable_thinking": thinks, "thinking": thinks });
            if thinks && !dropped(Feature::ThinkingBudget) {
                let field = match maker {
                    Maker::LlamaCpp => Some("thinking_budget_tokens"),
                    Maker::Vllm => Some("thinking_token_budget"),
                    Maker::Freehand | Maker::Ollama | Maker::Sglang | Maker::LmStudio | Maker::Other => {
                        None
                    }
                };
                match field {
                    Some(field) => put(body, field, json!(tokens)),
                    // It has none of its own, but some templates do.
                    None => put(&mut switch, "thinking_budget", json!(tokens)),
                }
            }
            put(body, "chat_template_kwargs", switch);
        }
        Maker::Ollama | Maker::LmStudio | Maker::Other => {
            let effort = effort(tokens, dropped(Feature::LeastEfforts));
            put(body, "reasoning_effort", json!(effort));
        }
    }
}

/// Tokens that the answer may have with the thoughts before it, which all servers but our own count as a part
/// of it.
pub(super) fn room(maker: Maker, answer: u32, thinking: u32) -> u32 {
    if maker == Maker::Freehand { answer } else { answer.saturating_add(thinking) }
}

/// What a model thought without coming to an end.
#[derive(Debug)]
pub(super) struct Thought {
    pub(super) text: String,
    /// What it cost.
    pub(super) usage: Usage,
}

impl Thought {
    /// The whole answer, of which `rest` is what came once the thought was ended.
    pub(super) fn before(self, rest: Completion) -> Completion {
        let Self { text, mut usage } = self;
        usage += rest.usage;
        Completion { thinking: Some(text), usage, ..rest }
    }
}

/// Tokens after which nobody listens to thoughts any more that may have `budget`. Servers that end them
/// themselves say a few words to that end, and may count in another way.
pub(super) fn allowance(budget: u32) -> u32 {
    budget.saturating_add((budget / 8).max(32))
}

/// The question without leave to think, the answer to which is to go on behind what is `begun`, if anything is.
pub(super) fn ended(prompt: &Prompt, begun: &str) -> Prompt {
    let mut prompt = Prompt { thinking: 0, ..prompt.clone() };
    if !begun.is_empty() {
        prompt.turns.push(Turn::new(Speaker::Assistant, begun));
    }
    prompt
}

/// Says that the last message is not whole, to those that do not take it so anyway.
pub(super) fn go_on(body: &mut Value, maker: Maker) {
    match maker {
        Maker::Vllm => {
            put(body, "continue_final_message", json!(true));
            put(body, "add_generation_prompt", json!(false));
        }
        Maker::Sglang => put(body, "continue_final_message", json!(true)),
        Maker::Freehand | Maker::LlamaCpp | Maker::Ollama | Maker::LmStudio | Maker::Other => {}
    }
}

/// The least effort that is good for so many tokens; of those that all know, if `usual`.
fn effort(tokens: u32, usual: bool) -> &'static str {
    let mut known = EFFORTS.iter().filter(|(name, _)| !usual || !["none", "minimal"].contains(name));
    known.find(|(_, most)| tokens <= *most).map_or("high", |(name, _)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_server_is_told_in_its_own_words() {
        let kwargs = |thinks: bool| json!({ "enable_thinking": thinks, "thinking": thinks });
        for (maker, tokens, right) in [
            (Maker::Freehand, 256, json!({ "thinking_budget": 256 })),
            (Maker::Freehand, 0, json!({ "thinking_budget": 0 })),
            (
                Maker::LlamaCpp,
                256,
                json!({ "chat_template_kwargs": kwargs(true), "thinking_budget_tokens": 256 }),
            ),
            (
                Maker::Vllm,
                256,
                json!({ "chat_template_kwargs": kwargs(true), "thinking_token_budget": 256 }),
            ),
            (
                Maker::Sglang,
                256,
                json!({ "chat_template_kwargs":
                    { "enable_thinking": true, "thinking": true, "thinking_budget": 256 } }),
            ),
            (Maker::Vllm, 0, json!({ "chat_template_kwargs": kwargs(false) })),
            (Maker::LmStudio, 256, json!({ "reasoning_effort": "low" })),
            (Maker::Other, 5000, json!({ "reasoning_effort": "high" })),
            (Maker::Other, 0, json!({ "reasoning_effort": "none" })),
        ] {
            let mut body = json!({});
            say(&mut body, maker, tokens, |_| false);
            assert_eq!(body, right, "{maker:?} {tokens}");
        }
    }

    #[test]
    fn what_is_refused_is_left_out() {
        for (refused, maker, tokens, right) in [
            (Feature::Thinking, Maker::Vllm, 256, json!({})),
            (Feature::LeastEfforts, Maker::Other, 0, json!({ "reasoning_effort": "low" })),
            (Feature::LeastEfforts, Maker::Other, 100_000, json!({ "reasoning_effort": "high" })),
            (
                Feature::ThinkingBudget,
                Maker::Vllm,
                256,
                json!({ "chat_template_kwargs": { "enable_thinking": true, "thinking": true } }),
            ),
        ] {
            let mut body = json!({});
            say(&mut body, maker, tokens, |feature| feature == refused);
            assert_eq!(body, right, "{refused:?} {maker:?}");
        }
    }
}
