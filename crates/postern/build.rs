//! What the linker is told so that the program is small.

use std::env;

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    let target = |what: &str| env::var(format!("CARGO_CFG_TARGET_{what}")).unwrap_or_default();
    if target("OS") != "linux" || target("ENV") != "gnu" {
        return;
    }
    // Relocations would be a twentieth of the program.
    println!("cargo::rustc-link-arg-bin=postern=-Wl,-z,pack-relative-relocs");
    // Functions that came out alike are kept once, where the linker is the one that Rust brings along:
    // others need not know how.
    let flags = env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default();
    let own = env::var_os("RUSTC_LINKER").is_some() || flags.contains("link");
    if target("ARCH") == "x86_64" && !own && env::var("PROFILE").is_ok_and(|name| name == "release")
    {
        println!("cargo::rustc-link-arg-bin=postern=-Wl,--icf=all");
    }
}
