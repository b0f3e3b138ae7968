//! Builds the C baselines with gcc -O2: ours, and where it stands the yardstick that ours is held against.

use std::path::Path;

fn main() {
    println!("cargo::rustc-check-cfg=cfg(dlt645_yardstick)");
    let mut build = cc::Build::new();
    build.compiler("gcc").opt_level(2).file("c/dlt645.c");
    println!("cargo::rerun-if-changed=c/dlt645.c");
    let yardstick = "../../shared/prototypes/c/dlt645_baseline.c";
    if Path::new(yardstick).exists() {
        build.file(yardstick);
        println!("cargo::rerun-if-changed={yardstick}");
        println!("cargo::rustc-cfg=dlt645_yardstick");
    }
    build.compile("baselines");
}
