//! `freehand mcp`: the tools and the gate for another program, on the standard input and output, until it
//! leaves.

use anyhow::{Context as _, Result};
use freehand_tools::setting::Author;
use rmcp::ServiceExt as _;
use rmcp::service::QuitReason;
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::transport::io::stdio_pipes;

use crate::args::McpArgs;
use crate::config::Config;
use crate::exit::{Code, usage};
use crate::mcp::{Client, Hands, Line};
use crate::secrets;
use crate::signals::Interrupt;
use crate::work::Terms;

/// Runs the command.
pub async fn run(args: McpArgs) -> Result<Code> {
    let config = Config::load()?;
    let mut terms = Terms::settle(&args.gate, &config, None)?;
    let named: Vec<String> = args.secret.iter().map(|name| format!("{{{{secret:{name}}}}}")).collect();
    terms.secrets = secrets::named_in(named.iter().map(String::as_str)).await?;
    let client = Client::default();
    terms.client = Some(client.clone());
    let interrupt = Interrupt::listen()?;
    let mut work = terms.open(&interrupt).await?;
    work.gate.acts_for(Author::Client);
    let line = Line::default();
    let hands = Hands::new(work, client, line.clone(), &interrupt);
    let serving = async {
        let (input, output) = stdio_pipes();
        let service = hands.clone().serve(line.over(AsyncRwTransport::new(input, output))).await;
        let service = service.map_err(|error| usage(format!("the client: {error}")))?;
        service.waiting().await.context("the server ended by a fault")
    };
    let left = tokio::select! {
        left = serving => Some(left?),
        () = interrupt.asked() => None,
    };
    hands.let_go().await;
    Ok(match left {
        Some(QuitReason::Closed) => Code::Done,
        Some(_) => Code::Failed,
        None => Code::Interrupted,
    })
}
