//! The files of the page, in the binary: there is nothing to install beside it and nothing to fetch.

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse as _;
use axum::routing::get;

macro_rules! files {
    ($($path:literal $kind:literal $name:literal)+) => {
        &[$(($path, $kind, include_str!(concat!("page/", $name)))),+]
    };
}

/// Path, type and content of each.
const FILES: &[(&str, &str, &str)] = files! {
    "/" "text/html; charset=utf-8" "index.html"
    "/style.css" "text/css; charset=utf-8" "style.css"
    "/main.js" "text/javascript; charset=utf-8" "main.js"
    "/connection.js" "text/javascript; charset=utf-8" "connection.js"
    "/controls.js" "text/javascript; charset=utf-8" "controls.js"
    "/elements.js" "text/javascript; charset=utf-8" "elements.js"
    "/intent.js" "text/javascript; charset=utf-8" "intent.js"
    "/notes.js" "text/javascript; charset=utf-8" "notes.js"
    "/plan.js" "text/javascript; charset=utf-8" "plan.js"
    "/presence.js" "text/javascript; charset=utf-8" "presence.js"
    "/question.js" "text/javascript; charset=utf-8" "question.js"
    "/runs.js" "text/javascript; charset=utf-8" "runs.js"
    "/screen.js" "text/javascript; charset=utf-8" "screen.js"
    "/state.js" "text/javascript; charset=utf-8" "state.js"
    "/steps.js" "text/javascript; charset=utf-8" "steps.js"
    "/takeover.js" "text/javascript; charset=utf-8" "takeover.js"
    "/task.js" "text/javascript; charset=utf-8" "task.js"
    "/typing.js" "text/javascript; charset=utf-8" "typing.js"
};

/// A route for each file.
pub(super) fn routes() -> Router {
    FILES.iter().fold(Router::new(), |router, (path, kind, content)| {
        let answer = move || async move { ([(header::CONTENT_TYPE, *kind)], *content).into_response() };
        router.route(path, get(answer))
    })
}
