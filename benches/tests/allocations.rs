//! Decoding asks for no memory.

use benches::counting::{Counting, allocations};
use benches::han::frames;
use dlms_hdlc::{Assembler, Decoder, Llc};
use obis::apdu::DataNotification;
use obis::han;

#[global_allocator]
static COUNTING: Counting = Counting;

#[test]
fn the_allocator_counts() {
    assert!(allocations(|| drop(vec![1; 10])) > 0);
}

#[test]
fn han_frames_are_decoded_without_allocation() {
    let inputs = frames();
    let (mut decoder, mut assembler) = (Decoder::new([0; 800]), Assembler::new([0; 1024]));
    let mut values = 0;
    let calls = allocations(|| {
        for mut octets in inputs.iter().map(|input| &input.octets[..]) {
            while let Some(event) = decoder.decode(&mut octets) {
                let Some((_, apdu)) = assembler.accept(&event).message.and_then(Llc::parse) else { continue };
                let notification = DataNotification::parse_header(apdu).expect("a notification");
                values += han::entries(notification.body).flatten().count();
            }
        }
    });
    assert!(values > 50, "{values} values");
    assert_eq!(calls, 0);
}
