//! `update` writes what the programs print into the pages.

use crate::fixture::Book;

#[test]
fn an_update_makes_a_stale_block_pass_and_keeps_the_rest_of_the_page() {
    let book = Book::with_page(
        "# Page\n\nBefore.\n\n\
         ```console\n$ cargo run -p ch01-program\none\n2\nthree\nnode\n```\n\nAfter.\n",
    );
    let said = book.run(&["update"]);
    said.is_fine();
    assert!(said.stdout.contains("updated book/src/page.md\n"), "{said}");
    assert_eq!(
        book.read("book/src/page.md"),
        "# Page\n\nBefore.\n\n\
         ```console\n$ cargo run -p ch01-program\none\ntwo\nthree\nnode\n```\n\nAfter.\n",
    );
    book.check().is_fine();
}

#[test]
fn an_update_keeps_the_elisions_that_still_match() {
    let book = Book::with_page(
        "# Page\n\n```console\n$ cargo run -p ch01-program\no[..]\n[...]\nold\n\n\
         $ cargo run -p ch01-program -- x\nargument [..]\n```\n",
    );
    book.run(&["update"]).is_fine();
    assert_eq!(
        book.read("book/src/page.md"),
        "# Page\n\n```console\n$ cargo run -p ch01-program\no[..]\n[...]\nnode\n\n\
         $ cargo run -p ch01-program -- x\nargument [..]\n```\n",
    );
}

#[test]
fn an_update_fills_in_the_output_that_is_not_there_yet() {
    let book = Book::with_page(
        "# Page\n\n- In a list:\n\n  ```console\n  $ cargo run -p ch01-program -- x\n  ```\n\n\
         ```console\n$ cargo run -p ch01-program -- y\n```\n",
    );
    book.run(&["update"]).is_fine();
    assert_eq!(
        book.read("book/src/page.md"),
        "# Page\n\n- In a list:\n\n  \
         ```console\n  $ cargo run -p ch01-program -- x\n  argument x\n  ```\n\n\
         ```console\n$ cargo run -p ch01-program -- y\nargument y\n```\n",
    );
}

#[test]
fn an_update_leaves_a_page_that_is_right_untouched() {
    let page = "# Page\n\n```console\n$ cargo run -p ch01-program\n[...]\nnode\n\n```\n";
    let book = Book::with_page(page);
    let said = book.run(&["update"]);
    said.is_fine();
    assert!(!said.stdout.contains("updated"), "{said}");
    assert_eq!(book.read("book/src/page.md"), page);
}

#[test]
fn an_update_leaves_the_block_of_a_failing_command_as_it_was() {
    let page = "# Page\n\n```console\n$ cargo run -p ch01-program -- fail\nold\n```\n";
    let book = Book::with_page(page);
    book.run(&["update"]).finds(
        "book/src/page.md:4",
        "`cargo run -p ch01-program -- fail` ended with exit code 2",
    );
    assert_eq!(book.read("book/src/page.md"), page);
}
