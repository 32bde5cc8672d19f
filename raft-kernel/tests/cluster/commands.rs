//! Commands as servers come by them.

use raft_kernel::Bytes;

use bytes::BytesMut;

/// Commands of `length` bytes, cut out of read buffers of 64 KiB: what a server does
/// that reads from a socket. They share the buffers' memory and its reference counts.
pub(crate) fn carved(count: usize, length: usize) -> Vec<Bytes> {
    const READ: usize = 64 << 10;
    let mut arrived = BytesMut::new();
    let carve = |_| {
        if arrived.len() < length {
            arrived = BytesMut::zeroed(READ.max(length));
        }
        arrived.split_to(length).freeze()
    };
    (0..count).map(carve).collect()
}

/// Commands of `length` bytes, each in memory of its own.
pub(crate) fn owned(count: usize, length: usize) -> Vec<Vec<u8>> {
    vec![vec![0; length]; count]
}
