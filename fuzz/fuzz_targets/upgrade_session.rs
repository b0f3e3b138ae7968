//! Whole transfers, sender and receivers, over a channel and with supplies that the fuzzer spoils; and both sides fed with any octets.
//!
//! What must hold: the sender ends; a meter it calls done has the image, octet for octet, and has verified it; no block map says more than
//! the flash holds, after any cut.
#![no_main]

#[path = "../../upgrade-proto/tests/common/mod.rs"]
mod common;

use common::*;
use libfuzzer_sys::fuzz_target;
use upgrade_proto::receiver::{Addressed, Receiver};
use upgrade_proto::sender::{Sender, Strategy};

fuzz_target!(|data: &[u8]| {
    let Some((head, script)) = data.split_first_chunk::<10>() else { return };
    if head[0] & 1 == 0 { story(head, script) } else { raw(head, script) }
});

fn story(head: &[u8; 10], script: &[u8]) {
    let [kind, meters, late, late_at, len, loss, other, corrupt, cuts, restarts] = *head;
    let meters = usize::from(meters % 4) + 1;
    let share = |octet: u8, most: f64| f64::from(octet) / 255.0 * most;
    let story = Story {
        meters,
        late: usize::from(late % 3),
        late_at: u64::from(late_at),
        len: usize::from(len) * 13 + 1,
        block: 64,
        strategy: [Strategy::Auto, Strategy::Coded, Strategy::Xor, Strategy::Union][usize::from(kind >> 6)],
        trouble: Trouble {
            loss: share(loss, 0.5),
            duplicate: share(other & 15, 4.0),
            reorder: share(other >> 4, 4.0),
            corrupt: share(corrupt, 0.3),
        },
        cut_every: if cuts & 1 == 0 { 0 } else { u64::from(cuts) + 3 },
        cuts: u32::from(cuts >> 4),
        restarts: u32::from(restarts % 3),
    };
    let done = story.tell(Chance::scripted(script.to_vec(), u64::from(kind)));
    assert!(done <= meters);
}

/// Messages of any content to one meter and to a concentrator, a length octet before each; then the meter is reset.
fn raw(head: &[u8; 10], script: &[u8]) {
    let image = Image::new(octets(3000, 7), 64, head[1] & 1 == 0, head[1] & 1 == 0, &[]);
    let mut tables = Tables::new(2, &image.geometry);
    let mut sender = Sender::new(settings(), &image.job(7), &image, tables.memory()).expect("sizes fit");
    for number in 0..2 {
        sender.add_meter(config(number).address).expect("there is room");
    }
    let (flash, map) = flash_nodes(1).remove(0);
    let mut node: Node<_, _> = Receiver::new(flash, map, [0; 1024], config(0));
    let mut buffer = [0; 800];
    let (mut rest, mut now) = (script, 0u64);
    while let Some((&len, after)) = rest.split_first() {
        let (octets, after) = after.split_at(usize::from(len).min(after.len()));
        rest = after;
        now += u64::from(len) * 5;
        // Half of the time the session is the right one, so that more than the header is looked at.
        let mut octets = octets.to_vec();
        if let Some(place) = octets.get_mut(1..7)
            && len & 1 == 0
        {
            place[..2].copy_from_slice(&sender.session().id.to_be_bytes());
            place[2..].copy_from_slice(&sender.session().image.to_be_bytes());
        }
        // And now and then a genuine message of the sender comes in between.
        if len & 6 == 0
            && let Ok(Some(sent)) = sender.poll_transmit(&mut buffer, now)
        {
            node.handle_message(sent.octets, Addressed::Me, now).expect("the flash is whole");
            sender.handle_sent(now);
        }
        sender.handle_message(config(len & 1).address, &octets, now);
        node.handle_message(&octets, if len & 8 == 0 { Addressed::Me } else { Addressed::Group(1) }, now)
            .expect("the flash is whole");
        node.work(now).expect("the flash is whole");
        if let Some(reply) = node.poll_transmit(&mut buffer, now).expect("the flash is whole") {
            sender.handle_message(config(0).address, reply, now);
        }
    }
    let (mut flash, mut map) = node.into_parts();
    // The session may be one that the octets opened: then its blocks are not the image's.
    let record = upgrade_proto::bitmap::BlockMap::load(&mut map, &mut flash).expect("the flash is whole");
    if image.geometry.tagged()
        && record.is_some_and(|record| record.announced().session() == sender.session())
    {
        assert_eq!(map_leads(&mut flash, &mut map, &image), None, "the map leads the data");
    }
    let mut again: Node<_, _> = Receiver::new(flash, map, [0; 1024], config(0));
    again.resume().expect("the flash is whole");
}
