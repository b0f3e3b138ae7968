//! The MQTT client against a broker that is played packet by packet.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::cast_possible_truncation,
    reason = "test code"
)]

use logic::mqtt::{Client, KEEP_ALIVE, Link, Need, Session};
use logic::sink::Sink;

const SESSION: Session<'_> =
    Session { name: "meter1", user: "", password: "", topic: "han", confirmed: true };
const CONNECT: &[u8] = b"\x10\x12\x00\x04MQTT\x04\x00\x00\x1E\x00\x06meter1";
const CONNACK: &[u8] = &[0x20, 2, 0, 0];

fn publish(client: &mut Client<'_>, text: &str) -> bool {
    client.publish(|out| out.put_all(text.as_bytes()))
}

/// Everything that is to go out, in pieces of `chunk` octets.
fn sent(client: &mut Client<'_>, now: u32, chunk: usize) -> Vec<u8> {
    let (mut all, mut buffer) = (Vec::new(), vec![0; chunk]);
    loop {
        match client.transmit(&mut buffer, now) {
            0 => return all,
            len => all.extend(&buffer[..len]),
        }
    }
}

/// Opens a connection and has the broker let the client in.
fn greet(client: &mut Client<'_>, now: u32) {
    assert_eq!(client.poll(Link::Closed, now), Need::Open);
    assert_eq!(client.poll(Link::Opening, now), Need::Nothing);
    assert_eq!(sent(client, now, 64), []);
    assert_eq!(client.poll(Link::Open, now), Need::Nothing);
    assert_eq!(sent(client, now, 64), CONNECT);
    client.handle_octets(CONNACK);
    assert!(client.is_online());
}

/// A PUBLISH of this text under this number, of less than 128 octets.
fn packet(first: u8, id: u8, text: &str) -> Vec<u8> {
    let mut packet = vec![first, u8::try_from(7 + text.len()).unwrap()];
    packet.extend(b"\x00\x03han\x00");
    packet.push(id);
    packet.extend(text.as_bytes());
    packet
}

#[test]
fn a_message_goes_out_once_and_stays_until_it_is_acknowledged() {
    for chunk in [1, 3, 64, 512] {
        let mut storage = [0; 64];
        let mut client = Client::new(SESSION, &mut storage);
        assert!(publish(&mut client, "one") && publish(&mut client, "two"));
        greet(&mut client, 0);
        assert_eq!(sent(&mut client, 1, chunk), packet(0x32, 1, "one"));
        assert_eq!(sent(&mut client, 2, chunk), []);
        // Another's acknowledgement counts for nothing.
        client.handle_octets(&[0x40, 2, 0, 2]);
        assert_eq!((sent(&mut client, 3, chunk), client.delivered()), (vec![], 0));
        [0x40, 2, 0, 1].iter().for_each(|octet| client.handle_octets(&[*octet]));
        assert_eq!(client.delivered(), 1);
        assert_eq!(sent(&mut client, 4, chunk), packet(0x32, 2, "two"));
        client.handle_octets(&[0x40, 2, 0, 2]);
        assert_eq!((sent(&mut client, 5, chunk), client.delivered()), (vec![], 2));
    }
}

#[test]
fn a_message_without_acknowledgement_goes_out_again_marked_over_the_next_connection() {
    let mut storage = [0; 64];
    let mut client = Client::new(SESSION, &mut storage);
    greet(&mut client, 0);
    publish(&mut client, "one");
    assert_eq!(sent(&mut client, 1, 64), packet(0x32, 1, "one"));
    // Messages are taken while there is no connection.
    assert_eq!(client.poll(Link::Closed, 10), Need::Close);
    assert!(!client.is_online() && publish(&mut client, "two"));
    assert_eq!(client.poll(Link::Closed, 2009), Need::Nothing);
    greet(&mut client, 2010);
    assert_eq!(sent(&mut client, 2010, 64), packet(0x3A, 1, "one"));
    client.handle_octets(&[0x40, 2, 0, 1]);
    assert_eq!(sent(&mut client, 2010, 64), packet(0x32, 2, "two"));
}

#[test]
fn a_message_that_was_cut_goes_out_again_whole() {
    let mut storage = [0; 64];
    let mut client = Client::new(SESSION, &mut storage);
    greet(&mut client, 0);
    publish(&mut client, "one");
    assert_eq!(client.transmit(&mut [0; 5], 1), 5);
    assert_eq!(client.poll(Link::Closed, 2), Need::Close);
    greet(&mut client, 2002);
    assert_eq!(sent(&mut client, 2002, 64), packet(0x3A, 1, "one"));
}

#[test]
fn a_message_that_never_left_is_not_marked() {
    let mut storage = [0; 64];
    let mut client = Client::new(SESSION, &mut storage);
    publish(&mut client, "one");
    greet(&mut client, 0);
    assert_eq!(client.poll(Link::Closed, 2), Need::Close);
    greet(&mut client, 2002);
    assert_eq!(sent(&mut client, 2002, 64), packet(0x32, 1, "one"));
}

#[test]
fn at_qos_0_a_message_is_done_when_it_has_left() {
    let mut storage = [0; 64];
    let mut client = Client::new(Session { confirmed: false, ..SESSION }, &mut storage);
    greet(&mut client, 0);
    assert!(publish(&mut client, "one") && publish(&mut client, "two"));
    assert_eq!(sent(&mut client, 1, 64), b"\x30\x08\x00\x03hanone\x30\x08\x00\x03hantwo");
    assert_eq!(client.delivered(), 2);
}

#[test]
fn long_messages_have_their_length_in_two_octets() {
    let mut storage = [0; 512];
    let mut client = Client::new(SESSION, &mut storage);
    greet(&mut client, 0);
    assert!(publish(&mut client, &"x".repeat(300)));
    let all = sent(&mut client, 1, 100);
    // 307 is 0x33 and 2 * 128.
    assert_eq!((&all[..10], all.len()), (&b"\x32\xB3\x02\x00\x03han\x00\x01"[..], 310));
}

#[test]
fn what_does_not_fit_is_refused_whole() {
    let mut storage = [0; 12];
    let mut client = Client::new(SESSION, &mut storage);
    assert!(client.has_room(10) && !client.has_room(11));
    assert!(!publish(&mut client, "elevenchars"));
    assert!(publish(&mut client, "five5") && client.has_room(3));
    assert!(!publish(&mut client, "four") && publish(&mut client, "abc"));
    assert!(!client.has_room(0) && !publish(&mut client, ""));
    greet(&mut client, 0);
    assert_eq!(sent(&mut client, 1, 64), packet(0x32, 1, "five5"));
    client.handle_octets(&[0x40, 2, 0, 1]);
    assert!(publish(&mut client, "defgh") && !client.has_room(0));
    assert_eq!(sent(&mut client, 1, 64), packet(0x32, 2, "abc"));
    client.handle_octets(&[0x40, 2, 0, 2]);
    assert_eq!(sent(&mut client, 1, 64), packet(0x32, 3, "defgh"));
}

#[test]
fn user_and_password_are_sent_where_there_is_a_user() {
    let session = Session { user: "me", password: "secret", ..SESSION };
    let mut storage = [0; 64];
    let mut client = Client::new(session, &mut storage);
    client.poll(Link::Closed, 0);
    client.poll(Link::Open, 0);
    assert_eq!(
        sent(&mut client, 0, 7),
        b"\x10\x1E\x00\x04MQTT\x04\xC0\x00\x1E\x00\x06meter1\x00\x02me\x00\x06secret"
    );
}

#[test]
fn a_refusal_is_told_and_the_next_attempt_comes_after_a_pause() {
    let mut storage = [0; 64];
    let mut client = Client::new(SESSION, &mut storage);
    client.poll(Link::Closed, 0);
    client.poll(Link::Open, 0);
    sent(&mut client, 0, 64);
    client.handle_octets(&[0x20, 2, 0, 5]);
    assert_eq!(client.poll(Link::Open, 1), Need::Close);
    assert_eq!((client.refused(), client.poll(Link::Closed, 2000)), (5, Need::Nothing));
    greet(&mut client, 2001);
    assert_eq!(client.refused(), 0);
}

#[test]
fn what_is_not_mqtt_ends_the_connection() {
    for octets in
        [&b"HTTP/1.1 400 Bad Request\r\n\r\n"[..], &[0x20, 0xFF, 0xFF, 0xFF, 0xFF], &[0x40, 2, 0, 1]]
    {
        let mut storage = [0; 64];
        let mut client = Client::new(SESSION, &mut storage);
        client.poll(Link::Closed, 0);
        client.poll(Link::Open, 0);
        sent(&mut client, 0, 64);
        client.handle_octets(octets);
        // "HT" starts a packet of 84 octets that never comes.
        let now = if octets[0] == b'H' { 10_000 } else { 1 };
        assert_eq!(client.poll(Link::Open, now), Need::Close, "{octets:?}");
    }
}

#[test]
fn nothing_waits_for_ever() {
    let mut storage = [0; 64];
    let mut client = Client::new(SESSION, &mut storage);
    // The times wrap on the way.
    let start = u32::MAX - 5000;
    let at = |later: u32| start.wrapping_add(later);
    client.poll(Link::Closed, at(0));
    assert_eq!(client.poll(Link::Opening, at(9_999)), Need::Nothing);
    assert_eq!(client.poll(Link::Opening, at(10_000)), Need::Close);
    greet(&mut client, at(12_000));
    publish(&mut client, "one");
    sent(&mut client, at(12_000), 64);
    assert_eq!(client.poll(Link::Open, at(21_999)), Need::Nothing);
    assert_eq!(client.poll(Link::Open, at(22_000)), Need::Close);
}

#[test]
fn a_quiet_connection_is_pinged_before_the_broker_gives_it_up() {
    let mut storage = [0; 64];
    let mut client = Client::new(SESSION, &mut storage);
    greet(&mut client, 0);
    let quiet = u32::from(KEEP_ALIVE) * 500;
    assert_eq!(sent(&mut client, quiet - 1, 64), []);
    assert_eq!(sent(&mut client, quiet, 64), [0xC0, 0]);
    client.handle_octets(&[0xD0, 0]);
    assert_eq!(client.poll(Link::Open, quiet + 10_000), Need::Nothing);
    assert_eq!(sent(&mut client, 2 * quiet, 64), [0xC0, 0]);
    // Without an answer the connection is dead.
    assert_eq!(client.poll(Link::Open, 2 * quiet + 10_000), Need::Close);
}

#[test]
fn whatever_a_broker_says_the_client_neither_panics_nor_loses_a_message() {
    let mut random = 1u32;
    let mut next = || {
        random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        random >> 24
    };
    let mut storage = [0; 64];
    let mut client = Client::new(SESSION, &mut storage);
    publish(&mut client, "one");
    let mut now = 0u32;
    for _ in 0..20_000 {
        let link = [Link::Closed, Link::Opening, Link::Open, Link::Open][next() as usize % 4];
        client.poll(link, now);
        // Anything but the acknowledgement of packet 1.
        let noise: Vec<u8> = (0..next() % 8).map(|_| next() as u8 & !1).collect();
        client.handle_octets(&noise);
        client.transmit(&mut [0; 16][..next() as usize % 16], now);
        now = now.wrapping_add(next() * 10);
        assert_eq!(client.delivered(), 0);
    }
    let _ = (client.poll(Link::Closed, now), client.poll(Link::Closed, now));
    greet(&mut client, now.wrapping_add(2_000));
    let again = sent(&mut client, now, 64);
    assert_eq!(again[1..], packet(0x32, 1, "one")[1..]);
}
