//! From a fault on a rendered page to the line of Markdown that caused it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::links::Fault;
use crate::finding::{Finding, Problem};
use crate::site::Site;
use crate::workspace::Workspace;

/// Which Markdown file each rendered page is from.
pub(crate) struct Sources<'a> {
    workspace: &'a Workspace,
    site_folder: PathBuf,
    pages: HashMap<&'a Path, &'a Path>,
    /// mdBook writes the first page a second time, as index.html.
    first: Option<&'a Path>,
}

impl<'a> Sources<'a> {
    pub(crate) fn new(site: &'a Site, workspace: &'a Workspace) -> Self {
        let pages = site.pages.iter();
        Self {
            workspace,
            site_folder: workspace.relative(&site.folder),
            pages: pages
                .map(|page| (page.html.as_path(), page.markdown.as_path()))
                .collect(),
            first: site.pages.first().map(|page| page.markdown.as_path()),
        }
    }

    pub(crate) fn has_own_page(&self, html: &Path) -> bool {
        self.pages.contains_key(html)
    }

    pub(crate) fn locate(&self, html: &Path, fault: Fault) -> Finding {
        let index = (html == Path::new("index.html")).then_some(self.first);
        let markdown = self.pages.get(html).copied().or(index.flatten());
        match markdown {
            Some(markdown) if fault.authored => {
                let text = fs::read_to_string(self.workspace.root.join(markdown));
                let line = line_with(&text.unwrap_or_default(), &fault.needle);
                fault.problem.at(markdown, line)
            }
            _ => fault.problem.at(self.site_folder.join(html), fault.line),
        }
    }

    /// A stylesheet of ours keeps its path in the site but gets a hash in its name.
    pub(crate) fn style(&self, css: &Path, line: Option<usize>, problem: Problem) -> Finding {
        let name = css.file_name().unwrap_or_default().to_string_lossy();
        let plain = name
            .rsplit_once('-')
            .map(|(stem, _)| css.with_file_name(format!("{stem}.css")));
        let ours = plain.filter(|path| self.workspace.root.join(path).is_file());
        problem.at(ours.unwrap_or_else(|| self.site_folder.join(css)), line)
    }
}

/// The line that holds the address as it was rendered or as it was written: pages
/// link to `.md` files, and a README becomes an index.
fn line_with(text: &str, address: &str) -> Option<usize> {
    let markdown = address.replacen(".html", ".md", 1);
    let readme = markdown.replacen("index.md", "README.md", 1);
    let unquoted = address.trim_matches('"').to_string();
    [address.to_string(), markdown, readme, unquoted]
        .iter()
        .filter(|needle| !needle.is_empty())
        .find_map(|needle| text.lines().position(|line| line.contains(needle.as_str())))
        .map(|index| index + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_found_as_it_was_written() {
        let text = "# One\n\n[two](two.md#here)\n[start](../README.md)\n";
        assert_eq!(line_with(text, "two.html#here"), Some(3));
        assert_eq!(line_with(text, "../index.html"), Some(4));
        assert_eq!(line_with(text, "three.html"), None);
    }
}
