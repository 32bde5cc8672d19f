//! Every address on a page leads somewhere, and every page is in SUMMARY.md.

use crate::fixture::Book;

fn finds_at_line_3(text: &str, problem: &str) {
    let book = Book::with_page(&format!("# Page\n\n{text}\n"));
    book.check().finds("book/src/page.md:3", problem);
}

#[test]
fn a_link_to_a_missing_page_fails_the_check() {
    finds_at_line_3(
        "[gone](gone.md)",
        "dead link: gone.html leads to no file of the site\n",
    );
}

#[test]
fn a_link_out_of_the_site_fails_the_check() {
    finds_at_line_3(
        "[code](../../chapters/01/src/main.rs)",
        "dead link: ../../chapters/01/src/main.rs leads to no file of the site\n",
    );
}

#[test]
fn a_fragment_without_an_id_on_the_same_page_fails_the_check() {
    finds_at_line_3(
        "[gone](#gone)",
        "dead fragment: #gone, as page.html has no id `gone`\n",
    );
}

#[test]
fn a_fragment_without_an_id_on_another_page_fails_the_check() {
    finds_at_line_3(
        "[gone](other.md#gone)",
        "dead fragment: other.html#gone, as other.html has no id `gone`\n",
    );
}

#[test]
fn an_id_that_occurs_twice_fails_the_check() {
    finds_at_line_3(
        "<span id=\"x\">a</span> <span id=\"x\">b</span>",
        "the id `x` occurs twice on the page\n",
    );
}

#[test]
fn an_image_without_a_text_fails_the_check() {
    let book = Book::with_page("# Page\n\n![](ring.svg)\n");
    book.write(
        "book/src/ring.svg",
        "<svg xmlns=\"http://www.w3.org/2000/svg\"/>",
    );
    book.check().finds(
        "book/src/page.md:3",
        "the image ring.svg has no text for those who cannot see it\n",
    );
}

#[test]
fn a_missing_image_fails_the_check() {
    finds_at_line_3(
        "![three nodes](ring.svg)",
        "dead link: ring.svg leads to no file of the site\n",
    );
}

#[test]
fn a_resource_from_another_host_fails_the_check() {
    finds_at_line_3(
        "![a badge](https://example.org/badge.svg)",
        "the page loads https://example.org/badge.svg from another host\n",
    );
    finds_at_line_3(
        "<script src=\"//example.org/x.js\"></script>",
        "//example.org/x.js names a host without saying how to reach it\n",
    );
}

#[test]
fn a_stylesheet_that_loads_from_another_host_fails_the_check() {
    let book = Book::new();
    let with_style = book.read("book.toml").replace(
        "[output.html.playground]",
        "[output.html]\nadditional-css = [\"book/theme/book.css\"]\n[output.html.playground]",
    );
    book.write("book.toml", &with_style);
    book.write(
        "book/theme/book.css",
        "\n@import url(https://example.org/font.css);\n",
    );
    book.check().finds(
        "book/theme/book.css:2",
        "the page loads https://example.org/font.css from another host\n",
    );
}

#[test]
fn a_link_to_another_host_is_https() {
    finds_at_line_3(
        "[far](http://example.org/)",
        "the link http://example.org/ is not https\n",
    );
}

#[test]
fn a_link_from_the_root_of_the_host_fails_the_check() {
    finds_at_line_3(
        "[other](/other.html)",
        "/other.html counts from the root of the host\n",
    );
}

#[test]
fn a_reference_to_a_missing_id_fails_the_check() {
    finds_at_line_3(
        "<div role=\"img\" aria-labelledby=\"gone\"></div>",
        "dead reference: no element of the page has the id `gone`\n",
    );
}

#[test]
fn a_link_to_a_readme_says_how_to_write_it() {
    let book = Book::with_page("# Page\n\n[start](README.md)\n");
    book.write(
        "book/src/SUMMARY.md",
        "[Start](README.md)\n\n- [Page](page.md)\n- [Other](other.md)\n",
    );
    book.write("book/src/README.md", "# Start\n");
    let said = book.check();
    said.finds("book/src/page.md:3", "dead link: README.html");
    assert!(said.stderr.contains("write index.md instead"), "{said}");

    book.write("book/src/page.md", "# Page\n\n[start](index.md)\n");
    book.check().is_fine();
}

#[test]
fn a_page_that_summary_does_not_list_fails_the_check() {
    let book = Book::new();
    book.write("book/src/forgotten.md", "# Forgotten\n");
    book.check().finds(
        "book/src/forgotten.md",
        "the page is not in SUMMARY.md, so no reader will find it\n",
    );
}

#[test]
fn an_entry_of_summary_without_a_file_fails_the_check_and_creates_nothing() {
    let book = Book::new();
    let summary = format!("{}- [Gone](gone.md)\n", book.read("book/src/SUMMARY.md"));
    book.write("book/src/SUMMARY.md", &summary);
    book.check().finds(
        "book/src/SUMMARY.md:5",
        "SUMMARY.md lists gone.md, which does not exist\n",
    );
    assert!(!book.path("book/src/gone.md").exists());
}

#[test]
fn a_site_below_a_folder_of_its_host_passes() {
    let book = Book::new();
    let below = book.read("book.toml").replace(
        "[output.html.playground]",
        "[output.html]\nsite-url = \"/book/\"\n[output.html.playground]",
    );
    book.write("book.toml", &below);
    book.check().is_fine();
}
