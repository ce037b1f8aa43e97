//! The web console: a view of a supervised session as a page on loopback. The server hands out a static
//! page, the messages of the hub, the live screen, and the records of runs; it decides nothing itself.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::{Context as _, Result};
use axum::Router;
use axum::middleware::from_fn_with_state;
use axum::routing::{get, post};
use freehand_agent::supervision::Hub;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

mod assets;
mod doors;
mod hands;
mod messages;
mod records;
mod screen;
mod stream;
mod tiles;

use doors::Doors;
pub use hands::{Hands, Touch};
pub use messages::obey;
pub use screen::{Screen, Viewer};

/// What the page's window is called. The agent keeps its hands off any window of this title, or it
/// could answer its own questions.
pub const TITLE: &str = "Freehand console";

/// What a console shows.
pub struct Stage {
    /// The session.
    pub hub: Hub,
    /// The display to be watched; `None` where the person sits before it.
    pub display: Option<String>,
    /// Whether the person's mouse and keyboard are put through to it.
    pub hands: bool,
    /// The folder with the records of runs.
    pub runs: PathBuf,
}

/// The folder of the record that is being written. Cheap to clone; every copy is the same.
#[derive(Debug, Clone, Default)]
pub struct Current(Arc<Mutex<Option<PathBuf>>>);

impl Current {
    /// From now on it is this one.
    pub fn set(&self, folder: PathBuf) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder);
    }

    fn get(&self) -> Option<PathBuf> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// What every answer of the server is made from.
#[derive(Clone)]
struct Served {
    hub: Hub,
    doors: Arc<Doors>,
    screen: Option<Screen>,
    hands: Option<Hands>,
    runs: Arc<PathBuf>,
    current: Current,
}

/// A console that is being served, as long as this lives.
pub struct Console {
    /// The address of the page, with the token that opens it.
    pub address: String,
    /// Which record is under way.
    pub current: Current,
    task: JoinHandle<()>,
}

impl Console {
    /// Serves `stage` on loopback; port 0 takes a free one.
    pub async fn open(port: u16, stage: Stage) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", port))
            .await
            .with_context(|| format!("port {port} cannot be used; name another with --port"))?;
        let doors = Arc::new(Doors::new(listener.local_addr()?.port())?);
        let address = doors.address();
        let current = Current::default();
        let served = Served {
            screen: stage.display.clone().map(Screen::watch),
            hands: stage.display.filter(|_| stage.hands).map(|name| Hands::on(name, stage.hub.clone())),
            hub: stage.hub,
            doors,
            runs: Arc::new(stage.runs),
            current: current.clone(),
        };
        let app = router(served);
        let task = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, app).await {
                tracing::error!(%error, "the console is served no longer");
            }
        });
        Ok(Self { address, current, task })
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn router(served: Served) -> Router {
    let doors = Arc::clone(&served.doors);
    let mut inside = Router::new();
    if served.screen.is_some() {
        inside = inside.route("/screen", get(stream::open));
    }
    let inside = inside
        .route("/messages", get(messages::open))
        .route("/runs", get(records::list))
        .route("/runs/{run}/report.html", get(records::report))
        .route("/runs/{run}/frames/{file}", get(records::frame))
        .route("/steps/{step}", get(records::step))
        .route("/frames/{file}", get(records::current_frame))
        .layer(from_fn_with_state(Arc::clone(&doors), doors::with_pass));
    Router::new()
        .route("/enter", post(doors::enter))
        .merge(inside)
        .with_state(served)
        .merge(assets::routes())
        .layer(from_fn_with_state(doors, doors::guard))
}
