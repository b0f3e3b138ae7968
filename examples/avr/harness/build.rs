//! Compiles what stands between Rust and libsimavr, whose own structures are in C headers only.

fn main() {
    println!("cargo:rerun-if-changed=shim/machine.c");
    cc::Build::new().file("shim/machine.c").opt_level(2).compile("machine");
    println!("cargo:rustc-link-lib=simavr");
}
