//! An output block shows what its command prints.

use crate::fixture::Book;

fn with_block(block: &str) -> Book {
    Book::with_page(&format!("# Page\n\n{block}\n"))
}

#[track_caller]
fn passes(block: &str) {
    with_block(block).check().is_fine();
}

#[track_caller]
fn fails(block: &str, line: usize, problem: &str) {
    let place = format!("book/src/page.md:{line}");
    with_block(block).check().finds(&place, problem);
}

#[test]
fn an_output_that_differs_fails_the_check_and_shows_the_difference() {
    fails(
        "```console\n$ cargo run -p ch01-program\none\n2\nthree\nnode\n```",
        4,
        "`cargo run -p ch01-program` prints something else \
         (- is on the page, + was printed):\n      one\n    - 2\n    + two\n      three\n",
    );
}

#[test]
fn elisions_stand_for_lines_and_for_text() {
    passes("```console\n$ cargo run -p ch01-program\n[...]\ntw[..]\n[...]\n```");
    passes("```console\n$ cargo run -p ch01-program -- 'a b'\nargument a [..]\n```");
}

#[test]
fn a_line_too_many_and_a_line_too_few_fail_the_check() {
    for shown in ["one\ntwo\nthree\nnode\nfour", "one\ntwo\nthree"] {
        fails(
            &format!("```console\n$ cargo run -p ch01-program\n{shown}\n```"),
            4,
            "`cargo run -p ch01-program` prints something else",
        );
    }
}

#[test]
fn each_command_of_a_block_is_followed_by_its_own_output() {
    passes(
        "```console\n$ cargo run -p ch01-program -- x\nargument x\n\n\
         $ cargo run -p ch01-program -- y\nargument y\n```",
    );
    fails(
        "```console\n$ cargo run -p ch01-program -- x\nargument x\n\n\
         $ cargo run -p ch01-program -- y\nargument x\n```",
        7,
        "`cargo run -p ch01-program -- y` prints something else",
    );
}

#[test]
fn each_distinct_command_is_run_once() {
    let block = "```console\n$ cargo run -p ch01-program -- x\nargument x\n```\n\n";
    let said = with_block(&block.repeat(3)).check();
    said.is_fine();
    let runs = said.stderr.matches("running cargo run").count();
    assert_eq!(runs, 1, "{said}");
}

#[test]
fn standard_error_is_shown_only_when_the_block_asks_for_it() {
    passes("```console\n$ cargo run -p ch01-program -- both\nout\nout again\n```");
    passes("```console,stderr\n$ cargo run -p ch01-program -- both\nout\nerr\nout again\n```");
}

#[test]
fn an_unexpected_exit_code_fails_the_check() {
    fails(
        "```console\n$ cargo run -p ch01-program -- fail\n[...]\n```",
        4,
        "`cargo run -p ch01-program -- fail` ended with exit code 2; \
         the block expects exit code 0\n",
    );
    passes("```console,exit=2\n$ cargo run -p ch01-program -- fail\n[...]\n```");
}

#[test]
fn a_test_run_is_shown_with_an_elision_for_its_time() {
    passes(
        "```console\n$ cargo test -p ch01-program\n\nrunning 1 test\ntest it_holds ... ok\n\n\
         test result: ok. 1 passed; [..] finished in [..]s\n```",
    );
    fails(
        "```console,stderr\n$ cargo test -p ch01-program\n[...]\n```",
        4,
        "`console,stderr` is for `cargo run`",
    );
}

#[test]
fn a_command_without_output_belongs_in_a_sh_block() {
    fails(
        "```console\n$ cargo run -p ch01-program\n```",
        4,
        "`$ cargo run -p ch01-program` is shown without its output\n",
    );
    passes("```sh\n$ cargo run -p ch01-program\n```");
}

#[test]
fn only_cargo_run_and_cargo_test_are_run() {
    for command in [
        "rm -r target",
        "cargo clean -p ch01-program",
        "RUST_LOG=x cargo run",
    ] {
        fails(
            &format!("```console\n$ {command}\n[...]\n```"),
            4,
            &format!("`{command}` is not `cargo run` or `cargo test`, so it is not run\n"),
        );
    }
}

#[test]
fn no_shell_is_between_the_page_and_cargo() {
    fails(
        "```console\n$ cargo run -p ch01-program | head\n[...]\n```",
        4,
        "`cargo run -p ch01-program | head` needs a shell for `|`; output blocks have none\n",
    );
}

#[test]
fn cargo_takes_no_option_that_leads_elsewhere() {
    for option in [
        "--manifest-path=x",
        "--config",
        "--target-dir=x",
        "+nightly",
    ] {
        fails(
            &format!("```console\n$ cargo run -p ch01-program {option}\n[...]\n```"),
            4,
            &format!("`{option}` may not be given to cargo in an output block\n"),
        );
    }
}

#[test]
fn a_command_names_a_package_of_the_workspace() {
    fails(
        "```console\n$ cargo run\n[...]\n```",
        4,
        "`cargo run` does not name its package\n",
    );
    fails(
        "```console\n$ cargo run -p other\n[...]\n```",
        4,
        "`other` is no package of this workspace\n",
    );
}

#[test]
fn a_block_that_does_not_begin_with_a_command_fails_the_check() {
    fails(
        "```console\nout\n```",
        4,
        "a console block that does not begin with a command\n",
    );
}

#[test]
fn an_unknown_attribute_fails_the_check() {
    fails(
        "```console,stdout\n$ cargo run -p ch01-program\n[...]\n```",
        3,
        "unknown attribute `stdout` of a console block\n",
    );
}

#[test]
fn a_program_that_does_not_compile_fails_the_check() {
    let book = with_block("```console\n$ cargo run -p ch01-program\n[...]\n```");
    book.write("chapters/01/src/main.rs", "fn main() { missing() }\n");
    let said = book.check();
    said.finds("book/src/page.md:4", "the program does not compile\n");
    assert!(
        said.stderr.contains("cannot find function `missing`"),
        "{said}"
    );
}

#[test]
fn a_program_that_does_not_end_is_stopped() {
    let book = with_block("```console\n$ cargo run -p ch01-program -- loop\n[...]\n```");
    let said = book.run(&["check", "--time-limit", "1"]);
    said.finds(
        "book/src/page.md:4",
        "the program did not end within 1 seconds\n",
    );
}
