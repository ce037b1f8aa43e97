//! One loaded model for many clients: the protocol of OpenAI over HTTP, and a queue in front of the one
//! engine, which answers a few beside each other. Everything that comes in is bounded, in size and in time, and whoever leaves frees the engine
//! within a token.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use self::http::Shared;
use self::metrics::Metrics;
use self::queue::Queue;
use crate::backend::Model;

mod connection;
mod fault;
#[cfg(test)]
mod fuzz;
mod guard;
mod http;
mod messages;
mod metrics;
mod queue;
mod reply;
mod request;
#[cfg(test)]
mod tests;
mod tools;
mod watch_calls;
mod work;

pub use self::guard::{Guard, Token};

/// How a server works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The model's name for clients.
    pub name: String,
    /// The dialect that the model is best spoken to in, where that is known.
    pub dialect: Option<String>,
    /// Who may ask.
    pub guard: Guard,
    /// Questions that are put to the model beside each other.
    pub parallel: usize,
    /// Questions that may wait.
    pub queue: usize,
    /// Questions of one client that may wait.
    pub queue_each: usize,
    /// As large as a question may be, in bytes.
    pub largest_body: usize,
    /// How long a question may take to come, once it has begun.
    pub patience: Duration,
    /// How long answers under way may take to end once the server is to stop.
    pub grace: Duration,
}

impl Settings {
    /// The usual settings for a model that clients know as `name`.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            dialect: None,
            guard: Guard::default(),
            parallel: 4,
            queue: 64,
            queue_each: 8,
            largest_body: 4 << 20,
            patience: Duration::from_secs(20),
            grace: Duration::from_secs(10),
        }
    }
}

/// How a server ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// All answers under way were finished.
    Finished,
    /// Some were broken off.
    BrokenOff,
}

/// Serves `model` to all who come to `listener`, until `stop`.
pub async fn serve(
    listener: TcpListener,
    model: Arc<dyn Model>,
    settings: Settings,
    stop: impl Future<Output = ()>,
) -> Ended {
    let shared = Arc::new(Shared {
        name: settings.name,
        context: model.capabilities().context,
        dialect: settings.dialect,
        created: reply::now(),
        largest_body: settings.largest_body,
        patience: settings.patience,
        guard: settings.guard,
        queue: Queue::new(settings.queue, settings.queue_each, settings.parallel),
        metrics: Metrics::new(),
    });
    let (hurry, hurried) = watch::channel(false);
    let mut workers = JoinSet::new();
    for _ in 0..settings.parallel.max(1) {
        workers.spawn(work(Arc::clone(&model), Arc::clone(&shared), hurried.clone()));
    }
    let router = http::router(Arc::clone(&shared));
    let open = connection::serve(listener, router, stop).await;
    shared.queue.close();
    let mut closed = std::pin::pin!(open.shutdown());
    let finished = tokio::time::timeout(settings.grace, &mut closed).await.is_ok();
    if !finished {
        hurry.send_replace(true);
        // As long as a token takes, and the word to the client that there is no more.
        let _ = tokio::time::timeout(LAST_WORDS, &mut closed).await;
    }
    let _ = tokio::time::timeout(LAST_WORDS, workers.join_all()).await;
    if finished { Ended::Finished } else { Ended::BrokenOff }
}

/// For what is still to be said when answers are broken off.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Answers one question after the other.
async fn work(model: Arc<dyn Model>, shared: Arc<Shared>, hurry: watch::Receiver<bool>) {
    while let Some(job) = shared.queue.next().await {
        let begun = Instant::now();
        shared.metrics.begun(job.since);
        let done = work::answer(&*model, &job.question, &job.reply, &hurry).await;
        shared.metrics.ended(job.since, &done);
        shared.queue.took(begun.elapsed());
    }
}
