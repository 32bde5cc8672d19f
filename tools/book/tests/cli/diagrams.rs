//! A sequence diagram is drawn from a trace, and the trace stands below it.

use crate::fixture::Book;

const TRACE: &str = "\
# trace 1
# title: Two nodes elect a leader
# command: cargo run -p ch01-program -- file run.trace
   1 n1: became candidate at term 2
   2 n1 → n2 RequestVote term 2 (sent 1)
   3 n2 → n1 RequestVoteResponse term 2, granted (sent 2)
   3 n1: became leader at term 2
   4 n1 → n2 Heartbeat term 2, commit 1 (sent 3)
   5 n2 → n1 HeartbeatResponse term 2 (sent 4)
   6 n1 → n2 Heartbeat term 2, commit 1 (sent 5)
";

fn with_diagram(trace: &str) -> Book {
    let book = Book::with_page("# Page\n\n{{#diagram ../data/run.trace}}\n\nAfter it.\n");
    book.write("book/data/run.trace", trace);
    // What the trace's command writes.
    book.write("run.trace", trace);
    book
}

#[test]
fn a_diagram_is_a_picture_with_its_trace_as_text_below() {
    let book = with_diagram(TRACE);
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    for shown in [
        "<figure class=\"stepper\">\n<div class=\"stepper-sheet\">\n<svg role=\"img\"",
        "<title>Two nodes elect a leader</title>",
        "<title>2 n1 → n2 RequestVote term 2 (sent 1)</title>",
        "<title>4 2 heartbeats, 1 answer, until 6</title>",
        "<figcaption>Two nodes elect a leader. To write this trace again: \
         <code>cargo run -p ch01-program -- file run.trace</code></figcaption>",
        "<summary>The same run as text</summary>",
        "<pre># trace 1\n# title: Two nodes elect a leader\n",
        "   6 n1 → n2 Heartbeat term 2, commit 1 (sent 5)</pre>",
        "<p>After it.</p>",
    ] {
        assert!(html.contains(shown), "{shown} is missing in\n{html}");
    }
    assert_eq!(html.matches("class=\"event").count(), 5);
}

#[test]
fn a_diagram_has_no_control_that_does_nothing_without_scripts() {
    let book = with_diagram(TRACE);
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    let (_, figure) = html.split_once("<figure class=\"stepper\">").unwrap();
    let (figure, _) = figure.split_once("</figure>").unwrap();
    assert!(!figure.contains("<button") && !figure.contains("<input"));
}

#[test]
fn a_diagram_is_drawn_whole_if_the_page_says_so() {
    let book = Book::with_page("# Page\n\n{{#diagram ../data/run.trace whole}}\n");
    book.write("book/data/run.trace", TRACE);
    book.run(&["build"]).is_fine();
    let html = book.read("target/book/page.html");
    assert_eq!(html.matches("class=\"event").count(), 7);
}

#[test]
fn what_a_trace_says_is_shown_and_not_obeyed() {
    let trace = TRACE.replace(
        "2 n1 → n2 RequestVote term 2",
        "2 n1 → n2 <b> {{#include gone.rs}}",
    );
    let book = with_diagram(&trace);
    book.check().is_fine();
    let html = book.read("target/book/page.html");
    assert!(
        html.contains("&lt;b&gt; {{#include gone.rs}} (sent 1)"),
        "{html}"
    );
}

#[test]
fn a_bad_trace_is_found_with_its_line() {
    let book = with_diagram(&TRACE.replace("(sent 2)", "(sent 4)"));
    book.check().finds(
        "book/src/page.md:3",
        "book/data/run.trace:6: sent at 4, which is after it arrived\n",
    );
}

#[test]
fn a_diagram_of_a_trace_that_is_not_there_is_found() {
    let book = Book::with_page("# Page\n\n{{#diagram ../data/gone.trace}}\n");
    book.check().finds(
        "book/src/page.md:3",
        "the included file ../data/gone.trace does not exist\n",
    );
}

#[test]
fn a_diagram_of_something_else_is_found() {
    let book = Book::with_page("# Page\n\n{{#diagram a.trace b.trace}}\n");
    book.check().finds(
        "book/src/page.md:3",
        "`a.trace b.trace` does not name one trace\n",
    );
}

#[test]
fn a_picture_too_large_for_a_page_is_found() {
    let many: Vec<String> = (1..2000).map(|time| format!("{time} n1: waits")).collect();
    let book = with_diagram(&format!("# trace 1\n{}\n", many.join("\n")));
    let said = book.check();
    assert!(
        said.stderr
            .contains("book/src/page.md:3: the diagram of book/data/run.trace has ")
    );
    assert!(said.stderr.contains(" KiB, more than 200\n"), "{said}");
    assert_eq!(said.code, Some(1));
}

#[test]
fn a_trace_that_its_command_writes_otherwise_fails_the_check_and_shows_the_difference() {
    let book = with_diagram(TRACE);
    book.check().is_fine();
    book.write(
        "run.trace",
        &TRACE.replace("term 2, granted", "term 2, refused"),
    );
    book.check().finds(
        "book/data/run.trace",
        "`cargo run -p ch01-program -- file run.trace` writes another trace \
         (- is in the file, + was written):\n",
    );
}

#[test]
fn an_update_writes_the_trace_again_and_then_the_check_passes() {
    let book = with_diagram(TRACE);
    let now = TRACE.replace("term 2, granted", "term 2, refused");
    book.write("run.trace", &now);
    let said = book.run(&["update"]);
    said.is_fine();
    assert!(
        said.stdout.contains("updated book/data/run.trace\n"),
        "{said}"
    );
    assert_eq!(book.read("book/data/run.trace"), now);
    let said = book.check();
    said.is_fine();
    assert!(said.stdout.contains(", 1 trace.\n"), "{said}");
}

#[test]
fn an_update_writes_nothing_that_is_no_trace() {
    let book = with_diagram(TRACE);
    book.write("run.trace", "none\n");
    book.run(&["update"]).finds(
        "book/data/run.trace",
        "what `cargo run -p ch01-program -- file run.trace` writes is no trace: line 1: ",
    );
    assert_eq!(book.read("book/data/run.trace"), TRACE);
}

#[test]
fn a_trace_names_the_command_that_writes_it() {
    let book = with_diagram("# trace 1\n1 n1: waits\n");
    book.check().finds(
        "book/data/run.trace",
        "the trace does not name the command that writes it\n",
    );
}

#[test]
fn a_trace_whose_command_fails_is_found() {
    let book = with_diagram("# trace 1\n# command: cargo run -p ch01-program -- fail\n1 *: a\n");
    book.check().finds(
        "book/data/run.trace",
        "`cargo run -p ch01-program -- fail` ended with exit code 2\n",
    );
}

#[test]
fn a_trace_names_no_command_that_an_output_block_may_not_hold() {
    let book = with_diagram("# trace 1\n# command: cargo clean\n1 *: a\n");
    book.check().finds(
        "book/data/run.trace",
        "`cargo clean` is not `cargo run` or `cargo test`, so it is not run\n",
    );
}
