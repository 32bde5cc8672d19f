//! Reading a `console` block: its attributes, its commands, what each prints.

use crate::finding::Problem;
use crate::page::Fence;

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct OutputBlock {
    /// Standard error is shown too, in the order in which the lines came.
    pub(crate) stderr: bool,
    /// What each command of the block exits with.
    pub(crate) exit: i32,
    pub(crate) steps: Vec<Step>,
}

/// A command and what the page says it prints.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// The command's line on the page, counted from 1.
    pub(crate) line: usize,
    /// Without the `$ `.
    pub(crate) command: String,
    /// Without the blank lines at its end.
    pub(crate) expected: Vec<String>,
    /// The blank lines between this output and the next command.
    pub(crate) blank_after: usize,
}

/// A problem and the line of the page that has it.
#[derive(Debug)]
pub(crate) struct Fault {
    pub(crate) line: usize,
    pub(crate) problem: Problem,
}

impl OutputBlock {
    pub(crate) fn parse(fence: &Fence) -> Result<Self, Fault> {
        let at = |line, problem| Fault { line, problem };
        let mut block = Self {
            stderr: false,
            exit: 0,
            steps: Vec::new(),
        };
        for attribute in fence.attributes() {
            block
                .set(attribute)
                .map_err(|problem| at(fence.line, problem))?;
        }
        for (index, line) in fence.body.lines().enumerate() {
            let number = fence.line + 1 + index;
            let line = line.trim_end();
            if let Some(command) = line.strip_prefix("$ ") {
                block.steps.push(Step {
                    line: number,
                    command: command.trim().to_string(),
                    expected: Vec::new(),
                    blank_after: 0,
                });
            } else if let Some(step) = block.steps.last_mut() {
                step.expected.push(line.to_string());
            } else {
                return Err(at(number, without_command()));
            }
        }
        if block.steps.is_empty() {
            return Err(at(fence.line, without_command()));
        }
        for step in &mut block.steps {
            while step.expected.last().is_some_and(String::is_empty) {
                step.expected.pop();
                step.blank_after += 1;
            }
        }
        Ok(block)
    }

    fn set(&mut self, attribute: &str) -> Result<(), Problem> {
        if attribute == "stderr" {
            self.stderr = true;
            return Ok(());
        }
        let code = attribute
            .strip_prefix("exit=")
            .and_then(|it| it.parse().ok());
        self.exit = code.ok_or_else(|| {
            Problem::new(
                format!("unknown attribute `{attribute}` of a console block"),
                "the attributes are `stderr` and `exit=CODE`, as in ```console,stderr,exit=2",
            )
        })?;
        Ok(())
    }
}

fn without_command() -> Problem {
    Problem::new(
        "a console block that does not begin with a command",
        "begin it with `$ cargo run -p …`, or use a text block for what nobody runs",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(info: &str, body: &str) -> Result<OutputBlock, Fault> {
        OutputBlock::parse(&Fence {
            line: 10,
            range: 0..0,
            indent: String::new(),
            info: info.to_string(),
            body: body.to_string(),
        })
    }

    #[test]
    fn a_block_holds_several_commands_each_with_its_output() {
        let block = block(
            "console,stderr,exit=2",
            "$ cargo run -p a\none\n\ntwo\n\n$ cargo run -p b\n",
        )
        .unwrap();
        assert!(block.stderr);
        assert_eq!(block.exit, 2);
        assert_eq!(block.steps[0].expected, ["one", "", "two"]);
        assert_eq!(block.steps[0].blank_after, 1);
        assert_eq!(block.steps[1].line, 16);
        assert!(block.steps[1].expected.is_empty());
    }

    #[test]
    fn a_block_without_a_command_names_its_line() {
        assert_eq!(block("console", "out\n").unwrap_err().line, 11);
        assert_eq!(block("console", "").unwrap_err().line, 10);
        assert_eq!(block("console,quiet", "$ x\n").unwrap_err().line, 10);
    }
}
