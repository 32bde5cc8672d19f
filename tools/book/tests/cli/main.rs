//! The tool as its users run it: each test builds a small book and a small
//! workspace in a folder of its own and reads what the tool says about them.

mod command_line;
mod diagrams;
mod fixture;
mod links;
mod listings;
mod outputs;
mod plots;
mod publish;
mod server;
mod updates;
