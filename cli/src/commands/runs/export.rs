//! What a run is made into for others.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use anyhow::Result;
use freehand_agent::AgentError;
use freehand_agent::history::chat::{Counted, Wanted, examples};
use freehand_agent::history::film::Film;
use freehand_agent::history::folder;
use freehand_agent::trajectory::reader::{Entry, Reader};
use freehand_agent::trajectory::report;
use freehand_tools::call::ToolSpec;
use freehand_tools::toolbox::Toolbox;

use super::{film, unwritable};
use crate::args::{ExportArgs, Form};
use crate::exit::usage;
use crate::terminal::{self, Tone};

/// Makes it.
pub(super) fn run(from: &Path, args: &ExportArgs) -> Result<()> {
    let to = args.to.as_path();
    let form = args.form.unwrap_or_else(|| by_ending(to));
    if form != Form::Folder && to.exists() {
        return Err(usage(format!("`{}` is there already; name another file", to.display())));
    }
    match form {
        Form::Folder => folder::copy(from, to)?,
        Form::Html => report::write_alone(from, to)?,
        Form::Film => film::write(Film::of(from)?, to, args.pace)?,
        Form::Chat => chat(from, to, Wanted { all: args.all, images: args.images })?,
    }
    terminal::say(Tone::Good, &format!("written to {}", to.display()));
    Ok(())
}

fn by_ending(to: &Path) -> Form {
    let ending = to.extension().and_then(OsStr::to_str).unwrap_or_default().to_lowercase();
    match ending.as_str() {
        "html" | "htm" => Form::Html,
        "mp4" | "webm" | "mkv" | "mov" | "gif" | "png" | "apng" => Form::Film,
        "jsonl" => Form::Chat,
        _ => Form::Folder,
    }
}

fn chat(from: &Path, to: &Path, wanted: Wanted) -> Result<()> {
    let toolbox = Toolbox::default();
    let specs: Vec<&ToolSpec> = toolbox.specs().collect();
    let mut file = BufWriter::new(File::create_new(to).map_err(|error| unwritable(to, error))?);
    let counted = examples::<anyhow::Error>(from, &specs, wanted, |example| {
        writeln!(file, "{example}").map_err(|error| unwritable(to, error))
    })?;
    file.flush().map_err(|error| unwritable(to, error))?;
    if wanted.images {
        copy_frames(from, to)?;
    }
    let Counted { examples, left_out } = counted;
    terminal::say(Tone::Faint, &format!("{examples} examples; {left_out} steps left out"));
    Ok(())
}

/// The pictures of the steps, beside the file.
fn copy_frames(from: &Path, to: &Path) -> Result<()> {
    let beside = to.parent().unwrap_or(Path::new("")).join("frames");
    std::fs::create_dir_all(&beside).map_err(|error| unwritable(&beside, error))?;
    let (mut reader, _) = Reader::open(from)?;
    while let Ok(Some(Entry::Step(step))) = reader.entry() {
        let name = format!("{}.png", step.seen.frame.short());
        let source = from.join("frames").join(&name);
        // They are named by what they show, so one that is there is the same.
        if !beside.join(&name).exists() {
            std::fs::copy(&source, beside.join(&name))
                .map_err(|source_error| AgentError::Unreadable { path: source, source: source_error })?;
        }
    }
    Ok(())
}
