//! Noticing that something the book is made of has changed.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};

use crate::workspace::BOOK_TOML;

/// What the book is made of: its pages and theme, and the code and the traces that it shows.
const FOLDERS: &[&str] = &["book", "chapters", "raft-kernel/src", "exercises"];

/// Editors write a file in several steps; a build waits until they are done.
const QUIET: Duration = Duration::from_millis(150);

/// The changes of the watched files, for as long as this lives.
pub(super) struct Changes {
    root: PathBuf,
    events: Receiver<notify::Result<Event>>,
    _watcher: RecommendedWatcher,
}

pub(super) fn start(root: &Path) -> notify::Result<Changes> {
    let (send, events) = mpsc::channel();
    let mut watcher = notify::recommended_watcher(send)?;
    // The root itself for book.toml: an editor may replace the file, and a watch on
    // the old one would see no more.
    watcher.watch(root, RecursiveMode::NonRecursive)?;
    for folder in FOLDERS {
        let folder = root.join(folder);
        if folder.is_dir() {
            watcher.watch(&folder, RecursiveMode::Recursive)?;
        }
    }
    Ok(Changes {
        root: root.to_path_buf(),
        events,
        _watcher: watcher,
    })
}

impl Changes {
    /// Waits for a change, then until nothing changes for a moment. Returns one of
    /// the changed files, relative to the root.
    pub(super) fn next(&self) -> Option<PathBuf> {
        let changed = loop {
            let event = self.events.recv().ok()?;
            if let Some(path) = self.relevant(event) {
                break path;
            }
        };
        while self.events.recv_timeout(QUIET).is_ok() {}
        Some(changed)
    }

    fn relevant(&self, event: notify::Result<Event>) -> Option<PathBuf> {
        let event = event
            .inspect_err(|error| eprintln!("error: cannot watch the book's files: {error}"))
            .ok()?;
        // A build reads the files, and must not be the cause of the next one.
        if matches!(event.kind, EventKind::Access(_)) {
            return None;
        }
        let inside = event
            .paths
            .iter()
            .filter_map(|path| path.strip_prefix(&self.root).ok());
        inside
            .filter(|path| path.components().count() > 1 || *path == Path::new(BOOK_TOML))
            .find(|path| !is_ignored(path))
            .map(Path::to_path_buf)
    }
}

/// Build folders and the files that editors leave for a moment.
fn is_ignored(path: &Path) -> bool {
    path.iter().any(|part| {
        let part = part.to_string_lossy();
        part == "target" || part.starts_with(['.', '#']) || part.ends_with(['~', '#'])
    }) || path
        .extension()
        .is_some_and(|it| it == "swp" || it == "tmp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_an_editor_are_ignored() {
        for path in [
            "book/src/.a.md.swp",
            "book/src/a.md~",
            "chapters/x/target/y",
        ] {
            assert!(is_ignored(Path::new(path)), "{path}");
        }
        assert!(!is_ignored(Path::new("book/src/a.md")));
    }
}
