//! Admission: decides which connections are served, which wait for their turn and which are refused. A client with many
//! connections cannot keep other clients out.
//!
//! A client may have a quarter of the connections, including those that wait. An eighth is reserved for clients without a
//! connection. Clients are distinguished by their addresses, so all programs behind one proxy or gateway count as one
//! client, and so do the programs of this machine. One connection is enough to fetch an image.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, Ipv6Addr};

use super::limits::Limits;

/// A client, identified by its address.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Client(IpAddr);

impl Client {
    /// Returns the client with this address. A machine may use any IPv6 address of its network (RFC 4291, section 2.5.1,
    /// and RFC 8981), so all addresses of a network are one client.
    pub(super) fn of(address: IpAddr) -> Self {
        const NETWORK: u128 = u128::MAX << 64;
        Self(match address.to_canonical() {
            IpAddr::V6(address) if !address.is_loopback() => {
                Ipv6Addr::from_bits(address.to_bits() & NETWORK).into()
            }
            address => address,
        })
    }
}

/// The numbers of a client's connections.
#[derive(Clone, Copy, Debug, Default)]
struct Connections {
    served: usize,
    waiting: usize,
}

/// All connections.
#[derive(Debug)]
pub(super) struct Admission<T> {
    limits: Limits,
    served: usize,
    waiting: VecDeque<(Client, T)>,
    clients: HashMap<Client, Connections>,
}

impl<T> Admission<T> {
    pub(super) fn new(limits: Limits) -> Self {
        Self {
            limits,
            served: 0,
            waiting: VecDeque::new(),
            clients: HashMap::new(),
        }
    }

    /// Admits a connection, which then waits for its turn. A refused connection is the error.
    pub(super) fn enter(&mut self, client: Client, connection: T) -> Result<(), T> {
        let own = self.connections_of(client);
        let has_too_many = own.served + own.waiting >= self.limits.per_client();
        let is_full = self.waiting.len() >= self.limits.waiting();
        if has_too_many || (is_full && !self.has_room_for(client)) {
            return Err(connection);
        }
        self.clients.entry(client).or_default().waiting += 1;
        self.waiting.push_back((client, connection));
        Ok(())
    }

    /// Returns the next connection to serve.
    pub(super) fn next(&mut self) -> Option<(Client, T)> {
        let mut clients = self.waiting.iter().map(|(client, _)| *client);
        let position = clients.position(|client| self.has_room_for(client))?;
        let (client, connection) = self.waiting.remove(position)?;
        let own = self.clients.entry(client).or_default();
        own.waiting = own.waiting.saturating_sub(1);
        own.served += 1;
        self.served += 1;
        Some((client, connection))
    }

    /// Removes a served connection that has ended.
    pub(super) fn leave(&mut self, client: Client) {
        self.served = self.served.saturating_sub(1);
        if let Some(own) = self.clients.get_mut(&client) {
            own.served = own.served.saturating_sub(1);
            if own.served + own.waiting == 0 {
                self.clients.remove(&client);
            }
        }
    }

    /// Whether a connection waits for its turn.
    pub(super) fn is_anyone_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    fn connections_of(&self, client: Client) -> Connections {
        self.clients.get(&client).copied().unwrap_or_default()
    }

    fn has_room_for(&self, client: Client) -> bool {
        let kept = match self.connections_of(client).served {
            0 => 0,
            _ => self.limits.kept_for_others(),
        };
        self.served + kept < self.limits.connections
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(number: u8) -> Client {
        Client::of([192, 0, 2, number].into())
    }

    /// 64 connections: 32 a client, 8 for clients that have none, 8 that wait.
    fn admission() -> Admission<usize> {
        Admission::new(Limits {
            connections: 64,
            ..Limits::of_this_process()
        })
    }

    /// Tries to enter as often, and gives how many are served, wait and are refused.
    fn enter(admission: &mut Admission<usize>, client: Client, attempts: usize) -> [usize; 3] {
        let (served, waiting) = (admission.served, admission.waiting.len());
        let entering = (0..attempts).map(|number| {
            let entered = admission.enter(client, number).is_ok();
            while admission.next().is_some() {}
            entered
        });
        let refused = entering.filter(|entered| !entered).count();
        [
            admission.served - served,
            admission.waiting.len() - waiting,
            refused,
        ]
    }

    #[test]
    fn a_client_has_at_most_its_share_and_others_always_find_room() {
        let mut admission = admission();
        assert_eq!(enter(&mut admission, client(1), 1000), [32, 0, 968]);
        // What is kept for clients that have none is not theirs either.
        assert_eq!(enter(&mut admission, client(2), 1000), [24, 8, 968]);
        for number in 3..11 {
            assert_eq!(enter(&mut admission, client(number), 2), [1, 0, 1]);
        }
        assert_eq!(enter(&mut admission, client(11), 1), [0, 0, 1]);
    }

    #[test]
    fn connections_that_wait_are_served_in_turn_and_a_newcomers_before_them() {
        let mut admission = admission();
        enter(&mut admission, client(1), 32);
        enter(&mut admission, client(2), 26);
        assert!(admission.is_anyone_waiting());
        admission.enter(client(3), 7).unwrap();
        assert_eq!(admission.next(), Some((client(3), 7)));
        assert_eq!(admission.next(), None);
        admission.leave(client(1));
        admission.leave(client(1));
        assert_eq!(admission.next(), Some((client(2), 24)));
        admission.leave(client(3));
        assert_eq!(admission.next(), Some((client(2), 25)));
        assert!(!admission.is_anyone_waiting());
    }

    #[test]
    fn nothing_is_kept_of_clients_that_have_left() {
        let mut admission = admission();
        for number in 0..100 {
            assert_eq!(enter(&mut admission, client(number), 1), [1, 0, 0]);
            admission.leave(client(number));
        }
        assert_eq!((admission.served, admission.clients.len()), (0, 0));
    }

    #[test]
    fn a_network_of_ipv6_is_one_client() {
        let of = |text: &str| Client::of(text.parse().unwrap());
        for (one, other, is_same) in [
            ("2001:db8:0:1::1", "2001:db8:0:1:ffff::2", true),
            ("2001:db8:0:1::1", "2001:db8:0:2::1", false),
            ("::ffff:192.0.2.1", "192.0.2.1", true),
            ("::ffff:192.0.2.1", "::ffff:192.0.2.2", false),
            ("192.0.2.1", "192.0.2.2", false),
            ("::1", "127.0.0.1", false),
            ("::1", "::2", false),
        ] {
            assert_eq!(of(one) == of(other), is_same, "{one} {other}");
        }
    }
}
