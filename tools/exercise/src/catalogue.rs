//! The tasks that there are, and what each says of itself.
//!
//! Chapters are the folders `exercises/NN-name`, and `NN-name` is the name of the chapter's
//! page too. Tasks are the folders in `tasks`. Everything else about a task is in its
//! `task.toml`; a field that is not known is an error, so that no hint gets lost by a slip.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::failure::Failure;

/// Where the exercises are, from the root of the repository.
pub(crate) const FOLDER: &str = "exercises";
/// Where the pages are.
const PAGES: &str = "book/src";

/// How much of the page one must have understood.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Level {
    Easy,
    Moderate,
    Hard,
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Level::Easy => "Easy",
            Level::Moderate => "Moderate",
            Level::Hard => "Hard",
        })
    }
}

/// What kind of work it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Kind {
    Predict,
    Write,
    Break,
    Extend,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Kind::Predict => "predict",
            Kind::Write => "write",
            Kind::Break => "break",
            Kind::Extend => "extend",
        })
    }
}

/// A test, and the sentence that it proves.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Claim {
    pub(crate) test: String,
    pub(crate) says: String,
}

/// A plausible answer that is wrong.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Wrong {
    /// The file `wrong/NAME.rs`.
    pub(crate) name: String,
    /// What somebody who writes this believes.
    pub(crate) misconception: String,
    /// The claim that it breaks.
    pub(crate) fails: String,
    /// A piece of the message with which that claim must answer it.
    pub(crate) answer: String,
}

/// The fields of a `task.toml`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) number: u32,
    pub(crate) title: String,
    pub(crate) level: Level,
    pub(crate) kind: Kind,
    /// How long it takes, as the teacher's plan counts it.
    pub(crate) minutes: u32,
    /// The heading of the page to read first, as it stands in an address.
    pub(crate) section: String,
    /// What is to be done, in words.
    pub(crate) asks: String,
    /// From the first push to nearly everything.
    pub(crate) hints: Vec<String>,
    pub(crate) claims: Vec<Claim>,
    #[serde(default)]
    pub(crate) wrong: Vec<Wrong>,
}

/// A task of a chapter.
#[derive(Clone, Debug)]
pub(crate) struct Task {
    /// Its folder's name, which is the name of its module and of its tests, too.
    pub(crate) name: String,
    /// The number of its chapter.
    pub(crate) chapter: u32,
    /// The folder of its chapter, below the root.
    pub(crate) folder: PathBuf,
    /// The package that it belongs to.
    pub(crate) package: String,
    /// The page to read, below the root.
    pub(crate) page: PathBuf,
    pub(crate) about: About,
}

impl Task {
    /// How it is called: `01.2`.
    pub(crate) fn id(&self) -> String {
        format!("{:02}.{}", self.chapter, self.about.number)
    }

    /// A name that stays the same when tasks are put in another order.
    pub(crate) fn key(&self) -> String {
        format!("{:02}.{}", self.chapter, self.name)
    }

    /// The student's file, below the root.
    pub(crate) fn file(&self) -> PathBuf {
        self.folder.join("src").join(format!("{}.rs", self.name))
    }

    pub(crate) fn tests(&self) -> PathBuf {
        self.folder.join("tests").join(format!("{}.rs", self.name))
    }

    pub(crate) fn starter(&self) -> PathBuf {
        self.papers().join("starter.rs")
    }

    pub(crate) fn solution(&self) -> PathBuf {
        self.papers().join("solution.rs")
    }

    pub(crate) fn wrong(&self, wrong: &Wrong) -> PathBuf {
        self.papers()
            .join("wrong")
            .join(format!("{}.rs", wrong.name))
    }

    fn papers(&self) -> PathBuf {
        self.folder.join("tasks").join(&self.name)
    }

    /// The heading on the page, as an address below the root.
    pub(crate) fn section(&self) -> String {
        format!("{}#{}", self.page.display(), self.about.section)
    }

    /// `01.2 · Turn the loop (Moderate, write, 20 minutes)`
    pub(crate) fn heading(&self) -> String {
        let About {
            title,
            level,
            kind,
            minutes,
            ..
        } = &self.about;
        format!(
            "{} · {title} ({level}, {kind}, {minutes} minutes)",
            self.id()
        )
    }
}

/// A chapter with its tasks, in order.
#[derive(Clone, Debug)]
pub(crate) struct Chapter {
    pub(crate) number: u32,
    /// The heading of its page.
    pub(crate) title: String,
    pub(crate) page: PathBuf,
    pub(crate) tasks: Vec<Task>,
}

/// Reads all chapters that have exercises, in order.
pub(crate) fn read(root: &Path) -> Result<Vec<Chapter>, Failure> {
    let folder = root.join(FOLDER);
    let mut chapters = Vec::new();
    for name in folders(&folder)? {
        if let Some(number) = number_of(&name) {
            chapters.push(chapter(root, &name, number)?);
        }
    }
    if chapters.is_empty() {
        let why = format!("there are no exercises in {}", folder.display());
        return Err(Failure::Failed(why));
    }
    Ok(chapters)
}

fn chapter(root: &Path, name: &str, number: u32) -> Result<Chapter, Failure> {
    #[derive(Deserialize)]
    struct Manifest {
        package: Package,
    }
    #[derive(Deserialize)]
    struct Package {
        name: String,
    }
    let folder = Path::new(FOLDER).join(name);
    let manifest: Manifest = read_toml(&root.join(&folder).join("Cargo.toml"))?;
    let page = Path::new(PAGES).join(format!("{name}.md"));
    let text = read_text(&root.join(&page))?;
    let title = text.lines().find_map(|line| line.strip_prefix("# "));
    let mut tasks = Vec::new();
    for task in folders(&root.join(&folder).join("tasks"))? {
        let about = root
            .join(&folder)
            .join("tasks")
            .join(&task)
            .join("task.toml");
        tasks.push(Task {
            about: read_toml(&about)?,
            name: task,
            chapter: number,
            folder: folder.clone(),
            package: manifest.package.name.clone(),
            page: page.clone(),
        });
    }
    tasks.sort_by_key(|task| task.about.number);
    Ok(Chapter {
        number,
        title: title.unwrap_or(name).to_owned(),
        page,
        tasks,
    })
}

/// The names of the folders in a folder, sorted.
fn folders(folder: &Path) -> Result<Vec<String>, Failure> {
    let failed = |error: &_| Failure::file("read the folder", folder, error);
    let mut names = Vec::new();
    for entry in fs::read_dir(folder).map_err(|error| failed(&error))? {
        let entry = entry.map_err(|error| failed(&error))?;
        if entry.path().is_dir() {
            names.extend(entry.file_name().into_string());
        }
    }
    names.sort();
    Ok(names)
}

fn number_of(folder: &str) -> Option<u32> {
    folder.split_once('-')?.0.parse().ok()
}

/// A text file, whole.
pub(crate) fn read_text(path: &Path) -> Result<String, Failure> {
    fs::read_to_string(path).map_err(|error| Failure::file("read", path, &error))
}

fn read_toml<T: for<'de> Deserialize<'de>>(path: &Path) -> Result<T, Failure> {
    let text = read_text(path)?;
    toml::from_str(&text).map_err(|error| {
        Failure::Failed(format!(
            "{} is not as it should be: {error}",
            path.display()
        ))
    })
}

/// Which tasks a student means: `01`, `1`, `01.2`, `01-2`, `01.turn`.
pub(crate) fn choose<'a>(chapters: &'a [Chapter], wish: &str) -> Result<Vec<&'a Task>, Failure> {
    let (number, task) = match wish.split_once(['.', '-', '/']) {
        Some((number, task)) => (number, Some(task)),
        None => (wish, None),
    };
    let wrong = || {
        let why = format!("`{wish}` is no exercise. Write 01 for a chapter, 01.2 for a task of it");
        Failure::Usage(why)
    };
    let number: u32 = number.parse().map_err(|_| wrong())?;
    let Some(chapter) = chapters.iter().find(|chapter| chapter.number == number) else {
        let known: Vec<_> = chapters
            .iter()
            .map(|it| format!("{:02}", it.number))
            .collect();
        return Err(Failure::Usage(format!(
            "chapter {number:02} has no exercises. These have: {}",
            known.join(", ")
        )));
    };
    let Some(task) = task else {
        return Ok(chapter.tasks.iter().collect());
    };
    let name = task.replace('-', "_");
    let is_meant = |it: &&Task| it.name == name || task.parse() == Ok(it.about.number);
    let found: Vec<_> = chapter.tasks.iter().filter(is_meant).collect();
    if found.is_empty() {
        let known = chapter
            .tasks
            .iter()
            .map(|it| format!("{} ({})", it.id(), it.name));
        return Err(Failure::Usage(format!(
            "chapter {number:02} has no task `{task}`. It has: {}",
            known.collect::<Vec<_>>().join(", ")
        )));
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(number: u32, name: &str) -> Task {
        let about = format!(
            "number = {number}\ntitle = 't'\nlevel = 'easy'\nkind = 'write'\nminutes = 5\n\
             section = 's'\nasks = 'a'\nhints = []\nclaims = []"
        );
        Task {
            name: name.to_owned(),
            chapter: 1,
            folder: PathBuf::from("exercises/01-a"),
            package: "ex01-a".to_owned(),
            page: PathBuf::from("book/src/01-a.md"),
            about: toml::from_str(&about).unwrap(),
        }
    }

    fn chapters() -> Vec<Chapter> {
        vec![Chapter {
            number: 1,
            title: "01 · A".to_owned(),
            page: PathBuf::from("book/src/01-a.md"),
            tasks: vec![task(1, "prediction"), task(2, "ready_loop")],
        }]
    }

    fn chosen(wish: &str) -> Vec<String> {
        let chapters = chapters();
        let tasks = choose(&chapters, wish).unwrap();
        tasks.iter().map(|task| task.id()).collect()
    }

    #[test]
    fn a_task_has_a_number_and_a_name_and_both_are_understood() {
        for wish in [
            "01.2",
            "1.2",
            "01-2",
            "01.ready_loop",
            "01-ready-loop",
            "1/ready_loop",
        ] {
            assert_eq!(chosen(wish), ["01.2"], "{wish}");
        }
        assert_eq!(chosen("01"), ["01.1", "01.2"]);
    }

    #[test]
    fn what_is_not_there_is_answered_with_what_is() {
        for (wish, answer) in [
            ("02", "These have: 01"),
            ("01.3", "01.1 (prediction), 01.2 (ready_loop)"),
            ("loop", "Write 01 for a chapter"),
        ] {
            let error = choose(&chapters(), wish).unwrap_err();
            assert!(matches!(error, Failure::Usage(_)), "{error}");
            assert!(error.to_string().contains(answer), "{error}");
        }
    }
}
