//! A copy of the exercises, in which any answer can be put in the student's place.
//!
//! The copy is a workspace of its own in `target/exercises`. It holds the exercises alone;
//! the engine and the chapters are used where they are. All tasks are filled in at once and
//! compiled by one call of cargo. The rule: the student's files are read and never written.

use std::collections::BTreeMap;
use std::env;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

use toml::{Table, Value};

use crate::catalogue::{Task, read_text};
use crate::compile::{self, Compiled, Place};
use crate::failure::Failure;

/// The folder in which cargo compiles, beside the copy's files.
const TARGET: &str = "target";

/// The files that a copy is made of, by their path in it.
type Files = BTreeMap<PathBuf, Vec<u8>>;

#[derive(Debug)]
pub(crate) struct Bench {
    root: PathBuf,
    folder: PathBuf,
    /// All but the answers.
    files: Files,
    /// Given back by the system when this program ends, however it ends.
    _lock: File,
}

impl Bench {
    /// Reads the exercises of the repository at `root` to which these tasks belong.
    pub(crate) fn open(root: &Path, tasks: &[&Task]) -> Result<Self, Failure> {
        let target = env::var_os("CARGO_TARGET_DIR").map(|target| root.join(target));
        let folder = target
            .unwrap_or_else(|| root.join("target"))
            .join("exercises");
        fs::create_dir_all(&folder).map_err(|error| Failure::file("make", &folder, &error))?;
        let lock = lock(&folder)?;
        let mut files = Files::new();
        files.insert("Cargo.toml".into(), manifest(root)?.into_bytes());
        let lock_file = root.join("Cargo.lock");
        if lock_file.is_file() {
            files.insert("Cargo.lock".into(), read_bytes(&lock_file)?);
        }
        for task in tasks {
            let manifest = task.folder.join("Cargo.toml");
            files.insert(manifest.clone(), read_bytes(&root.join(manifest))?);
            for part in ["src", "tests"] {
                gather(root, &task.folder.join(part), &mut files)?;
            }
        }
        Ok(Bench {
            root: root.to_owned(),
            folder,
            files,
            _lock: lock,
        })
    }

    /// Puts an answer in the place of each task's file, and compiles the tests.
    pub(crate) fn compile(&self, answers: &[(&Task, String)]) -> Result<Compiled, Failure> {
        let mut files = self.files.clone();
        for (task, answer) in answers {
            files.insert(task.file(), answer.clone().into_bytes());
        }
        let copy = self.folder.join("copy");
        write(&copy, &files)?;
        let place = Place {
            root: &self.root,
            copy: Some((&copy, &self.folder.join(TARGET))),
        };
        let tasks: Vec<_> = answers.iter().map(|(task, _)| *task).collect();
        compile::compile(place, &tasks)
    }
}

/// The workspace of the copy: the repository's settings, and the exercises as members.
fn manifest(root: &Path) -> Result<String, Failure> {
    let name = root.join("Cargo.toml");
    let wrong = |why: String| Failure::Failed(format!("{}: {why}", name.display()));
    let mut manifest: Table = read_text(&name)?
        .parse()
        .map_err(|error: toml::de::Error| wrong(error.to_string()))?;
    let workspace = manifest.get_mut("workspace").and_then(Value::as_table_mut);
    let workspace = workspace.ok_or_else(|| wrong("it is no workspace".to_owned()))?;
    workspace.insert(
        "members".to_owned(),
        Value::Array(vec!["exercises/*".into()]),
    );
    workspace.remove("default-members");
    workspace.remove("exclude");
    let dependencies = workspace
        .get_mut("dependencies")
        .and_then(Value::as_table_mut);
    for (_, dependency) in dependencies.into_iter().flatten() {
        if let Some(path) = dependency.get_mut("path") {
            let below_root = path.as_str().unwrap_or_default().to_owned();
            *path = root.join(below_root).display().to_string().into();
        }
    }
    toml::to_string(&manifest).map_err(|error| wrong(error.to_string()))
}

/// All files in a folder of the repository and below it.
fn gather(root: &Path, folder: &Path, files: &mut Files) -> Result<(), Failure> {
    let here = root.join(folder);
    let failed = |error: &_| Failure::file("read the folder", &here, error);
    for entry in fs::read_dir(&here).map_err(|error| failed(&error))? {
        let name = entry.map_err(|error| failed(&error))?.file_name();
        // What an editor leaves beside a file.
        if name.to_string_lossy().starts_with('.') {
            continue;
        }
        let name = folder.join(name);
        let path = root.join(&name);
        if path.is_dir() {
            gather(root, &name, files)?;
        } else {
            files.insert(name, read_bytes(&path)?);
        }
    }
    Ok(())
}

/// Makes a folder hold these files and no others. What is right already is not touched:
/// cargo compiles what is newer than its results.
fn write(folder: &Path, files: &Files) -> Result<(), Failure> {
    let mut present = Files::new();
    if folder.is_dir() {
        gather(folder, Path::new(""), &mut present)?;
    }
    for name in present.keys().filter(|name| !files.contains_key(*name)) {
        let path = folder.join(name);
        fs::remove_file(&path).map_err(|error| Failure::file("delete", &path, &error))?;
    }
    for (name, content) in files {
        if present.get(name) != Some(content) {
            let path = folder.join(name);
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent).map_err(|error| Failure::file("make", parent, &error))?;
            fs::write(&path, content).map_err(|error| Failure::file("write", &path, &error))?;
        }
    }
    remove_empty_folders(folder)
}

/// Cargo would take an empty folder among the exercises for a member.
fn remove_empty_folders(folder: &Path) -> Result<(), Failure> {
    let failed = |error: &_| Failure::file("read the folder", folder, error);
    for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
        let path = entry.map_err(|error| failed(&error))?.path();
        if path.is_dir() {
            remove_empty_folders(&path)?;
            // One that is not empty stays.
            let _ = fs::remove_dir(&path);
        }
    }
    Ok(())
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, Failure> {
    fs::read(path).map_err(|error| Failure::file("read", path, &error))
}

fn lock(folder: &Path) -> Result<File, Failure> {
    let name = folder.join("lock");
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&name)
        .map_err(|error| Failure::file("open", &name, &error))?;
    match fs4::FileExt::try_lock(&file) {
        Ok(()) => Ok(file),
        Err(fs4::TryLockError::WouldBlock) => Err(Failure::Failed(format!(
            "another `cargo exercise` is at work in {}; wait until it has ended",
            folder.display()
        ))),
        Err(fs4::TryLockError::Error(error)) => Err(Failure::file("lock", &name, &error)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_holds_what_it_should_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let files = |names: &[&str]| -> Files {
            names
                .iter()
                .map(|name| (name.into(), name.as_bytes().to_vec()))
                .collect()
        };
        write(folder.path(), &files(&["a/old", "b/c/kept"])).unwrap();
        let kept = || {
            fs::metadata(folder.path().join("b/c/kept"))
                .unwrap()
                .modified()
                .unwrap()
        };
        let before = kept();
        write(folder.path(), &files(&["b/c/kept", "d"])).unwrap();
        let mut found = Files::new();
        gather(folder.path(), Path::new(""), &mut found).unwrap();
        assert_eq!(found, files(&["b/c/kept", "d"]));
        assert!(
            !folder.path().join("a").exists(),
            "a folder without files is gone"
        );
        assert_eq!(kept(), before, "what is right is not written again");
    }

    #[test]
    fn the_copy_is_a_workspace_of_exercises_that_uses_the_repository_s_crates() {
        let root = tempfile::tempdir().unwrap();
        let text = "[workspace]\nmembers = ['a']\ndefault-members = ['a']\n\
                    [workspace.dependencies]\na = { path = 'a' }\nserde = '1'\n";
        fs::write(root.path().join("Cargo.toml"), text).unwrap();
        let manifest: Table = manifest(root.path()).unwrap().parse().unwrap();
        let workspace = &manifest["workspace"];
        assert_eq!(
            workspace["members"],
            Value::Array(vec!["exercises/*".into()])
        );
        assert!(workspace.get("default-members").is_none());
        let path = workspace["dependencies"]["a"]["path"].as_str().unwrap();
        assert_eq!(Path::new(path), root.path().join("a"));
        assert_eq!(workspace["dependencies"]["serde"].as_str(), Some("1"));
    }
}
