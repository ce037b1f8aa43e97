//! The demonstration: three tasks on a fresh virtual display, done by the embedded model with a real
//! mouse and keyboard, each checked from outside. `demo WEIGHTS [--runs N] [--task NAME] [--out DIR]`
//!
//! What a task says stands here and nowhere in the product.

mod form;
mod stage;

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context as _, Result, bail};
use freehand_model::backend::embedded::{Embedded, Settings};

use crate::stage::Stage;

/// One task: what is asked for, and what shows from outside that it is done.
#[derive(Clone, Copy)]
enum Task {
    Editor,
    Form,
    Settings,
}

const NOTE: &str = "Buy milk";
const FILE: &str = "todo.txt";

impl Task {
    const ALL: [Self; 3] = [Self::Editor, Self::Form, Self::Settings];

    const fn name(self) -> &'static str {
        match self {
            Self::Editor => "editor",
            Self::Form => "form",
            Self::Settings => "settings",
        }
    }

    fn words(self) -> String {
        match self {
            Self::Editor => format!("Write \"{NOTE}\" in the text editor and save it as {FILE}"),
            Self::Form => {
                "Enter the name \"Grace Hopper\", choose the seat \"Window\", choose the meal \
                \"Vegetarian\", tick \"Extra luggage\" and press \"Send order\""
                    .into()
            }
            Self::Settings => {
                "Tick \"Show hidden files\", choose the theme \"Dark\" and press \"Apply\"".into()
            }
        }
    }
}

struct Args {
    weights: PathBuf,
    runs: u32,
    only: Option<String>,
    out: Option<PathBuf>,
}

fn args() -> Result<Args> {
    let mut words = std::env::args().skip(1);
    let weights = words.next().context("demo WEIGHTS [--runs N] [--task NAME] [--out DIR]")?.into();
    let mut args = Args { weights, runs: 1, only: None, out: None };
    while let Some(word) = words.next() {
        let value = words.next().with_context(|| format!("`{word}` needs a value"))?;
        match word.as_str() {
            "--runs" => {
                args.runs = value.parse().with_context(|| format!("`{value}` is not a number"))?;
            }
            "--task" => args.only = Some(value),
            "--out" => args.out = Some(value.into()),
            _ => bail!("there is no option `{word}`"),
        }
    }
    Ok(args)
}

#[tokio::main]
#[expect(clippy::print_stdout, reason = "the demonstration talks to its terminal")]
async fn main() -> Result<()> {
    let args = args()?;
    println!("reading the model …");
    let start = Instant::now();
    let model = Embedded::open(&args.weights, Settings::default()).await?;
    println!("ready after {:.1} s\n", start.elapsed().as_secs_f64());
    let mut done = 0;
    let mut asked = 0;
    for run in 1..=args.runs {
        for task in Task::ALL {
            if args.only.as_deref().is_some_and(|only| only != task.name()) {
                continue;
            }
            asked += 1;
            println!("{} ({run} of {}): {}", task.name(), args.runs, task.words());
            let start = Instant::now();
            let folder = args.out.as_ref().map(|out| out.join(format!("{}-{run}", task.name())));
            let verdict = Stage::new(&model, folder).play(task).await;
            let seconds = start.elapsed().as_secs_f64();
            match verdict {
                Ok(proof) => {
                    done += 1;
                    println!("  done in {seconds:.1} s; from outside: {proof}\n");
                }
                Err(error) => println!("  NOT done after {seconds:.1} s: {error:#}\n"),
            }
        }
    }
    println!("{done} of {asked} tasks done");
    if done == asked { Ok(()) } else { bail!("{} tasks were not done", asked - done) }
}
