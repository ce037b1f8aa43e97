//! What `freehand serve` takes.

use std::net::IpAddr;
use std::path::PathBuf;

use clap::Args;

use crate::model_choice::ModelChoice;

#[derive(Debug, Args)]
pub struct ServeArgs {
    /// A name from `freehand model list`, a GGUF file, or a folder of safetensors
    /// [default: the default model].
    #[arg(long, value_name = "NAME|FILE")]
    pub model: Option<ModelChoice>,
    /// The name that clients know the model by [default: its name, or that of its file].
    #[arg(long, value_name = "NAME")]
    pub name: Option<String>,
    /// The address to listen at.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1")]
    pub host: IpAddr,
    /// The port to listen at; 0 takes a free one.
    #[arg(long, value_name = "PORT", default_value_t = 8411)]
    pub port: u16,
    /// Tokens that fit in a prompt and its answer together.
    #[arg(long, value_name = "TOKENS", default_value_t = freehand_model::backend::embedded::DEFAULT_CONTEXT,
          value_parser = clap::value_parser!(u32).range(256..=1_048_576))]
    pub context: u32,
    /// Questions that are answered beside each other; each takes memory for as many tokens as it has.
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u8).range(1..=64))]
    pub parallel: u8,
    /// Questions that may wait; who comes after them is told to come again (429).
    #[arg(long, value_name = "N", default_value_t = 64, value_parser = clap::value_parser!(u32).range(1..=10_000))]
    pub queue: u32,
    /// Where the token stands that clients have to send; it is made if it is not there
    /// [default: one in Freehand's configuration folder].
    #[arg(long, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// Answer without a token; for 127.0.0.1 and its like only.
    #[arg(long, conflicts_with = "token_file")]
    pub no_token: bool,
    /// A name that this machine goes by, besides localhost; may be repeated.
    #[arg(long, value_name = "NAME")]
    pub allow_host: Vec<String>,
    /// A web page whose scripts may ask, for example http://localhost:3000; may be repeated.
    #[arg(long, value_name = "ORIGIN")]
    pub allow_origin: Vec<String>,
    /// Say where it listens as JSON.
    #[arg(long)]
    pub json: bool,
}

pub const SERVE: &str = "\
Ctrl-C ends it: answers under way have 10 s to finish. It ends with 0 if they did, with 130 if not.

Examples:
  freehand serve
  freehand serve --model qwen2.5-coder-0.5b --port 8080
  OPENAI_BASE_URL=http://127.0.0.1:8411/v1 OPENAI_API_KEY=$(cat ~/.config/freehand/serve-token) my-program
  FREEHAND_API_KEY=$(cat ~/.config/freehand/serve-token) freehand run \"…\" --model http://127.0.0.1:8411/v1";
