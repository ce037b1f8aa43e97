//! `freehand do`: tool calls without a model. They pass the same gate as those of a model, one after the
//! other, each against the screen as it is by then, and end at the first that is not done.

use anyhow::Result;
use freehand_agent::outside::Stop;
use freehand_agent::step::perform_call;
use freehand_agent::trajectory::{Judged, Timing};
use freehand_tools::call::{CallError, ToolCall};
use freehand_tools::outcome::Outcome;
use freehand_tools::setting::Author;
use serde::Serialize;
use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::approval::Answers;
use crate::args::ActArgs;
use crate::config::Config;
use crate::exit::{Code, usage};
use crate::secrets;
use crate::signals::Interrupt;
use crate::terminal::{self, Tone};
use crate::work::{Terms, Work};
use freehand_tools::visible::visible;

/// Bytes that one call on the standard input may have.
const LINE: usize = 1 << 20;
/// Characters of a text of the outcome that are shown.
const MOST: usize = 2_000;

/// What became of one call, as JSON.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    judged: &'a Judged,
    timing: Timing,
}

/// Runs the command.
pub async fn run(args: ActArgs) -> Result<Code> {
    let from_input = args.calls.iter().any(|call| call == "-");
    if from_input && args.calls.len() > 1 {
        return Err(usage("`-` reads all calls from the standard input, so it stands alone"));
    }
    // All that can be wrong with the words is said before anything is done.
    let calls = if from_input { Vec::new() } else { parse_all(&args.calls)? };
    let config = Config::load()?;
    let mut terms = Terms::settle(&args.gate, &config, None)?;
    if from_input && terms.answers == Answers::Person {
        terms.answers = Answers::Nobody;
    }
    let texts: Vec<String> = calls.iter().map(|call| call.args.to_string()).collect();
    terms.secrets = secrets::named_in(texts.iter().map(String::as_str)).await?;
    let interrupt = Interrupt::listen()?;
    let mut work = terms.open(&interrupt).await?;
    work.gate.acts_for(Author::Person);
    let acted = async {
        if from_input {
            return from_lines(&mut work, args.json).await;
        }
        for call in calls {
            let code = one(&mut work, call, args.json).await?;
            if code != Code::Done {
                return Ok(code);
            }
        }
        Ok(Code::Done)
    };
    let code = tokio::select! {
        // First, or a question that is broken off would pass for a refusal.
        biased;
        () = interrupt.asked() => None,
        code = acted => Some(code),
    };
    work.opened.desktop.release();
    code.unwrap_or(Ok(Code::Interrupted))
}

async fn from_lines(work: &mut Work, json: bool) -> Result<Code> {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    let mut number = 0;
    while let Some(line) =
        lines.next_line().await.map_err(|error| usage(format!("the standard input: {error}")))?
    {
        number += 1;
        if line.trim().is_empty() {
            continue;
        }
        if line.len() > LINE {
            return Err(usage(format!("line {number} is longer than {LINE} bytes")));
        }
        let code = one(work, parse(&line, &format!("line {number}"))?, json).await?;
        if code != Code::Done {
            return Ok(code);
        }
    }
    Ok(Code::Done)
}

fn parse_all(texts: &[String]) -> Result<Vec<ToolCall>> {
    let numbered = texts.iter().enumerate();
    numbered.map(|(i, text)| parse(text, &format!("call {}", i + 1))).collect()
}

fn parse(text: &str, which: &str) -> Result<ToolCall> {
    serde_json::from_str(text).map_err(|error| {
        let expected = r#"expected {"tool": "click", "args": {…}}"#;
        usage(format!("{which} is not a tool call: {error}; {expected}"))
    })
}

/// Does one call and says what became of it.
async fn one(work: &mut Work, call: ToolCall, json: bool) -> Result<Code> {
    let desktop = work.opened.desktop.as_mut();
    let seen = desktop.observe().await?;
    if let Err(error) = work.toolbox.resolve(&call, &seen)
        && is_misuse(&error)
    {
        return Err(usage(error.to_string()));
    }
    let done =
        perform_call(desktop, &work.toolbox, &mut work.gate, call, &seen, &Stop::default()).await?;
    if json {
        terminal::answer_json(&Report { judged: &done.judged, timing: done.timing });
    } else {
        show(&done.judged);
    }
    Ok(match &done.judged.outcome {
        Outcome::Done { .. } => Code::Done,
        Outcome::Failed { .. } => Code::GaveUp,
        Outcome::Refused { .. } => Code::Refused,
    })
}

/// Whether the call is wrong on any screen.
const fn is_misuse(error: &CallError) -> bool {
    match error {
        CallError::UnknownTool { .. } | CallError::BadArguments { .. } | CallError::Key(_) => true,
        CallError::NoElement(_)
        | CallError::NotFound(_)
        | CallError::Ambiguous { .. }
        | CallError::StaleFrame
        | CallError::OffScreen(..)
        | CallError::Unfit { .. } => false,
    }
}

fn show(judged: &Judged) {
    let summary = judged.action.as_ref().map_or(&judged.call.tool, |action| &action.summary);
    let summary = visible(summary, MOST);
    if let Outcome::Done { answer: Some(answer), .. } = &judged.outcome {
        terminal::say(Tone::Faint, &summary);
        terminal::answer_text(answer);
        return;
    }
    let (tone, came) = terminal::result(&judged.outcome);
    let line = if came.is_empty() { summary } else { format!("{summary} ({came})") };
    terminal::say(tone, &line);
}
