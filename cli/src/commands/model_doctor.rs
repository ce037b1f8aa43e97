//! `freehand model doctor`: what a model server can do, found by asking it.

use anyhow::Result;
use freehand_model::backend::openai::{Finding, Report, State};

use crate::args::ModelDoctorArgs;
use crate::exit::{Code, Stopped, usage};
use crate::model_choice::Located;
use crate::progress;
use crate::signals::Interrupt;
use crate::terminal;

/// Runs the command.
pub async fn run(args: ModelDoctorArgs) -> Result<Code> {
    let Located::Server(server) = args.server.locate()? else {
        return Err(usage(format!(
            "`{}` is no address; give that of a server, such as `http://127.0.0.1:8080/v1`",
            args.server
        )));
    };
    let interrupt = Interrupt::listen()?;
    let waiting = progress::spinner("asking the server");
    let report = tokio::select! {
        report = server.examine(|asking| waiting.set_message(asking.to_owned())) => report,
        () = interrupt.asked() => return Err(Stopped("stopped".into()).into()),
    };
    waiting.finish_and_clear();
    let report = report?;
    if args.json {
        terminal::answer_json(&report);
    } else {
        show(&report);
    }
    Ok(Code::Done)
}

fn show(report: &Report) {
    let Report { server, model, offered, context, findings } = report;
    let context = context.map_or_else(
        || "a context that it does not tell".into(),
        |c| format!("a context of {c} tokens"),
    );
    terminal::answer_text(&format!("{server}, model `{model}`, {context}"));
    if offered.len() > 1 {
        let names: Vec<_> = offered.iter().map(|name| format!("`{name}`")).collect();
        terminal::answer_text(&format!("it has {} (choose one with `URL#NAME`)", names.join(", ")));
    }
    for Finding { what, state, detail, advice } in findings {
        let mark = match state {
            State::Yes => "yes",
            State::No => "no",
            State::Ignored => "ignored",
        };
        terminal::answer_text(&format!("{what:<14} {mark:<8} {detail}"));
        if let Some(advice) = advice {
            terminal::answer_text(&format!("{:<23} {advice}", ""));
        }
    }
}
