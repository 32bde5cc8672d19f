//! What goes over a connection: values as bytes, bytes in frames.

pub mod codec;
pub mod frame;
pub mod stream;
