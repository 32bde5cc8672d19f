//! Listings: a block that is one `{{#include path:anchor}}` becomes a figure whose
//! caption is the file's path from the root of the repository.
//!
//! The caption is made from the include, so it cannot name another file than the
//! one shown. Rust is held to more than other languages: the file must be one that
//! the workspace compiles, and a listing must be short enough to read.

use std::fs;
use std::path::{Path, PathBuf};

use super::anchor;
use crate::finding::Problem;
use crate::page::{self, Fence};
use crate::workspace::Workspace;

/// More than this does not fit on a screen next to the text that explains it.
const MAX_LINES: usize = 40;

const HOW_TO_LIST: &str = "let the block hold one line, {{#include PATH:ANCHOR}}, with PATH \
     from the page to a .rs file of a workspace member";

/// Every Rust block claims to be a listing; another block is one if it says so.
pub(crate) fn is_listing(fence: &Fence) -> bool {
    is_rust(fence) || included(fence).is_some()
}

/// The figure that takes the block's place, or what is wrong with it.
pub(crate) fn expand(
    fence: &Fence,
    page_folder: &Path,
    workspace: &Workspace,
) -> Result<String, Problem> {
    let Some(argument) = included(fence) else {
        return Err(Problem::new("listing that is in no crate", HOW_TO_LIST));
    };
    let mut listing = read(&argument, page_folder, workspace)?;
    if is_rust(fence) {
        check_rust(&listing, workspace)?;
        check_length(&listing)?;
        for line in &mut listing.lines {
            protect_from_hiding(line);
        }
    }
    Ok(figure(&listing, &fence.info))
}

/// Lines of a file, and where they are from.
#[derive(Debug)]
pub(crate) struct Listing {
    file: PathBuf,
    /// The path from the root of the repository, with `/`.
    shown: String,
    anchor: Option<String>,
    lines: Vec<String>,
}

impl Listing {
    pub(crate) fn lines(&self) -> &[String] {
        &self.lines
    }

    /// The file's path from the root of the repository.
    pub(crate) fn shown(&self) -> &str {
        &self.shown
    }
}

/// Reads a piece of a file that the workspace compiles.
pub(crate) fn read_rust(
    argument: &str,
    page_folder: &Path,
    workspace: &Workspace,
) -> Result<Listing, Problem> {
    let listing = read(argument, page_folder, workspace)?;
    check_rust(&listing, workspace)?;
    Ok(listing)
}

/// Reads what an include's argument, `path` or `path:anchor`, names.
pub(crate) fn read(
    argument: &str,
    page_folder: &Path,
    workspace: &Workspace,
) -> Result<Listing, Problem> {
    let (path, anchor) = match argument.split_once(':') {
        Some((path, anchor)) => (path, Some(anchor.trim().to_string())),
        None => (argument, None),
    };
    let missing = |_| {
        Problem::new(
            format!("the included file {path} does not exist"),
            "correct the path; it counts from the page's folder",
        )
    };
    let file = page_folder.join(path).canonicalize().map_err(missing)?;
    let Ok(inside) = file.strip_prefix(&workspace.root) else {
        return Err(Problem::new(
            format!("the included file {path} is outside of the repository"),
            "include files of this repository only",
        ));
    };
    let shown = with_slashes(inside);
    let source = fs::read_to_string(&file).map_err(|error| {
        Problem::new(
            format!("the included file {shown} cannot be read: {error}"),
            "include a text file",
        )
    })?;
    let lines = match &anchor {
        None => anchor::whole(&source),
        Some(anchor) if is_line_range(anchor) => {
            return Err(Problem::new(
                format!("the include of {shown} counts lines (`{anchor}`)"),
                "name an anchor: line numbers drift when the file changes",
            ));
        }
        Some(anchor) => anchor::cut(&source, anchor, &shown)?,
    };
    if lines.iter().all(|line| line.trim().is_empty()) {
        return Err(Problem::new(
            format!("the include of {argument} is empty"),
            "put the anchor around the lines to show",
        ));
    }
    Ok(Listing {
        file,
        shown,
        anchor,
        lines,
    })
}

fn check_rust(listing: &Listing, workspace: &Workspace) -> Result<(), Problem> {
    let shown = &listing.shown;
    if listing.file.extension().is_none_or(|it| it != "rs") {
        return Err(Problem::new(
            format!("listing that is in no crate: {shown} is not a .rs file"),
            HOW_TO_LIST,
        ));
    }
    if let Some(reason) = workspace.why_not_compiled(&listing.file) {
        return Err(Problem::new(
            format!("listing that is in no crate: {shown} is not compiled, {reason}"),
            HOW_TO_LIST,
        ));
    }
    if listing.anchor.is_none() {
        return Err(Problem::new(
            format!("listing of the whole file {shown}"),
            "name an anchor, PATH:ANCHOR, and show the lines in question",
        ));
    }
    Ok(())
}

fn check_length(listing: &Listing) -> Result<(), Problem> {
    let shown = &listing.shown;
    let length = listing.lines.len();
    if length > MAX_LINES {
        return Err(Problem::new(
            format!("listing of {length} lines of {shown}, more than {MAX_LINES}"),
            "show it in parts, each with its own anchor and its own words",
        ));
    }
    Ok(())
}

fn is_rust(fence: &Fence) -> bool {
    matches!(fence.language(), "rust" | "rs")
}

/// The argument of the one include that the block consists of.
fn included(fence: &Fence) -> Option<String> {
    let body = fence.body.trim();
    match page::directives(body).as_slice() {
        [only] if only.name == "include" && only.range == (0..body.len()) => {
            Some(only.argument.clone())
        }
        _ => None,
    }
}

fn is_line_range(anchor: &str) -> bool {
    anchor
        .split(':')
        .all(|part| part.chars().all(|c| c.is_ascii_digit()))
}

/// mdBook hides a line of Rust that begins with `# `, and takes one `#` away from
/// `##`. Our code is shown as it is: a doubled `#` comes out as one.
fn protect_from_hiding(line: &mut String) {
    let start = line.len() - line.trim_start().len();
    let rest = &line[start..];
    if rest == "#" || rest.starts_with("# ") || rest.starts_with("##") {
        line.insert(start, '#');
    }
}

fn figure(listing: &Listing, info: &str) -> String {
    let fence = fence_longer_than_any_in(&listing.lines);
    let caption = escape(&listing.shown);
    let code = listing.lines.join("\n");
    // The blank lines end the HTML blocks, so that the code is Markdown again.
    format!(
        "<figure class=\"listing\">\n<figcaption>{caption}</figcaption>\n\n\
         {fence}{info}\n{code}\n{fence}\n\n</figure>\n"
    )
}

pub(crate) fn fence_longer_than_any_in(lines: &[String]) -> String {
    let ticks = |line: &String| {
        let rest = line.trim_start();
        rest.len() - rest.trim_start_matches('`').len()
    };
    let longest = lines.iter().map(ticks).max().unwrap_or(0);
    "`".repeat(3.max(longest + 1))
}

fn with_slashes(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

pub(crate) fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_show_and_no_line_is_hidden() {
        for (source, written) in [
            ("#[derive(Debug)]", "#[derive(Debug)]"),
            ("    #![allow(dead_code)]", "    #![allow(dead_code)]"),
            ("# a comment in a string", "## a comment in a string"),
            ("  #", "  ##"),
            ("##", "###"),
        ] {
            let mut line = source.to_string();
            protect_from_hiding(&mut line);
            assert_eq!(line, written);
        }
    }

    #[test]
    fn code_with_a_fence_in_it_stays_one_block() {
        let lines = ["/// ```".to_string(), "````".to_string()];
        assert_eq!(fence_longer_than_any_in(&lines), "`````");
    }
}
