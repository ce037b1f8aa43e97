//! What the benchmark of a model says.

use super::{Report, Sides, Steps};
use crate::terminal::{self, Tone};

/// Prints it.
pub fn print(report: &Report, json: bool) {
    if json {
        terminal::answer_json(report);
        return;
    }
    let Report { model, bytes, threads, rounds, load, freehand, peer, steps } = report;
    let name = model.file_name().unwrap_or(model.as_os_str()).to_string_lossy();
    let head = format!(
        "{name}, {} MB, {threads} threads, the best of {rounds}; load {:.1} to {:.1}",
        bytes / 1_000_000,
        load[0],
        load[1]
    );
    terminal::answer(&head);
    match peer {
        None => alone(freehand),
        Some(peer) => {
            terminal::answer(&format!("freehand {}, xllamacpp {}", freehand.version, peer.version));
            beside(freehand, peer);
        }
    }
    if !steps.is_empty() {
        compared(steps);
    }
    if cfg!(debug_assertions) {
        terminal::say(Tone::Bad, "this is a development build; measure with a release build");
    }
}

fn alone(side: &Sides) {
    for case in &side.cases {
        let line = format!(
            "{:>6} tokens: {:7.1} read/s {:6.1} written/s",
            case.tokens, case.read, case.written
        );
        terminal::answer(&line);
    }
    terminal::answer(&format!("first token after {:.2} s", side.first_token_ms / 1e3));
    terminal::answer(&format!("memory at most {} MB", side.peak_kib * 1024 / 1_000_000));
}

fn beside(own: &Sides, peer: &Sides) {
    terminal::answer("               read/s                     written/s");
    terminal::answer(" tokens  freehand llama.cpp  ratio   freehand llama.cpp  ratio");
    for (a, b) in own.cases.iter().zip(&peer.cases) {
        let line = format!(
            "{:>7} {:9.1} {:9.1} {:6.2}x  {:9.1} {:9.1} {:6.2}x",
            a.tokens,
            a.read,
            b.read,
            a.read / b.read,
            a.written,
            b.written,
            a.written / b.written
        );
        terminal::answer(&line);
    }
    let seconds = |side: &Sides| side.first_token_ms / 1e3;
    terminal::answer(&format!("first token: {:.2} s, {:.2} s", seconds(own), seconds(peer)));
    let memory = |side: &Sides| side.peak_kib * 1024 / 1_000_000;
    terminal::answer(&format!("memory: {} MB, {} MB", memory(own), memory(peer)));
}

fn compared(steps: &[Steps]) {
    let sum = |pick: fn(&Steps) -> f64| steps.iter().map(pick).sum::<f64>();
    let count = |is_choice: bool, pick: fn(&Steps) -> u32| {
        steps.iter().filter(|s| s.is_choice == is_choice).map(pick).sum::<u32>()
    };
    let of_answers = |pick| count(false, pick);
    let (own, peer) = (sum(|s| s.freehand.wall_ms), sum(|s| s.peer.wall_ms));
    let choices = steps.iter().filter(|s| s.is_choice).count();
    let line = format!(
        "{} answers and {choices} choices: {:.1} s, llama.cpp {:.1} s ({:.2}x)",
        steps.len() - choices,
        own / 1e3,
        peer / 1e3,
        own / peer
    );
    terminal::answer(&line);
    let counts = format!(
        "  for the answers read {}, reused {}, sampled {}, forced {}; llama.cpp read {}, reused {}, sampled {}",
        of_answers(|s| s.freehand.read),
        of_answers(|s| s.freehand.cached),
        of_answers(|s| s.freehand.written - s.freehand.forced),
        of_answers(|s| s.freehand.forced),
        of_answers(|s| s.peer.read),
        of_answers(|s| s.peer.cached),
        of_answers(|s| s.peer.written),
    );
    terminal::answer(&counts);
    let counts = format!(
        "  for the choices read {}, reused {}, weighed {}; llama.cpp read {}, reused {}",
        count(true, |s| s.freehand.read),
        count(true, |s| s.freehand.cached),
        count(true, |s| s.freehand.scored),
        count(true, |s| s.peer.read),
        count(true, |s| s.peer.cached),
    );
    terminal::answer(&counts);
    let same = steps.iter().filter(|s| compact(&s.freehand.text) == compact(&s.peer.text)).count();
    terminal::answer(&format!("  the same answer in {same}"));
}

/// Without the spaces that JSON may have.
fn compact(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text)
        .map_or_else(|_| text.trim().into(), |v| v.to_string())
}
