//! `verify` finds what is wrong with a task.

use crate::assert_says;
use crate::tiny::{RIGHT, Tiny};

const PAPERS: &str = "exercises/01-tiny/tasks/double";

fn assert_finds(tiny: &Tiny, pieces: &[&str]) {
    let (code, said) = tiny.run("verify");
    assert_eq!(code, 1, "{said}");
    assert_says(&said, pieces);
}

#[test]
fn tasks_that_are_as_they_should_be_are_proven() {
    let tiny = Tiny::new();
    let (code, said) = tiny.run("verify");
    assert_eq!(code, 0, "{said}");
    assert_says(&said, &["3 tasks are as they should be"]);
    let file = "exercises/01-tiny/src/double.rs";
    assert!(
        tiny.read(file).contains("todo!"),
        "the student's file stays as it is"
    );
}

#[test]
fn a_starter_that_passes_is_found() {
    let tiny = Tiny::new();
    let dead = "    if number > 0 {\n        return number * 2;\n    }\n    todo!(";
    for file in [
        "exercises/01-tiny/src/double.rs",
        &format!("{PAPERS}/starter.rs"),
    ] {
        tiny.replace(file, "    todo!(", dead);
    }
    assert_finds(
        &tiny,
        &["starter.rs: ten_is_multiplied should meet a todo!"],
    );
}

#[test]
fn a_solution_that_fails_is_found() {
    let tiny = Tiny::new();
    tiny.replace(&format!("{PAPERS}/solution.rs"), "number * 2", "number * 3");
    assert_finds(
        &tiny,
        &[
            "solution.rs: ten_is_multiplied should hold",
            "Of 10 you make 30",
        ],
    );
}

#[test]
fn a_solution_that_the_compiler_complains_of_is_found() {
    let tiny = Tiny::new();
    tiny.replace(
        &format!("{PAPERS}/solution.rs"),
        "number * 2",
        "let mut two = 2; number * two",
    );
    assert_finds(
        &tiny,
        &["solution.rs:\nwarning: variable does not need to be mutable"],
    );
}

#[test]
fn a_wrong_answer_that_is_answered_beside_the_point_is_found() {
    let tiny = Tiny::new();
    tiny.replace(
        &format!("{PAPERS}/task.toml"),
        "to multiply is not to add",
        "read the page",
    );
    assert_finds(
        &tiny,
        &["wrong/adds.rs: ten_is_multiplied should fail with \"read the page\""],
    );
}

#[test]
fn a_wrong_answer_that_is_right_is_found() {
    let tiny = Tiny::new();
    tiny.write(&format!("{PAPERS}/wrong/adds.rs"), RIGHT);
    assert_finds(
        &tiny,
        &["wrong/adds.rs: ten_is_multiplied should fail", "Holds"],
    );
}

#[test]
fn what_does_not_fit_together_is_found() {
    let tiny = Tiny::new();
    tiny.replace(
        &format!("{PAPERS}/task.toml"),
        "zero_stays_zero",
        "zero_remains",
    );
    tiny.replace("book/src/01-tiny.md", "The idea", "An idea");
    tiny.replace("book/src/01-tiny.md", "check 01.2", "check 01.9");
    tiny.replace(
        "exercises/01-tiny/tasks/triple/task.toml",
        ", \"Third hint.\"",
        "",
    );
    tiny.replace(
        "exercises/01-tiny/tasks/triple/task.toml",
        "moderate",
        "easy",
    );
    tiny.write("exercises/01-tiny/src/quadruple.rs", RIGHT);
    assert_finds(
        &tiny,
        &[
            "the claims [\"ten_is_multiplied\", \"zero_remains\"]",
            "has no heading #the-idea",
            "does not name it: cargo exercise check 01.2",
            "01.2: there are fewer than 3 hints",
            "chapter 01: there is no task that is Moderate",
            "quadruple.rs is not exercises/01-tiny/tasks/quadruple/starter.rs",
        ],
    );
}
