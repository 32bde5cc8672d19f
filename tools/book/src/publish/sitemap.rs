//! The list of pages for search engines, which must name whole addresses: it exists
//! only where the site's address is known.

use std::fmt::Write;
use std::path::Path;

use anyhow::Result;

use super::{Book, xml};

const FILE: &str = "sitemap.xml";

pub(super) fn write(book: &Book<'_>) -> Result<()> {
    let Some(address) = book.address else {
        return Ok(());
    };
    let mut text = String::from(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n\
         <urlset xmlns=\"http://www.sitemaps.org/schemas/sitemap/0.9\">\n",
    );
    for (index, page) in book.pages.iter().enumerate() {
        let path = if index == 0 {
            Path::new("index.html")
        } else {
            &page.html
        };
        let location = xml::escape(&address.of(path));
        // Writing to a String cannot fail.
        let _ = writeln!(text, "<url><loc>{location}</loc></url>");
    }
    text.push_str("</urlset>\n");
    book.write(Path::new(FILE), text)?;
    // Only the one at the root of a host is ever read.
    if address.path() == "/" {
        let robots = format!(
            "User-agent: *\nAllow: /\nSitemap: {}\n",
            address.of(Path::new(FILE))
        );
        book.write(Path::new("robots.txt"), robots)?;
    }
    Ok(())
}
