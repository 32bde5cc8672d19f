//! Building the site: mdBook as a library, with our directives first.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::LazyLock;

use anyhow::{Context, Result};
use mdbook_driver::MDBook;
use mdbook_driver::book::BookItem;
use mdbook_driver::builtin_preprocessors::{IndexPreprocessor, LinkPreprocessor};
use mdbook_driver::config::Config;
use regex::Regex;

use crate::finding::{Finding, Problem};
use crate::preprocess::{Directives, Seen};
use crate::publish::{self, Address};
use crate::summary;
use crate::warnings;
use crate::workspace::{BOOK_TOML, Workspace};

/// Where the site will be read, which decides the links of the page for missing
/// addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Audience {
    /// At the address that the environment or book.toml gives.
    Published,
    /// At the root of our own server.
    Local,
}

/// A rendered page and the Markdown file that it is from.
#[derive(Debug, Clone)]
pub(crate) struct RenderedPage {
    /// As the table of contents has it.
    pub(crate) title: String,
    /// The heading of the table of contents that it stands below.
    pub(crate) part: Option<String>,
    /// How many pages it stands below.
    pub(crate) level: usize,
    /// Relative to the site.
    pub(crate) html: PathBuf,
    /// Relative to the root of the repository.
    pub(crate) markdown: PathBuf,
}

#[derive(Debug)]
pub(crate) struct Site {
    pub(crate) folder: PathBuf,
    pub(crate) pages: Vec<RenderedPage>,
    pub(crate) listings: usize,
    pub(crate) findings: Vec<Finding>,
    /// False when the findings kept mdBook from writing the site.
    pub(crate) written: bool,
}

/// book.toml with the settings that this tool insists on.
pub(crate) fn load_config(root: &Path, audience: Audience) -> Result<Config> {
    let mut config = Config::from_disk(root.join(BOOK_TOML)).context("cannot read book.toml")?;
    config
        .update_from_env()
        .context("cannot apply the MDBOOK_ variables of the environment")?;
    // mdBook would write an empty page for an entry that has none.
    config.build.create_missing = false;
    // They run all the same, but after ours: see `build`.
    config.build.use_default_preprocessors = false;
    if audience == Audience::Local {
        config.set("output.html.site-url", "/")?;
    } else if let Some(address) = address(audience)? {
        config.set("output.html.site-url", address.path())?;
    }
    Ok(config)
}

/// Where the site will be published, as far as anybody has said so.
fn address(audience: Audience) -> Result<Option<Address>> {
    match audience {
        Audience::Published => Address::from_environment(),
        Audience::Local => Ok(None),
    }
}

/// The folder of the pages.
pub(crate) fn source_folder(root: &Path, config: &Config) -> PathBuf {
    root.join(&config.book.src)
}

pub(crate) fn build(workspace: &Rc<Workspace>, audience: Audience) -> Result<Site> {
    let config = load_config(&workspace.root, audience)?;
    let source = source_folder(&workspace.root, &config);
    let mut site = Site {
        folder: workspace.root.join(&config.build.build_dir),
        pages: Vec::new(),
        listings: 0,
        findings: Vec::new(),
        written: false,
    };
    let summary = summary::check(&source, workspace)?;
    let complete = summary.missing.is_empty();
    site.findings.extend(summary.missing);
    site.findings.extend(summary.unlisted);
    if !complete {
        return Ok(site);
    }

    let seen = Rc::new(RefCell::new(Seen::default()));
    let to_finish = config.clone();
    let (pages, messages) = warnings::collect(|| run_mdbook(workspace, config, &seen));
    match pages {
        Ok(pages) => {
            site.findings.extend(publish::finish(&publish::Book {
                root: &workspace.root,
                folder: &site.folder,
                config: &to_finish,
                pages: &pages,
                address: address(audience)?.as_ref(),
            })?);
            site.pages = pages;
            site.written = true;
        }
        Err(error) => site.findings.push(
            Problem::new(
                format!("mdBook cannot build the book: {error:#}"),
                "mend what the message names, then build again",
            )
            .at(BOOK_TOML, None),
        ),
    }
    let warnings = messages
        .iter()
        .map(|it| from_mdbook(it, &source, workspace));
    site.findings.extend(warnings);
    let seen = seen.take();
    site.listings = seen.listings;
    site.findings.extend(seen.findings);
    Ok(site)
}

fn run_mdbook(
    workspace: &Rc<Workspace>,
    config: Config,
    seen: &Rc<RefCell<Seen>>,
) -> Result<Vec<RenderedPage>> {
    let mut book = MDBook::load_with_config(&workspace.root, config)?;
    // The order of the calls is the order of the runs. Ours is first: it makes the
    // captions from the includes, which mdBook's `links` would have expanded.
    book.with_preprocessor(Directives::new(Rc::clone(workspace), Rc::clone(seen)))
        .with_preprocessor(LinkPreprocessor::new())
        .with_preprocessor(IndexPreprocessor::new());
    let source = workspace.relative(&book.source_dir());
    let pages = rendered_pages(&book, &source);
    book.build()?;
    Ok(pages)
}

fn rendered_pages(book: &MDBook, source: &Path) -> Vec<RenderedPage> {
    let mut pages = Vec::new();
    let mut part = None;
    for item in book.iter() {
        if let BookItem::PartTitle(title) = item {
            part = Some(title.clone());
        }
        if let BookItem::Chapter(chapter) = item
            && let Some(path) = &chapter.source_path
        {
            // mdBook's `index` preprocessor does the same to a README.
            let is_readme = path
                .file_stem()
                .is_some_and(|stem| stem.eq_ignore_ascii_case("readme"));
            let html = if is_readme {
                path.with_file_name("index.html")
            } else {
                path.with_extension("html")
            };
            pages.push(RenderedPage {
                title: chapter.name.clone(),
                part: part.clone(),
                level: chapter.parent_names.len(),
                html,
                markdown: source.join(path),
            });
        }
    }
    pages
}

/// Finds the page, and the tag on it, that a message of mdBook names.
fn from_mdbook(message: &str, source: &Path, workspace: &Workspace) -> Finding {
    static PAGE: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"`([^`]+\.md)`").expect("a constant pattern"));
    static TAG: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(r"`(</?[A-Za-z][\w-]*)>?`").expect("a constant pattern"));
    let named = PAGE.captures(message).map(|found| source.join(&found[1]));
    let file = named.as_ref().filter(|page| page.is_file());
    let line = file
        .and_then(|page| fs::read_to_string(page).ok())
        .zip(TAG.captures(message))
        .and_then(|(text, found)| text.lines().position(|line| line.contains(&found[1])))
        .map(|index| index + 1);
    let file = file.map_or_else(|| PathBuf::from(BOOK_TOML), |page| workspace.relative(page));
    Problem::new(
        format!("mdBook warns: {message}"),
        "mend the page until mdBook builds it without a warning",
    )
    .at(file, line)
}
