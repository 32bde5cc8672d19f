//! A listing is code that the workspace compiles, under the name of its file.

use crate::fixture::Book;

fn with_listing(include: &str) -> Book {
    Book::with_page(&format!("# Page\n\n```rust\n{include}\n```\n"))
}

#[test]
fn a_sound_book_passes_and_the_check_says_what_it_looked_at() {
    let book = Book::with_page(
        "# Page\n\n\
         ```rust\n{{#include ../../chapters/01/src/main.rs:main}}\n```\n\n\
         ```toml\n{{#include ../../chapters/01/Cargo.toml}}\n```\n\n\
         ```console\n$ cargo run -p ch01-program\none\n[...]\nnode\n```\n\n\
         ```sh\ncargo install something\n```\n\n\
         [other](other.md#a-heading), [self](#page), [far](https://example.org/x)\n",
    );
    let said = book.check();
    said.is_fine();
    let summary =
        "The book is sound: checked 2 pages, 2 listings, 3 links, 1 output block, 0 traces.\n";
    assert_eq!(said.stdout, summary);
}

#[test]
fn a_listing_gets_a_caption_with_the_path_of_its_file() {
    let book = with_listing("{{#include ../../chapters/01/src/main.rs:main}}");
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    let start = "<figure class=\"listing\">\n\
                 <figcaption>chapters/01/src/main.rs</figcaption>\n\
                 <pre><code class=\"language-rust\">fn main() {\n";
    assert!(html.contains(start), "{html}");
    assert!(html.contains("}</code></pre>\n</figure>"), "{html}");
}

#[test]
fn a_listing_is_shifted_left_and_shows_its_attributes_but_no_anchors() {
    let book = with_listing("{{#include ../../chapters/01/src/node.rs:indented}}");
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    let code = "<code class=\"language-rust\">#[derive(Debug)]\n\
                #[allow(dead_code)]\nstruct Indented;</code>";
    assert!(html.contains(code), "{html}");
}

#[test]
fn a_listing_in_a_list_stays_in_the_list() {
    let book = Book::with_page(
        "# Page\n\n1. First\n\n   ```rust\n   \
         {{#include ../../chapters/01/src/node.rs:inner}}\n   ```\n\n2. Second\n",
    );
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    assert!(
        html.contains("struct Indented;</code></pre>\n</figure>\n</li>"),
        "{html}"
    );
    assert_eq!(
        html.matches("<ol>").count(),
        1 + book_navigation_lists(&html)
    );
}

/// The template has an ordered list of its own for readers without scripts.
fn book_navigation_lists(html: &str) -> usize {
    let main = html.find("<main>").expect("a main element");
    html[..main].matches("<ol>").count()
}

#[test]
fn a_listing_has_no_run_button() {
    let book = with_listing("{{#include ../../chapters/01/src/main.rs:main}}");
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    assert!(!html.contains("class=\"playground\""), "{html}");
}

#[test]
fn rust_code_written_on_the_page_fails_the_check() {
    let book = with_listing("fn main() {}");
    book.check()
        .finds("book/src/page.md:3", "listing that is in no crate\n");
}

#[test]
fn an_include_next_to_other_code_fails_the_check() {
    let book = with_listing("use std::fmt;\n{{#include ../../chapters/01/src/main.rs:main}}");
    book.check()
        .finds("book/src/page.md:3", "listing that is in no crate\n");
}

#[test]
fn a_listing_from_outside_of_the_members_fails_the_check() {
    let book = with_listing("{{#include ../../loose.rs:main}}");
    book.write(
        "loose.rs",
        "// ANCHOR: main\nfn main() {}\n// ANCHOR_END: main\n",
    );
    book.check().finds(
        "book/src/page.md:3",
        "listing that is in no crate: loose.rs is not compiled, \
         it is in no member of the workspace\n",
    );
}

#[test]
fn a_listing_of_a_file_that_no_mod_line_leads_to_fails_the_check() {
    let book = with_listing("{{#include ../../chapters/01/src/left_over.rs:x}}");
    let left_over = "// ANCHOR: x\nfn x() {}\n// ANCHOR_END: x\n";
    book.write("chapters/01/src/left_over.rs", left_over);
    book.check().finds(
        "book/src/page.md:3",
        "listing that is in no crate: chapters/01/src/left_over.rs is not compiled, \
         no `mod` line of the package ch01-program leads to it\n",
    );
}

#[test]
fn a_missing_file_fails_the_check() {
    let book = with_listing("{{#include ../../chapters/01/src/gone.rs:main}}");
    book.check().finds(
        "book/src/page.md:3",
        "the included file ../../chapters/01/src/gone.rs does not exist\n",
    );
}

#[test]
fn a_missing_anchor_fails_the_check() {
    let book = with_listing("{{#include ../../chapters/01/src/main.rs:gone}}");
    book.check().finds(
        "book/src/page.md:3",
        "the anchor `gone` is not in chapters/01/src/main.rs\n",
    );
}

#[test]
fn an_anchor_without_an_end_fails_the_check() {
    let book = with_listing("{{#include ../../chapters/01/src/node.rs:open}}");
    book.check().finds(
        "book/src/page.md:3",
        "the anchor `open` in chapters/01/src/node.rs has no end\n",
    );
}

#[test]
fn an_empty_listing_fails_the_check() {
    let book = with_listing("{{#include ../../chapters/01/src/node.rs:empty}}");
    book.check().finds(
        "book/src/page.md:3",
        "the include of ../../chapters/01/src/node.rs:empty is empty\n",
    );
}

#[test]
fn a_listing_of_a_whole_file_fails_the_check() {
    let book = with_listing("{{#include ../../chapters/01/src/main.rs}}");
    book.check().finds(
        "book/src/page.md:3",
        "listing of the whole file chapters/01/src/main.rs\n",
    );
}

#[test]
fn a_listing_by_line_numbers_fails_the_check() {
    let book = with_listing("{{#include ../../chapters/01/src/main.rs:2:5}}");
    book.check().finds(
        "book/src/page.md:3",
        "the include of chapters/01/src/main.rs counts lines (`2:5`)\n",
    );
}

#[test]
fn a_listing_longer_than_forty_lines_fails_the_check() {
    for (lines, sound) in [(40, true), (41, false)] {
        let book = with_listing("{{#include ../../chapters/01/src/node.rs:long}}");
        let body = "// a line\n".repeat(lines);
        let module = format!(
            "pub const NAME: &str = \"node\";\n// ANCHOR: long\n{body}// ANCHOR_END: long\n"
        );
        book.write("chapters/01/src/node.rs", &module);
        let said = book.check();
        if sound {
            said.is_fine();
        } else {
            said.finds(
                "book/src/page.md:3",
                "listing of 41 lines of chapters/01/src/node.rs, more than 40\n",
            );
        }
    }
}

#[test]
fn an_include_in_another_block_must_exist_too() {
    let book = Book::with_page("# Page\n\n```toml\n{{#include ../../gone.toml}}\n```\n");
    book.check().finds(
        "book/src/page.md:3",
        "the included file ../../gone.toml does not exist\n",
    );
    let book = Book::with_page("# Page\n\n{{#include ../../Cargo.toml:gone}}\n");
    book.check().finds(
        "book/src/page.md:3",
        "the anchor `gone` is not in Cargo.toml\n",
    );
}

#[test]
fn an_unknown_directive_fails_the_check() {
    let book = Book::with_page("# Page\n\n{{#figure ring}}\n");
    book.check()
        .finds("book/src/page.md:3", "unknown directive {{#figure …}}\n");
}

#[test]
fn a_warning_of_mdbook_fails_the_build_and_the_check() {
    let book = Book::with_page("# Page\n\nSome <b>bold text.\n");
    for said in [book.check(), book.run(&["build"])] {
        said.finds(
            "book/src/page.md:3",
            "mdBook warns: unclosed HTML tag `<b>` found in `page.md`",
        );
    }
}

#[test]
fn a_difference_shows_what_came_and_what_went_under_both_names() {
    let book = Book::with_page(
        "# Page\n\n{{#difference ../../chapters/01/src/node.rs:inner \
         ../../chapters/01/src/node.rs:indented}}\n\nAfter it.\n",
    );
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    let shown = "<figcaption>What changed from chapters/01/src/node.rs (−) to \
                 chapters/01/src/node.rs (+)</figcaption>\n\
                 <pre><code class=\"language-diff\">+#[derive(Debug)]\n #[allow(dead_code)]\n";
    assert!(html.contains(shown), "{html}");
    assert!(html.contains("<p>After it.</p>"), "{html}");
}

#[test]
fn a_difference_that_shows_nothing_is_found() {
    let inner = "../../chapters/01/src/node.rs:inner";
    let book = Book::with_page(&format!("# Page\n\n{{{{#difference {inner} {inner}}}}}\n"));
    book.check().finds(
        "book/src/page.md:3",
        "chapters/01/src/node.rs and chapters/01/src/node.rs do not differ",
    );
}

#[test]
fn a_difference_of_one_thing_is_found() {
    let book = Book::with_page("# Page\n\n{{#difference ../../chapters/01/src/node.rs:inner}}\n");
    book.check().finds(
        "book/src/page.md:3",
        "`../../chapters/01/src/node.rs:inner` does not name two listings",
    );
}
