//! `{{#plot FILE}}`: measured numbers as a picture, and as a table below it.
//!
//! The file holds comma-separated values, with lines before them that say what they are:
//!
//! ```text
//! # title: what the picture shows
//! # x: what the first column counts
//! # y: what the other columns count, with its unit
//! # note: how it was measured
//! # command: what measures it again
//! x,one line,another line
//! 1,100,200
//! ```
//!
//! Picture, table and caption come from the file alone, so none of them can say what the
//! others do not.

mod drawing;
mod scale;

use std::path::Path;

use super::listing::{self, escape};
use crate::finding::Problem;
use crate::workspace::Workspace;

/// So many lines can be told apart without their colours.
const MAX_SERIES: usize = 4;

const HOW_TO_WRITE: &str = "write lines `# title: …`, `# x: …`, `# y: …`, `# note: …` and \
     `# command: …`, then a line of column names, then rows of positive numbers whose first \
     column grows";

/// The figure and the table for the file that `argument` names.
pub(crate) fn expand(
    argument: &str,
    page_folder: &Path,
    workspace: &Workspace,
) -> Result<String, Problem> {
    let file = listing::read(argument, page_folder, workspace)?;
    let data = Data::parse(file.lines()).map_err(|fault| {
        let what = format!("{}:{}: {}", file.shown(), fault.line, fault.what);
        Problem::new(what, HOW_TO_WRITE)
    })?;
    let svg = drawing::draw(&data).to_svg(&data.title, &data.in_words());
    let (note, command) = (escape(&data.note), escape(&data.command));
    let table = data.as_table();
    // The blank line ends the HTML block, so that the table is Markdown again.
    Ok(format!(
        "<figure class=\"diagram\">\n{svg}<figcaption>{note} To measure again: \
         <code>{command}</code></figcaption>\n</figure>\n\n{table}"
    ))
}

/// What the file says.
#[derive(Debug, Default, PartialEq)]
struct Data {
    title: String,
    x: String,
    y: String,
    note: String,
    command: String,
    /// The name of each column.
    names: Vec<String>,
    /// As many numbers in each row as there are names.
    rows: Vec<Vec<f64>>,
}

/// What is wrong, and in which line.
#[derive(Debug, PartialEq)]
struct Fault {
    line: usize,
    what: String,
}

impl Data {
    fn parse(lines: &[String]) -> Result<Self, Fault> {
        let mut data = Data::default();
        for (line, text) in (1..).zip(lines) {
            let text = text.trim();
            let read = match text.strip_prefix('#') {
                Some(said) => data.say(said),
                None if text.is_empty() => Ok(()),
                None if data.names.is_empty() => data.name_columns(text),
                None => data.add_row(text),
            };
            read.map_err(|what| Fault { line, what })?;
        }
        let end = |what: &str| Fault {
            line: lines.len(),
            what: what.to_owned(),
        };
        let said = [&data.title, &data.x, &data.y, &data.note, &data.command];
        if said.iter().any(|said| said.is_empty()) {
            return Err(end("the title, x, y, note or command is not said"));
        }
        if data.rows.len() < 2 {
            return Err(end("fewer than two rows make no line"));
        }
        Ok(data)
    }

    fn say(&mut self, said: &str) -> Result<(), String> {
        let (key, value) = said.split_once(':').unwrap_or((said, ""));
        let place = match key.trim() {
            "title" => &mut self.title,
            "x" => &mut self.x,
            "y" => &mut self.y,
            "note" => &mut self.note,
            "command" => &mut self.command,
            other => return Err(format!("`{other}` is nothing that can be said of a plot")),
        };
        value.trim().clone_into(place);
        Ok(())
    }

    fn name_columns(&mut self, text: &str) -> Result<(), String> {
        self.names = text.split(',').map(|name| name.trim().to_owned()).collect();
        if self.names.iter().any(String::is_empty) {
            return Err("a column has no name".to_owned());
        }
        if !(1..=MAX_SERIES).contains(&(self.names.len() - 1)) {
            return Err(format!(
                "{} columns; one for x and from 1 to {MAX_SERIES} more can be drawn",
                self.names.len()
            ));
        }
        Ok(())
    }

    fn add_row(&mut self, text: &str) -> Result<(), String> {
        let row = text.split(',').map(number).collect::<Result<Vec<_>, _>>()?;
        if row.len() != self.names.len() {
            return Err(format!(
                "{} numbers for {} columns",
                row.len(),
                self.names.len()
            ));
        }
        if self.rows.last().is_some_and(|before| before[0] >= row[0]) {
            return Err("the first column does not grow".to_owned());
        }
        self.rows.push(row);
        Ok(())
    }

    /// The name of each line and its numbers.
    fn series(&self) -> impl Iterator<Item = (&str, Vec<(f64, f64)>)> {
        let named = self.names.iter().enumerate().skip(1);
        named.map(|(column, name)| {
            let points = self.rows.iter().map(|row| (row[0], row[column]));
            (name.as_str(), points.collect())
        })
    }

    /// The picture's story for who cannot see it. The table has every number.
    fn in_words(&self) -> String {
        let lines = self.series().map(|(name, points)| {
            let ends = [points[0], points[points.len() - 1]];
            let [(x1, y1), (x2, y2)] =
                ends.map(|(x, y)| (in_groups(x.round()), in_groups(y.round())));
            format!("{name}: from {y1} at {x1} to {y2} at {x2}.")
        });
        let lines: Vec<_> = lines.collect();
        format!(
            "Along: {}. Upwards: {}. Both axes are logarithmic. {} The table below has all \
             the numbers.",
            self.x,
            self.y,
            lines.join(" ")
        )
    }

    /// The numbers as a Markdown table. Two lines are compared in one more column.
    fn as_table(&self) -> String {
        let compares = self.names.len() == 3;
        let cell = |name: &String| name.replace('|', "\\|");
        let mut head: Vec<String> = self.names.iter().map(cell).collect();
        if compares {
            head.push("ratio".to_owned());
        }
        let mut table = table_row(&head);
        table.push_str(&table_row(&vec!["--:".to_owned(); head.len()]));
        for row in &self.rows {
            let mut cells: Vec<String> = row.iter().map(|number| in_groups(*number)).collect();
            if compares {
                cells.push(format!("{:.1}", row[2] / row[1]));
            }
            table.push_str(&table_row(&cells));
        }
        table
    }
}

fn table_row(cells: &[String]) -> String {
    format!("| {} |\n", cells.join(" | "))
}

fn number(text: &str) -> Result<f64, String> {
    let text = text.trim();
    text.parse()
        .ok()
        .filter(|number: &f64| number.is_finite() && *number > 0.0)
        .ok_or_else(|| format!("`{text}` is no positive number"))
}

/// 12345 as 12 345, with spaces at which no line breaks.
fn in_groups(number: f64) -> String {
    let text = number.to_string();
    let (whole, rest) = match text.split_once('.') {
        Some((whole, rest)) => (whole, format!(".{rest}")),
        None => (text.as_str(), String::new()),
    };
    let mut grouped = String::new();
    for (place, digit) in whole.chars().enumerate() {
        if place > 0 && (whole.len() - place) % 3 == 0 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped + &rest
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "# title: Speed\n# x: clients\n# y: a second\n# note: Once.\n\
                        # command: cargo run\nclients,slow,quick\n1,100,200\n2,150,1300\n";

    fn parse(text: &str) -> Result<Data, Fault> {
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        Data::parse(&lines)
    }

    #[test]
    fn a_file_says_what_its_numbers_are() {
        let data = parse(GOOD).unwrap();
        assert_eq!(
            (data.title.as_str(), data.y.as_str()),
            ("Speed", "a second")
        );
        let series: Vec<_> = data.series().collect();
        assert_eq!(series[1], ("quick", vec![(1.0, 200.0), (2.0, 1300.0)]));
    }

    #[test]
    fn a_table_holds_every_number_and_compares_two_lines() {
        let table = parse(GOOD).unwrap().as_table();
        let rows: Vec<_> = table.lines().collect();
        assert_eq!(rows[0], "| clients | slow | quick | ratio |");
        assert_eq!(rows[3], "| 2 | 150 | 1\u{202f}300 | 8.7 |");
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let without = |line: &str| GOOD.replace(line, "");
        for (text, line, what) in [
            (without("# note: Once.\n"), 7, "is not said"),
            (GOOD.replace("# note", "# nota"), 4, "`nota` is nothing"),
            (
                GOOD.replace("1,100", "1,-5"),
                7,
                "`-5` is no positive number",
            ),
            (GOOD.replace("1,100", "1,many"), 7, "`many` is no positive"),
            (GOOD.replace("2,150", "1,150"), 8, "does not grow"),
            (GOOD.replace("2,150,", "2,"), 8, "2 numbers for 3 columns"),
            (GOOD.replace("2,150,1300\n", ""), 7, "fewer than two rows"),
            (GOOD.replace(",slow,quick", ""), 6, "1 columns"),
            (GOOD.replace("slow", ""), 6, "a column has no name"),
        ] {
            let fault = parse(&text).unwrap_err();
            assert_eq!(fault.line, line, "{}\n{text}", fault.what);
            assert!(fault.what.contains(what), "{}", fault.what);
        }
    }

    #[test]
    fn long_numbers_are_grouped() {
        for (number, text) in [
            (1.0, "1"),
            (999.0, "999"),
            (1000.0, "1\u{202f}000"),
            (1_234_567.5, "1\u{202f}234\u{202f}567.5"),
        ] {
            assert_eq!(in_groups(number), text);
        }
    }
}
