//! The claims of chapter 7, each in the file that its subject names.

mod pace;
mod pipeline;
mod property;
mod refusal;
mod same_node;
mod sum;
mod volume;
mod watched;
