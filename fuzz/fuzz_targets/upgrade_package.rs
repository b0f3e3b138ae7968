//! Image packages from raw octets: what parses is written again to the same octets, and its geometry holds together.
#![no_main]

use libfuzzer_sys::fuzz_target;
use upgrade_proto::message::Identity;
use upgrade_proto::package::{Address, Manifest};
use upgrade_proto::session::{DigestAt, Geometry, Plane};

fuzz_target!(|data: &[u8]| {
    if let Ok((manifest, rest)) = Manifest::parse(data) {
        let own = &data[..data.len() - rest.len()];
        let mut buffer = vec![0; own.len()];
        let again = manifest.encode(&mut buffer).expect("as long as it was");
        assert_eq!(Manifest::parse(again), Ok((manifest, &[][..])));
        let _ = manifest.applies_to(&Identity::default(), Address([0; 6]));
        check(&manifest.geometry().expect("parsed"));
    }
    if let Some((sizes, _)) = data.split_first_chunk::<8>() {
        let [a, b, c, d, e, f, g, h] = *sizes;
        let (size, block) = (u32::from_be_bytes([0, a & 15, b, c]), u16::from_be_bytes([d & 7, e & 0xF0]));
        if let Ok(geometry) = Geometry::new(size, block, u16::from_be_bytes([f & 3, g]), h & 1 != 0) {
            check(&geometry);
        }
    }
});

fn check(geometry: &Geometry) {
    let mut meta = 0u32;
    for index in (0..geometry.count(Plane::Meta)).take(3000) {
        let len = geometry.block_len(Plane::Meta, index);
        assert!(len > 0 && len <= geometry.block());
        meta += u32::from(len);
        if let DigestAt::Meta { index: at, offset, len } = geometry.digest_at(Plane::Meta, index) {
            assert!(at < index, "a digest after its block");
            let within = offset % u32::from(geometry.block());
            assert!(within + u32::from(len) <= u32::from(geometry.block_len(Plane::Meta, at)));
        }
    }
    assert!(meta >= u32::from(geometry.manifest()).min(3000));
    let count = geometry.count(Plane::Data);
    let last = count - 1;
    assert_eq!(geometry.offset(last) + u32::from(geometry.block_len(Plane::Data, last)), geometry.size());
    for index in [0, last / 2, last] {
        match geometry.digest_at(Plane::Data, index) {
            DigestAt::Nowhere => assert!(!geometry.tagged()),
            DigestAt::Root => panic!("the root is of the tag table"),
            DigestAt::Meta { index: at, .. } => {
                assert!(geometry.tagged() && at < geometry.count(Plane::Meta))
            }
        }
    }
}
