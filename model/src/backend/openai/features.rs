//! What a server may refuse to know. A question can do without each of these, so what one server has refused
//! once is left out of all further questions to it.

use std::sync::atomic::{AtomicBool, Ordering};

use reqwest::StatusCode;

/// What a server may refuse to know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Feature {
    /// An answer in the form of a schema, in OpenAI's own words for it.
    Schema,
    /// The same in the words of the servers that have it beside `json_object`.
    ObjectSchema,
    /// What the answer cost, at the end of the stream.
    StreamUsage,
    /// How likely the tokens were.
    Likelihoods,
    /// The name `max_tokens`; newer servers want `max_completion_tokens`.
    MaxTokens,
    /// A choice of the randomness.
    Temperature,
    /// The seed of the randomness.
    Seed,
    /// A turn of the system: the rules then go to the user's first one.
    System,
    /// A picture beside the text of a turn.
    Images,
    /// Whether to think aloud first.
    Thinking,
    /// For how many tokens.
    ThinkingBudget,
    /// The words `none` and `minimal` for the effort of thinking; older servers know `low` as the least.
    LeastEfforts,
    /// An answer that goes on where the last message ends, which is the model's own.
    Prefill,
}

/// All of them.
const ALL: [Feature; 13] = [
    Feature::Schema,
    Feature::ObjectSchema,
    Feature::StreamUsage,
    Feature::Likelihoods,
    Feature::MaxTokens,
    Feature::Temperature,
    Feature::Seed,
    Feature::System,
    Feature::Images,
    Feature::Thinking,
    Feature::ThinkingBudget,
    Feature::LeastEfforts,
    Feature::Prefill,
];

/// The features that a server has refused.
#[derive(Debug, Default)]
pub(super) struct Dropped([AtomicBool; ALL.len()]);

impl Dropped {
    fn of(&self, feature: Feature) -> Option<&AtomicBool> {
        ALL.iter().zip(&self.0).find_map(|(known, dropped)| (*known == feature).then_some(dropped))
    }

    /// Whether it has refused this one.
    pub(super) fn has(&self, feature: Feature) -> bool {
        self.of(feature).is_some_and(|dropped| dropped.load(Ordering::Relaxed))
    }

    /// Whether it enforces no form any more.
    pub(super) fn has_all_forms(&self) -> bool {
        self.has(Feature::Schema) && self.has(Feature::ObjectSchema)
    }

    /// Notes that it refuses this one; `false` if that was known.
    pub(super) fn note(&self, feature: Feature) -> bool {
        // Whoever refuses one form may know the other, and whoever knows no effort at all refuses the least first.
        let (is_known, next) = (
            self.has(feature),
            [(Feature::Schema, Feature::ObjectSchema), (Feature::LeastEfforts, Feature::Thinking)],
        );
        let next = next.iter().find(|(before, _)| is_known && *before == feature);
        let feature = next.map_or(feature, |(_, next)| *next);
        tracing::debug!(?feature, "the server refuses a feature, going on without");
        self.of(feature).is_some_and(|dropped| !dropped.swap(true, Ordering::Relaxed))
    }
}

/// The feature that a refusal in these words is about.
pub(super) fn refused(status: StatusCode, said: &str) -> Option<Feature> {
    if !matches!(status.as_u16(), 400 | 404 | 422 | 500 | 501) {
        return None;
    }
    let said = said.to_ascii_lowercase();
    let words: &[(&str, Feature)] = &[
        ("prefill", Feature::Prefill),
        ("continue_final_message", Feature::Prefill),
        ("final message", Feature::Prefill),
        ("logprobs", Feature::Likelihoods),
        ("logits_all", Feature::Likelihoods),
        ("stream_options", Feature::StreamUsage),
        ("response_format", Feature::Schema),
        ("json_schema", Feature::Schema),
        ("structured output", Feature::Schema),
        ("guided", Feature::Schema),
        ("grammar", Feature::Schema),
        ("max_completion_tokens", Feature::MaxTokens),
        ("temperature", Feature::Temperature),
        ("system role", Feature::System),
        ("system message", Feature::System),
        ("role 'system'", Feature::System),
        ("seed", Feature::Seed),
        ("thinking_token_budget", Feature::ThinkingBudget),
        ("thinking_budget", Feature::ThinkingBudget),
        ("thinking budget", Feature::ThinkingBudget),
        ("reasoning_effort", Feature::LeastEfforts),
        ("reasoning effort", Feature::LeastEfforts),
        ("chat_template_kwargs", Feature::Thinking),
        ("enable_thinking", Feature::Thinking),
        ("support thinking", Feature::Thinking),
        ("think value", Feature::Thinking),
    ];
    // A server that fails for another reason may still repeat the whole question.
    let fails = matches!(status.as_u16(), 404 | 500);
    let about = words.iter().find(|(word, _)| said.contains(word)).map(|(_, feature)| *feature)?;
    (!fails
        || ["not support", "unsupported", "not implemented", "logits_all"]
            .iter()
            .any(|w| said.contains(w)))
    .then_some(about)
}

/// Whether what a server said to a question with a picture may be about the picture: that it takes none, or so
/// few or small ones, or that a turn has to be one text. Words of the question, which some servers repeat, do
/// no harm here: the same is asked again without the picture, and that says whether it was to blame.
pub(super) fn may_blame_pictures(said: &str) -> bool {
    let said = said.to_ascii_lowercase();
    let words = [
        "image",
        "picture",
        "vision",
        "multimodal",
        "multi-modal",
        "mmproj",
        "content",
        "valid string",
        "expected a string",
        "expected string",
        "too large",
        "413",
    ];
    words.iter().any(|word| said.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refusals in the words of servers.
    #[test]
    fn knows_what_a_refusal_is_about() {
        for (status, said, about) in [
            (400, "'response_format.type' must be 'json_schema' or 'text'", Some(Feature::Schema)),
            (
                422,
                "Input should be 'text' or 'json_object' [response_format, type]",
                Some(Feature::Schema),
            ),
            (
                400,
                "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
                Some(Feature::MaxTokens),
            ),
            (
                400,
                "Unsupported value: 'temperature' does not support 0 with this model.",
                Some(Feature::Temperature),
            ),
            (500, "System role not supported", Some(Feature::System)),
            (400, "unknown field `seed`", Some(Feature::Seed)),
            (400, "\"gemma3:4b\" does not support thinking", Some(Feature::Thinking)),
            (400, "think value \"medium\" is not supported for this model", Some(Feature::Thinking)),
            (
                400,
                "thinking_token_budget is set but reasoning_config is not configured",
                Some(Feature::ThinkingBudget),
            ),
            (
                400,
                "Unrecognized request argument supplied: reasoning_effort",
                Some(Feature::LeastEfforts),
            ),
            (422, "Extra inputs are not permitted [chat_template_kwargs]", Some(Feature::Thinking)),
            (
                400,
                "Assistant response prefill is incompatible with enable_thinking.",
                Some(Feature::Prefill),
            ),
            (
                500,
                "logprobs is not supported for models created with logits_all=False",
                Some(Feature::Likelihoods),
            ),
            (500, "CUDA out of memory while applying the grammar", None),
            (400, "something else", None),
            (503, "logprobs", None),
        ] {
            assert_eq!(refused(StatusCode::from_u16(status).unwrap(), said), about, "{said}");
        }
    }

    #[test]
    fn the_least_effort_goes_before_all_of_it() {
        let dropped = Dropped::default();
        assert!(dropped.note(Feature::LeastEfforts) && !dropped.has(Feature::Thinking));
        assert!(dropped.note(Feature::LeastEfforts) && dropped.has(Feature::Thinking));
        assert!(!dropped.note(Feature::LeastEfforts));
    }

    #[test]
    fn tries_both_forms() {
        let dropped = Dropped::default();
        assert!(dropped.note(Feature::Schema) && !dropped.has_all_forms());
        assert!(dropped.note(Feature::Schema) && dropped.has_all_forms());
        assert!(!dropped.note(Feature::Schema));
    }
}
