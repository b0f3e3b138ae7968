//! The P1 reader whole: telegrams from the serial port, one HTTP POST a period over the emulated network.
//!
//! The data request line, a pin on a chip, is told as `# request on` and `# request off`; what became of a post as `# posted`
//! and `# not posted`. The configuration is the text that the emulator has loaded (see [`board::text`]).
#![no_std]
#![no_main]

use board::net::Port;
use board::{Board, Sender, entry, milliseconds, now, text};
use logic::p1::{Config, Post, Reader, Reading};
use logic::sink::Sink;
use smoltcp::iface::{Interface, SocketSet, SocketStorage};
use smoltcp::socket::tcp::{Socket, SocketBuffer, State};
use smoltcp::time::Instant;
use smoltcp::wire::{EthernetAddress, IpCidr, Ipv4Address};

/// This reader's address, and the way out, in QEMU's network.
const OWN: [u8; 4] = [10, 0, 2, 15];
const GATEWAY: [u8; 4] = [10, 0, 2, 2];
/// The longest request.
const REQUEST: usize = 1536;
/// How long a post may take, in milliseconds.
const PATIENCE: u32 = 5000;

#[entry]
fn main() -> ! {
    let (Some(board), Some(port)) = (Board::take(115_200), Port::take()) else { board::restart() };
    let mut sender = board.line.sender;
    let mut receiver = board.line.receiver;
    let config = match Config::parse(text::config()) {
        Ok(config) => config,
        Err(error) => {
            sender.put_all(b"# bad configuration in line ");
            sender.decimal(u32::from(error.line));
            sender.put(b'\n');
            board::restart()
        }
    };
    let (mut incoming, mut outgoing) = ([0; 512], [0; REQUEST]);
    let mut sockets = [SocketStorage::EMPTY];
    let mut network = Network::new(port, &mut sockets, &mut incoming, &mut outgoing);
    sender.put_all(b"READY\n");
    let mut reader = Reader::new(config.period, now());
    let mut asked = false;
    loop {
        let mut chunk = [0; 64];
        let octets = receiver.take(&mut chunk);
        reader.handle_time(now());
        reader.handle_octets(octets);
        if reader.asks() != asked {
            asked = !asked;
            sender.put_all(if asked { b"# request on\n" } else { b"# request off\n" });
        }
        if let Some(reading) = reader.poll_post() {
            network.post(&config, &reading);
        }
        network.work(&mut sender);
        if octets.is_empty() {
            board::sleep();
        }
    }
}

/// A connection that carries one post at a time.
struct Network<'b> {
    port: Port,
    interface: Interface,
    sockets: SocketSet<'b>,
    socket: smoltcp::iface::SocketHandle,
    request: [u8; REQUEST],
    /// Octets of the request, and of those handed over; 0 where nothing is under way.
    len: usize,
    sent: usize,
    began: u32,
    local: u16,
    answer: [u8; 16],
    answered: usize,
}

impl<'b> Network<'b> {
    fn new(
        mut port: Port,
        storage: &'b mut [SocketStorage<'b>],
        incoming: &'b mut [u8],
        outgoing: &'b mut [u8],
    ) -> Network<'b> {
        let address = EthernetAddress(port.address());
        let mut settings = smoltcp::iface::Config::new(address.into());
        settings.random_seed = milliseconds();
        let mut interface = Interface::new(settings, &mut port, time());
        interface.update_ip_addrs(|addresses| {
            // There is room for one.
            let _ = addresses.push(IpCidr::new(Ipv4Address::from(OWN).into(), 24));
        });
        let _ = interface.routes_mut().add_default_ipv4_route(Ipv4Address::from(GATEWAY));
        let mut sockets = SocketSet::new(storage);
        let socket = sockets.add(Socket::new(SocketBuffer::new(incoming), SocketBuffer::new(outgoing)));
        let (request, answer) = ([0; REQUEST], [0; 16]);
        let (len, sent, began, local, answered) = (0, 0, 0, 49_152, 0);
        Network { port, interface, sockets, socket, request, len, sent, began, local, answer, answered }
    }

    /// Starts a post; one that is still under way is given up.
    fn post(&mut self, config: &Config<'_>, reading: &Reading) {
        let mut len = 0;
        let request = &mut self.request;
        Post { config, reading }.write(&mut |octet| {
            if let Some(place) = request.get_mut(len) {
                *place = octet;
            }
            len += 1;
        });
        self.local = self.local.checked_add(1).unwrap_or(49_152);
        let socket = self.sockets.get_mut::<Socket<'_>>(self.socket);
        socket.abort();
        let there = (Ipv4Address::from(config.server), config.port);
        let opened = socket.connect(self.interface.context(), there, self.local).is_ok();
        // A request that is longer than its room is not sent in part.
        self.len = if opened && len <= REQUEST { len } else { 0 };
        (self.sent, self.answered, self.began) = (0, 0, now());
    }

    fn work(&mut self, out: &mut Sender) {
        self.interface.poll(time(), &mut self.port, &mut self.sockets);
        if self.len == 0 {
            return;
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
        if answer.is_some() || over || now().wrapping_sub(self.began) > PATIENCE {
            out.put_all(if answer == Some(true) { b"# posted\n" } else { b"# not posted\n" });
            socket.close();
            self.len = 0;
        }
    }
}

fn time() -> Instant {
    Instant::from_millis(i64::try_from(milliseconds()).unwrap_or(i64::MAX))
}
