//! What the benchmark of a model says.

use super::worker::Answer;
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
        of_steps(steps);
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

/// Tokens of some answers, summed.
struct Tokens {
    read: u32,
    reused: u32,
    written: u32,
    forced: u32,
    weighed: u32,
}

fn tokens<'a>(answers: impl Iterator<Item = &'a Answer>) -> Tokens {
    let none = Tokens { read: 0, reused: 0, written: 0, forced: 0, weighed: 0 };
    answers.fold(none, |sum, answer| Tokens {
        read: sum.read + answer.read,
        reused: sum.reused + answer.cached,
        written: sum.written + answer.written,
        forced: sum.forced + answer.forced,
        weighed: sum.weighed + answer.scored,
    })
}

/// What the questions of a run took.
fn of_steps(steps: &[Steps]) {
    let sum = |is_choice: bool| {
        let some: Vec<&Steps> = steps.iter().filter(|step| step.is_choice == is_choice).collect();
        let own = tokens(some.iter().map(|step| &step.freehand));
        let peer = tokens(some.iter().filter_map(|step| step.peer.as_ref()));
        let milliseconds = |answer: &Answer| answer.wall_ms;
        let own_ms: f64 = some.iter().map(|step| milliseconds(&step.freehand)).sum();
        let peer_ms: f64 = some.iter().filter_map(|step| step.peer.as_ref().map(milliseconds)).sum();
        (some.len(), [own_ms, peer_ms], own, peer)
    };
    let is_compared = steps.iter().any(|step| step.peer.is_some());
    let beside = |[own, peer]: [f64; 2]| {
        let of_peer = format!(", llama.cpp {:.1} s ({:.2}x)", peer / 1e3, own / peer);
        format!("{:.1} s{}", own / 1e3, if is_compared { &of_peer } else { "" })
    };
    let of_peer = |text: String| if is_compared { format!("; llama.cpp {text}") } else { String::new() };
    let (answers, answers_ms, own, peer) = sum(false);
    let (choices, choices_ms, own_chosen, peer_chosen) = sum(true);
    let both = [answers_ms[0] + choices_ms[0], answers_ms[1] + choices_ms[1]];
    terminal::answer(&format!("{answers} answers and {choices} choices: {}", beside(both)));
    if answers > 0 {
        terminal::answer(&format!("  the answers: {}", beside(answers_ms)));
        let peer = format!("read {}, reused {}, sampled {}", peer.read, peer.reused, peer.written);
        terminal::answer(&format!(
            "    read {}, reused {}, sampled {}, forced {}{}",
            own.read,
            own.reused,
            own.written - own.forced,
            own.forced,
            of_peer(peer)
        ));
    }
    if choices > 0 {
        terminal::answer(&format!("  the choices: {}", beside(choices_ms)));
        let peer = format!("read {}, reused {}", peer_chosen.read, peer_chosen.reused);
        terminal::answer(&format!(
            "    read {}, reused {}, weighed {}{}",
            own_chosen.read,
            own_chosen.reused,
            own_chosen.weighed,
            of_peer(peer)
        ));
    }
    if is_compared {
        let is_same =
            |s: &&Steps| s.peer.as_ref().is_some_and(|p| compact(&s.freehand.text) == compact(&p.text));
        terminal::answer(&format!("  the same answer in {}", steps.iter().filter(is_same).count()));
    }
}

/// Without the spaces that JSON may have.
fn compact(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text)
        .map_or_else(|_| text.trim().into(), |v| v.to_string())
}
