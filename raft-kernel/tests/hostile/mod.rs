//! Attacks on nodes: what they are sent, and what must stay true of them.
//!
//! Used by `hostile_input`, which plays attacks drawn from seeds, and by the fuzzer in
//! `raft-kernel/fuzz`, which plays those that it finds in bytes.

pub(crate) mod attack;
pub(crate) mod caller;
pub(crate) mod choices;
mod doubtful_storage;
pub(crate) mod messages;
mod serving;
pub(crate) mod settings;
mod shapes;
pub(crate) mod values;
mod victim;
mod witness;
