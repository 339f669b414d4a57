//! Mount plans for nodes and Kubernetes, and what the cluster sees of their clients.

use stowage_provider_sdk::prelude::{
    AccessMode, Attachment, Call, MountRequest, MountState, MountStatus, Mounts, NativeRef, PlanForm, Prepared,
    Progress, Result, error, host, lookup,
};

use crate::Weka;
use crate::api::{Container, Filesystem};
use crate::config::FenceUse;
use crate::exchanges::CONTAINERS;
use crate::home::Home;
use crate::mount_plan::{Held, Raised, Target, compile};
use crate::mount_tokens::Token;
use crate::namespaces::{Native, native};
use crate::reference::{Fence, Plan, Reference};
use crate::rest::Rest;
use crate::{fences, filesystems, mount_tokens};

impl Mounts for Weka {
    fn prepare(call: Call, request: MountRequest) -> Result<Prepared> {
        let rest = Rest::connect()?;
        let (uid, path, place) = match native(&request.namespace)? {
            Native::Directory(directory) => {
                let path = directory.path.trim_matches('/').to_owned();
                (directory.filesystem_uid, path, None)
            }
            Native::Filesystem(whole) => (whole.uid, String::new(), whole.place),
        };
        let home = Home::of(&rest, place.as_ref());
        let filesystem = filesystems::get(&home.rest, &uid)?
            .ok_or_else(|| error::not_found("the filesystem of this namespace"))
            .and_then(filesystems::ready)?;
        let organization = home.place.as_ref().map(|place| place.organization.clone());
        let target = Target { filesystem: filesystem.name.clone(), path, organization };
        // Checked before a credential or a fence is made for it.
        compile(&rest.config, &target, &request, &Held::default())?;
        let fenced = fenced(&rest, &target, &request)?;
        // The CSI driver mounts with a secret of its own.
        let token = match request.form {
            PlanForm::CsiVolume => Token::None,
            _ => mount_tokens::for_mount(&home.rest, &filesystem, !target.is_shared() && reads_only(&request))?,
        };
        let fence = if fenced { Some(fence(&home, &filesystem, &call.owner, &request)?) } else { None };
        let held = Held { token, fence };
        Ok(Prepared::Plan(compile(&rest.config, &target, &request, &held)?))
    }

    fn release(_call: Call, plan: NativeRef) -> Result<Progress> {
        // But for its fence a plan makes nothing at the backend: its token ends by itself, and a stateless client leaves
        // after its last mount.
        if let Some(fence) = plan_of(&plan)?.fence {
            let home = Home::of(&Rest::connect()?, fence.place.as_ref());
            fences::take_away(&home.rest, &fence.filesystem_uid, &fence.policy)?;
        }
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

/// The key by which a class asks for a fence: among its mount options, and not the client's.
const CLASS_FENCE: &str = "mount.option.fence";

/// Whether the plan is to have a fence, by the provider's configuration or its class's wish.
fn fenced(rest: &Rest, target: &Target, request: &MountRequest) -> Result<bool> {
    let wanted = match lookup(&request.extensions, CLASS_FENCE) {
        None | Some("off") => rest.config.mount.fence == FenceUse::Clients,
        Some("clients") => true,
        Some(word) => return Err(error::unsupported(&format!("{CLASS_FENCE} {word}"))),
    };
    if wanted && target.is_shared() {
        return Err(error::unsupported("mounts.fence under isolation directory"));
    }
    if wanted && request.form == PlanForm::CsiVolume && request.node_addresses.is_empty() {
        let remedy = "a fence lets clients in by address, and a volume names no node: take the fence from the class and \
                      the provider, or mount by plans for nodes";
        return Err(error::not_ready("mounts.fence", "FENCE_NEEDS_ADDRESSES", remedy));
    }
    Ok(wanted)
}

fn reads_only(request: &MountRequest) -> bool {
    request.prefixes.iter().all(|(_, mode)| *mode == AccessMode::ReadOnly)
}

fn fence(home: &Home, filesystem: &Filesystem, owner: &str, request: &MountRequest) -> Result<Raised> {
    let read_only = reads_only(request);
    let standing = fences::put_up(&home.rest, &filesystem.uid, owner, &request.node_addresses, read_only)?;
    let fence = Fence { policy: standing.policy, filesystem_uid: filesystem.uid.clone(), place: home.place.clone() };
    Ok(Raised { fence, reads_only: standing.reads_only })
}

fn plan_of(bytes: &[u8]) -> Result<Plan> {
    match Reference::read(bytes) {
        Ok(Reference::Plan(plan)) => Ok(plan),
        _ => Err(error::invalid("plan", "is no plan of this adapter")),
    }
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
