//! Decoding, without a fuzzer: arbitrary bytes, and messages of which a few bytes are
//! wrong.
//!
//! `DECODING_SEEDS=a..b cargo test` in this directory runs other seeds.

use raft_kernel_fuzz::{decode, decode_and_step, encode, spoiled_encodings};

fn seeds() -> std::ops::Range<u64> {
    const USUAL: std::ops::Range<u64> = 0..2000;
    let Ok(range) = std::env::var("DECODING_SEEDS") else {
        return USUAL;
    };
    let bounds = range.split_once("..").map(|(a, b)| (a.parse(), b.parse()));
    match bounds {
        Some((Ok(from), Ok(to))) => from..to,
        _ => panic!("DECODING_SEEDS must be two numbers, as in 0..2000, but is {range}"),
    }
}

#[test]
fn what_is_decoded_from_spoiled_messages_stops_no_node() {
    let (mut tried, mut decoded) = (0_u64, 0_u64);
    let seeds = seeds();
    for seed in seeds.clone() {
        // One by one, since a message that cannot be decoded ends the run of those after it.
        for part in 0..20 {
            let bytes = spoiled_encodings(seed * 20 + part, 5);
            tried += 5;
            let mut rest = &bytes[1..];
            while let Some((message, used)) = decode(rest) {
                decoded += 1;
                let again = encode(&message);
                let read = decode(&again).map(|(message, _)| message);
                assert_eq!(read, Some(message), "seed {seed}: read back");
                rest = &rest[used..];
            }
            decode_and_step(&bytes);
        }
    }
    println!("seeds {seeds:?}: {tried} messages encoded and spoiled, {decoded} decoded");
    assert!(decoded > 0);
}

#[test]
fn a_length_that_lies_is_refused_before_anything_is_allocated() {
    // An InstallSnapshot whose data claims to be 2^63 bytes long.
    let claims_too_much = [
        &[2, 1, 3, 8, 5, 1, 0, 0, 0, 0, 0][..],
        &[253, 0, 0, 0, 0, 0, 0, 0, 128],
    ]
    .concat();
    assert!(decode(&claims_too_much).is_none());
}
