//! What a node makes of the news that its own storage or state machine is done.
//!
//! An acknowledgement may come late: after the term has changed, or after the log was
//! cut and filled again. It must then not vouch for entries that it never saw.

use crate::error::Error;
use crate::event::Event;
use crate::raft::Raft;
use crate::raw_node::reuse;
use crate::ready::{AppendAck, ApplyAck};
use crate::storage::Storage;

impl<S: Storage> Raft<S> {
    // ANCHOR: appended
    pub(crate) fn appended(&mut self, ack: AppendAck) -> Result<(), Error> {
        if ack.node != self.id {
            return Err(Error::ForeignAcknowledgement(ack.node));
        }
        let mut to_self = ack.to_self;
        for message in to_self.drain(..) {
            self.step(message)?;
        }
        // The emptied list serves for the next messages.
        reuse(&mut self.messages_after_append, &mut to_self);
        if let Some(last) = ack.last {
            // In another term the log may have been cut and filled again: what was written
            // then may not be what stands there now, even if it looks alike (trap 3).
            let counts = ack.term == self.term && self.log.stable_to(last);
            if !counts {
                self.events
                    .emit(|| Event::IgnoredStaleAppend { index: last.index });
            }
        }
        // ANCHOR: appended_snapshot
        if let Some(index) = ack.snapshot {
            // A snapshot holds what is committed, which no term takes back.
            if let Some(snapshot) = self.log.unstable.stable_snapshot_to(index) {
                self.adopt_configuration_of(&snapshot)?;
            }
            self.applied_to(index, 0)?;
        }
        // ANCHOR_END: appended_snapshot
        Ok(())
    }
    // ANCHOR_END: appended

    pub(crate) fn applied(&mut self, ack: &ApplyAck) -> Result<(), Error> {
        if ack.node != self.id {
            return Err(Error::ForeignAcknowledgement(ack.node));
        }
        let Some(index) = ack.index else {
            return Ok(());
        };
        self.applied_to(index, ack.bytes)?;
        // Entries of earlier leaders were never counted, so this may come to less than
        // nothing: it stays at nothing (trap 18).
        self.uncommitted_bytes = self.uncommitted_bytes.saturating_sub(ack.payload_bytes);
        Ok(())
    }
}
