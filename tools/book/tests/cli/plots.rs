//! A plot is drawn from a file, and so is the table below it.

use crate::fixture::Book;

const NUMBERS: &str = "\
# title: Speed
# x: clients
# y: answers a second
# note: Measured once.
# command: cargo run -p ch01-program
clients,slow,quick
1,100,200
2,150,1300
";

fn with_plot(numbers: &str) -> Book {
    let book = Book::with_page("# Page\n\n{{#plot ../data/speed.csv}}\n\nAfter it.\n");
    book.write("book/data/speed.csv", numbers);
    book
}

#[test]
fn a_plot_is_a_picture_with_a_table_and_says_how_it_was_measured() {
    let book = with_plot(NUMBERS);
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    for shown in [
        "<figure class=\"diagram\">\n<svg role=\"img\"",
        "<title>Speed</title>",
        "<figcaption>Measured once. To measure again: <code>cargo run -p ch01-program</code>",
        "<th style=\"text-align: right\">quick</th>",
        "<td style=\"text-align: right\">1\u{202f}300</td>",
        "<td style=\"text-align: right\">8.7</td>",
        "<p>After it.</p>",
    ] {
        assert!(html.contains(shown), "{shown} is missing in\n{html}");
    }
}

#[test]
fn wrong_numbers_are_found_with_their_file_and_line() {
    let book = with_plot(&NUMBERS.replace("2,150", "2,quick"));
    book.check().finds(
        "book/src/page.md:3",
        "book/data/speed.csv:8: `quick` is no positive number\n",
    );
}

#[test]
fn a_plot_of_a_file_that_is_not_there_is_found() {
    let book = Book::with_page("# Page\n\n{{#plot ../data/gone.csv}}\n");
    book.check().finds(
        "book/src/page.md:3",
        "the included file ../data/gone.csv does not exist\n",
    );
}
