//! What the readers send, over smoltcp and whatever network is below: one connection at a time.
#![no_std]
#![forbid(unsafe_code)]

mod han;
mod output;
mod post;
mod publish;

use logic::mqtt::Link;
use smoltcp::iface::{Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::Device;
use smoltcp::socket::dhcpv4::{self, Event};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address, Ipv4Cidr};

pub use han::Han;
pub use output::Output;
pub use post::Poster;
pub use publish::{Name, Publisher};

/// Octets that are on their way to the other side at once.
pub const OUTGOING: usize = 1536;
/// Octets that wait to be looked at.
pub const INCOMING: usize = 512;
/// First of the ports that a client takes for itself.
const LOCAL: u16 = 49_152;

/// Memory of the sockets.
#[derive(Debug)]
pub struct Buffers<'b> {
    /// For two.
    pub sockets: [SocketStorage<'b>; 2],
    /// What is received.
    pub incoming: [u8; INCOMING],
    /// What is sent.
    pub outgoing: [u8; OUTGOING],
}

impl Buffers<'_> {
    /// Empty.
    pub const fn new() -> Self {
        Buffers { sockets: [SocketStorage::EMPTY; 2], incoming: [0; INCOMING], outgoing: [0; OUTGOING] }
    }
}

impl Default for Buffers<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// A network port with one connection; times are milliseconds.
pub struct Network<'b, D> {
    device: D,
    interface: Interface,
    sockets: SocketSet<'b>,
    socket: SocketHandle,
    addresses: SocketHandle,
    local: u16,
}

impl<'b, D: Device> Network<'b, D> {
    /// A network that asks for an address by DHCP. `seed` is different at each start.
    pub fn new(mut device: D, address: [u8; 6], seed: u64, now: u64, buffers: &'b mut Buffers<'b>) -> Self {
        let mut settings = smoltcp::iface::Config::new(EthernetAddress(address).into());
        settings.random_seed = seed;
        let interface = Interface::new(settings, &mut device, time(now));
        let Buffers { sockets, incoming, outgoing } = buffers;
        let mut sockets = SocketSet::new(&mut sockets[..]);
        let tcp = Socket::new(SocketBuffer::new(&mut incoming[..]), SocketBuffer::new(&mut outgoing[..]));
        let socket = sockets.add(tcp);
        let addresses = sockets.add(dhcpv4::Socket::new());
        let local = LOCAL | (seed as u16 & 0x3FFF);
        Network { device, interface, sockets, socket, addresses, local }
    }

    /// Moves what there is to move. Call as often as possible.
    pub fn work(&mut self, now: u64) {
        self.interface.poll(time(now), &mut self.device, &mut self.sockets);
        self.lease();
    }

    /// Opens a connection; one that stands is given up. `false` where that cannot even begin.
    pub fn open(&mut self, server: [u8; 4], port: u16) -> bool {
        self.local = self.local.checked_add(1).unwrap_or(LOCAL);
        let socket = self.sockets.get_mut::<Socket<'_>>(self.socket);
        socket.abort();
        let there = (Ipv4Address::from(server), port);
        socket.connect(self.interface.context(), there, self.local).is_ok()
    }

    /// How the connection stands. One that the other side has closed is open until everything it sent has been received.
    pub fn link(&self) -> Link {
        let socket = self.sockets.get::<Socket<'_>>(self.socket);
        match socket.state() {
            State::SynSent | State::SynReceived => Link::Opening,
            State::Established => Link::Open,
            State::CloseWait if socket.can_recv() => Link::Open,
            _ => Link::Closed,
        }
    }

    /// Has `fill` write what is to be sent, and say how many octets that are.
    pub fn send(&mut self, fill: impl FnOnce(&mut [u8]) -> usize) {
        let socket = self.sockets.get_mut::<Socket<'_>>(self.socket);
        if socket.can_send() {
            // It can.
            let _ = socket.send(|room| (fill(room), ()));
        }
    }

    /// What has come, as far as there is room for it.
    pub fn receive<'r>(&mut self, room: &'r mut [u8]) -> &'r [u8] {
        let socket = self.sockets.get_mut::<Socket<'_>>(self.socket);
        let len = if socket.can_recv() { socket.recv_slice(room).unwrap_or(0) } else { 0 };
        room.get(..len).unwrap_or_default()
    }

    /// Closes the connection behind what has been sent.
    pub fn close(&mut self) {
        self.sockets.get_mut::<Socket<'_>>(self.socket).close();
    }

    /// Gives the connection up.
    pub fn abort(&mut self) {
        self.sockets.get_mut::<Socket<'_>>(self.socket).abort();
    }

    /// Whether there is an address.
    pub fn is_up(&self) -> bool {
        !self.interface.ip_addrs().is_empty()
    }

    /// Takes an address that DHCP has given, or gives it back.
    fn lease(&mut self) {
        match self.sockets.get_mut::<dhcpv4::Socket<'_>>(self.addresses).poll() {
            Some(Event::Configured(lease)) => {
                set(&mut self.interface, Some(lease.address));
                if let Some(router) = lease.router {
                    let _ = self.interface.routes_mut().add_default_ipv4_route(router);
                }
            }
            Some(Event::Deconfigured) => {
                set(&mut self.interface, None);
                self.interface.routes_mut().remove_default_ipv4_route();
            }
            None => {}
        }
    }
}

fn set(interface: &mut Interface, address: Option<Ipv4Cidr>) {
    interface.update_ip_addrs(|addresses| {
        addresses.clear();
        if let Some(address) = address {
            // There is room for one.
            let _ = addresses.push(IpCidr::Ipv4(address));
        }
    });
}

fn time(now: u64) -> Instant {
    Instant::from_millis(i64::try_from(now).unwrap_or(i64::MAX))
}
