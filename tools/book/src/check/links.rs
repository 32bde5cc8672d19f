//! Every address on the rendered pages leads somewhere.
//!
//! The rules: a relative address resolves to a file of the site and its fragment
//! to an id of that page; no id occurs twice on a page; an image has a text; what
//! the browser loads with a page comes from the site itself; a link to another
//! host is https.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::LazyLock;

use anyhow::{Context, Result};
use percent_encoding::percent_decode_str;
use regex::Regex;
use walkdir::WalkDir;

use super::html::{self, Html, Reference, Use, css_addresses};
use super::locate::Sources;
use crate::finding::{Finding, Problem};
use crate::site::Site;
use crate::workspace::Workspace;

#[derive(Debug, Default)]
pub(crate) struct LinkCheck {
    pub(crate) findings: Vec<Finding>,
    /// How many links and resources the pages' authors wrote.
    pub(crate) links: usize,
}

pub(crate) fn check(site: &Site, workspace: &Workspace) -> Result<LinkCheck> {
    let files = Files::read(&site.folder)?;
    let sources = Sources::new(site, workspace);
    let mut check = LinkCheck::default();
    // mdBook writes pages a second time: all of them for print, the first as the
    // index. Their faults are news only if the pages themselves have none.
    let is_repetition = |path: &Path| {
        path == Path::new("print.html")
            || (path == Path::new("index.html") && !sources.has_own_page(path))
    };
    let (repetitions, originals): (Vec<_>, Vec<_>) = files
        .pages
        .iter()
        .partition(|(path, _)| is_repetition(path));
    for (path, page) in originals {
        check.links += page.references.iter().filter(|it| it.authored).count();
        check.findings.extend(faults(&files, &sources, path, page));
    }
    for (path, page) in repetitions {
        if check.findings.is_empty() {
            check.findings = faults(&files, &sources, path, page);
        }
    }
    for (path, text) in &files.styles {
        for address in css_addresses(text) {
            let fault = check_address(&files, path, &address, Use::Resource).err();
            let located = fault.map(|problem| {
                let line = text.lines().position(|line| line.contains(&address));
                sources.style(path, line.map(|index| index + 1), problem)
            });
            check.findings.extend(located);
        }
    }
    Ok(check)
}

fn faults(files: &Files, sources: &Sources<'_>, path: &Path, page: &Html) -> Vec<Finding> {
    let mut found = Vec::new();
    check_page(files, path, page, &mut found);
    let located = found.into_iter().map(|fault| sources.locate(path, fault));
    located.collect()
}

/// A problem of a rendered page, and the words to look for in its source.
pub(crate) struct Fault {
    pub(crate) problem: Problem,
    pub(crate) needle: String,
    /// In the HTML file.
    pub(crate) line: usize,
    /// Written by the page's author, not by the template around the page.
    pub(crate) authored: bool,
}

/// The site as it lies on the disk.
struct Files {
    all: BTreeSet<PathBuf>,
    pages: Vec<(PathBuf, Html)>,
    styles: BTreeMap<PathBuf, String>,
    ids: HashMap<PathBuf, BTreeSet<String>>,
}

impl Files {
    fn read(folder: &Path) -> Result<Self> {
        let mut files = Self {
            all: BTreeSet::new(),
            pages: Vec::new(),
            styles: BTreeMap::new(),
            ids: HashMap::new(),
        };
        for entry in WalkDir::new(folder).sort_by_file_name() {
            let entry = entry.context("cannot read the rendered site")?;
            if !entry.file_type().is_file() {
                continue;
            }
            let path = entry.path().strip_prefix(folder)?.to_path_buf();
            let read = || {
                fs::read_to_string(entry.path())
                    .with_context(|| format!("cannot read {}", entry.path().display()))
            };
            match path.extension().and_then(|it| it.to_str()) {
                Some("html") => {
                    let page = html::scan(&read()?);
                    let ids = page.ids.iter().map(|(id, _)| id.clone()).collect();
                    files.ids.insert(path.clone(), ids);
                    files.pages.push((path.clone(), page));
                }
                Some("css") => {
                    files.styles.insert(path.clone(), read()?);
                }
                _ => {}
            }
            files.all.insert(path);
        }
        Ok(files)
    }
}

fn check_page(files: &Files, path: &Path, page: &Html, found: &mut Vec<Fault>) {
    let mut seen = BTreeSet::new();
    for (id, line) in &page.ids {
        if !seen.insert(id) {
            found.push(Fault {
                problem: Problem::new(
                    format!("the id `{id}` occurs twice on the page"),
                    "rename one of them: a link to it reaches only the first",
                ),
                needle: format!("\"{id}\""),
                line: *line,
                authored: true,
            });
        }
    }
    for (source, line) in &page.images_without_text {
        found.push(Fault {
            problem: Problem::new(
                format!("the image {source} has no text for those who cannot see it"),
                "say between the brackets what it shows: ![what it shows](…)",
            ),
            needle: source.clone(),
            line: *line,
            authored: true,
        });
    }
    let from = if page.has_base {
        Path::new("404.html")
    } else {
        path
    };
    for reference in &page.references {
        if let Err(problem) = check_reference(files, from, page, reference) {
            found.push(Fault {
                problem,
                needle: reference.address.clone(),
                line: reference.line,
                authored: reference.authored,
            });
        }
    }
}

fn check_reference(
    files: &Files,
    from: &Path,
    page: &Html,
    reference: &Reference,
) -> Result<(), Problem> {
    let address = &reference.address;
    if reference.r#use == Use::Id {
        return if page.ids.iter().any(|(id, _)| id == address) {
            Ok(())
        } else {
            Err(Problem::new(
                format!("dead reference: no element of the page has the id `{address}`"),
                "give the element that id, or correct the reference",
            ))
        };
    }
    check_address(files, from, address, reference.r#use)
}

fn check_address(files: &Files, from: &Path, address: &str, r#use: Use) -> Result<(), Problem> {
    let address = address.trim();
    if let Some(scheme) = scheme(address) {
        return check_absolute(address, scheme, r#use);
    }
    if address.starts_with("//") {
        return Err(Problem::new(
            format!("{address} names a host without saying how to reach it"),
            "write https:// before the host of a link; load nothing from other hosts",
        ));
    }
    if address.starts_with('/') {
        return Err(Problem::new(
            format!("{address} counts from the root of the host"),
            "write the path from the page: the site may be published below a folder",
        ));
    }
    let (path, fragment) = match address.split_once('#') {
        Some((path, fragment)) => (path, Some(fragment)),
        None => (address, None),
    };
    let path = path.split('?').next().unwrap_or_default();
    let target = if path.is_empty() {
        from.to_path_buf()
    } else {
        find_file(files, from, path).ok_or_else(|| {
            let fix = if path.ends_with("README.html") {
                "write index.md instead of README.md: mdBook renders it as index.html"
            } else {
                "correct the path, or write the page that it names"
            };
            Problem::new(
                format!("dead link: {address} leads to no file of the site"),
                fix,
            )
        })?
    };
    let fragment = fragment.unwrap_or_default();
    let id = percent_decode_str(fragment).decode_utf8_lossy();
    let is_top = id.is_empty() || id == "top";
    match files.ids.get(&target) {
        Some(ids) if !is_top && !ids.contains(id.as_ref()) => Err(Problem::new(
            format!(
                "dead fragment: {address}, as {} has no id `{id}`",
                target.display()
            ),
            "use the id of a heading on that page (its text in lower case, with hyphens)",
        )),
        _ => Ok(()),
    }
}

fn check_absolute(address: &str, scheme: &str, r#use: Use) -> Result<(), Problem> {
    match (r#use, scheme) {
        (Use::Link, "https" | "mailto") | (_, "data") => Ok(()),
        (Use::Link, "http") => Err(Problem::new(
            format!("the link {address} is not https"),
            "link to the https:// address",
        )),
        (Use::Link, _) => Err(Problem::new(
            format!("the link {address} has the scheme {scheme}"),
            "link to https:// addresses and to pages of this book only",
        )),
        _ => Err(Problem::new(
            format!("the page loads {address} from another host"),
            "put a copy below book/src or book/theme and load that",
        )),
    }
}

/// The letters before the colon of `https://…` or `mailto:…`, in lower case.
fn scheme(address: &str) -> Option<&'static str> {
    static SCHEME: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"^([A-Za-z][A-Za-z0-9+.-]*):").expect("a constant pattern"));
    let found = SCHEME.captures(address)?;
    let known = ["https", "http", "mailto", "data", "javascript", "file"];
    let name = found[1].to_ascii_lowercase();
    Some(known.into_iter().find(|it| *it == name).unwrap_or("other"))
}

fn find_file(files: &Files, from: &Path, address: &str) -> Option<PathBuf> {
    let decoded = percent_decode_str(address).decode_utf8().ok()?;
    let mut path = from.parent().map(Path::to_path_buf).unwrap_or_default();
    for part in Path::new(decoded.as_ref()).components() {
        match part {
            Component::Normal(name) => path.push(name),
            // Above the site is nothing of ours.
            Component::ParentDir => {
                if !path.pop() {
                    return None;
                }
            }
            Component::CurDir => {}
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    let index = path.join("index.html");
    [path, index]
        .into_iter()
        .find(|candidate| files.all.contains(candidate))
}
