//! What a student has done, and the hints that were given.
//!
//! All of it is in `exercises/.progress`, which git ignores and `cargo clean` leaves alone:
//! `hints.toml`, a copy of each answer that kept all claims (`done/`), and what `reset` took
//! away (`backup/`). The rule: what a student wrote is never deleted here.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::catalogue::{FOLDER, Task, read_text};
use crate::failure::Failure;

/// How many copies of one file are kept. Somebody who needs more can look through them.
const MOST_BACKUPS: usize = 50;

/// How far a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Standing {
    /// The student's file is the starter.
    NotBegun,
    Begun,
    /// As it is, it kept all claims.
    Done,
    /// It kept all claims once, and was changed then.
    ChangedSinceDone,
}

impl Standing {
    pub(crate) fn words(self) -> &'static str {
        match self {
            Standing::NotBegun => "not begun",
            Standing::Begun => "begun",
            Standing::Done => "done",
            Standing::ChangedSinceDone => "changed since it was done",
        }
    }
}

/// The folder in which it is kept.
#[derive(Clone, Debug)]
pub(crate) struct Progress {
    root: PathBuf,
    folder: PathBuf,
}

impl Progress {
    pub(crate) fn of(root: &Path) -> Self {
        Progress {
            root: root.to_owned(),
            folder: root.join(FOLDER).join(".progress"),
        }
    }

    pub(crate) fn standing(&self, task: &Task) -> Result<Standing, Failure> {
        let answer = read_text(&self.root.join(task.file()))?;
        if answer == read_text(&self.root.join(task.starter()))? {
            return Ok(Standing::NotBegun);
        }
        match fs::read_to_string(self.done_file(task)) {
            Ok(done) if done == answer => Ok(Standing::Done),
            Ok(_) => Ok(Standing::ChangedSinceDone),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Standing::Begun),
            Err(error) => Err(Failure::file("read", &self.done_file(task), &error)),
        }
    }

    /// Remembers that this answer kept all claims.
    pub(crate) fn mark_done(&self, task: &Task, answer: &str) -> Result<(), Failure> {
        write(&self.done_file(task), answer)
    }

    /// How many hints were given.
    pub(crate) fn hints(&self, task: &Task) -> Result<usize, Failure> {
        Ok(self.read_hints()?.get(&task.key()).copied().unwrap_or(0))
    }

    pub(crate) fn set_hints(&self, task: &Task, given: usize) -> Result<(), Failure> {
        let mut hints = self.read_hints()?;
        hints.insert(task.key(), given);
        let text = toml::to_string(&hints)
            .map_err(|error| Failure::Failed(format!("cannot write the hints down: {error}")))?;
        write(&self.hints_file(), &text)
    }

    /// Keeps a copy of the student's file, and says where.
    pub(crate) fn back_up(&self, task: &Task) -> Result<PathBuf, Failure> {
        let answer = read_text(&self.root.join(task.file()))?;
        let folder = self.folder.join("backup");
        for number in 1..=MOST_BACKUPS {
            let name = folder.join(format!("{}-{number}.rs", task.key()));
            if !name.exists() {
                write(&name, &answer)?;
                return Ok(self.below_root(&name));
            }
        }
        Err(Failure::Failed(format!(
            "there are {MOST_BACKUPS} copies of this task in {}. Delete those that you do not \
             need, then try again",
            self.below_root(&folder).display()
        )))
    }

    /// Puts the starter in the place of the student's file.
    pub(crate) fn restore_starter(&self, task: &Task) -> Result<(), Failure> {
        let starter = read_text(&self.root.join(task.starter()))?;
        write(&self.root.join(task.file()), &starter)
    }

    fn below_root(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_owned()
    }

    fn done_file(&self, task: &Task) -> PathBuf {
        self.folder.join("done").join(format!("{}.rs", task.key()))
    }

    fn hints_file(&self) -> PathBuf {
        self.folder.join("hints.toml")
    }

    fn read_hints(&self) -> Result<BTreeMap<String, usize>, Failure> {
        let file = self.hints_file();
        match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).map_err(|error| {
                Failure::Failed(format!(
                    "{} cannot be understood: {error}Delete it, and the hints begin anew.",
                    self.below_root(&file).display()
                ))
            }),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(BTreeMap::new()),
            Err(error) => Err(Failure::file("read", &file, &error)),
        }
    }
}

/// Writes a file whole or not at all.
fn write(path: &Path, text: &str) -> Result<(), Failure> {
    let failed = |error: &_| Failure::file("write", path, error);
    if let Some(folder) = path.parent() {
        fs::create_dir_all(folder).map_err(|error| failed(&error))?;
    }
    let mut beside = path.as_os_str().to_owned();
    beside.push(".tmp");
    fs::write(&beside, text).map_err(|error| failed(&error))?;
    fs::rename(&beside, path).map_err(|error| failed(&error))
}
