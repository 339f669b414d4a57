//! `make demo`: the whole story on a real region. Ends with `demo: N steps, all passed` and 0, or with 1.
//!
//! With `--keep` it starts the region with one node and leaves it running until it is interrupted.

use std::process::ExitCode;

use stowage_e2e::{Region, story};

fn main() -> ExitCode {
    if std::env::args().any(|argument| argument == "--keep") {
        return keep();
    }
    let told = std::panic::catch_unwind(|| {
        let mut region = Region::start("live-4.4.22");
        story::tell(&mut region)
    });
    match told {
        Ok(steps) => {
            println!("\ndemo: {steps} steps, all passed");
            ExitCode::SUCCESS
        }
        Err(_) => {
            println!("\ndemo: failed at the step above");
            ExitCode::FAILURE
        }
    }
}

fn keep() -> ExitCode {
    let mut region = Region::start("live-4.4.22");
    region.add_node("node-a");
    let home = region.directory().join("host");
    println!("A region runs. In another shell:\n");
    println!("  export STOWAGE_SERVER={}", region.server);
    println!("  export STOWAGE_TOKEN_FILE={}", home.join("operator.token").display());
    println!("  stowage provider list\n");
    println!("WEKA emulator: {} (admin port {})", region.weka, region.weka_admin);
    println!("Everything is in {} and goes when this ends. Ctrl-C ends it.", region.directory().display());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let interrupted = runtime.and_then(|runtime| runtime.block_on(tokio::signal::ctrl_c()));
    drop(region);
    match interrupted {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("stowage-demo: {error}");
            ExitCode::FAILURE
        }
    }
}
