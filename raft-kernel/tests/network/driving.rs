//! The loop around every node, one step at a time or until nothing is left to do.

use raft_kernel::{Message, NodeId};

use super::Network;

impl Network {
    pub(super) fn look(&mut self, id: NodeId) {
        if let Some(server) = self.servers.get(&id) {
            self.observer.saw(server);
        }
    }

    fn send(&mut self, id: NodeId, messages: Vec<Message>) {
        let server = self.servers.get(&id).expect("it sent them");
        for message in &messages {
            self.observer.saw_sent(server, message);
        }
        self.wire.extend(messages);
        self.look(id);
    }

    /// One turn of the node's loop; says whether there was anything to do.
    pub(crate) fn turn(&mut self, id: NodeId) -> bool {
        let server = self.servers.get_mut(&id).expect("a server of the test");
        let Some(messages) = server.turn(&mut self.observer) else {
            return false;
        };
        self.send(id, messages);
        true
    }

    /// Finishes the oldest write of an asynchronous node, without telling the node.
    pub(crate) fn write_oldest(&mut self, id: NodeId) -> bool {
        let Some(messages) = self.server(id).write_oldest() else {
            return false;
        };
        self.send(id, messages);
        true
    }

    pub(crate) fn acknowledge_oldest(&mut self, id: NodeId) -> bool {
        let done = self.server(id).acknowledge_oldest().is_some();
        self.look(id);
        done
    }

    pub(crate) fn apply_oldest(&mut self, id: NodeId) -> bool {
        let server = self.servers.get_mut(&id).expect("a server of the test");
        let done = server.apply_oldest(&mut self.observer).is_some();
        self.look(id);
        done
    }

    /// Delivers the oldest message, or loses it; says whether there was one.
    pub(crate) fn deliver_oldest(&mut self) -> bool {
        let Some(message) = self.wire.pop_front() else {
            return false;
        };
        if self.is_lost(&message) {
            self.lose(message);
        } else {
            self.deliver(message);
        }
        true
    }

    /// Everything that a node has to do, its disk and its state machine too, unless the
    /// test holds them.
    pub(crate) fn work(&mut self, id: NodeId) -> bool {
        let mut worked = false;
        while self.work_once(id) {
            worked = true;
        }
        worked
    }

    fn work_once(&mut self, id: NodeId) -> bool {
        let server = self.server(id);
        let (writes, applies) = (!server.holds_appends, !server.holds_applies);
        self.turn(id)
            || (writes && self.write_oldest(id))
            || (writes && self.acknowledge_oldest(id))
            || (applies && self.apply_oldest(id))
    }

    /// Lets everything happen until nothing is left to do.
    pub(crate) fn settle(&mut self) {
        const ENOUGH: usize = 100_000;
        for _ in 0..ENOUGH {
            let mut worked = false;
            for id in self.ids() {
                worked |= self.work(id);
            }
            if !self.deliver_oldest() && !worked {
                return;
            }
        }
        panic!("the cluster does not come to rest");
    }

    /// One node takes a message and does what comes of it, everyone else stands still:
    /// what it sends.
    pub(crate) fn hear(&mut self, message: Message) -> Vec<Message> {
        let to = message.to;
        self.deliver(message);
        self.answers(to)
    }

    /// What a node sends when it does all that it has to do.
    pub(crate) fn answers(&mut self, id: NodeId) -> Vec<Message> {
        self.work(id);
        self.wire.drain(..).collect()
    }
}
