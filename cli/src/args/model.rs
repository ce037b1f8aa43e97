//! What the commands take that say which model suits, and what a server can do.

use clap::Args;

use crate::model_choice::ModelChoice;

#[derive(Debug, Args)]
pub struct ModelDoctorArgs {
    /// The server's address, and which of its models after a `#`; its key is read from FREEHAND_API_KEY.
    #[arg(value_name = "URL")]
    pub server: ModelChoice,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

pub const DOCTOR: &str = "\
It asks some ten short questions. It ends with 0 where the server can be used, with 5 where not.

Examples:
  freehand model doctor http://127.0.0.1:8411/v1
  freehand model doctor http://127.0.0.1:11434/v1#qwen3 --json";

#[derive(Debug, Args)]
pub struct RecommendArgs {
    /// Memory to judge by instead of what this machine has, in GB.
    #[arg(long, value_name = "GB", value_parser = clap::value_parser!(u64).range(1..=100_000))]
    pub memory: Option<u64>,
    /// Cores to judge by.
    #[arg(long, value_name = "N")]
    pub cores: Option<usize>,
    /// Memory of a graphics card to judge by, in GB; 0 for none.
    #[arg(long, value_name = "GB", value_parser = clap::value_parser!(u64).range(0..=100_000))]
    pub graphics: Option<u64>,
    /// As JSON.
    #[arg(long)]
    pub json: bool,
}

pub const RECOMMEND: &str = "\
Examples:
  freehand model recommend
  freehand model recommend --memory 32 --cores 16 --graphics 24";
