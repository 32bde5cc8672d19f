//! A data directory: one file, replaced as a whole, and a lock.
//!
//! The rules it keeps: whenever the power fails, the file is the old one or the new one, in
//! full. When [`Directory::replace`] has returned, it is the new one. And only one process at a
//! time has the directory.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use fs4::TryLockError;

use crate::node_file::Damage;

/// The file.
const FILE: &str = "node.raft";

/// The file while it is being written. Whatever is in it, it is not needed any more.
const TEMPORARY: &str = "node.raft.tmp";

/// Locked by the process that uses the directory. The system frees it when that process ends,
/// however it ends.
const LOCK: &str = "lock";

/// Nobody writes a file that is larger than this, in bytes; one that is comes from elsewhere.
const MAX_FILE: u64 = 4 << 30;

/// Why a data directory cannot be used.
#[derive(Debug)]
pub enum DirectoryError {
    /// Another process has it.
    InUse {
        /// Which directory.
        directory: PathBuf,
        /// The other process, if it said who it is.
        process: Option<u32>,
    },
    /// A file or a directory cannot be read or written.
    Io {
        /// What was to be done.
        doing: &'static str,
        /// With what.
        path: PathBuf,
        /// Why not.
        error: io::Error,
    },
    /// The file is not what it should be. It was left as it was.
    Damaged {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        damage: Damage,
    },
}

impl fmt::Display for DirectoryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            DirectoryError::InUse { directory, process } => {
                write!(
                    f,
                    "the data directory {} is in use by ",
                    directory.display()
                )?;
                match process {
                    Some(process) => write!(f, "process {process}")?,
                    None => f.write_str("another process")?,
                }
                f.write_str("; each node needs a directory of its own")
            }
            DirectoryError::Io { doing, path, error } => {
                write!(f, "cannot {doing} {}: {error}", path.display())
            }
            DirectoryError::Damaged { path, damage } => write!(
                f,
                "cannot use {}: {damage}. It was left as it is. Restore it from a copy that is \
                 no older than the node's last run, or begin with an empty directory and an id \
                 that was never used",
                path.display()
            ),
        }
    }
}

impl std::error::Error for DirectoryError {}

/// A data directory of this process's own, until it is dropped.
#[derive(Debug)]
pub struct Directory {
    path: PathBuf,
    _lock: File,
}

impl Directory {
    /// Makes the directory if need be, locks it, and clears away what a write that was broken
    /// off has left behind.
    // ANCHOR: open
    pub fn open(path: &Path) -> Result<Self, DirectoryError> {
        make(path)?;
        let lock = lock(path)?;
        let temporary = path.join(TEMPORARY);
        match fs::remove_file(&temporary) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(cannot("remove", &temporary)(error));
            }
            _ => {}
        }
        Ok(Directory {
            path: path.to_owned(),
            _lock: lock,
        })
    }
    // ANCHOR_END: open

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Where the file is, or will be.
    pub fn file(&self) -> PathBuf {
        self.path.join(FILE)
    }

    /// The bytes of the file; nothing if there is none.
    pub fn read(&self) -> Result<Option<Vec<u8>>, DirectoryError> {
        let path = self.file();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(cannot("read", &path)(error)),
        };
        let mut bytes = Vec::new();
        let read = file.take(MAX_FILE).read_to_end(&mut bytes);
        read.map_err(cannot("read", &path))?;
        Ok(Some(bytes))
    }

    /// Puts a file with these bytes in the place of the file. When this returns, it is durable.
    ///
    /// # Errors
    /// Nobody knows then which of the two is there after a crash. Trying again does not help: a
    /// second `fsync` may succeed although the first one's data is lost.
    // ANCHOR: replace
    pub fn replace(&self, bytes: &[u8]) -> Result<(), DirectoryError> {
        let (temporary, path) = (self.path.join(TEMPORARY), self.file());
        let mut file = File::create(&temporary).map_err(cannot("create", &temporary))?;
        file.write_all(bytes).map_err(cannot("write", &temporary))?;
        // First the bytes, and only then the name: a name must never lead to half a file.
        file.sync_all().map_err(cannot("fsync", &temporary))?;
        drop(file);
        fs::rename(&temporary, &path).map_err(cannot("replace", &path))?;
        // The name is in the directory, and that is a file of its own.
        sync_directory(&self.path)
    }
    // ANCHOR_END: replace
}

fn cannot<'a>(doing: &'static str, path: &'a Path) -> impl Fn(io::Error) -> DirectoryError + 'a {
    move |error| DirectoryError::Io {
        doing,
        path: path.to_owned(),
        error,
    }
}

/// Makes the directory and those above it, and sees to it that their names are durable too.
fn make(path: &Path) -> Result<(), DirectoryError> {
    if path.is_dir() {
        return Ok(());
    }
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    let above = above.unwrap_or(Path::new("."));
    make(above)?;
    match fs::create_dir(path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists || !path.is_dir() => {
            Err(cannot("create the directory", path)(error))
        }
        _ => sync_directory(above),
    }
}

// ANCHOR: lock
fn lock(path: &Path) -> Result<File, DirectoryError> {
    let name = path.join(LOCK);
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&name).map_err(cannot("open", &name))?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut process = String::new();
            // Only for the message: where a locked file cannot be read, it says less.
            let _ = file.take(20).read_to_string(&mut process);
            return Err(DirectoryError::InUse {
                directory: path.to_owned(),
                process: process.trim().parse().ok(),
            });
        }
        Err(TryLockError::Error(error)) => return Err(cannot("lock", &name)(error)),
    }
    // For people, and for the message above. The lock does not depend on it.
    let _ = file
        .set_len(0)
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    Ok(file)
}
// ANCHOR_END: lock

#[cfg(unix)]
fn sync_directory(path: &Path) -> Result<(), DirectoryError> {
    let directory = File::open(path).map_err(cannot("open", path))?;
    directory.sync_all().map_err(cannot("fsync", path))
}

/// Elsewhere a directory cannot be opened like a file. On Windows, NTFS keeps a journal of its
/// names: after a crash the file is there under the old name or the new one, and perhaps the
/// last rename is lost. That is weaker than what is said above.
#[cfg(not(unix))]
fn sync_directory(_: &Path) -> Result<(), DirectoryError> {
    Ok(())
}
