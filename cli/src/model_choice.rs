//! Which model is meant: one of the catalogue, a file, or a server; and the dialect that it is spoken
//! to in.

use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use anyhow::Result;
use freehand_model::Model;
use freehand_model::backend::embedded::{Embedded, Settings};
use freehand_model::backend::openai::{KEY_VARIABLE, Maker, OpenAi};
use freehand_model::dialect::Dialect;
use freehand_model::dialect::numbered::Numbered;
use freehand_model::dialect::tools::Tools;
use freehand_model::store::Store;

use crate::exit::usage;
use crate::places;
use crate::progress;
use crate::wanted::Wanted;

/// The model that a user names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ModelChoice {
    /// By its name in the catalogue.
    Named(String),
    /// Weights of the user's own: a GGUF file, or a folder of safetensors.
    File(PathBuf),
    /// A server, and which of its models.
    Server {
        /// Its address.
        url: String,
        /// The model's name there.
        model: Option<String>,
        /// Whether it is shown pictures.
        images: Wanted,
    },
}

/// A model that is known to be there, before the seconds that it takes to read it.
#[derive(Debug)]
pub enum Located {
    /// Weights on the disk.
    Weights {
        /// The file.
        path: PathBuf,
        /// The dialect's name.
        dialect: String,
    },
    /// A server.
    Server(OpenAi),
}

/// A model that can be asked.
pub struct Ready {
    /// Who is asked.
    pub model: Box<dyn Model>,
    /// How.
    pub dialect: Box<dyn Dialect>,
}

impl FromStr for ModelChoice {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if text.trim().is_empty() {
            return Err("the model's name is empty".into());
        }
        if text.starts_with("http://") || text.starts_with("https://") {
            let (url, model) =
                text.split_once('#').map_or((text, None), |(url, model)| (url, Some(model)));
            if url.ends_with("://") {
                return Err(format!(
                    "`{text}` is not an address; give one such as `http://127.0.0.1:8080/v1`"
                ));
            }
            let model = model.filter(|name| !name.is_empty()).map(ToOwned::to_owned);
            return Ok(Self::Server { url: url.into(), model, images: Wanted::Auto });
        }
        let has_ending =
            Path::new(text).extension().is_some_and(|ending| ending.eq_ignore_ascii_case("gguf"));
        if has_ending || text.contains(std::path::MAIN_SEPARATOR) {
            return Ok(Self::File(text.into()));
        }
        Ok(Self::Named(text.into()))
    }
}

impl fmt::Display for ModelChoice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(name) => f.write_str(name),
            Self::File(path) => path.display().fmt(f),
            Self::Server { url, model: None, .. } => f.write_str(url),
            Self::Server { url, model: Some(model), .. } => write!(f, "{url}#{model}"),
        }
    }
}

impl ModelChoice {
    /// The choice of one who makes none.
    pub fn usual(store: &Store) -> Self {
        Self::Named(store.catalogue().default.clone())
    }

    /// The same with pictures for one behind a server; the others are shown none in any case.
    #[must_use]
    pub fn showing(self, images: Wanted) -> Self {
        match self {
            Self::Server { url, model, .. } => Self::Server { url, model, images },
            other @ (Self::Named(_) | Self::File(_)) => other,
        }
    }

    /// Finds the model without reading it.
    pub fn locate(&self) -> Result<Located> {
        match self {
            Self::Named(name) => {
                let store = places::store()?;
                let dialect = store.entry(name)?.dialect.clone().ok_or_else(|| {
                    usage(format!("`{name}` cannot be asked what to do; name another --model"))
                })?;
                let path = store.path(name)?;
                Ok(Located::Weights { path, dialect })
            }
            Self::File(path) if path.is_file() || path.join("config.json").is_file() => {
                Ok(Located::Weights { path: path.clone(), dialect: "numbered".into() })
            }
            Self::File(path) if path.is_dir() => {
                let reason = "holds no model: it has no config.json";
                Err(usage(format!("the folder `{}` {reason}", path.display())))
            }
            Self::File(path) => Err(usage(format!("there is no file `{}`", path.display()))),
            Self::Server { url, model, images } => {
                let key = std::env::var(KEY_VARIABLE).ok().filter(|key| !key.is_empty());
                let server = OpenAi::new(url, model.clone(), key)?;
                Ok(Located::Server(server.with_images(images.told())))
            }
        }
    }
}

impl Located {
    /// The dialect's name, as far as it is known before a server was asked.
    pub fn dialect(&self) -> &str {
        match self {
            Self::Weights { dialect, .. } => dialect,
            Self::Server(_) => "as the server tells",
        }
    }

    /// Reads the weights, or asks the server whether it is there.
    pub async fn load(self) -> Result<Ready> {
        match self {
            Self::Weights { path, dialect } => {
                let dialect = self::dialect(&dialect)?;
                let waiting = progress::spinner("reading the model");
                let settings = Settings { prefixes: places::prefixes(), ..Settings::default() };
                let model = Embedded::open(path, settings).await?;
                waiting.finish_and_clear();
                Ok(Ready { model: Box::new(model), dialect })
            }
            Self::Server(server) => {
                let found = server.probe().await?;
                if found.maker == Maker::Freehand && server.capabilities().images.is_some() {
                    return Err(usage("`freehand serve` takes no pictures; leave `--images on` away"));
                }
                // A server of ours knows how its model is best spoken to.
                let named = found.dialect.as_deref().and_then(|name| dialect(name).ok());
                let dialect = named.unwrap_or_else(|| Box::new(Tools));
                Ok(Ready { model: Box::new(server), dialect })
            }
        }
    }
}

/// The dialect of that name.
fn dialect(name: &str) -> Result<Box<dyn Dialect>> {
    match name {
        "numbered" => Ok(Box::new(Numbered)),
        "tools" => Ok(Box::new(Tools)),
        other => Err(usage(format!("this program knows no dialect `{other}`; use a newer one"))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn choices() {
        let server = |url: &str, model: Option<&str>| ModelChoice::Server {
            url: url.into(),
            model: model.map(ToOwned::to_owned),
            images: Wanted::Auto,
        };
        for (text, expected) in [
            ("qwen2.5-coder-1.5b", ModelChoice::Named("qwen2.5-coder-1.5b".into())),
            ("a.gguf", ModelChoice::File("a.gguf".into())),
            ("./weights", ModelChoice::File("./weights".into())),
            ("http://127.0.0.1:8080/v1", server("http://127.0.0.1:8080/v1", None)),
            ("https://host/v1#q/wen", server("https://host/v1", Some("q/wen"))),
        ] {
            assert_eq!(text.parse(), Ok(expected.clone()));
            assert_eq!(expected.to_string(), text);
        }
        for text in [" ", "http://", "https://#name"] {
            assert!(text.parse::<ModelChoice>().is_err(), "{text}");
        }
    }
}
