//! Text in lines of one width, so that a long sentence can be read in a terminal.

/// How wide a line may be.
const WIDTH: usize = 84;

/// The text with every line broken at spaces, and all of it indented.
pub(crate) fn indented(text: &str, indent: usize) -> String {
    let margin = " ".repeat(indent);
    let lines = text
        .trim_end()
        .lines()
        .flat_map(|line| broken(line, WIDTH - indent));
    let lines = lines.map(|line| match line.as_str() {
        "" => line,
        _ => format!("{margin}{line}"),
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// A line in pieces. What stands further in stays further in: a list, or code.
fn broken(line: &str, width: usize) -> Vec<String> {
    if line.chars().count() <= width {
        return vec![line.to_owned()];
    }
    let inner = " ".repeat(line.len() - line.trim_start().len());
    let mut lines = Vec::new();
    let mut current = inner.clone();
    for word in line.split_whitespace() {
        let is_first = current.len() == inner.len();
        if !is_first && current.chars().count() + 1 + word.chars().count() > width {
            lines.push(std::mem::replace(&mut current, inner.clone()));
        } else if !is_first {
            current.push(' ');
        }
        current.push_str(word);
    }
    lines.push(current);
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_lines_are_broken_at_spaces_and_lose_no_word() {
        let text = "word ".repeat(60);
        let broken = indented(&text, 4);
        assert!(broken.lines().count() > 1);
        assert!(
            broken
                .lines()
                .all(|line| line.len() <= WIDTH && line.starts_with("    word"))
        );
        assert_eq!(broken.split_whitespace().count(), 60);
    }

    #[test]
    fn short_lines_stay_as_they_are() {
        assert_eq!(indented("a\n  b  c\n\nd\n", 2), "  a\n    b  c\n\n  d");
    }

    #[test]
    fn a_word_that_is_too_long_is_not_broken() {
        let word = "x".repeat(100);
        assert_eq!(indented(&word, 0), word);
    }
}
