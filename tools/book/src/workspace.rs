//! The Cargo workspace that the book is about: its root, its members, and which
//! of its files the compiler sees.
//!
//! The rule it keeps: a file counts as compiled only when it is the root of a
//! target or when a chain of `mod name;` lines leads to it. A `.rs` file that
//! merely lies in a member's folder may be a leftover that no compiler reads.

use std::env;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use regex::Regex;
use serde::Deserialize;

/// The file that marks the root of the repository.
pub(crate) const BOOK_TOML: &str = "book.toml";

/// The folder that holds `book.toml`: the given one, or the nearest at or above
/// the current folder.
pub(crate) fn find_root(given: Option<&Path>) -> Result<PathBuf> {
    if let Some(root) = given {
        if !root.join(BOOK_TOML).is_file() {
            bail!("{} holds no {BOOK_TOML}", root.display());
        }
        return root
            .canonicalize()
            .with_context(|| format!("cannot open {}", root.display()));
    }
    let start = env::current_dir().context("cannot tell the current folder")?;
    for folder in start.ancestors() {
        if folder.join(BOOK_TOML).is_file() {
            return folder
                .canonicalize()
                .with_context(|| format!("cannot open {}", folder.display()));
        }
    }
    bail!(
        "no {BOOK_TOML} in {} or in any folder above it; \
         run this inside the repository, or name the folder with --root DIR",
        start.display()
    )
}

/// The cargo that runs us, or else the one on the path.
pub(crate) fn cargo() -> Command {
    Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}

/// The workspace as `cargo metadata` tells it.
#[derive(Debug)]
pub(crate) struct Workspace {
    pub(crate) root: PathBuf,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    folder: PathBuf,
    target_roots: Vec<PathBuf>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    src_path: PathBuf,
}

impl Workspace {
    pub(crate) fn load(root: &Path) -> Result<Self> {
        let output = cargo()
            .args(["metadata", "--no-deps", "--offline", "--format-version=1"])
            .current_dir(root)
            .output()
            .context("cannot run `cargo metadata`")?;
        if !output.status.success() {
            bail!(
                "`cargo metadata` failed in {}:\n{}",
                root.display(),
                String::from_utf8_lossy(&output.stderr).trim_end()
            );
        }
        let metadata: Metadata = serde_json::from_slice(&output.stdout)
            .context("cannot read what `cargo metadata` printed")?;
        let members = metadata.packages.into_iter().map(Member::from).collect();
        Ok(Self {
            root: root.to_path_buf(),
            members,
        })
    }

    pub(crate) fn has_package(&self, name: &str) -> bool {
        self.members.iter().any(|member| member.name == name)
    }

    /// A path as the pages and the findings show it: from the root, with `/`.
    pub(crate) fn relative(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.root).unwrap_or(path).to_path_buf()
    }

    /// Says why a file is not compiled by any member, or nothing if it is.
    pub(crate) fn why_not_compiled(&self, file: &Path) -> Option<String> {
        let nested = self
            .members
            .iter()
            .filter(|member| file.starts_with(&member.folder))
            .max_by_key(|member| member.folder.components().count());
        let Some(member) = nested else {
            return Some("it is in no member of the workspace".to_string());
        };
        if member.compiles(file) {
            return None;
        }
        Some(format!(
            "no `mod` line of the package {} leads to it",
            member.name
        ))
    }
}

impl From<Package> for Member {
    fn from(package: Package) -> Self {
        let canonical = |path: &Path| path.canonicalize().unwrap_or_else(|_| path.to_path_buf());
        let manifest = canonical(&package.manifest_path);
        Self {
            name: package.name,
            folder: manifest.parent().unwrap_or(&manifest).to_path_buf(),
            target_roots: package
                .targets
                .iter()
                .map(|target| canonical(&target.src_path))
                .collect(),
        }
    }
}

impl Member {
    fn compiles(&self, file: &Path) -> bool {
        if self.target_roots.iter().any(|root| root == file) {
            return true;
        }
        let (Some(folder), Some(stem)) = (file.parent(), file.file_stem()) else {
            return false;
        };
        // `a/b/mod.rs` is the module `b` declared in the folder `a`.
        let (folder, module) = if stem == "mod" {
            match (folder.parent(), folder.file_name()) {
                (Some(parent), Some(name)) => (parent, name),
                _ => return false,
            }
        } else {
            (folder, stem)
        };
        let module = module.to_string_lossy();
        let mut parents = vec![folder.join("mod.rs"), folder.with_extension("rs")];
        parents.extend(
            self.target_roots
                .iter()
                .filter(|root| root.parent() == Some(folder))
                .cloned(),
        );
        parents
            .iter()
            .any(|parent| parent != file && declares(parent, &module) && self.compiles(parent))
    }
}

fn declares(parent: &Path, module: &str) -> bool {
    let Ok(source) = fs::read_to_string(parent) else {
        return false;
    };
    let pattern = format!(
        r"(?m)^\s*(pub\s*(\([^)]*\)\s*)?)?mod\s+{}\s*;",
        regex::escape(module)
    );
    Regex::new(&pattern).is_ok_and(|declaration| declaration.is_match(&source))
}
