//! Attacks on a cluster of three nodes, each decision drawn from the fuzzer's bytes.

#![no_main]

libfuzzer_sys::fuzz_target!(|data: &[u8]| raft_kernel_fuzz::attack(data));
