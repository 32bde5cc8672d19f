//! What `cargo exercise` answers, in a tiny repository.

mod authors;
mod tiny;
#[cfg(unix)]
mod watching;

use tiny::{FILE, RIGHT, Tiny, WRONG};

/// What was said must contain these pieces, wherever its lines are broken.
fn assert_says(said: &str, pieces: &[&str]) {
    let in_one_line = said.split_whitespace().collect::<Vec<_>>().join(" ");
    for piece in pieces {
        let is_said = said.contains(piece) || in_one_line.contains(piece);
        assert!(is_said, "nothing about {piece:?} in:\n{said}");
    }
}

#[test]
fn an_untouched_task_is_answered_with_what_to_do_first() {
    let tiny = Tiny::new();
    let (code, said) = tiny.run("check 01");
    assert_eq!(code, 1);
    assert_says(
        &said,
        &[
            "01.1 · Times 2 (Easy, predict, 5 minutes)",
            "You have not begun",
            "1. Read book/src/01-tiny.md#the-idea",
            "2. Open exercises/01-tiny/src/double.rs",
            "3. Run  cargo exercise check 01.1",
            "Multiply by 2.",
            "cargo exercise hint 01.1",
        ],
    );
    assert!(
        !tiny.path("target").exists(),
        "nothing need be compiled for that"
    );
}

#[test]
fn a_claim_that_does_not_hold_is_named_in_words_and_says_why() {
    let tiny = Tiny::new();
    tiny.write(FILE, WRONG);
    let (code, said) = tiny.run("check 01.1");
    assert_eq!(code, 1);
    assert_says(
        &said,
        &[
            "  holds  zero stays zero\n",
            "  FAILS  ten is multiplied by 2\n",
            "Of 10 you make 10: to multiply is not to add.",
            "Next: go on in exercises/01-tiny/src/double.rs,",
            "then run `cargo exercise check 01.1` again",
            "`cargo exercise hint 01.1`",
        ],
    );
    for noise in [
        "panicked",
        "RUST_BACKTRACE",
        "test result",
        "running 1 test",
    ] {
        assert!(
            !said.contains(noise),
            "{noise:?} means nothing to a student:\n{said}"
        );
    }
}

#[test]
fn a_right_answer_is_done_and_the_next_task_is_named() {
    let tiny = Tiny::new();
    tiny.write(FILE, RIGHT);
    let (code, said) = tiny.run("check 1.double");
    assert_eq!(code, 0, "{said}");
    let done = "Done: 01.1 · Times 2";
    assert_says(
        &said,
        &[
            "holds  ten is multiplied",
            done,
            "Next: cargo exercise check 01.2",
        ],
    );

    let (code, said) = tiny.run("check 01");
    assert_eq!(code, 1, "two tasks of the chapter are not begun");
    assert_says(
        &said,
        &[
            "holds  ten is multiplied",
            "01.2 · Times 3",
            "You have not begun",
        ],
    );
}

#[test]
fn the_list_shows_how_far_one_is() {
    let tiny = Tiny::new();
    let standing = || {
        let (code, said) = tiny.run("list");
        assert_eq!(code, 0, "{said}");
        said
    };
    let said = standing();
    assert_says(
        &said,
        &[
            "01 · Tiny",
            "not begun",
            "0 of 3 done",
            "cargo exercise check 01.1",
        ],
    );
    tiny.write(FILE, WRONG);
    assert_says(&standing(), &["Times 2 (begun)"]);
    tiny.write(FILE, RIGHT);
    tiny.run("check 01.1");
    assert_says(
        &standing(),
        &["Times 2 (done)", "1 of 3 done", "cargo exercise check 01.2"],
    );
    tiny.write(FILE, WRONG);
    assert_says(
        &standing(),
        &["Times 2 (changed since it was done)", "0 of 3 done"],
    );
    tiny.write(FILE, RIGHT);
    assert_says(&standing(), &["Times 2 (done)"]);
}

#[test]
fn what_the_compiler_says_is_shown_with_the_student_s_file() {
    let tiny = Tiny::new();
    tiny.write(
        FILE,
        "//! Mine.\npub fn times(number: u32) -> u32 { numbre * 2 }\n",
    );
    let (code, said) = tiny.run("check 01.1");
    assert_eq!(code, 1);
    assert_says(
        &said,
        &[
            "cannot find value `numbre`",
            "--> exercises/01-tiny/src/double.rs:2:36",
            "exercises/01-tiny/src/double.rs does not compile yet",
        ],
    );

    // A chapter compiles as a whole, so the error is in the way of the other tasks.
    tiny.write(
        "exercises/01-tiny/src/triple.rs",
        &RIGHT.replace("* 2", "* 3"),
    );
    let (code, said) = tiny.run("check 01.2");
    assert_eq!(code, 1);
    assert_says(
        &said,
        &["It belongs to task 01.1", "cargo exercise reset 01.1"],
    );
}

#[test]
fn a_file_that_the_tests_do_not_know_any_more_is_told_so() {
    let tiny = Tiny::new();
    tiny.write(FILE, &RIGHT.replace("times", "twice"));
    let (code, said) = tiny.run("check 01.1");
    assert_eq!(code, 1);
    assert_says(
        &said,
        &["Keep the names and the types", "cargo exercise reset 01.1"],
    );
}

#[test]
fn a_panic_in_the_student_s_code_says_where() {
    let tiny = Tiny::new();
    tiny.write(
        FILE,
        "//! Mine.\npub fn times(number: u32) -> u32 {\n    println!(\"of {number}\");\n    number - 20\n}\n",
    );
    let (_, said) = tiny.run("check 01.1");
    let place = "the code panicked at exercises/01-tiny/src/double.rs:4:5: attempt to subtract";
    assert_says(&said, &[place, "Your code printed: of 0"]);
}

#[test]
fn a_loop_that_never_ends_is_ended_and_what_follows_is_not_waited_for() {
    let tiny = Tiny::new();
    tiny.write(
        FILE,
        "//! Mine.\npub fn times(number: u32) -> u32 { loop {} }\n",
    );
    let (code, said) = tiny.run("check 01.1");
    assert_eq!(code, 1);
    assert_says(
        &said,
        &["FAILS  zero stays zero", "Is there a loop that never ends?"],
    );
    assert_says(&said, &["    ?    ten is multiplied"]);
}

#[test]
fn a_process_that_is_ended_by_the_student_proves_nothing() {
    let tiny = Tiny::new();
    let exits = "//! Mine.\npub fn times(number: u32) -> u32 { std::process::exit(0) }\n";
    tiny.write(FILE, exits);
    let (code, said) = tiny.run("check 01.1");
    assert_eq!(code, 1);
    assert_says(
        &said,
        &["FAILS  zero stays zero", "Does your code end the process?"],
    );
}

#[test]
fn hints_come_one_by_one_and_stay() {
    let tiny = Tiny::new();
    let hints = |given: usize| {
        let (code, said) = tiny.run("hint 01.1");
        assert_eq!(
            (code, said.matches(" hint.\n").count()),
            (0, given),
            "{said}"
        );
        said
    };
    assert_says(
        &hints(1),
        &["Hint 1 of 3", "First hint.", "gives the next one"],
    );
    assert_says(&hints(2), &["First hint.", "Second hint."]);
    assert_says(&hints(3), &["Third hint.", "That was the last one"]);
    assert_says(
        &hints(3),
        &["These are all", "cargo exercise solution 01.1"],
    );
    assert_says(&tiny.run("list").1, &["Times 2 (not begun, 3 of 3 hints)"]);
    assert_says(&tiny.run("hint 01.2").1, &["Hint 1 of 3"]);
}

#[test]
fn a_solution_is_not_shown_by_a_slip() {
    let tiny = Tiny::new();
    let (code, said) = tiny.run("solution 01.1");
    assert_eq!(code, 1);
    assert_says(&said, &["nobody to ask", "--yes"]);
    assert!(!said.contains("number * 2"), "{said}");

    let (code, said) = tiny.run("solution 01.1 --yes");
    assert_eq!(code, 0);
    assert_says(&said, &["tasks/double/solution.rs", "number * 2"]);
    assert!(
        tiny.read(FILE).contains("todo!"),
        "the student's file stays as it is"
    );

    tiny.write(FILE, RIGHT);
    tiny.run("check 01.1");
    let (code, said) = tiny.run("solution 01.1");
    assert_eq!(code, 0, "who is done need not be asked: {said}");
}

#[test]
fn work_is_not_lost_by_a_reset() {
    let tiny = Tiny::new();
    assert_says(&tiny.run("reset 01.1").1, &["is the starter already"]);
    tiny.write(FILE, RIGHT);
    let (code, said) = tiny.run("reset 01.1");
    assert_eq!(code, 1);
    assert_says(&said, &["nobody to ask", "--yes"]);
    assert_eq!(tiny.read(FILE), RIGHT);

    let backup = "exercises/.progress/backup/01.double-1.rs";
    let (code, said) = tiny.run("reset 01.1 --yes");
    assert_eq!(code, 0);
    assert_says(&said, &["is the starter again", backup]);
    assert!(tiny.read(FILE).contains("todo!"));
    assert_eq!(tiny.read(backup), RIGHT);

    tiny.write(FILE, WRONG);
    assert_says(&tiny.run("reset 01.1 --yes").1, &["01.double-2.rs"]);
    assert_eq!(tiny.read(backup), RIGHT, "an older copy stays");
}

#[test]
fn what_is_not_there_is_answered_with_what_is() {
    let tiny = Tiny::new();
    for (words, pieces) in [
        (
            "check 02",
            &["chapter 02 has no exercises", "These have: 01"][..],
        ),
        ("check 01.4", &["no task `4`", "01.1 (double)"]),
        ("reset 01", &["which task?", "01.1, 01.2, 01.3"]),
        ("chek 01", &["no command `chek`", "--help"]),
    ] {
        let (code, said) = tiny.run(words);
        assert_eq!(code, 2, "{words}: {said}");
        assert_says(&said, pieces);
    }
    let elsewhere = tempfile::tempdir().expect("a folder");
    let there = tiny.command("list").current_dir(elsewhere.path()).output();
    assert_eq!(there.expect("it runs").status.code(), Some(2));
}

#[test]
fn progress_that_cannot_be_read_is_named_and_not_thrown_away() {
    let tiny = Tiny::new();
    tiny.write("exercises/.progress/hints.toml", "what");
    let (code, said) = tiny.run("hint 01.1");
    assert_eq!(code, 1);
    assert_says(
        &said,
        &["exercises/.progress/hints.toml cannot be understood"],
    );
    assert_eq!(tiny.read("exercises/.progress/hints.toml"), "what");
}
