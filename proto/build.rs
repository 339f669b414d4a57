//! Generates the messages, clients and services of `stowage.v1` from the proto files, without protoc.

use std::{env, error::Error, fs, path::PathBuf};

/// Messages with a secret in them; their `Debug` is written by hand in `src/secret.rs`.
const SECRET_MESSAGES: [&str; 5] = [
    "stowage.v1.CreateNodeResponse",
    "stowage.v1.CredentialKeys",
    "stowage.v1.JoinNodeRequest",
    "stowage.v1.JoinNodeResponse",
    "stowage.v1.RedeemMountSecretResponse",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo:rerun-if-changed=stowage");
    println!("cargo:rerun-if-changed=third_party");
    let out = PathBuf::from(env::var("OUT_DIR")?);

    let mut files: Vec<String> = fs::read_dir("stowage/v1")?
        .map(|entry| Ok(format!("stowage/v1/{}", entry?.file_name().to_string_lossy())))
        .collect::<Result<_, std::io::Error>>()?;
    files.sort();
    // Not imported by the contract, but its failures carry these details, and JSON needs to know them.
    files.push("third_party/google/rpc/error_details.proto".to_owned());

    let mut compiler = protox::Compiler::new(["third_party", "."])?;
    compiler.include_source_info(true).include_imports(true);
    compiler.open_files(&files)?;
    // Encoded by the compiler itself, which keeps the options of Google's extensions.
    fs::write(out.join("documented.binpb"), compiler.encode_file_descriptor_set())?;
    let documented = compiler.file_descriptor_set();

    let mut plain = protox::Compiler::new(["third_party", "."])?;
    plain.include_source_info(false).include_imports(true);
    plain.open_files(&files)?;
    fs::write(out.join("plain.binpb"), plain.encode_file_descriptor_set())?;

    let mut config = tonic_prost_build::Config::new();
    config.enable_type_names();
    config.type_name_domain(["."], "type.googleapis.com");
    tonic_prost_build::configure()
        .extern_path(".google.rpc.Status", "::tonic_types::Status")
        .btree_map(".")
        .skip_debug(SECRET_MESSAGES)
        .compile_fds_with_config(documented, config)?;
    Ok(())
}
