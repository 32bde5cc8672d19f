//! A problem in the book: where it is, what is wrong, how to mend it.

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;

/// One problem. Its order is the order of the report: by file, then by line.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Finding {
    /// Relative to the root of the repository.
    pub(crate) file: PathBuf,
    /// Counted from 1; none when the problem belongs to the file as a whole.
    pub(crate) line: Option<usize>,
    pub(crate) problem: Problem,
}

/// What is wrong, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Problem {
    pub(crate) what: String,
    pub(crate) fix: String,
}

impl Problem {
    pub(crate) fn new(what: impl Into<String>, fix: impl Into<String>) -> Self {
        Self {
            what: what.into(),
            fix: fix.into(),
        }
    }

    pub(crate) fn at(self, file: impl Into<PathBuf>, line: impl Into<Option<usize>>) -> Finding {
        Finding {
            file: file.into(),
            line: line.into(),
            problem: self,
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file.display())?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        let mut what = self.problem.what.lines();
        writeln!(f, ": {}", what.next().unwrap_or_default())?;
        for detail in what {
            writeln!(f, "    {detail}")?;
        }
        write!(f, "    fix: {}", self.problem.fix)
    }
}

/// Prints every finding once, in order, and says how many there were.
pub(crate) fn report(findings: Vec<Finding>) -> usize {
    let findings: BTreeSet<Finding> = findings.into_iter().collect();
    for finding in &findings {
        eprintln!("{finding}\n");
    }
    findings.len()
}

/// "1 link", "2 links".
pub(crate) fn counted(number: usize, noun: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {noun}{plural}")
}
