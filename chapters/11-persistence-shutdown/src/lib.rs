//! Chapter 11: a node that keeps its promises in a file, leaves, stops and comes back.
//!
//! The loop, the network and the prompt are those of chapter 10. New is a [`FileDisk`] in the
//! place of the memory, and what becomes possible with it.
//!
//! | module | what it holds |
//! |---|---|
//! | [`node_file`] | the bytes of the file, and what can be wrong with them |
//! | [`directory`] | the file as a whole: locked, read, replaced |
//! | [`file_disk`] | chapter 10's `Disk`, on top of both |
//! | [`starting`] | what a node finds, and how it begins with that |
//! | [`leaving`] | `quit` |
//! | [`measuring`], [`cli`] | the program |
//!
//! [`FileDisk`]: file_disk::FileDisk

pub mod cli;
pub mod directory;
pub mod file_disk;
pub mod leaving;
pub mod measuring;
pub mod node_file;
pub mod starting;
