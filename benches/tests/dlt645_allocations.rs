//! DL/T 645 asks for no memory: decoding, values, both ends of a session.

use benches::counting::{Counting, allocations};
use dlt645::{
    Access, Address, Data, Decoder, Identifier, Master, MasterConfig, MasterEvent, Meter, Part, Query,
    Reason, Refusal, Reply, Request, STORAGE, Slave, SlaveConfig, Version, items,
};

#[global_allocator]
static COUNTING: Counting = Counting;

struct Register;

impl Meter for Register {
    fn get(&mut self, _: Identifier, _: Query, _: u8, out: &mut [u8]) -> Result<Part, Reason> {
        let out = out.first_chunk_mut().ok_or(Reason::Other)?;
        *out = [0x78, 0x56, 0x34, 0x12];
        Ok(Part { len: 4, more: false })
    }
    fn set(&mut self, _: Identifier, _: &Access, _: Data<'_>) -> Result<(), Reason> {
        Ok(())
    }
    fn action(&mut self, _: &Request<'_>, _: &mut [u8]) -> Result<usize, Refusal> {
        Err(Refusal::Silent)
    }
}

#[test]
fn a_read_from_master_to_slave_and_back_is_free_of_allocation() {
    let address = Address::from_number(161);
    let ids = [Identifier::V2007(0x0001_0000), Identifier::V2007(0x0002_0000)];
    let mut values = 0;
    let calls = allocations(|| {
        let mut master = Master::new(MasterConfig::new(Version::V2007), [0; 300]);
        let mut slave = Slave::new(SlaveConfig::new(Version::V2007, address), Register, [0; 300]);
        let (mut up, mut down) = (Decoder::new([0; STORAGE]), Decoder::new([0; STORAGE]));
        let (mut out, mut now) = ([0; 300], 0u32);
        assert!(master.read(address, &ids).is_ok());
        while !master.is_idle() {
            now += 50;
            let mut asked = master.poll_transmit(&mut out, now).unwrap_or_default();
            while let Some(Ok(frame)) = down.decode(&mut asked) {
                slave.handle_frame(&frame, now);
            }
            now += 50;
            let mut answered = slave.poll_transmit(&mut out, now).unwrap_or_default();
            while let Some(Ok(frame)) = up.decode(&mut answered) {
                if let MasterEvent::Reply { reply: Reply::Data { identifier, data, .. }, .. } =
                    master.handle_frame(&frame, now)
                {
                    values += items(identifier, data).filter(|item| item.value.is_ok()).count();
                }
            }
        }
    });
    assert_eq!((values, calls), (2, 0));
}
