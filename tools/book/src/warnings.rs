//! What mdBook says at the levels warning and error while it builds.
//!
//! mdBook logs many faults (an include that is missing, HTML that is not closed)
//! and goes on. This collects them, so that they can fail the build.

use std::fmt::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt};

/// Runs `work`; returns its result and the messages that it logged.
pub(crate) fn collect<T>(work: impl FnOnce() -> T) -> (T, Vec<String>) {
    let messages = Arc::new(Mutex::new(Vec::new()));
    let collector = Collector(Arc::clone(&messages));
    let subscriber = tracing_subscriber::registry().with(collector);
    let result = tracing::subscriber::with_default(subscriber, work);
    let collected = std::mem::take(&mut *messages.lock().unwrap_or_else(PoisonError::into_inner));
    (result, collected)
}

struct Collector(Arc<Mutex<Vec<String>>>);

impl<S: Subscriber> Layer<S> for Collector {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        // `Level` orders the more serious before the less serious.
        if *event.metadata().level() > Level::WARN {
            return;
        }
        let mut text = Text(String::new());
        event.record(&mut text);
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(text.0);
    }
}

struct Text(String);

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        // Writing to a String cannot fail.
        if field.name() == "message" {
            let _ = write!(self.0, "{value:?}");
        } else {
            let _ = write!(self.0, " {}={value:?}", field.name());
        }
    }
}
