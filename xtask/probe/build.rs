//! The entry point is the probe itself: no start-up code, no vectors.

fn main() {
    let target = std::env::var("TARGET").unwrap_or_default();
    if target.starts_with("avr") {
        // Linked by avr-gcc.
        println!("cargo:rustc-link-arg-bins=-nostartfiles");
        println!("cargo:rustc-link-arg-bins=-Wl,--entry=probe");
    } else {
        println!("cargo:rustc-link-arg-bins=--entry=probe");
    }
    println!("cargo:rerun-if-changed=build.rs");
}
