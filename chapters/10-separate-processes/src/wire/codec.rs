//! From values to bytes and back: the only module that knows `bincode`.
//!
//! The rule it keeps: [`decode`] answers any bytes with a value or an error. It never panics,
//! and never allocates much more than [`MAX_BYTES`], whatever lengths the bytes claim.
//!
//! `bincode` 2.0.1 is unmaintained (RUSTSEC-2025-0141) and pinned. Its `legacy` format is
//! used here: integers of fixed width, little-endian, lengths as `u64`, variants as `u32`. It
//! is the format of `bincode` 1, so others can read it, `wincode` among them.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;

/// No value takes more than this, in bytes. It holds the largest batch of entries that a
/// leader sends at once several times over.
pub const MAX_BYTES: usize = 1 << 20;

// ANCHOR: codec
const FORMAT: Configuration<LittleEndian, Fixint, Limit<MAX_BYTES>> =
    bincode::config::legacy().with_limit::<MAX_BYTES>();

/// The value takes more than [`MAX_BYTES`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooLarge;

/// The bytes are no value of that kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Malformed;

/// Appends a value to `buffer`.
pub fn encode_into<T: Serialize>(value: &T, buffer: &mut Vec<u8>) -> Result<(), TooLarge> {
    let start = buffer.len();
    let written = bincode::serde::encode_into_std_write(value, buffer, FORMAT);
    if written.is_err() || buffer.len() - start > MAX_BYTES {
        buffer.truncate(start);
        return Err(TooLarge);
    }
    Ok(())
}

/// Reads a value that takes up all of `bytes`.
pub fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Malformed> {
    match bincode::serde::decode_from_slice(bytes, FORMAT) {
        Ok((value, used)) if used == bytes.len() => Ok(value),
        _ => Err(Malformed),
    }
}
// ANCHOR_END: codec

/// The same as a list of its own.
pub fn encode<T: Serialize>(value: &T) -> Result<Vec<u8>, TooLarge> {
    let mut buffer = Vec::new();
    encode_into(value, &mut buffer)?;
    Ok(buffer)
}

#[cfg(test)]
mod tests;
