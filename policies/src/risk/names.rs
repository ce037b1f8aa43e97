//! What a name says that pressing it does, in the languages of `data/risks.toml`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use super::Risk;

const DATA: &str = include_str!("../../data/risks.toml");
/// Characters of a name that are looked at: what is longer is a text and no name.
const LONGEST: usize = 240;

/// What a name says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    /// The effects.
    pub(super) risks: BTreeSet<Risk>,
    /// What a dialog of these words is about, besides.
    pub(super) told: BTreeSet<Risk>,
    /// It is a yes to what stands around it.
    pub(super) assents: bool,
    /// It is what a field is called in which somebody is written to.
    pub(super) addresses: bool,
}

impl Kinds {
    /// Whether it says this.
    pub(super) fn has(&self, risk: Risk) -> bool {
        self.risks.contains(&risk)
    }
}

/// What a phrase says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Effect(Risk),
    Told(Risk),
    Assent,
    Message,
}

/// The phrases by their first word, and the pieces of languages without spaces.
#[derive(Debug, Default)]
struct Words {
    phrases: BTreeMap<String, Vec<(Vec<String>, Kind)>>,
    pieces: Vec<(String, Kind)>,
}

impl Words {
    fn load() -> Result<Self, toml::de::Error> {
        let data: BTreeMap<String, BTreeMap<String, Vec<String>>> = toml::from_str(DATA)?;
        let mut words = Self::default();
        for (effect, languages) in data {
            let (told, effect) =
                effect.strip_prefix("told_").map_or((false, effect.as_str()), |effect| (true, effect));
            let kind = match Risk::ALL.into_iter().find(|risk| risk.word() == effect) {
                Some(risk) if told => Kind::Told(risk),
                Some(risk) => Kind::Effect(risk),
                None if effect == "message" => Kind::Message,
                None => Kind::Assent,
            };
            for phrase in languages.into_values().flatten() {
                words.take(&phrase, kind);
            }
        }
        Ok(words)
    }

    fn take(&mut self, phrase: &str, kind: Kind) {
        if phrase.chars().any(has_no_spaces) {
            self.pieces.push((phrase.to_owned(), kind));
            return;
        }
        let phrase = split(phrase);
        if let Some((first, rest)) = phrase.split_first() {
            self.phrases.entry(first.clone()).or_default().push((rest.to_vec(), kind));
        }
    }

    fn kinds(&self, name: &str) -> Kinds {
        let mut kinds = Kinds::default();
        let mut add = |kind: Kind| match kind {
            Kind::Effect(risk) => {
                kinds.risks.insert(risk);
            }
            Kind::Told(risk) => {
                kinds.told.insert(risk);
            }
            Kind::Assent => kinds.assents = true,
            Kind::Message => kinds.addresses = true,
        };
        let name: String = name.chars().take(LONGEST).collect();
        let words = split(&name);
        for (at, word) in words.iter().enumerate() {
            for (rest, kind) in self.phrases.get(word).into_iter().flatten() {
                let follows = words.get(at + 1..).is_some_and(|after| after.starts_with(rest));
                // `OK` is a yes; `what is OK here` is not.
                let whole = *kind != Kind::Assent || words.len() <= rest.len() + 2;
                if follows && whole {
                    add(*kind);
                }
            }
        }
        for (piece, kind) in &self.pieces {
            if name.contains(piece) {
                add(*kind);
            }
        }
        kinds
    }
}

/// The words of a text in small letters, without what marks a key in a label.
fn split(text: &str) -> Vec<String> {
    let text = text.to_lowercase().replace(['_', '&'], "").replace('’', "'");
    let inner = |c: char| c.is_alphanumeric() || c == '\'';
    text.split(|c: char| !inner(c)).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

/// Whether a character belongs to a script that puts no spaces between words.
const fn has_no_spaces(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ac00}'..='\u{d7a3}')
}

/// What `name` says that pressing it does.
pub(super) fn kinds(name: &str) -> Kinds {
    // A test reads the data, so it can be read here.
    static WORDS: LazyLock<Words> = LazyLock::new(|| Words::load().unwrap_or_default());
    WORDS.kinds(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_data_can_be_read_and_every_table_of_it_is_an_effect() {
        let data: BTreeMap<String, BTreeMap<String, Vec<String>>> = toml::from_str(DATA).unwrap();
        for (effect, languages) in &data {
            let risk = effect.strip_prefix("told_").unwrap_or(effect);
            let known = Risk::ALL.iter().any(|known| known.word() == risk);
            assert!(known || ["assent", "message"].contains(&effect.as_str()), "{effect}");
            assert!(languages.len() >= 10, "{effect}");
            for phrase in languages.values().flatten() {
                assert_eq!(phrase, &phrase.to_lowercase());
                let said = Words::load().unwrap().kinds(phrase);
                let says = !said.risks.is_empty() || !said.told.is_empty();
                assert!(said.assents || said.addresses || says, "{phrase}");
            }
        }
    }

    #[test]
    fn names_in_several_languages() {
        for (name, expected) in [
            ("Send", Some(Risk::Send)),
            ("Send order", Some(Risk::Send)),
            ("_Send", Some(Risk::Send)),
            ("Absenden", Some(Risk::Send)),
            ("Jetzt kostenpflichtig bestellen", Some(Risk::Pay)),
            ("Löschen…", Some(Risk::Delete)),
            ("Supprimer", Some(Risk::Delete)),
            ("Don’t Save", Some(Risk::Discard)),
            ("すべて削除", Some(Risk::Delete)),
            ("I agree to the terms", Some(Risk::Accept)),
            ("Sign in", Some(Risk::LogIn)),
            ("Sender", None),
            ("Undelete", None),
            ("Save", None),
            ("Submit", None),
            ("Cancel", None),
            ("", None),
        ] {
            assert_eq!(kinds(name).risks.into_iter().next(), expected, "{name}");
        }
        for (name, expected) in
            [("OK", true), ("_Yes", true), ("What is OK to eat", false), ("No", false)]
        {
            assert_eq!(kinds(name).assents, expected, "{name}");
        }
    }
}
