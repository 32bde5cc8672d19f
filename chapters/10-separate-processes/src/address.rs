//! Where a node can be reached: `HOST:PORT`.
//!
//! The rule it keeps: an [`Address`] that exists is well-formed and short, wherever it came
//! from. It is checked when it is read from a command line and when it is decoded, since a
//! peer's bytes end up in our log lines and on our screen.

use std::fmt;
use std::net::IpAddr;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The longest name that DNS allows, in bytes.
const MAX_HOST: usize = 253;

/// A host, by name or by number, and a port.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Address {
    /// As it is written, an IPv6 number in its brackets.
    host: String,
    port: u16,
}

/// What is wrong with an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AddressError {
    /// There is no colon, or nothing before it.
    NotHostAndPort,
    /// The part after the last colon is no port.
    BadPort(String),
    /// The part before it is no name and no number.
    BadHost,
}

impl fmt::Display for AddressError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            AddressError::NotHostAndPort => {
                f.write_str("an address is HOST:PORT, for example 127.0.0.1:4001")
            }
            AddressError::BadPort(port) => {
                write!(f, "`{port}` is no port: a port is a number from 0 to 65535")
            }
            AddressError::BadHost => f.write_str(
                "a host is a name such as node1.example, or a number such as 127.0.0.1 or [::1]",
            ),
        }
    }
}

impl std::error::Error for AddressError {}

impl Address {
    /// This machine alone, at any free port.
    pub fn any_port() -> Self {
        Address {
            host: "127.0.0.1".to_owned(),
            port: 0,
        }
    }

    /// The same host with another port.
    #[must_use]
    pub fn with_port(&self, port: u16) -> Self {
        Address {
            host: self.host.clone(),
            port,
        }
    }

    /// The port; 0 asks the system for any free one, and reaches nobody.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Whether it means "every interface" (`0.0.0.0`): good to listen on, of no use to a
    /// peer that wants to connect.
    pub fn is_every_interface(&self) -> bool {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified())
    }
}

impl FromStr for Address {
    type Err = AddressError;

    fn from_str(text: &str) -> Result<Self, AddressError> {
        let (host, port) = text.rsplit_once(':').ok_or(AddressError::NotHostAndPort)?;
        if host.is_empty() {
            return Err(AddressError::NotHostAndPort);
        }
        // `parse` alone would take `+80` too.
        let digits =
            !port.is_empty() && port.len() <= 5 && port.bytes().all(|b| b.is_ascii_digit());
        let number = port.parse().ok().filter(|_| digits);
        let port = number.ok_or_else(|| AddressError::BadPort(port.chars().take(20).collect()))?;
        if !is_host(host) {
            return Err(AddressError::BadHost);
        }
        Ok(Address {
            host: host.to_owned(),
            port,
        })
    }
}

fn is_host(host: &str) -> bool {
    if let Some(inside) = host.strip_prefix('[') {
        let number = inside.strip_suffix(']');
        return number.is_some_and(|number| number.parse::<std::net::Ipv6Addr>().is_ok());
    }
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    host.len() <= MAX_HOST && host.bytes().all(allowed)
}

impl TryFrom<String> for Address {
    type Error = AddressError;

    fn try_from(text: String) -> Result<Self, AddressError> {
        text.parse()
    }
}

impl From<Address> for String {
    fn from(address: Address) -> String {
        address.to_string()
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.host, self.port)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_numbers_are_read_and_written_alike() {
        for text in ["127.0.0.1:4001", "localhost:0", "[::1]:65535", "a-b.c_d:1"] {
            assert_eq!(text.parse::<Address>().expect(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_no_address_is_refused_with_the_reason() {
        use AddressError::{BadHost, BadPort, NotHostAndPort};
        for (text, error) in [
            ("", NotHostAndPort),
            ("4001", NotHostAndPort),
            (":4001", NotHostAndPort),
            ("a:", BadPort(String::new())),
            ("a:+1", BadPort("+1".to_owned())),
            ("a:65536", BadPort("65536".to_owned())),
            ("::1:4001", BadHost),
            ("[::1:4001", BadHost),
            ("a b:1", BadHost),
            ("a\u{1b}[2J:1", BadHost),
        ] {
            assert_eq!(text.parse::<Address>(), Err(error), "{text:?}");
        }
        assert!(format!("{}:1", "a".repeat(254)).parse::<Address>().is_err());
    }

    #[test]
    fn every_interface_is_told_from_one() {
        let is = |text: &str| text.parse::<Address>().expect(text).is_every_interface();
        assert!(is("0.0.0.0:1") && is("[::]:1"));
        assert!(!is("127.0.0.1:1") && !is("localhost:1"));
    }
}
