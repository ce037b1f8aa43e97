//! A folder as models are published in: `config.json`, weights in safetensors files, `tokenizer.json`, and the
//! chat template. None of it is trusted: each file has a largest size, and what is missing or of the wrong kind
//! is named.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use candle_core::safetensors::MmapedSafetensors;
use serde_json::Value;

/// The largest file of JSON or template that is read, in bytes. The largest real ones have some 35 MB.
const LARGEST: u64 = 128 << 20;
/// Tokens that a vocabulary may have. The largest real ones have some 260,000.
const MOST_TOKENS: usize = 1 << 22;

/// The folder of a model.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    /// `config.json`, with the keys of newer writers under their older names.
    pub(super) config: Value,
}

impl Folder {
    /// The folder at `path`.
    pub(super) fn open(path: &Path) -> Result<Self, String> {
        let mut config = json(&path.join("config.json"))?;
        lift_rotation(&mut config);
        Ok(Self { path: path.to_path_buf(), config })
    }

    /// The family, as the folder calls it.
    pub(super) fn family(&self) -> Result<&str, String> {
        self.config
            .get("model_type")
            .and_then(Value::as_str)
            .ok_or("its config.json has no `model_type`".into())
    }

    /// A number of `config.json` that must lie in `1..=most`, if it is there.
    pub(super) fn count(&self, key: &str, most: usize) -> Result<Option<usize>, String> {
        match self.config.get(key) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match value.as_u64().and_then(|n| usize::try_from(n).ok()) {
                Some(n) if (1..=most).contains(&n) => Ok(Some(n)),
                _ => Err(format!(
                    "`{key}` of its config.json is {value}, it must lie between 1 and {most}"
                )),
            },
        }
    }

    /// Tokens that its network has logits for.
    pub(super) fn tokens(&self) -> Result<usize, String> {
        self.count("vocab_size", MOST_TOKENS)?.ok_or("its config.json has no `vocab_size`".into())
    }

    /// The weights, which stay in their files until they are asked for.
    pub(super) fn weights(&self) -> Result<MmapedSafetensors, String> {
        let index = self.path.join("model.safetensors.index.json");
        let mut names = vec!["model.safetensors".to_owned()];
        if index.is_file() {
            let index = json(&index)?;
            let parts = index.get("weight_map").and_then(Value::as_object);
            let parts = parts.ok_or("its model.safetensors.index.json has no `weight_map`")?;
            names = parts.values().filter_map(Value::as_str).map(ToOwned::to_owned).collect();
            names.sort();
            names.dedup();
        }
        // Files of this folder, and of no other.
        if let Some(name) = names.iter().find(|name| Path::new(name).components().count() != 1) {
            return Err(format!("its index names `{name}`, which is no file of the folder"));
        }
        let paths: Vec<PathBuf> = names.iter().map(|name| self.path.join(name)).collect();
        if let Some(missing) = paths.iter().find(|path| !path.is_file()) {
            return Err(format!("has no file `{}`", file_name(missing)));
        }
        #[expect(unsafe_code, reason = "a memory map is only offered as unsafe")]
        // SAFETY: the maps are private and read-only. Published weights are put in their place once and not
        // written to afterwards.
        let weights = unsafe { MmapedSafetensors::multi(&paths) };
        weights.map_err(|error| format!("its weights cannot be read: {error}"))
    }

    /// `tokenizer.json`.
    pub(super) fn tokenizer(&self) -> Result<Value, String> {
        json(&self.path.join("tokenizer.json"))
    }

    /// The chat template, if there is one.
    pub(super) fn template(&self) -> Result<Option<String>, String> {
        let own = self.path.join("chat_template.jinja");
        if own.is_file() {
            return text(&own).map(Some);
        }
        Ok(match self.settings()?.get("chat_template") {
            Some(Value::String(template)) => Some(template.clone()),
            // Several by name; the others are for tools or documents.
            Some(Value::Array(templates)) => templates
                .iter()
                .find(|template| template.get("name").and_then(Value::as_str) == Some("default"))
                .and_then(|template| template.get("template")?.as_str())
                .map(ToOwned::to_owned),
            _ => None,
        })
    }

    /// The name of the token that the tokenizer's settings call `key`, for example `bos_token`.
    pub(super) fn token(&self, key: &str) -> Result<Option<String>, String> {
        let settings = self.settings()?;
        let token = settings.get(key);
        let name = token.and_then(|token| token.as_str().or_else(|| token.get("content")?.as_str()));
        Ok(name.map(ToOwned::to_owned))
    }

    /// The ids of the tokens that end an answer.
    pub(super) fn ends(&self) -> Result<Vec<u32>, String> {
        let path = self.path.join("generation_config.json");
        let generation = if path.is_file() { json(&path)? } else { Value::Null };
        let ids = [&generation, &self.config].into_iter().filter_map(|file| file.get("eos_token_id"));
        let ids = ids.flat_map(|ids| ids.as_array().cloned().unwrap_or_else(|| vec![ids.clone()]));
        Ok(ids.filter_map(|id| id.as_u64().and_then(|id| id.try_into().ok())).collect())
    }

    fn settings(&self) -> Result<Value, String> {
        let path = self.path.join("tokenizer_config.json");
        if path.is_file() { json(&path) } else { Ok(Value::Null) }
    }
}

/// Puts what newer writers say in `rope_parameters` where older ones said it.
fn lift_rotation(config: &mut Value) {
    let Some(config) = config.as_object_mut() else { return };
    let Some(rotation) = config.remove("rope_parameters").filter(Value::is_object) else { return };
    if let Some(theta) = rotation.get("rope_theta") {
        config.entry("rope_theta").or_insert_with(|| theta.clone());
    }
    if rotation.get("rope_type").and_then(Value::as_str).is_some_and(|kind| kind != "default") {
        config.entry("rope_scaling").or_insert(rotation);
    }
}

fn json(path: &Path) -> Result<Value, String> {
    serde_json::from_str(&text(path)?)
        .map_err(|error| format!("its {} is damaged: {error}", file_name(path)))
}

fn text(path: &Path) -> Result<String, String> {
    let name = file_name(path);
    let file = File::open(path).map_err(|error| format!("its {name} cannot be opened: {error}"))?;
    let mut text = String::new();
    let read = file.take(LARGEST + 1).read_to_string(&mut text);
    match read {
        Ok(length) if length as u64 > LARGEST => {
            Err(format!("its {name} is larger than {} MB", LARGEST >> 20))
        }
        Ok(_) => Ok(text),
        Err(error) => Err(format!("its {name} cannot be read: {error}")),
    }
}

fn file_name(path: &Path) -> std::borrow::Cow<'_, str> {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy()
}
