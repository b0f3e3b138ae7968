//! Puts the memory layout where the linker looks for it, and what a build of the unit is told about itself where the compiler does.

use std::path::Path;

/// Where the boot loader looks for the unit; `memory.x` takes it in.
const APP: u32 = 0x4000;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap_or_default();
    if let Err(error) = std::fs::copy("memory.x", Path::new(&out).join("memory.x")) {
        panic!("memory.x: {error}");
    }
    println!("cargo:rustc-link-search={out}");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    if std::env::var_os("CARGO_FEATURE_LOG").is_some() {
        println!("cargo:rustc-link-arg-bins=-Tdefmt.x");
    }
    println!("cargo:rustc-link-arg-bin=unit=--defsym=APP={APP:#x}");
    println!("cargo:rerun-if-changed=memory.x");
    unit(Path::new(&out));
}

/// The unit's version (`UNIT_VERSION`, YYYYMMDD.N) and the key that images are signed with (`UNIT_KEY`, the file that
/// `meter upgrade keygen` wrote as `KEY.pub.der`); without one it takes no image.
fn unit(out: &Path) {
    println!("cargo:rerun-if-env-changed=UNIT_VERSION");
    println!("cargo:rerun-if-env-changed=UNIT_KEY");
    let version = std::env::var("UNIT_VERSION").unwrap_or_else(|_| "20260101.1".into());
    let numbers = version.split_once('.').map(|(date, number)| (date.parse::<u32>(), number.parse::<u16>()));
    let Some((Ok(date), Ok(number))) = numbers else { panic!("UNIT_VERSION: `{version}` is not YYYYMMDD.N") };
    let key = match std::env::var("UNIT_KEY") {
        Ok(path) => {
            println!("cargo:rerun-if-changed={path}");
            let file = std::fs::read(&path).unwrap_or_else(|error| panic!("UNIT_KEY: {path}: {error}"));
            // RFC 8410: twelve octets say that it is Ed25519, then comes the key.
            let Some((_, key)) = file.split_at_checked(12).filter(|(_, key)| key.len() == 32) else {
                panic!("UNIT_KEY: {path} is no Ed25519 key in DER");
            };
            format!("PublicKey::ed25519(&{key:?})")
        }
        Err(_) => "PublicKey::NONE".into(),
    };
    let text = format!(
        "/// Version of this build.\npub const VERSION: Version = Version {{ date: {date}, number: {number} }};\n\
         /// Key that images are signed with.\npub const KEY: PublicKey = {key};\n"
    );
    if let Err(error) = std::fs::write(out.join("build.rs"), text) {
        panic!("{}: {error}", out.display());
    }
}
