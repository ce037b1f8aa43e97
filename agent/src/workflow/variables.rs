//! `${name}` in the texts of a workflow. `$$` is a dollar sign; what a variable holds is never read as
//! a text with variables again, so nothing that came from a screen can name one.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

/// One piece of a text.
#[derive(Debug, PartialEq, Eq)]
enum Piece<'t> {
    Words(&'t str),
    Variable(&'t str),
}

/// What is wrong with a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// `${` without its `}`.
    Open,
    /// No name stands between the braces.
    NoName(String),
    /// Nothing is known of this variable.
    Unknown(String),
}

impl Trouble {
    /// In words; `known` are the variables that there are.
    pub(super) fn words<'v>(&self, known: impl Iterator<Item = &'v String>) -> String {
        match self {
            Self::Open => "`${` has no `}`; write `$${` for the characters themselves".into(),
            Self::NoName(name) => format!(
                "`${{{name}}}` is no variable: a name has letters, digits, `_` and `-` and begins with a letter; \
                 write `$${{` for the characters themselves"
            ),
            Self::Unknown(name) => {
                let known: Vec<String> = known.map(|name| format!("`{name}`")).collect();
                let list = if known.is_empty() {
                    "there are none".into()
                } else {
                    format!("there are {}", known.join(", "))
                };
                format!("there is no variable `{name}` here; {list}")
            }
        }
    }
}

/// Whether `name` can stand in `${name}`.
pub(super) fn is_name(name: &str) -> bool {
    let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    name.starts_with(|c: char| c.is_alphabetic() || c == '_') && name.chars().all(is_part)
}

fn pieces(text: &str) -> Result<Vec<Piece<'_>>, Trouble> {
    let mut out = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('$') {
        out.push(Piece::Words(before));
        rest = after;
        if let Some(after) = rest.strip_prefix('$') {
            out.push(Piece::Words("$"));
            rest = after;
        } else if let Some(after) = rest.strip_prefix('{') {
            let (name, after) = after.split_once('}').ok_or(Trouble::Open)?;
            if !is_name(name) {
                return Err(Trouble::NoName(name.into()));
            }
            out.push(Piece::Variable(name));
            rest = after;
        } else {
            out.push(Piece::Words("$"));
        }
    }
    out.push(Piece::Words(rest));
    Ok(out)
}

/// The text with what the variables hold.
pub(super) fn fill(text: &str, vars: &BTreeMap<String, String>) -> Result<String, Trouble> {
    let mut out = String::with_capacity(text.len());
    for piece in pieces(text)? {
        out.push_str(match piece {
            Piece::Words(words) => words,
            Piece::Variable(name) => vars.get(name).ok_or_else(|| Trouble::Unknown(name.into()))?,
        });
    }
    Ok(out)
}

/// The same for every text in `value`, but for the names of fields.
pub(super) fn fill_value(value: &Value, vars: &BTreeMap<String, String>) -> Result<Value, Trouble> {
    Ok(match value {
        Value::String(text) => fill(text, vars)?.into(),
        Value::Array(values) => {
            values.iter().map(|value| fill_value(value, vars)).collect::<Result<Vec<Value>, _>>()?.into()
        }
        Value::Object(fields) => {
            let filled = |(name, value): (&String, &Value)| Ok((name.clone(), fill_value(value, vars)?));
            fields.iter().map(filled).collect::<Result<Map<String, Value>, Trouble>>()?.into()
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn vars() -> BTreeMap<String, String> {
        [("who", "Ada"), ("a-b_1", "x"), ("evil", "${who} $$")].map(|(k, v)| (k.into(), v.into())).into()
    }

    #[test]
    fn fills() {
        for (text, expected) in [
            ("Hello ${who}!", Ok("Hello Ada!")),
            ("${who}${a-b_1}", Ok("Adax")),
            ("5 $ and $$ and $x and $${who}", Ok("5 $ and $ and $x and ${who}")),
            ("${evil}", Ok("${who} $$")),
            ("$", Ok("$")),
            ("${who", Err(Trouble::Open)),
            ("${}", Err(Trouble::NoName(String::new()))),
            ("${1}", Err(Trouble::NoName("1".into()))),
            ("${nobody}", Err(Trouble::Unknown("nobody".into()))),
        ] {
            assert_eq!(fill(text, &vars()), expected.map(str::to_owned), "{text}");
        }
        let value = json!({"${who}": ["${who}", 3, {"a": "${who}"}]});
        assert_eq!(fill_value(&value, &vars()), Ok(json!({"${who}": ["Ada", 3, {"a": "Ada"}]})));
    }

    proptest! {
        #[test]
        fn doubling_dollars_escapes_any_text(text in "[a${}é]{0,20}") {
            prop_assert_eq!(fill(&text.replace('$', "$$"), &vars()), Ok(text.clone()));
            let _ = fill(&text, &vars());
        }
    }
}
