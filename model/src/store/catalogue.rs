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
    /// Models that need a server of their own.
    #[serde(default)]
    pub served: Vec<Served>,
}

/// What a model needs to be of use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Needs {
    /// Memory with a context of 8192 tokens, in MB.
    pub memory_mb: u64,
    /// Cores of a processor of today that make a step bearable.
    pub cores: usize,
}

/// A model that runs in a server: it sees, or needs a graphics card.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Served {
    /// Its name.
    pub name: String,
    /// Where it stands among all, like that of an [`Entry`].
    pub rank: u32,
    /// Under which terms it may be used.
    pub licence: String,
    /// The size of its weights with 4 bits each, about, in bytes.
    pub bytes: u64,
    /// Memory of a graphics card, in MB.
    pub graphics_mb: u64,
    /// Memory of the machine where there is no graphics card, in MB.
    pub memory_mb: u64,
    /// Cores of the processor where there is no graphics card.
    pub cores: usize,
    /// Whether it sees images.
    pub sees: bool,
    /// Where it is found.
    pub source: String,
    /// How a server is started with it.
    pub start: String,
    /// How good it is, and who says so.
    pub judged: String,
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
    /// The size of the file, in bytes; about so much where there is no hash.
    pub bytes: u64,
    /// The SHA-256 of the file, in lower-case hexadecimal digits. Where it is not known for sure there is none:
    /// then the one that the hub tells is kept at the first fetch, and holds from then on.
    #[serde(default)]
    pub sha256: Option<String>,
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
    /// The family that it is computed as.
    #[serde(default)]
    pub architecture: Option<String>,
    /// Where it stands among all, also those that need a server: the higher, the better for operating a desktop.
    /// What speaks for that is in `judged`.
    #[serde(default)]
    pub rank: u32,
    /// What it needs.
    #[serde(default)]
    pub needs: Option<Needs>,
    /// How good it is, and who says so.
    #[serde(default)]
    pub judged: Option<String>,
    /// Where it is found.
    pub sources: Sources,
}

impl Entry {
    /// The hash, or a text that is none.
    pub(super) fn hash(&self) -> &str {
        self.sha256.as_deref().unwrap_or_default()
    }
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
            assert!(entry.sha256.as_deref().is_none_or(is_hash), "{}", entry.name);
            assert_eq!(entry.dialect.is_some(), entry.needs.is_some(), "{}", entry.name);
            assert_eq!(entry.dialect.is_some(), entry.rank > 0, "{}", entry.name);
            assert!(
                entry.name.bytes().chain(entry.file.bytes()).all(|b| b.is_ascii_graphic() && b != b'/')
            );
            let hub = entry.sources.hub.as_ref();
            let Some(packages) = &entry.sources.packages else {
                // What is not pinned here is pinned by the first fetch.
                assert!(entry.sha256.is_some() || hub.is_some_and(|hub| hub.revision == "main"));
                continue;
            };
            assert_eq!(
                packages.parts.iter().map(|part| part.bytes).sum::<u64>(),
                entry.bytes,
                "{}",
                entry.name
            );
            assert!(packages.parts.iter().all(|part| is_hash(&part.sha256)), "{}", entry.name);
            assert!(hub.is_none_or(|hub| hub.revision.len() == 40));
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
             `ocr-detection`, `ocr-recognition`, `qwen2.5-coder-7b`, `qwen3-1.7b`, `qwen3-4b`, `qwen3-8b`, \
             `deepseek-r1-distill-qwen-1.5b`, `deepseek-r1-distill-qwen-7b`"
        );
    }
}
