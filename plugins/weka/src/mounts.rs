//! Mount plans for nodes and Kubernetes, and what the cluster sees of their clients.

use stowage_provider_sdk::prelude::{
    Attachment, Call, Error, ErrorKind, MountRequest, MountState, MountStatus, Mounts, NativeRef, PlanForm, Prepared,
    Progress, Result, error, host,
};

use crate::Weka;
use crate::api::{Container, Filesystem, MountToken, envelope};
use crate::config::TokenUse;
use crate::exchanges::{CONTAINERS, MOUNT_TOKEN};
use crate::filesystems;
use crate::mount_plan::{Target, Token, compile};
use crate::namespaces::{Native, native};
use crate::reference::{Plan, Reference};
use crate::rest::Rest;

impl Mounts for Weka {
    fn prepare(_call: Call, request: MountRequest) -> Result<Prepared> {
        let rest = Rest::connect()?;
        let (uid, path) = match native(&request.namespace)? {
            Native::Directory(directory) => {
                let path = directory.path.trim_matches('/').to_owned();
                (directory.filesystem_uid, path)
            }
            Native::Filesystem(whole) => (whole.uid, String::new()),
        };
        let filesystem = filesystems::get(&rest, &uid)?
            .ok_or_else(|| error::not_found("the filesystem of this namespace"))
            .and_then(filesystems::ready)?;
        let target = Target { filesystem: filesystem.name.clone(), path };
        // The CSI driver mounts with a secret of its own.
        let csi = request.form == PlanForm::CsiVolume;
        // Checked before a credential is made for it.
        compile(&rest.config, &target, &request, &Token::None)?;
        let token = if csi { Token::None } else { token(&rest, &filesystem)? };
        Ok(Prepared::Plan(compile(&rest.config, &target, &request, &token)?))
    }

    fn release(_call: Call, plan: NativeRef) -> Result<Progress> {
        plan_of(&plan)?;
        // A plan makes nothing at the backend; its token ends by itself, and a stateless client leaves after its last mount.
        Ok(Progress::Done(plan))
    }

    fn observe(plans: Vec<NativeRef>) -> Result<Vec<MountStatus>> {
        let rest = Rest::connect()?;
        let parsed = plans.iter().map(|plan| plan_of(plan)).collect::<Result<Vec<_>>>()?;
        let containers: Vec<Container> = if parsed.is_empty() {
            Vec::new()
        } else {
            rest.all(&CONTAINERS, &rest.request().query("filter_type", "Clients"), "listing clients")?
        };
        let status = |(plan, native): (Plan, NativeRef)| {
            let clients: Vec<&Container> = containers.iter().filter(|client| is_on(client, &plan)).collect();
            let up = clients.iter().any(|client| client.status == "UP");
            let state = match (clients.is_empty(), up) {
                (true, _) => MountState::Requested,
                (false, true) => MountState::Mounted,
                (false, false) => MountState::Stale,
            };
            let attachments = clients.into_iter().map(attachment).collect();
            MountStatus { ref_: native, state, clients: attachments, observed_at: host::now_ms() }
        };
        Ok(parsed.into_iter().zip(plans).map(status).collect())
    }

    fn detach(_call: Call, _attachment: Vec<u8>, _force: bool) -> Result<Progress> {
        // The cluster can only remove a client as a whole, with every other mount that it serves.
        Err(error::unsupported("mounts.detach"))
    }
}

fn plan_of(bytes: &[u8]) -> Result<Plan> {
    match Reference::read(bytes) {
        Ok(Reference::Plan(plan)) => Ok(plan),
        _ => Err(error::invalid("plan", "is no plan of this adapter")),
    }
}

/// The proof that a mount of this filesystem needs.
fn token(rest: &Rest, filesystem: &Filesystem) -> Result<Token> {
    let mount = &rest.config.mount;
    let wanted = match mount.token {
        TokenUse::Never => false,
        TokenUse::Always => true,
        TokenUse::Auto => filesystem.auth_required || !rest.config.in_root(),
    };
    if !wanted {
        return Ok(Token::None);
    }
    match mount_token(rest, filesystem) {
        // No document lists the call before 5.1, and one client says that it is absent.
        Err(Error { kind: ErrorKind::Unsupported(_) | ErrorKind::NotFound, .. }) => match &mount.token_file {
            Some(path) => Ok(Token::File(path.clone())),
            None => {
                let remedy = "this release hands out no mount tokens: keep a token file on the nodes and name it in \
                              `mount.token_file`";
                Err(error::not_ready("mounts.token", "MOUNT_TOKEN_UNAVAILABLE", remedy))
            }
        },
        answer => answer,
    }
}

fn mount_token(rest: &Rest, filesystem: &Filesystem) -> Result<Token> {
    let doing = "asking for a mount token";
    let response = rest.send(&MOUNT_TOKEN, rest.request().param("uid", &filesystem.uid), doing)?;
    let unreadable = |text: &str| error::internal(format_args!("{doing}: {text}")).with_native_code("UnreadableAnswer");
    let answer: MountToken = envelope::one(response.body()).map_err(|junk| unreadable(&junk.0))?;
    if answer.filesystem_name.is_some_and(|name| name != filesystem.name) {
        return Err(unreadable("the token is for another filesystem"));
    }
    let handle = response.captured(0).ok_or_else(|| unreadable("the answer has no token"))?;
    Ok(Token::Sealed(handle.to_owned()))
}

/// Whether a client container runs on the plan's node.
fn is_on(client: &Container, plan: &Plan) -> bool {
    let addressed =
        |address: &String| client.ips.contains(address) || client.container_ip.as_ref().is_some_and(|ip| ip == address);
    client.mode == "client" && (client.hostname == plan.node || plan.addresses.iter().any(addressed))
}

fn attachment(client: &Container) -> Attachment {
    Attachment {
        id: client.uid.clone().into_bytes(),
        client: client.hostname.clone(),
        since: None,
        mode: None,
        // The cluster lists clients, not what each of them has mounted.
        extensions: vec![
            ("basis".to_owned(), "client".to_owned()),
            ("client.version".to_owned(), client.sw_version.clone()),
        ],
    }
}
