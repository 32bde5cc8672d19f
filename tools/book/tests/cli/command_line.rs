//! Arguments, folders and exit codes.

use crate::fixture::Book;

#[test]
fn a_wrong_flag_is_exit_code_2_and_a_clear_message() {
    let said = Book::new().run(&["check", "--fast"]);
    assert_eq!(said.code, Some(2), "{said}");
    assert!(
        said.stderr.contains("unexpected argument '--fast'"),
        "{said}"
    );
    assert!(said.stderr.contains("Usage: cargo book check"), "{said}");
}

#[test]
fn a_wrong_command_is_exit_code_2() {
    let said = Book::new().run(&["publish"]);
    assert_eq!(said.code, Some(2), "{said}");
}

#[test]
fn an_option_of_serve_before_another_command_is_exit_code_2() {
    let said = Book::new().run(&["--port", "4000", "check"]);
    assert_eq!(said.code, Some(2), "{said}");
    assert!(said.stderr.contains("belong to `serve`"), "{said}");
}

#[test]
fn the_help_names_every_command() {
    let said = Book::new().run(&["--help"]);
    assert_eq!(said.code, Some(0), "{said}");
    for command in ["serve", "build", "check", "update"] {
        assert!(said.stdout.contains(command), "{said}");
    }
}

#[test]
fn the_book_is_found_from_any_folder_of_the_workspace() {
    let book = Book::new();
    let mut command = book.command(&["build"]);
    command.current_dir(book.path("chapters/01/src"));
    let output = command.output().expect("to run the tool");
    assert!(output.status.success());
    assert!(book.path("target/book/page.html").is_file());
}

#[test]
fn the_root_can_be_named() {
    let book = Book::new();
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let mut command = book.command(&["build", "--root"]);
    command.arg(book.root()).current_dir(elsewhere.path());
    let output = command.output().expect("to run the tool");
    assert!(output.status.success());
}

#[test]
fn a_folder_without_a_book_is_told_so() {
    let elsewhere = tempfile::tempdir().expect("a temporary folder");
    let root = elsewhere.path().to_str().expect("a path in UTF-8");
    let said = Book::new().run(&["build", "--root", root]);
    assert_eq!(said.code, Some(1), "{said}");
    assert!(said.stderr.contains("holds no book.toml"), "{said}");
}

#[test]
fn a_build_says_where_the_book_is() {
    let book = Book::new();
    let said = book.run(&["build"]);
    said.is_fine();
    assert!(said.stdout.contains("target/book"), "{said}");
}
