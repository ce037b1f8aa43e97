//! Connections: how many, how long a client may take to say or to hear something, and how they end.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_io_timeout::TimeoutStream;

use super::http::Peer;

/// Connections at a time.
const MOST: usize = 256;
/// For the head of a request, and between two requests.
const HEAD: Duration = Duration::from_secs(15);
/// For a client that does not take what it is sent.
const UNREAD: Duration = Duration::from_secs(30);
/// Bytes of a head.
const LARGEST_HEAD: usize = 32 << 10;
/// After the system has no room for a further connection.
const PAUSE: Duration = Duration::from_millis(50);

/// Serves all who come to `listener` until `stop`; then those who are there, for at most `grace`.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()>,
) -> GracefulShutdown {
    let graceful = GracefulShutdown::new();
    let room = Arc::new(Semaphore::new(MOST));
    let mut stop = std::pin::pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => return graceful,
        };
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::debug!(%error, "a connection is not accepted");
                tokio::time::sleep(PAUSE).await;
                continue;
            }
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            tracing::debug!(%peer, "too many connections");
            continue;
        };
        let router = router.clone().layer(Extension(Peer(peer)));
        let connection = graceful.watch(connection(stream, router));
        tokio::spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, %peer, "a connection broke off");
            }
            drop(place);
        });
    }
}

type Io = TokioIo<std::pin::Pin<Box<TimeoutStream<TcpStream>>>>;

fn connection(stream: TcpStream, router: Router) -> http1::Connection<Io, TowerToHyperService<Router>> {
    // Pieces of an answer are small and wanted at once.
    let _ = stream.set_nodelay(true);
    let mut stream = TimeoutStream::new(stream);
    stream.set_write_timeout(Some(UNREAD));
    http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(LARGEST_HEAD)
        .serve_connection(TokioIo::new(Box::pin(stream)), TowerToHyperService::new(router))
}
