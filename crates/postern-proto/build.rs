//! Compiles the wire contract: messages and stubs by prost and tonic, proto3 JSON by pbjson.
//!
//! protox reads the proto files, so no `protoc` has to be installed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;

const ROOT: &str = "../../proto";
const FILES: [&str; 4] = [
    "google/rpc/status.proto",
    "scalekit/v1/errdetails/errdetails.proto",
    "scalekit/v1/auth/passwordless.proto",
    "scalekit/v1/auditlogs/auditlogs.proto",
];
/// Own type with a JSON form: prost's has none.
const TIMESTAMP: (&str, &str) = (".google.protobuf.Timestamp", "crate::timestamp::Timestamp");

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut set = protox::compile(FILES, [ROOT])?;

    tonic_prost_build::configure()
        .build_transport(true)
        .extern_path(TIMESTAMP.0, TIMESTAMP.1)
        .compile_fds(set.clone())?;

    // Reflection serves structure, not comments.
    for file in &mut set.file {
        file.source_code_info = None;
    }
    let encoded = set.encode_to_vec();
    fs::write(out.join("descriptors.bin"), &encoded)?;

    pbjson_build::Builder::new()
        .register_descriptors(&encoded)?
        .extern_path(TIMESTAMP.0, TIMESTAMP.1)
        .preserve_proto_field_names()
        .ignore_unknown_fields()
        .emit_fields()
        .build(&[".scalekit"])?;
    Ok(())
}
