//! Tokens that no text has: a template writes them by their names, and only there they are meant.
//!
//! What is quoted in a prompt, such as the text of a web page, may well say `<|im_end|>`. Such a name gets
//! a character put into it that no text needs before the template sees it, and loses it when the rest is cut
//! into tokens: so the template works on what was said, and nobody but the template ends a turn.

use std::cmp::Reverse;
use std::collections::HashMap;

use toktrie::TokenId;

use crate::prompt::Turn;

/// Characters that Unicode sets apart for use within programs.
const VEILS: std::ops::RangeInclusive<char> = '\u{FDD0}'..='\u{FDEF}';

/// A character that is in none of these texts; the first one if they have all.
pub(super) fn veil(turns: &[Turn]) -> char {
    let is_free = |veil: &char| turns.iter().all(|turn| !turn.text.contains(*veil));
    VEILS.clone().find(is_free).unwrap_or(*VEILS.start())
}

/// The named tokens of a vocabulary.
#[derive(Debug, Default)]
pub(super) struct Specials {
    /// By their first character, the longest first.
    names: HashMap<char, Vec<(String, TokenId)>>,
}

impl Specials {
    /// Those of these names.
    pub(super) fn new<'a>(all: impl Iterator<Item = (&'a str, TokenId)>) -> Self {
        let mut names: HashMap<char, Vec<(String, TokenId)>> = HashMap::new();
        for (name, id) in all {
            // A name of one character, or a mere word, would be meant by chance.
            if let Some(first) = name.chars().next().filter(|c| !c.is_alphanumeric())
                && name.chars().nth(1).is_some()
                && !name.trim().is_empty()
            {
                names.entry(first).or_default().push((name.to_owned(), id));
            }
        }
        for names in names.values_mut() {
            names.sort_by_key(|(name, _)| Reverse(name.len()));
        }
        Self { names }
    }

    /// The token of that name.
    pub(super) fn id(&self, name: &str) -> Option<TokenId> {
        let names = self.names.get(&name.chars().next()?)?;
        names.iter().find(|(other, _)| other == name).map(|(_, id)| *id)
    }

    /// `text` with `veil` in each name of a token but those of `meant`.
    pub(super) fn hide(&self, text: &str, veil: char, meant: &[&str]) -> String {
        let mut out = String::with_capacity(text.len());
        for (i, c) in text.char_indices() {
            out.push(c);
            let name = self.at(text.get(i..).unwrap_or_default()).map(|(name, _)| name);
            if name.is_some_and(|name| !meant.contains(&name)) {
                out.push(veil);
            }
        }
        out
    }

    /// The stretches of `text` between the tokens that are named in it, each with the token after it.
    pub(super) fn split<'a>(&self, text: &'a str) -> Vec<(&'a str, Option<TokenId>)> {
        let mut parts = Vec::new();
        let (mut rest, mut from) = (text, 0);
        while let Some((i, _)) =
            rest.char_indices().find(|(i, c)| *i >= from && self.names.contains_key(c))
        {
            let Some((name, id)) = rest.get(i..).and_then(|tail| self.at(tail)) else {
                from = i + 1;
                continue;
            };
            parts.push((rest.get(..i).unwrap_or_default(), Some(id)));
            rest = rest.get(i + name.len()..).unwrap_or_default();
            from = 0;
        }
        parts.push((rest, None));
        parts
    }

    /// The longest name that `text` begins with.
    fn at(&self, text: &str) -> Option<(&str, TokenId)> {
        let names = self.names.get(&text.chars().next()?)?;
        names
            .iter()
            .find(|(name, _)| text.starts_with(name.as_str()))
            .map(|(name, id)| (name.as_str(), *id))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::prompt::Speaker;

    fn specials() -> Specials {
        Specials::new(
            [("<|end|>", 1), ("<|end|>>", 2), ("[X]", 3), ("  ", 4), ("word", 5), ("<", 6)].into_iter(),
        )
    }

    #[test]
    fn names_are_found_the_longest_first() {
        type Case<'a> = (&'a str, &'a [(&'a str, Option<TokenId>)]);
        let specials = specials();
        let cases: [Case<'_>; 4] = [
            ("a<|end|>b[X]", &[("a", Some(1)), ("b", Some(3)), ("", None)]),
            ("<|end|>><|en[X", &[("", Some(2)), ("<|en[X", None)]),
            ("<<|end|>", &[("<", Some(1)), ("", None)]),
            ("  word é", &[("  word é", None)]),
        ];
        for (text, right) in cases {
            assert_eq!(specials.split(text), right, "{text}");
        }
        assert_eq!((specials.id("[X]"), specials.id("word"), specials.id("")), (Some(3), None, None));
    }

    proptest! {
        #[test]
        fn what_is_hidden_is_not_found_and_comes_back(parts in prop::collection::vec(
            prop::sample::select(vec!["<", "|", "end", ">", "<|end|>", "[X]", "[", "X]", "é", "\u{FDD0}", " "]), 0..12
        )) {
            let (specials, text) = (specials(), parts.concat());
            let veil = veil(&[Turn::new(Speaker::User, text.as_str())]);
            let hidden = specials.hide(&text, veil, &[]);
            prop_assert_eq!(specials.split(&hidden).len(), 1);
            prop_assert_eq!(hidden.replace(veil, ""), text);
        }
    }
}
