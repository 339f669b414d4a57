//! `mount.wekafs` for tests: what mount(8) calls for `-t wekafs`, standing in for the vendor's client.
//!
//! It hands the source and the options over to the emulator, which checks the options against the documented grammar and
//! the token and the fences as the servers would, and makes the mount. Beside it stands `mount.wekafs.json`:
//! `{"admin": "http://127.0.0.1:…", "client_ip": "10.0.0.1"}`.

use std::process::ExitCode;

use serde_json::{Value, json};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(problem) => {
            eprintln!("mount.wekafs: {problem}");
            ExitCode::from(32)
        }
    }
}

fn run() -> Result<(), String> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [source, target, rest @ ..] = arguments.as_slice() else {
        return Err("usage: mount.wekafs SOURCE TARGET [-o OPTIONS]".to_owned());
    };
    let options = rest.iter().skip_while(|word| *word != "-o").nth(1).cloned().unwrap_or_default();
    let token_path = options.split(',').find_map(|option| option.strip_prefix("auth_token_path="));
    let token = token_path.map(token_file).transpose()?;
    let own = std::env::current_exe().map_err(|error| error.to_string())?;
    let settings =
        std::fs::read_to_string(own.with_file_name("mount.wekafs.json")).map_err(|error| error.to_string())?;
    let settings: Value = serde_json::from_str(&settings).map_err(|error| error.to_string())?;
    let admin = settings.get("admin").and_then(Value::as_str).ok_or("mount.wekafs.json has no `admin`")?;
    let body = json!({
        "filesystem": source,
        "target": target,
        "options": options,
        "token": token,
        "client_ip": settings.get("client_ip"),
    });
    post(&format!("{admin}/admin/mounts"), &body)
}

/// The file that the vendor's login writes: `{"access_token": …}`; a bare token is taken as well.
fn token_file(path: &str) -> Result<String, String> {
    let text = std::fs::read_to_string(path).map_err(|error| format!("cannot read the token file: {error}"))?;
    let parsed: Option<Value> = serde_json::from_str(&text).ok();
    let token = parsed.as_ref().and_then(|value| value.get("access_token")).and_then(Value::as_str);
    Ok(token.map_or_else(|| text.trim().to_owned(), str::to_owned))
}

fn post(url: &str, body: &Value) -> Result<(), String> {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|error| error.to_string())?;
    runtime.block_on(async {
        let answer = reqwest::Client::new().post(url).json(body).send().await.map_err(|error| error.to_string())?;
        let status = answer.status();
        let said = answer.text().await.unwrap_or_default();
        if status.is_success() { Ok(()) } else { Err(format!("the cluster refused the mount ({status}): {said}")) }
    })
}
