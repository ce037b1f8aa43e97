//! `freehand serve`: one loaded model for all programs of this machine.

use std::io::Write as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context as _, Result};
use freehand_model::Model;
use freehand_model::backend::embedded::{Embedded, Settings as Computing};
use freehand_model::serve::{Ended, Guard, Settings, Token, serve};
use serde::Serialize;
use tokio::net::TcpListener;

use crate::args::ServeArgs;
use crate::chance;
use crate::exit::{Code, usage};
use crate::model_choice::{Located, ModelChoice};
use crate::places;
use crate::progress;
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};

/// Bytes of chance in a token.
const TOKEN: usize = 24;
/// A token is a line of text; a longer file is none.
const LONGEST_TOKEN: u64 = 1024;

/// Where it listens, as JSON.
#[derive(Serialize)]
struct Place<'a> {
    url: String,
    model: &'a str,
    token_file: Option<&'a Path>,
}

/// Runs the command.
pub async fn run(args: ServeArgs) -> Result<Code> {
    if args.no_token && !args.host.is_loopback() {
        return Err(usage(format!(
            "`{}` can be reached from other machines; leave out --no-token, or --host",
            args.host
        )));
    }
    let interrupt = Interrupt::listen()?;
    let choice = match args.model.clone() {
        Some(choice) => choice,
        None => ModelChoice::usual(&places::store()?),
    };
    let name = args.name.clone().unwrap_or_else(|| name(&choice));
    let Located::Weights { path, dialect } = choice.locate()? else {
        return Err(usage("a server is served already; name a model or a GGUF file"));
    };
    let token_file = match (args.no_token, args.token_file.clone()) {
        (true, _) => None,
        (false, Some(file)) => Some(file),
        (false, None) => Some(places::serve_token()?),
    };
    let token = token_file.as_deref().map(token).transpose()?;
    let address = SocketAddr::new(args.host, args.port);
    // Before the seconds that the model takes: an address that is taken is said at once.
    let listener = TcpListener::bind(address).await.map_err(|error| {
        usage(format!("cannot listen at `{address}`: {error}; choose another --port"))
    })?;
    let waiting = progress::spinner("reading the model");
    let parallel = args.parallel.into();
    let computing = Computing { context: args.context, prefixes: None, parallel };
    let model: Arc<dyn Model> = Arc::new(Embedded::open(path, computing).await?);
    waiting.finish_and_clear();
    let place = Place {
        url: format!("http://{}/v1", listener.local_addr()?),
        model: &name,
        token_file: token_file.as_deref(),
    };
    tell(&place, args.json);
    let settings = Settings {
        dialect: Some(dialect),
        guard: Guard { token, hosts: args.allow_host, origins: args.allow_origin },
        queue: args.queue as usize,
        parallel,
        ..Settings::new(&name)
    };
    let ended = serve(listener, model, settings, interrupt.asked()).await;
    Ok(match ended {
        Ended::Finished => Code::Done,
        Ended::BrokenOff => {
            terminal::say(Tone::Strong, "an answer under way was broken off");
            Code::Interrupted
        }
    })
}

/// What clients know a model by.
fn name(choice: &ModelChoice) -> String {
    match choice {
        ModelChoice::File(path) => {
            path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
        }
        ModelChoice::Named(_) | ModelChoice::Server { .. } => choice.to_string(),
    }
}

fn tell(place: &Place<'_>, json: bool) {
    if json {
        return terminal::answer_json(place);
    }
    terminal::answer(&place.url);
    terminal::say(Tone::Plain, &format!("serving `{}` until Ctrl-C", place.model));
    if let Some(file) = place.token_file {
        let lines = format!(
            "the token is in {0}:\n  export OPENAI_BASE_URL={1} OPENAI_API_KEY=$(cat '{0}')",
            file.display(),
            place.url
        );
        terminal::say(Tone::Faint, &lines);
    }
}

/// The token in `file`, which is made if it is not there.
fn token(file: &Path) -> Result<Token> {
    let shown = file.display();
    match std::fs::metadata(file) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            make_token(file).with_context(|| format!("cannot write the token to `{shown}`"))?;
        }
        Err(error) => return Err(usage(format!("cannot read the token in `{shown}`: {error}"))),
        Ok(found) if found.len() > LONGEST_TOKEN => {
            return Err(usage(format!("`{shown}` is too long for a token; remove it to get a new one")));
        }
        Ok(found) => private(&found, file)?,
    }
    let text = std::fs::read_to_string(file)
        .map_err(|error| usage(format!("cannot read the token in `{shown}`: {error}")))?;
    let text = text.trim();
    let sound = text.len() >= 16 && text.bytes().all(|b| b.is_ascii_graphic());
    if !sound {
        return Err(usage(format!(
            "`{shown}` must hold one token of at least 16 letters and digits; remove it to get one"
        )));
    }
    Ok(Token::new(text))
}

fn make_token(file: &Path) -> Result<()> {
    let digits = chance::hex::<TOKEN>()?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.map_or_else(|| PathBuf::from("."), Path::to_path_buf);
    std::fs::create_dir_all(&folder)?;
    // Whole or not at all, and readable by nobody else from its first byte on.
    let mut temporary = tempfile::NamedTempFile::new_in(&folder)?;
    writeln!(temporary, "{digits}")?;
    temporary.persist_noclobber(file)?;
    Ok(())
}

/// Refuses a token that others can read.
#[cfg(unix)]
fn private(found: &std::fs::Metadata, file: &Path) -> Result<()> {
    use std::os::unix::fs::PermissionsExt as _;
    if found.permissions().mode().trailing_zeros() >= 6 {
        return Ok(());
    }
    Err(usage(format!("others can read the token in `{0}`; run `chmod 600 '{0}'`", file.display())))
}

#[cfg(not(unix))]
fn private(_: &std::fs::Metadata, _: &Path) -> Result<()> {
    Ok(())
}
