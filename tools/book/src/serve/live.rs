//! Reloading the page in the browser after a build.
//!
//! Each build has a name. A page is sent with a script that knows the build it is
//! from and listens to the server's event stream; when the stream names another
//! build, the page loads itself again.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use axum::body::{self, Body};
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream::{self, Stream};
use tokio::sync::{RwLock, watch};

/// The event stream's path. No page of a book begins with underscores.
pub(super) const PATH: &str = "/__builds";

/// More than this is no page.
const MAX_PAGE_BYTES: usize = 64 << 20;

/// The name of the latest build, for whoever wants to know.
#[derive(Clone)]
pub(super) struct Builds {
    latest: Arc<watch::Sender<String>>,
    started: Instant,
}

impl Builds {
    pub(super) fn new() -> Self {
        // A page from before a restart must not take the new server's first build
        // for its own.
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let name = format!("{}-0", now.unwrap_or_default().as_nanos());
        Self {
            latest: Arc::new(watch::Sender::new(name)),
            started: Instant::now(),
        }
    }

    pub(super) fn announce(&self) {
        let since = self.started.elapsed().as_nanos();
        self.latest.send_modify(|name| {
            let server = name.split('-').next().unwrap_or_default();
            *name = format!("{server}-{since}");
        });
    }
}

#[derive(Clone)]
pub(super) struct State {
    pub(super) builds: Builds,
    /// Held for writing while the site is being built.
    pub(super) writing: Arc<RwLock<()>>,
}

/// Names the latest build now and after every build.
pub(super) async fn stream(
    axum::extract::State(builds): axum::extract::State<Builds>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let mut latest = builds.latest.subscribe();
    latest.mark_changed();
    let events = stream::unfold(latest, |mut latest| async move {
        latest.changed().await.ok()?;
        let name = latest.borrow_and_update().clone();
        Some((Ok(Event::default().data(name)), latest))
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Waits for a build to end, answers from the disk, and adds the script to a page.
pub(super) async fn prepare(
    axum::extract::State(state): axum::extract::State<State>,
    mut request: Request,
    next: Next,
) -> Response {
    // The answer will not be the file's bytes alone, so it must be a whole one.
    for conditional in [
        header::RANGE,
        header::IF_MODIFIED_SINCE,
        header::IF_NONE_MATCH,
    ] {
        request.headers_mut().remove(conditional);
    }
    let _site = state.writing.read().await;
    let build = state.builds.latest.borrow().clone();
    let mut response = next.run(request).await;
    response
        .headers_mut()
        .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    let is_page = response
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|kind| kind.to_str().ok())
        .is_some_and(|kind| kind.starts_with("text/html"));
    if is_page {
        add_script(response, &build).await
    } else {
        response
    }
}

async fn add_script(response: Response, build: &str) -> Response {
    let (mut parts, content) = response.into_parts();
    let Ok(content) = body::to_bytes(content, MAX_PAGE_BYTES).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    let mut page = content.to_vec();
    // An answer to HEAD has no content, and gets none.
    if !page.is_empty() {
        page.extend_from_slice(script(build).as_bytes());
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.remove(header::LAST_MODIFIED);
    parts.headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/html; charset=utf-8"),
    );
    Response::from_parts(parts, Body::from(page))
}

fn script(build: &str) -> String {
    format!(
        "<script>new EventSource(\"{PATH}\").onmessage = \
         (event) => {{ if (event.data !== \"{build}\") location.reload(); }};</script>\n"
    )
}
