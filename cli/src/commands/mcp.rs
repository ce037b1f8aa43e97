//! `freehand mcp`: the tools and the gate for another program, on the standard input and output, until it
//! leaves.

use std::path::PathBuf;

use anyhow::{Context as _, Result};
use freehand_agent::event::Listener;
use freehand_agent::trajectory::Exit;
use freehand_agent::trajectory::recorder::Recorder;
use freehand_tools::setting::Author;
use rmcp::ServiceExt as _;
use rmcp::service::QuitReason;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::io::stdio_pipes;

use super::run::{header, record_folder};
use crate::args::McpArgs;
use crate::config::Config;
use crate::console::Current;
use crate::exit::{Code, usage};
use crate::lines::Silence;
use crate::mcp::{Client, Hands, Keeping, Line, Session};
use crate::secrets;
use crate::signals::Interrupt;
use crate::supervised::{BESIDE_A_PROGRAM, Supervised};
use crate::views;
use crate::work::{NO_MODEL, Terms};

/// What a record of a session is called, before it is known with whom.
const RECORD: &str = "another program";

/// Runs the command.
pub async fn run(args: McpArgs) -> Result<Code> {
    views::check_console(args.console, &args.supervision)?;
    let config = Config::load()?;
    let mut terms = Terms::settle(&args.gate, &config, None)?;
    let named: Vec<String> = args.secret.iter().map(|name| format!("{{{{secret:{name}}}}}")).collect();
    terms.secrets = secrets::named_in(named.iter().map(String::as_str)).await?;
    let client = Client::default();
    terms.client = Some(client.clone());
    let interrupt = Interrupt::listen()?;
    let listener = terms.telling(Box::new(Silence));
    let (supervised, listener): (_, Box<dyn Listener>) = if args.console {
        terms.record = Some(record_folder(&config, RECORD)?);
        let supervised = Supervised::new(&args.supervision, &terms, BESIDE_A_PROGRAM, listener)?;
        let hub = Box::new(supervised.hub.clone());
        (Some(supervised), hub)
    } else {
        (None, listener)
    };
    let mut work = terms.open_with(&interrupt, supervised.as_ref()).await?;
    work.gate.acts_for(Author::Client);
    let console = match &supervised {
        Some(supervised) => {
            supervised.stops(&interrupt.stop());
            Some(supervised.serve(&terms, &work, &config).await?)
        }
        None => None,
    };
    let current = console.as_ref().map(|console| console.current.clone());
    let keeping = keeping(terms.record.clone(), current);
    let header = header("", "", NO_MODEL, &terms);
    let session = Session::new(work, listener, header, keeping, interrupt.stop());
    let line = Line::default();
    let hands = Hands::new(session, client, line.clone(), &interrupt);
    if let Some(supervised) = &supervised {
        tokio::spawn(hands.clone().attends(supervised.hub.steering().clone()));
    }
    let left = serve(&hands, &line, &interrupt).await;
    hands.ends(if matches!(left, Ok(Some(_))) { Exit::Left } else { Exit::Interrupted }).await;
    Ok(match left? {
        Some(QuitReason::Closed) => Code::Done,
        Some(_) => Code::Failed,
        None => Code::Interrupted,
    })
}

/// Serves the client until it leaves, and says how; `None` where Freehand was stopped.
async fn serve(hands: &Hands, line: &Line, interrupt: &Interrupt) -> Result<Option<QuitReason>> {
    let serving = async {
        let (input, output) = stdio_pipes();
        let meets = hands.clone().serve(line.over(AsyncRwTransport::new(input, output)));
        let service = Box::pin(meets).await.map_err(|error| usage(format!("the client: {error}")))?;
        hands.begins(service.peer()).await?;
        service.waiting().await.context("the server ended by a fault")
    };
    tokio::select! {
        left = serving => left.map(Some),
        () = interrupt.asked() => Ok(None),
    }
}

/// Begins the record in `folder`, and lets the page know; without a folder there is none.
fn keeping(folder: Option<PathBuf>, current: Option<Current>) -> Keeping {
    Box::new(move |header| {
        let Some(folder) = &folder else { return Ok(Recorder::off()) };
        let recorder = Recorder::create(folder, header.clone())?;
        if let Some(current) = &current {
            current.set(folder.clone());
        }
        Ok(recorder)
    })
}
