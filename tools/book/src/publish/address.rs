//! The address at which the site will be published, from the environment.
//!
//! A checkout does not know where it will be published, and the links that name the
//! address (canonical links, the sitemap, previews) are left out then.

use std::env;
use std::path::Path;

use anyhow::{Result, bail};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// Set by whoever publishes the book, for example `https://example.org/book/`.
const VARIABLE: &str = "BOOK_URL";

/// What a file's name may hold and an address may not.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// An address with `https://` or `http://`, a host, and a path that ends in `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Address {
    whole: String,
    /// Where the path begins.
    path: usize,
}

impl Address {
    pub(crate) fn from_environment() -> Result<Option<Self>> {
        match env::var(VARIABLE) {
            Ok(text) if !text.is_empty() => Self::parse(&text).map(Some),
            Ok(_) | Err(env::VarError::NotPresent) => Ok(None),
            Err(error) => bail!("cannot read {VARIABLE}: {error}"),
        }
    }

    fn parse(text: &str) -> Result<Self> {
        let rest = text
            .strip_prefix("https://")
            .or_else(|| text.strip_prefix("http://"));
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~:/%[]".contains(&byte);
        let Some(rest) = rest
            .filter(|rest| !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(allowed))
        else {
            bail!(
                "{VARIABLE} is `{text}`, which is no address of a site; \
                 write it like https://example.org/book/, or unset it"
            );
        };
        let mut whole = text.trim_end_matches('/').to_string();
        let path = text.len() - rest.len() + rest.find('/').unwrap_or(rest.len());
        let path = path.min(whole.len());
        whole.push('/');
        Ok(Self { whole, path })
    }

    /// From the root of the host, with a `/` at both ends.
    pub(crate) fn path(&self) -> &str {
        &self.whole[self.path..]
    }

    /// The address of a file of the site; an index is its folder.
    pub(crate) fn of(&self, file: &Path) -> String {
        let parts: Vec<String> = file
            .iter()
            .map(|part| utf8_percent_encode(&part.to_string_lossy(), RESERVED).to_string())
            .collect();
        let path = parts.join("/");
        let path = match path.strip_suffix("index.html") {
            Some(folder) if folder.is_empty() || folder.ends_with('/') => folder,
            _ => &path,
        };
        format!("{}{path}", self.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_ends_in_a_slash_and_knows_its_path() {
        for (text, whole, path) in [
            ("https://a.org", "https://a.org/", "/"),
            ("https://a.org/", "https://a.org/", "/"),
            ("http://a.org:80/b/c", "http://a.org:80/b/c/", "/b/c/"),
            ("https://a.org/b//", "https://a.org/b/", "/b/"),
        ] {
            let address = Address::parse(text).expect(text);
            assert_eq!((address.whole.as_str(), address.path()), (whole, path));
        }
    }

    #[test]
    fn what_is_no_address_of_a_site_is_refused() {
        for text in [
            "example.org",
            "ftp://a.org/",
            "https://",
            "https:///x",
            "https://a.org/?q",
            "https://a.org/#x",
            "https://a.org/\"><script>",
        ] {
            assert!(Address::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_index_is_its_folder() {
        let address = Address::parse("https://a.org/b").expect("an address");
        let of = |file| address.of(Path::new(file));
        assert_eq!(of("index.html"), "https://a.org/b/");
        assert_eq!(of("part/index.html"), "https://a.org/b/part/");
        assert_eq!(
            of("part/an-index.html"),
            "https://a.org/b/part/an-index.html"
        );
    }
}
