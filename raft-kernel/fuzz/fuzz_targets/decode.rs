//! Bytes that claim to be messages, decoded and given to a node.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raft_kernel_fuzz::decode_and_step(data));
