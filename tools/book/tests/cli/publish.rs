//! What a page says to search engines, and the book as an EPUB.

use std::fs::File;
use std::io::Read;

use zip::{CompressionMethod, ZipArchive};

use crate::fixture::{Book, Said};

const EPUB: &str = "target/book/a-book.epub";

fn build_at(book: &Book, address: &str) -> Said {
    let mut command = book.command(&["build"]);
    command.env("BOOK_URL", address);
    Said::from(&command.output().expect("to run the tool"))
}

fn archive(book: &Book) -> ZipArchive<File> {
    let file = File::open(book.path(EPUB)).expect("the EPUB");
    ZipArchive::new(file).expect("an archive")
}

fn file(book: &Book, name: &str) -> String {
    let mut text = String::new();
    let mut archive = archive(book);
    let mut file = archive.by_name(name).expect(name);
    file.read_to_string(&mut text).expect("a text");
    text
}

#[test]
fn a_page_is_described_by_the_words_that_it_begins_with() {
    let book = Book::with_page("# Page\n\nAbout *leaders*, and `a < b & c`.\n\n## More\n\nMore.\n");
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    for meta in [
        "<meta name=\"description\" content=\"About leaders, and a &lt; b &amp; c.\">",
        "<meta property=\"og:title\" content=\"Page - A Book\">",
    ] {
        assert!(html.contains(meta), "{meta} is missing in\n{html}");
    }
    assert_eq!(html.matches("name=\"description\"").count(), 1, "{html}");
}

#[test]
fn where_nobody_says_the_address_nothing_names_one() {
    let book = Book::new();
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    assert!(
        !html.contains("canonical") && !html.contains("og:url"),
        "{html}"
    );
    assert!(!book.path("target/book/sitemap.xml").exists());
    assert!(!book.path("target/book/robots.txt").exists());
}

#[test]
fn an_address_is_named_by_every_page_and_by_the_sitemap() {
    let book = Book::new();
    book.write("book/src/social-preview.png", "a picture");
    build_at(&book, "https://example.org/books/one").is_fine();
    let site = "https://example.org/books/one/";
    let html = book.read("target/book/other.html");
    for named in [
        format!("<link rel=\"canonical\" href=\"{site}other.html\">"),
        format!("<meta property=\"og:url\" content=\"{site}other.html\">"),
        format!("<meta property=\"og:image\" content=\"{site}social-preview.png\">"),
    ] {
        assert!(html.contains(&named), "{named} is missing in\n{html}");
    }
    // The first page can be reached by two addresses.
    for first in ["index.html", "page.html"] {
        let html = book.read(&format!("target/book/{first}"));
        assert!(
            html.contains(&format!("rel=\"canonical\" href=\"{site}\"")),
            "{html}"
        );
    }
    let sitemap = book.read("target/book/sitemap.xml");
    roxmltree::Document::parse(&sitemap).expect("XML");
    let pages = format!("<url><loc>{site}</loc></url>\n<url><loc>{site}other.html</loc></url>\n");
    assert!(sitemap.contains(&pages), "{sitemap}");
    let missing = book.read("target/book/404.html");
    assert!(missing.contains("<base href=\"/books/one/\">"), "{missing}");
    // Nobody asks for it below the root of a host.
    assert!(!book.path("target/book/robots.txt").exists());

    build_at(&book, "https://example.org").is_fine();
    let robots = book.read("target/book/robots.txt");
    assert!(
        robots.ends_with("Sitemap: https://example.org/sitemap.xml\n"),
        "{robots}"
    );
}

#[test]
fn an_address_that_is_none_is_a_clear_error() {
    let said = build_at(&Book::new(), "example.org/book");
    assert_eq!(said.code, Some(1), "{said}");
    let message = "error: BOOK_URL is `example.org/book`, which is no address of a site; \
                   write it like https://example.org/book/, or unset it\n";
    assert_eq!(said.stderr, message);
}

#[test]
fn the_page_for_missing_addresses_links_from_the_root_of_the_site() {
    let book = Book::new();
    book.write("book/src/404.md", "# Gone\n\n[Other](other.md#a-heading)\n");
    book.check().is_fine();
    let html = book.read("target/book/404.html");
    assert!(
        html.contains("<meta name=\"robots\" content=\"noindex\">"),
        "{html}"
    );
    assert!(html.contains("href=\"404.html#mdbook-content\""), "{html}");
    assert!(html.contains("href=\"other.html#a-heading\""), "{html}");
}

#[test]
fn a_template_without_a_place_that_is_amended_fails_the_build() {
    let book = Book::new();
    let with_theme = book.read("book.toml") + "[output.html]\ntheme = \"book/theme\"\n";
    book.write("book.toml", &with_theme);
    book.write(
        "book/theme/index.hbs",
        "<html><head><title>{{ title }}</title><meta name=\"description\" content=\"\"></head>\n\
         <body>\n<div id=\"mdbook-menu-bar\"><h1 class=\"menu-title\">A</h1></div>\n\
         <main>{{{ content }}}</main></body></html>\n",
    );
    let said = book.run(&["build"]);
    assert_eq!(said.code, Some(1), "{said}");
    let problem = "mdBook's page page.html has no `<div class=\"right-buttons\">`";
    assert!(said.stderr.contains(problem), "{said}");
}

#[test]
fn the_epub_is_an_archive_as_readers_expect_it() {
    let book = Book::new();
    book.run(&["build"]).is_fine();
    let mut archive = archive(&book);
    let first = archive.by_index(0).expect("a file");
    assert_eq!(first.name().expect("a name"), "mimetype");
    assert_eq!(first.compression(), CompressionMethod::Stored);
    drop(first);
    let names: Vec<String> = archive
        .file_names()
        .map(|name| name.expect("a name").into_owned())
        .collect();
    for name in names
        .iter()
        .filter(|name| !["mimetype", "OEBPS/style.css"].contains(&name.as_str()))
    {
        let options = roxmltree::ParsingOptions {
            allow_dtd: true,
            ..roxmltree::ParsingOptions::default()
        };
        let text = file(&book, name);
        let parsed = roxmltree::Document::parse_with_options(&text, options);
        assert!(parsed.is_ok(), "{name}: {parsed:?}\n{text}");
    }
    assert!(
        book.read("target/book/page.html")
            .contains("href=\"a-book.epub\" download")
    );
}

#[test]
fn the_epub_has_the_pages_in_their_order_with_links_among_them() {
    let book = Book::with_page("# Page\n\n[other](part/deep.md#there)\n\n[all](print.html)\n");
    book.write(
        "book/src/SUMMARY.md",
        "[Page](page.md)\n\n# Part\n\n- [Other](other.md)\n  - [Deep](part/deep.md)\n",
    );
    book.write(
        "book/src/part/deep.md",
        "# Deep\n\n## There\n\n[page](../page.md)\n",
    );
    book.run(&["build"]).is_fine();
    let package = file(&book, "OEBPS/package.opf");
    let places = ["page.xhtml", "other.xhtml", "part/deep.xhtml"].map(|name| package.find(name));
    assert!(
        places.is_sorted() && places.iter().all(Option::is_some),
        "{package}"
    );
    let page = file(&book, "OEBPS/page.xhtml");
    assert!(
        page.contains("<a href=\"part/deep.xhtml#there\">other</a>"),
        "{page}"
    );
    assert!(page.contains("<a>all</a>"), "{page}");
    let deep = file(&book, "OEBPS/part/deep.xhtml");
    assert!(
        deep.contains("<a href=\"../page.xhtml\">page</a>"),
        "{deep}"
    );
    assert!(deep.contains("href=\"../style.css\""), "{deep}");
    let navigation = file(&book, "OEBPS/nav.xhtml");
    let nested = "<li><span>Part</span>\n<ol>\n<li><a href=\"other.xhtml\">Other</a>\n<ol>\n\
                  <li><a href=\"part/deep.xhtml\">Deep</a></li>\n</ol>\n</li>\n</ol>\n</li>\n";
    assert!(navigation.contains(nested), "{navigation}");
}

#[test]
fn figures_and_images_are_in_the_epub() {
    let book = Book::with_page("# Page\n\n{{#plot ../data/speed.csv}}\n\n![a ring](ring.svg)\n");
    book.write(
        "book/data/speed.csv",
        "# title: Speed\n# x: clients\n# y: answers a second\n# note: Measured once.\n\
         # command: cargo run -p ch01-program\nclients,slow\n1,100\n2,150\n",
    );
    book.write(
        "book/src/ring.svg",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
    );
    book.run(&["build"]).is_fine();
    let page = file(&book, "OEBPS/page.xhtml");
    assert!(page.contains("<svg role=\"img\" viewBox=\""), "{page}");
    // The values of the light theme stand for its variables.
    assert!(
        page.contains("fill:none") && !page.contains("var(--"),
        "{page}"
    );
    assert!(file(&book, "OEBPS/ring.svg").contains("<svg"));
    let package = file(&book, "OEBPS/package.opf");
    assert!(
        package.contains(
            "href=\"page.xhtml\" media-type=\"application/xhtml+xml\" properties=\"svg\""
        ),
        "{package}"
    );
    assert!(
        package.contains("href=\"ring.svg\" media-type=\"image/svg+xml\""),
        "{package}"
    );
}

#[test]
fn an_image_that_readers_of_epub_need_not_show_fails_the_build() {
    let book = Book::with_page("# Page\n\n![a ring](ring.bmp)\n");
    book.write("book/src/ring.bmp", "a picture");
    book.run(&["build"]).finds(
        "book/src/page.md",
        "no reader of EPUB needs to show the image ring.bmp\n",
    );
}

#[test]
fn the_same_pages_make_the_same_epub() {
    let book = Book::new();
    let bytes = || {
        book.run(&["build"]).is_fine();
        std::fs::read(book.path(EPUB)).expect("the EPUB")
    };
    assert_eq!(bytes(), bytes());
}
