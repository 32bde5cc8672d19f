//! `cargo exercise`: what can be asked for, and the exit codes.

use std::env;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use lexopt::Arg;

use crate::aid;
use crate::catalogue::{self, FOLDER, Task};
use crate::check::Desk;
use crate::failure::Failure;
use crate::process;
use crate::say;
use crate::verify;

const HELP: &str = "\
Exercises to the book: checks answers, gives hints, keeps track of what is done.

usage: cargo exercise [list]         all tasks, and how far you are
       cargo exercise check NN       checks your answers, and says what to do next
       cargo exercise watch NN       does so whenever you save; Ctrl-C ends
       cargo exercise hint NN        gives a hint; the next time, one more
       cargo exercise solution NN.T  shows a solution; asks first, if you are not done
       cargo exercise reset NN.T     puts the starter back; asks first, and keeps a copy
       cargo exercise verify [NN…]   for authors: proves that starters fail, solutions pass,
                                     and wrong answers are answered as they should be

NN is a chapter: 01. NN.T is a task of it, by its number or its name: 01.2, 01.prediction.

  --yes       does not ask
  --root DIR  the repository [the one around the current folder]
  --help      shows this

Ends with 0 if all that was checked holds, 1 if not, 2 if it cannot tell what is asked for.";

#[derive(Clone, Debug, PartialEq, Eq)]
enum Command {
    Help,
    List,
    Check(String),
    Watch(String),
    Hint(String),
    Solution(String),
    Reset(String),
    Verify(Vec<String>),
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Options {
    is_sure: bool,
    root: Option<PathBuf>,
}

/// Runs the command line. 0: all holds; 1: not; 2: it was not understood.
pub fn main() -> ExitCode {
    match parse(lexopt::Parser::from_env()).and_then(|(command, options)| obey(command, options)) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            if let Some(words) = failure.words() {
                eprintln!("{words}");
            }
            failure.exit_code()
        }
    }
}

fn obey(command: Command, options: Options) -> Result<(), Failure> {
    if command == Command::Help {
        say!("{HELP}");
        return Ok(());
    }
    process::stop_on_interrupt()?;
    let root = find_root(options.root)?;
    let desk = Desk::at(&root)?;
    let chosen = |wish: &str| catalogue::choose(&desk.chapters, wish);
    match command {
        Command::Help => Ok(()),
        Command::List => desk.list(),
        Command::Check(wish) => verdict(desk.check(&chosen(&wish)?)?),
        Command::Watch(wish) => match desk.watch(&chosen(&wish)?) {
            // That is how watching ends.
            Err(Failure::Stopped) => Ok(()),
            other => other,
        },
        Command::Hint(wish) => aid::hint(&desk, &chosen(&wish)?),
        Command::Solution(wish) => aid::solution(&desk, one(&chosen(&wish)?)?, options.is_sure),
        Command::Reset(wish) => aid::reset(&desk, one(&chosen(&wish)?)?, options.is_sure),
        Command::Verify(wishes) => {
            let mut tasks = Vec::new();
            for wish in &wishes {
                tasks.extend(chosen(wish)?);
            }
            if wishes.is_empty() {
                tasks.extend(desk.chapters.iter().flat_map(|chapter| &chapter.tasks));
            }
            verdict(verify::verify(&desk, &tasks)?)
        }
    }
}

fn verdict(holds: bool) -> Result<(), Failure> {
    if holds { Ok(()) } else { Err(Failure::Told) }
}

/// The one task that is meant.
fn one<'a>(tasks: &[&'a Task]) -> Result<&'a Task, Failure> {
    match tasks {
        [task] => Ok(task),
        many => {
            let ids: Vec<_> = many.iter().map(|task| task.id()).collect();
            Err(Failure::Usage(format!(
                "which task? One of {}",
                ids.join(", ")
            )))
        }
    }
}

/// The root of the repository: the given folder, or the nearest at or above the current one
/// that has exercises.
fn find_root(given: Option<PathBuf>) -> Result<PathBuf, Failure> {
    let is_root =
        |folder: &Path| folder.join(FOLDER).is_dir() && folder.join("Cargo.toml").is_file();
    let start = match &given {
        Some(given) => given.clone(),
        None => env::current_dir()
            .map_err(|error| Failure::Failed(format!("cannot tell the current folder: {error}")))?,
    };
    let root = match given {
        Some(given) => Some(given).filter(|folder| is_root(folder)),
        None => start
            .ancestors()
            .find(|folder| is_root(folder))
            .map(Path::to_owned),
    };
    let Some(root) = root else {
        let why = format!(
            "{} has no exercises, nor is it inside of what has",
            start.display()
        );
        return Err(Failure::Usage(why));
    };
    std::fs::canonicalize(&root).map_err(|error| Failure::file("open", &root, &error))
}

fn parse(parser: lexopt::Parser) -> Result<(Command, Options), Failure> {
    read(parser).map_err(|error| Failure::Usage(error.to_string()))
}

fn read(mut parser: lexopt::Parser) -> Result<(Command, Options), lexopt::Error> {
    let mut words: Vec<OsString> = Vec::new();
    let mut options = Options::default();
    while let Some(arg) = parser.next()? {
        match arg {
            Arg::Long("help") | Arg::Short('h') => return Ok((Command::Help, options)),
            Arg::Long("yes") | Arg::Short('y') => options.is_sure = true,
            Arg::Long("root") => options.root = Some(parser.value()?.into()),
            Arg::Value(word) => words.push(word),
            _ => return Err(arg.unexpected()),
        }
    }
    let words = words.into_iter().map(lexopt::ValueExt::string);
    let command = command(words.collect::<Result<_, _>>()?)?;
    if options.is_sure && !matches!(command, Command::Solution(_) | Command::Reset(_)) {
        return Err("--yes has no meaning here".into());
    }
    Ok((command, options))
}

fn command(mut words: Vec<String>) -> Result<Command, lexopt::Error> {
    if words.is_empty() {
        return Ok(Command::List);
    }
    let name = words.remove(0);
    let with_one = |command: fn(String) -> Command, words: Vec<String>| match &words[..] {
        [one] => Ok(command(one.clone())),
        [] => Err(format!("which one? For example: cargo exercise {name} 01.1").into()),
        [_, more, ..] => Err(format!("{name} takes one exercise; what is `{more}`?").into()),
    };
    match name.as_str() {
        "list" if words.is_empty() => Ok(Command::List),
        "list" => Err("list takes nothing else".into()),
        "check" => with_one(Command::Check, words),
        "watch" => with_one(Command::Watch, words),
        "hint" => with_one(Command::Hint, words),
        "solution" => with_one(Command::Solution, words),
        "reset" => with_one(Command::Reset, words),
        "verify" => Ok(Command::Verify(words)),
        _ => Err(format!("there is no command `{name}`").into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<(Command, Options), String> {
        let words = line.split_whitespace();
        parse(lexopt::Parser::from_args(words)).map_err(|failure| failure.to_string())
    }

    #[test]
    fn each_command_is_understood() {
        for (line, expected) in [
            ("", Command::List),
            ("list", Command::List),
            ("check 01", Command::Check("01".to_owned())),
            ("watch 1.2", Command::Watch("1.2".to_owned())),
            ("hint 01", Command::Hint("01".to_owned())),
            ("solution 01.1 --yes", Command::Solution("01.1".to_owned())),
            ("reset 01.1", Command::Reset("01.1".to_owned())),
            ("verify", Command::Verify(Vec::new())),
            (
                "verify 01 02",
                Command::Verify(vec!["01".to_owned(), "02".to_owned()]),
            ),
            ("check --help", Command::Help),
        ] {
            assert_eq!(parsed(line).unwrap().0, expected, "{line}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_a_reason() {
        for (line, reason) in [
            ("check", "cargo exercise check 01.1"),
            ("check 01 02", "what is `02`?"),
            ("chek 01", "no command `chek`"),
            ("check 01 --yes", "--yes has no meaning"),
            ("list 01", "nothing else"),
            ("--fast", "--fast"),
        ] {
            let error = parsed(line).unwrap_err();
            assert!(error.contains(reason), "{line}: {error}");
            assert!(error.contains("--help"), "{error}");
        }
    }
}
