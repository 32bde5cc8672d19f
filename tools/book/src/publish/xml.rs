//! The letters that XML and HTML reserve.

/// Fit to stand between tags and between double quotes.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            // XML has no way to say most control characters.
            control if control.is_control() && !"\t\n\r".contains(control) => {}
            other => escaped.push(other),
        }
    }
    escaped
}
