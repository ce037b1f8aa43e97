//! What the server counts, in the text form that Prometheus reads.

use std::time::{Duration, Instant};

use prometheus_client::encoding::{EncodeLabelSet, text};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use super::work::{Done, Outcome};

/// The counts.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    requests: Family<Request, Counter>,
    tokens: Family<Tokens, Counter>,
    outcomes: Family<Outcomes, Counter>,
    waiting: Gauge,
    running: Gauge,
    memory: Gauge,
    wait: Histogram,
    first: Histogram,
    whole: Histogram,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Request {
    path: &'static str,
    status: u32,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Tokens {
    kind: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Outcomes {
    outcome: &'static str,
}

/// From 10 ms to about 11 minutes, in s.
fn times() -> Histogram {
    Histogram::new(exponential_buckets(0.01, 2.0, 17))
}

impl Metrics {
    /// Nothing counted yet.
    pub(super) fn new() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("freehand"),
            requests: Family::default(),
            tokens: Family::default(),
            outcomes: Family::default(),
            waiting: Gauge::default(),
            running: Gauge::default(),
            memory: Gauge::default(),
            wait: times(),
            first: times(),
            whole: times(),
        };
        let registry = &mut metrics.registry;
        registry.register("requests", "Requests by address and status", metrics.requests.clone());
        registry.register(
            "tokens",
            "Tokens by what was done with them: read, reused, sampled, forced or scored",
            metrics.tokens.clone(),
        );
        registry.register("answers", "Questions by what became of them", metrics.outcomes.clone());
        registry.register("waiting", "Questions that wait", metrics.waiting.clone());
        registry.register("running", "Questions that are being answered", metrics.running.clone());
        registry.register_with_unit(
            "resident_memory",
            "Memory of the process",
            Unit::Bytes,
            metrics.memory.clone(),
        );
        for (name, help, times) in [
            ("wait", "Time in the queue", &metrics.wait),
            ("first_token", "Time from the question to the first token", &metrics.first),
            ("answer", "Time from the question to the end of the answer", &metrics.whole),
        ] {
            registry.register_with_unit(name, help, Unit::Seconds, times.clone());
        }
        metrics
    }

    /// A reply went out.
    pub(super) fn replied(&self, path: &'static str, status: u16) {
        self.requests.get_or_create(&Request { path, status: status.into() }).inc();
    }

    /// A question that had waited `since` is being answered.
    pub(super) fn begun(&self, since: Instant) {
        self.running.inc();
        self.wait.observe(since.elapsed().as_secs_f64());
    }

    /// A question that came at `since` has been dealt with.
    pub(super) fn ended(&self, since: Instant, done: &Done) {
        self.running.dec();
        let Done { usage, first, outcome } = done;
        for (kind, count) in [
            ("read", usage.prompt.saturating_sub(usage.reused)),
            ("reused", usage.reused),
            ("sampled", usage.sampled),
            ("forced", usage.forced),
            ("scored", usage.scored),
        ] {
            self.tokens.get_or_create(&Tokens { kind }).inc_by(count.into());
        }
        let outcome = match outcome {
            Outcome::Answered => "answered",
            Outcome::Left => "left",
            Outcome::Failed => "failed",
        };
        self.outcomes.get_or_create(&Outcomes { outcome }).inc();
        let seconds = |time: Duration| time.as_secs_f64();
        if let Some(first) = first {
            self.first.observe(seconds(first.saturating_duration_since(since)));
        }
        self.whole.observe(seconds(since.elapsed()));
    }

    /// All of it as text, with so many questions waiting.
    pub(super) fn text(&self, waiting: usize) -> String {
        self.waiting.set(i64::try_from(waiting).unwrap_or(i64::MAX));
        self.memory.set(resident_bytes().unwrap_or(0));
        let mut page = String::new();
        match text::encode(&mut page, &self.registry) {
            Ok(()) => page,
            Err(_) => String::new(),
        }
    }
}

/// The memory of this process, in bytes, where the system tells it.
fn resident_bytes() -> Option<i64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<i64>().ok()?.checked_mul(1024)
}
