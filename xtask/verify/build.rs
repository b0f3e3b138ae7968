//! Puts the memory layout where the linker looks for it.

use std::path::Path;

fn main() {
    let out = std::env::var("OUT_DIR").unwrap_or_default();
    if let Err(error) = std::fs::copy("memory.x", Path::new(&out).join("memory.x")) {
        panic!("memory.x: {error}");
    }
    println!("cargo:rustc-link-search={out}");
    println!("cargo:rustc-link-arg-bins=-Tlink.x");
    println!("cargo:rerun-if-changed=memory.x");
}
