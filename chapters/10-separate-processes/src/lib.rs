//! Chapter 10: a program that runs one node; several form a cluster over TCP.
//!
//! What was one process so far becomes several. The loop of the earlier chapters stays, in
//! [`node`]; everything around it is new: a task that owns the node ([`event_loop`]),
//! connections to its peers ([`transport`], [`wire`]), a way into the cluster ([`joining`]),
//! and a prompt for people and scripts ([`prompt`], [`running`]).
//!
//! # How the parts hang together
//!
//! | module | what it holds | knows about |
//! |---|---|---|
//! | [`node`] | engine, disk, state machine; one turn of the loop | no network, no clock |
//! | [`disk`] | where a node's promises go before anything depends on them | – |
//! | [`machine`] | the sum and the peers' addresses | – |
//! | [`event_loop`] | the task that owns the node | queues |
//! | [`waiting`], [`forwarding`] | proposals that wait for their end | – |
//! | [`transport`] | connections, in and out | frames |
//! | [`wire`] | frames, and the one module that knows `bincode` | bytes |
//! | [`joining`] | becoming a member, from both sides | |
//! | [`server`] | starts all of it, and ends it | |
//! | [`request`], [`outcome`] | what may be asked of a node, and what it answers | |
//! | [`cli`], [`running`], [`prompt`] | the program: its flags, its life, its questions | |
//! | [`demo`], [`mod@bench`] | three such programs at once | |

pub mod address;
pub mod bench;
pub mod cli;
pub mod demo;
pub mod disk;
pub mod event_loop;
pub mod forwarding;
pub mod identity;
pub mod joining;
pub mod machine;
pub mod node;
pub mod outcome;
pub mod prompt;
pub mod request;
pub mod running;
pub mod server;
pub mod transport;
pub mod waiting;
pub mod wire;
