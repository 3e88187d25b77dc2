//! Compiles the wire contract: messages and stubs by prost and tonic, proto3 JSON by pbjson.
//!
//! protox reads the proto files, so no `protoc` has to be installed.

use std::{env, error::Error, fs, path::PathBuf};

use prost::Message;
use prost_types::{FileDescriptorProto, FileDescriptorSet};

const ROOT: &str = "../../proto";
const FILES: [&str; 4] = [
    "google/rpc/status.proto",
    "scalekit/v1/errdetails/errdetails.proto",
    "scalekit/v1/auth/passwordless.proto",
    "scalekit/v1/auditlogs/auditlogs.proto",
];
/// Own type with a JSON form: prost's has none.
const TIMESTAMP: (&str, &str) = (".google.protobuf.Timestamp", "crate::timestamp::Timestamp");

/// The comment before each message, field, enum and value, by full name, for the API document.
fn comments(set: &FileDescriptorSet) -> Vec<(String, String)> {
    let mut found = Vec::new();
    for file in &set.file {
        let told = file.source_code_info.iter().flat_map(|info| &info.location);
        for location in told {
            if let (Some(comment), Some(name)) =
                (&location.leading_comments, named(file, &location.path))
            {
                let comment = comment.split_whitespace().collect::<Vec<_>>().join(" ");
                found.push((format!("{}.{name}", file.package()), comment));
            }
        }
    }
    found
}

/// The name at a path of `SourceCodeInfo` (descriptor.proto), for top-level messages and enums.
fn named(file: &FileDescriptorProto, path: &[i32]) -> Option<String> {
    let at = |index: i32| usize::try_from(index).ok();
    match *path {
        [4, message] => Some(file.message_type.get(at(message)?)?.name().to_owned()),
        [4, message, 2, field] => {
            let message = file.message_type.get(at(message)?)?;
            let field = message.field.get(at(field)?)?;
            Some(format!("{}.{}", message.name(), field.name()))
        }
        [5, kind] => Some(file.enum_type.get(at(kind)?)?.name().to_owned()),
        _ => None,
    }
}

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed={ROOT}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let mut set = protox::compile(FILES, [ROOT])?;

    tonic_prost_build::configure()
        .build_transport(true)
        .extern_path(TIMESTAMP.0, TIMESTAMP.1)
        .compile_fds(set.clone())?;

    fs::write(out.join("comments.rs"), format!("&{:?}", comments(&set)))?;
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
