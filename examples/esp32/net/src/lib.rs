//! One post at a time over smoltcp, whatever network is below.
#![no_std]
#![forbid(unsafe_code)]

use logic::p1::{Config, Post, Reading};
use smoltcp::iface::{Interface, SocketHandle, SocketSet, SocketStorage};
use smoltcp::phy::Device;
use smoltcp::socket::dhcpv4::{self, Event};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address, Ipv4Cidr};

/// The longest request.
pub const REQUEST: usize = 1536;
/// Octets of an answer that are kept at once.
pub const ANSWER: usize = 512;
/// How long a post may take, in milliseconds.
const PATIENCE: u32 = 5000;
/// First of the ports that a client takes for itself.
const LOCAL: u16 = 49_152;

/// Memory of the sockets.
#[derive(Debug)]
pub struct Buffers<'b> {
    /// For two.
    pub sockets: [SocketStorage<'b>; 2],
    /// What is received.
    pub incoming: [u8; ANSWER],
    /// What is sent.
    pub outgoing: [u8; REQUEST],
}

impl Buffers<'_> {
    /// Empty.
    pub const fn new() -> Self {
        Buffers { sockets: [SocketStorage::EMPTY; 2], incoming: [0; ANSWER], outgoing: [0; REQUEST] }
    }
}

impl Default for Buffers<'_> {
    fn default() -> Self {
        Self::new()
    }
}

/// A connection that carries one post at a time; times are milliseconds.
pub struct Network<'b, D> {
    device: D,
    interface: Interface,
    sockets: SocketSet<'b>,
    socket: SocketHandle,
    addresses: SocketHandle,
    request: [u8; REQUEST],
    /// Octets of the request, and of those handed over; 0 where nothing is under way.
    len: usize,
    sent: usize,
    began: u64,
    local: u16,
    answer: [u8; 16],
    answered: usize,
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
        let (request, answer) = ([0; REQUEST], [0; 16]);
        let local = LOCAL | (seed as u16 & 0x3FFF);
        let (len, sent, began, answered) = (0, 0, 0, 0);
        Network {
            device,
            interface,
            sockets,
            socket,
            addresses,
            request,
            len,
            sent,
            began,
            local,
            answer,
            answered,
        }
    }

    /// Starts a post; one that is still under way is given up.
    pub fn post(&mut self, config: &Config<'_>, reading: &Reading, now: u64) {
        let mut len = 0;
        let request = &mut self.request;
        Post { config, reading }.write(&mut |octet| {
            if let Some(place) = request.get_mut(len) {
                *place = octet;
            }
            len += 1;
        });
        self.local = self.local.checked_add(1).unwrap_or(LOCAL);
        let socket = self.sockets.get_mut::<Socket<'_>>(self.socket);
        socket.abort();
        let there = (Ipv4Address::from(config.server), config.port);
        let opened = socket.connect(self.interface.context(), there, self.local).is_ok();
        // A request that is longer than its room is not sent in part. `work` tells of what could not be opened.
        self.len = if len <= REQUEST { len } else { REQUEST };
        self.sent = if opened && len <= REQUEST { 0 } else { self.len };
        (self.answered, self.began) = (0, now);
    }

    /// Moves what there is to move. What became of a post, once: whether the server took it.
    pub fn work(&mut self, now: u64) -> Option<bool> {
        self.interface.poll(time(now), &mut self.device, &mut self.sockets);
        self.lease();
        if self.len == 0 {
            return None;
        }
        let socket = self.sockets.get_mut::<Socket<'_>>(self.socket);
        if socket.can_send() {
            let rest = self.request.get(self.sent..self.len).unwrap_or_default();
            self.sent += socket.send_slice(rest).unwrap_or(0);
        }
        if socket.can_recv() {
            let room = self.answer.get_mut(self.answered..).unwrap_or_default();
            self.answered += socket.recv_slice(room).unwrap_or(0);
        }
        let answer = Post::answered(self.answer.get(..self.answered).unwrap_or_default());
        let over = matches!(socket.state(), State::Closed | State::CloseWait) && !socket.can_recv();
        if answer.is_none() && !over && now.saturating_sub(self.began) <= u64::from(PATIENCE) {
            return None;
        }
        socket.close();
        self.len = 0;
        Some(answer == Some(true))
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
