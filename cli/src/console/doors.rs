//! Who may come in. A page of another site may send requests here from the person's own browser, and
//! may even make its own name mean 127.0.0.1; so every request must name this server in `Host`, a
//! request that changes something or opens a socket must come from this page, and all but the page's
//! own files need the cookie that the token was exchanged for.

use std::sync::Arc;

use anyhow::Result;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;

use super::Served;
use crate::chance;

/// No script but ours, nothing from elsewhere, no frame around it, and text never read as markup.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; \
                      connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

/// What goes with every answer, unless the answer has its own.
const HEADERS: [(HeaderName, &str); 7] = [
    (header::CONTENT_SECURITY_POLICY, POLICY),
    (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
    (header::X_FRAME_OPTIONS, "DENY"),
    (header::REFERRER_POLICY, "no-referrer"),
    (header::CACHE_CONTROL, "no-store"),
    (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
];

/// The secrets of one server, and how it is called.
pub(super) struct Doors {
    port: u16,
    /// Stands in the address that the person opens.
    token: String,
    /// Stands in the cookie.
    pass: String,
}

impl Doors {
    pub(super) fn new(port: u16) -> Result<Self> {
        Ok(Self { port, token: chance::hex::<32>()?, pass: chance::hex::<32>()? })
    }

    /// The address of the page. What comes after `#` is never sent to anybody.
    pub(super) fn address(&self) -> String {
        format!("http://127.0.0.1:{}/#{}", self.port, self.token)
    }

    /// A cookie is for all ports of a host, so its name says which one is meant.
    fn cookie(&self) -> String {
        format!("freehand-{}", self.port)
    }

    fn hosts(&self) -> [String; 2] {
        [format!("127.0.0.1:{}", self.port), format!("localhost:{}", self.port)]
    }

    fn is_meant(&self, headers: &HeaderMap) -> bool {
        let mut named = headers.get_all(header::HOST).iter();
        let host = named.next().and_then(|host| host.to_str().ok());
        named.next().is_none() && host.is_some_and(|host| self.hosts().iter().any(|own| own == host))
    }

    /// Whether the request comes from our own page. A browser says so for sockets and for whatever
    /// changes something; where it says nothing, `must` decides.
    fn is_ours(&self, headers: &HeaderMap, must: bool) -> bool {
        let Some(origin) = headers.get(header::ORIGIN) else { return !must };
        let own = self.hosts().map(|host| format!("http://{host}"));
        origin.to_str().is_ok_and(|origin| own.iter().any(|own| own == origin))
    }

    fn has_pass(&self, headers: &HeaderMap) -> bool {
        let name = self.cookie();
        headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|cookies| cookies.to_str().ok())
            .flat_map(|cookies| cookies.split(';'))
            .filter_map(|cookie| cookie.trim().split_once('='))
            .any(|(known, value)| known == name && same(value, &self.pass))
    }
}

/// Takes as long however much of it is right.
fn same(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |wrong, (a, b)| wrong | (a ^ b)) == 0
}

fn refused(status: StatusCode, why: &'static str) -> Response {
    (status, why).into_response()
}

/// Stands before everything.
pub(super) async fn guard(State(doors): State<Arc<Doors>>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    let is_read = matches!(*request.method(), Method::GET | Method::HEAD);
    let must = !is_read || headers.contains_key(header::UPGRADE);
    let site = headers.get("sec-fetch-site").map(HeaderValue::as_bytes);
    // The person opens the page from a terminal or from a bookmark, and then it is nobody's.
    let foreign = site.is_some_and(|site| site != b"same-origin" && site != b"none");
    let mut response = if !doors.is_meant(headers) {
        refused(StatusCode::MISDIRECTED_REQUEST, "this server is not called by that name")
    } else if foreign || !doors.is_ours(headers, must) {
        refused(StatusCode::FORBIDDEN, "only the console's own page may ask for this")
    } else {
        next.run(request).await
    };
    for (name, value) in HEADERS {
        response.headers_mut().entry(name).or_insert(HeaderValue::from_static(value));
    }
    response
}

/// Stands before all that is not the page itself.
pub(super) async fn with_pass(
    State(doors): State<Arc<Doors>>,
    request: Request,
    next: Next,
) -> Response {
    if doors.has_pass(request.headers()) {
        return next.run(request).await;
    }
    refused(StatusCode::UNAUTHORIZED, "open the address that Freehand printed")
}

#[derive(Deserialize)]
struct Token {
    token: String,
}

/// Exchanges the token for the cookie.
pub(super) async fn enter(State(served): State<Served>, body: String) -> Response {
    let doors = served.doors;
    let given = serde_json::from_str(&body);
    if !given.is_ok_and(|Token { token }| same(&token, &doors.token)) {
        return refused(StatusCode::UNAUTHORIZED, "this is not the token of this session");
    }
    let cookie = format!("{}={}; Path=/; HttpOnly; SameSite=Strict", doors.cookie(), doors.pass);
    (StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, value.parse().unwrap());
        }
        headers
    }

    #[test]
    fn only_our_own_names_are_answered_to() {
        let doors = Doors::new(8100).unwrap();
        for (host, expected) in [
            ("127.0.0.1:8100", true),
            ("localhost:8100", true),
            ("127.0.0.1", false),
            ("localhost:8101", false),
            ("evil.example:8100", false),
            ("127.0.0.1.evil.example:8100", false),
        ] {
            assert_eq!(doors.is_meant(&headers(&[("host", host)])), expected, "{host}");
        }
        assert!(!doors.is_meant(&HeaderMap::new()));
        assert!(!doors.is_meant(&headers(&[("host", "localhost:8100"), ("host", "evil.example")])));
    }

    #[test]
    fn only_our_own_page_may_change_something() {
        let doors = Doors::new(8100).unwrap();
        for (origin, expected) in [
            ("http://127.0.0.1:8100", true),
            ("http://localhost:8100", true),
            ("https://127.0.0.1:8100", false),
            ("http://127.0.0.1:81", false),
            ("null", false),
        ] {
            assert_eq!(doors.is_ours(&headers(&[("origin", origin)]), true), expected, "{origin}");
        }
        assert!(doors.is_ours(&HeaderMap::new(), false));
        assert!(!doors.is_ours(&HeaderMap::new(), true));
    }

    #[test]
    fn the_pass_is_known_among_other_cookies() {
        let doors = Doors::new(8100).unwrap();
        let with = |cookie: String| doors.has_pass(&headers(&[("cookie", &cookie)]));
        let pass = &doors.pass;
        assert!(with(format!("a=b; freehand-8100={pass}")));
        assert!(!with(format!("freehand-8101={pass}")));
        assert!(!with(format!("freehand-8100={}", doors.token)));
        assert!(!with("freehand-8100=".into()));
        assert_ne!(doors.token, doors.pass);
    }
}
