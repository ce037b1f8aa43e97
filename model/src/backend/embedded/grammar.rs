//! Turns the constraint of a prompt into something that says which token may come next.

use std::sync::Arc;
use std::time::Instant;

use llguidance::api::TopLevelGrammar;
use llguidance::{Matcher, ParserFactory};
use serde_json::{Value, json};
use toktrie::{SimpleVob, TokEnv, TokenId};

use super::vocabulary::Vocabulary;
use crate::backend::ModelError;
use crate::prompt::Constraint;

/// Where the time of each mask is told, on request: `FREEHAND_LOG=freehand_model::masks=trace`.
const MASKS: &str = "freehand_model::masks";

/// Properties that a schema may have in all: 64 tools with 30 each.
const MOST_FIELDS: usize = 2000;
/// Schemas that a list of a schema may have: alternatives and the like.
const MOST_WAYS: usize = 1000;
/// Values that a schema may have in all, those of enumerations included.
const MOST_VALUES: usize = 20_000;

/// What all constraints of one model share.
pub(super) struct Grammar {
    factory: ParserFactory,
}

/// Follows one answer and knows what may come next.
pub(super) struct Rules {
    matcher: Matcher,
}

impl std::fmt::Debug for Grammar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Grammar")
    }
}

impl Grammar {
    /// Prepares constraints over these tokens.
    pub(super) fn new(vocabulary: &Arc<Vocabulary>) -> Result<Self, String> {
        let tokens: TokEnv = vocabulary.clone();
        let mut factory = ParserFactory::new_simple(&tokens).map_err(|e| e.to_string())?;
        factory.quiet();
        Ok(Self { factory })
    }

    /// The rules of a constraint, or `None` where there are none.
    pub(super) fn rules(&self, constraint: &Constraint) -> Result<Option<Rules>, ModelError> {
        let grammar = match constraint {
            Constraint::Free => return Ok(None),
            Constraint::JsonSchema(schema) => {
                check(schema).map_err(ModelError::BadConstraint)?;
                TopLevelGrammar::from_json_schema(compact(schema))
            }
            Constraint::Lark(lark) => TopLevelGrammar::from_lark(lark.clone()),
            Constraint::OneOf(texts) if texts.is_empty() => {
                return Err(ModelError::BadConstraint("there is no text to choose from".into()));
            }
            Constraint::OneOf(texts) => TopLevelGrammar::from_lark(one_of(texts)),
        };
        let matcher = Matcher::new(self.factory.create_parser(grammar));
        match matcher.get_error() {
            None => Ok(Some(Rules { matcher })),
            Some(reason) => Err(ModelError::BadConstraint(reason)),
        }
    }
}

impl Rules {
    /// Takes the tokens that are the only way on from here, if there are such.
    pub(super) fn forced(&mut self) -> Result<Vec<TokenId>, ModelError> {
        let over = self.matcher.is_stopped();
        let forced = if over { Vec::new() } else { self.matcher.compute_ff_tokens() };
        if !forced.is_empty() {
            self.matcher.consume_tokens(&forced).map_err(failed)?;
        }
        self.matcher.get_error().map_or(Ok(forced), |reason| Err(failed(reason)))
    }

    /// Takes the token that was chosen.
    pub(super) fn take(&mut self, id: TokenId) -> Result<(), ModelError> {
        self.matcher.consume_token(id).map_err(failed)
    }

    /// Whether nothing may follow any more.
    pub(super) fn is_over(&self) -> bool {
        self.matcher.is_stopped()
    }

    /// Makes all tokens impossible that may not come next.
    pub(super) fn mask(&mut self, logits: &mut [f32]) -> Result<(), ModelError> {
        let begun = tracing::enabled!(target: MASKS, tracing::Level::TRACE).then(Instant::now);
        let allowed = self.matcher.compute_mask().map_err(failed)?;
        forbid_others(&allowed, logits);
        if let Some(begun) = begun {
            tracing::trace!(target: MASKS, us = begun.elapsed().as_secs_f64() * 1e6);
        }
        Ok(())
    }
}

fn forbid_others(allowed: &SimpleVob, logits: &mut [f32]) {
    for (word, logits) in allowed.as_slice().iter().zip(logits.chunks_mut(32)) {
        if *word != u32::MAX {
            for (bit, logit) in logits.iter_mut().enumerate() {
                if word >> bit & 1 == 0 {
                    *logit = f32::NEG_INFINITY;
                }
            }
        }
    }
}

fn failed(error: impl std::fmt::Display) -> ModelError {
    // Behind the first line there is the state of the parser.
    let error = error.to_string();
    let reason = error.lines().next().unwrap_or_default();
    ModelError::Failed(format!("the constraint cannot be followed: {reason}"))
}

/// Refuses a schema whose preparation would hold up all who ask: llguidance takes a call within a call for each
/// field of an object, and time by the square of fields and of alternatives.
fn check(schema: &Value) -> Result<(), String> {
    let (mut values, mut fields) = (0, 0);
    let mut left = vec![schema];
    while let Some(value) = left.pop() {
        match value {
            Value::Object(parts) => {
                let properties = parts.get("properties").and_then(Value::as_object);
                fields += properties.map_or(0, serde_json::Map::len);
                values += parts.len();
                left.extend(parts.values());
            }
            Value::Array(parts) => {
                let ways = parts.iter().filter(|part| part.is_object()).count();
                if ways > MOST_WAYS {
                    return Err(format!(
                        "a list of the schema has {ways} schemas, {MOST_WAYS} are the most"
                    ));
                }
                values += parts.len();
                left.extend(parts);
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
        }
    }
    if fields > MOST_FIELDS {
        return Err(format!("the schema has {fields} properties, {MOST_FIELDS} are the most"));
    }
    if values > MOST_VALUES {
        return Err(format!("the schema has {values} values, {MOST_VALUES} are the most"));
    }
    Ok(())
}

/// Leaves no choice about white space, in the spacing that models know best, so that most of an answer
/// need not be computed.
fn compact(schema: &Value) -> Value {
    let mut schema = schema.clone();
    if let Some(schema) = schema.as_object_mut() {
        let spacing =
            json!({ "whitespace_flexible": false, "item_separator": ", ", "key_separator": ": " });
        schema.entry("x-guidance").or_insert(spacing);
    }
    schema
}

fn one_of(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| Value::from(text.as_str()).to_string()).collect();
    format!("start: {}", quoted.join(" | "))
}
