//! How much place words take, and how they are broken and shortened to fit.
//!
//! Nothing here knows the font that a reader has, so a width is an estimate, rather too
//! large than too small.

/// A text in lines, and whether some of it did not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Lines {
    pub(crate) lines: Vec<String>,
    pub(crate) is_cut: bool,
}

const MORE: char = '…';

/// Breaks a text into at most `most` lines that fit by `fits`. `term 2` is not broken. A word
/// that is too long for a line is broken where a capital letter follows a small one, or else
/// anywhere.
pub(crate) fn wrap(text: &str, most: usize, fits: impl Fn(&str) -> bool) -> Lines {
    let mut lines: Vec<String> = Vec::new();
    for word in words_of(text) {
        match lines.last_mut() {
            Some(line) if fits(&format!("{line} {word}")) => {
                line.push(' ');
                line.push_str(&word);
            }
            _ => lines.extend(broken(&word, &fits)),
        }
    }
    let is_cut = lines.len() > most;
    if is_cut {
        lines.truncate(most);
        if let Some(last) = lines.last_mut() {
            shorten(last, &fits);
        }
    }
    Lines { lines, is_cut }
}

/// The words of a text, a number together with what it counts.
fn words_of(text: &str) -> Vec<String> {
    let is_plain = |word: &str| word.chars().all(char::is_alphabetic);
    let mut words: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        let is_number = word.starts_with(|c: char| c.is_ascii_digit());
        match words.last_mut() {
            Some(before) if is_number && is_plain(before) => {
                before.push(' ');
                before.push_str(word);
            }
            _ => words.push(word.to_owned()),
        }
    }
    words
}

/// A word as pieces that fit.
fn broken(word: &str, fits: &impl Fn(&str) -> bool) -> Vec<String> {
    let mut pieces = Vec::new();
    let mut rest = word;
    while !fits(rest) {
        // At least one character, so that this ends.
        let ends = rest.char_indices().map(|(at, _)| at).skip(1);
        let fitting: Vec<usize> = ends.take_while(|at| fits(&rest[..*at])).collect();
        let Some(last) = fitting.last().copied() else {
            break;
        };
        let begins_a_word = |at: &&usize| {
            let before = rest[..**at].chars().next_back();
            let after = rest[**at..].chars().next();
            before.is_some_and(char::is_lowercase) && after.is_some_and(char::is_uppercase)
        };
        let at = fitting.iter().rev().find(begins_a_word).copied();
        let (piece, remains) = rest.split_at(at.unwrap_or(last));
        pieces.push(piece.to_owned());
        rest = remains;
    }
    pieces.push(rest.to_owned());
    pieces
}

/// Ends a line with the sign that there is more.
fn shorten(line: &mut String, fits: &impl Fn(&str) -> bool) {
    while !line.is_empty() && !fits(&format!("{line} {MORE}")) {
        line.pop();
    }
    let length = line.trim_end().len();
    line.truncate(length);
    line.push(' ');
    line.push(MORE);
}

/// The width of a text in a proportional font without serifs.
pub(crate) fn width_of(text: &str, size: f64) -> f64 {
    text.chars().map(width_of_letter).sum::<f64>() * size
}

/// In parts of the font's size.
fn width_of_letter(letter: char) -> f64 {
    match letter {
        'i' | 'j' | 'l' | 'I' | '.' | ',' | ':' | ';' | '|' | '!' | '\'' | ' ' => 0.29,
        'f' | 't' | 'r' | '(' | ')' | '[' | ']' | '-' | '/' => 0.4,
        'm' | 'w' | 'M' | 'W' | '%' | '→' | '↛' | '…' | '⋯' => 0.95,
        'A'..='Z' => 0.7,
        _ => 0.6,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn within(columns: usize) -> impl Fn(&str) -> bool {
        move |text| text.chars().count() <= columns
    }

    #[test]
    fn a_text_is_broken_between_words() {
        let lines = wrap("one two three four", 5, within(9)).lines;
        assert_eq!(lines, ["one two", "three", "four"]);
    }

    #[test]
    fn a_long_name_is_broken_before_a_capital_letter() {
        let lines = wrap("AppendEntriesResponse term 2", 5, within(14)).lines;
        assert_eq!(lines, ["AppendEntries", "Response", "term 2"]);
        let lines = wrap("antidisestablishment", 5, within(8)).lines;
        assert_eq!(lines, ["antidise", "stablish", "ment"]);
    }

    #[test]
    fn a_number_stays_with_what_it_counts() {
        let lines = wrap("log ends at 4 of term 1, commit 2", 9, within(13)).lines;
        assert_eq!(lines, ["log ends at 4", "of term 1,", "commit 2"]);
        assert_eq!(wrap("4 5 6", 9, within(3)).lines, ["4 5", "6"]);
    }

    #[test]
    fn what_does_not_fit_is_shortened_and_that_is_seen() {
        let text = wrap("one two three four", 2, within(8));
        assert_eq!(text.lines, ["one two", "three …"]);
        assert!(text.is_cut);
        assert!(!wrap("one two", 1, within(8)).is_cut);
    }

    #[test]
    fn a_place_too_narrow_for_anything_is_no_endless_loop() {
        assert_eq!(wrap("ab cd", 9, within(0)).lines, ["ab", "cd"]);
    }
}
