//! The routes: method, path, since which release, and which roles.
//!
//! The first row that fits a request is taken, so fixed names stand before places. A route that the release does not
//! have answers as an unknown one. Role rules follow the documents' role descriptions; which refusal a role gets on which
//! route is inferred, except for service accounts.

use crate::call::Call;
use crate::envelope::Answer;
use crate::release::{ALWAYS, Release, Since};
use crate::state::State;
use crate::users::Role;
use crate::{
    alerts, attachments, auth, cluster, containers, default_quotas, events, filesystems, groups, licence, login_page,
    mount_defaults, mounts, net_devices, object_stores, organizations, paths, processes, quota_batches, quotas, s3,
    security, snapshot_diff, snapshot_policies, snapshots, tasks, user_quotas, users,
};

/// A handler.
pub(crate) type Run = fn(&mut State, &Call) -> Answer;

/// Who may call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gate {
    /// Anyone, without a token.
    Open,
    /// These roles.
    Roles(&'static [Role]),
}

impl Gate {
    pub(crate) fn admits(self, role: Role) -> bool {
        match self {
            Self::Open => true,
            Self::Roles(roles) => roles.contains(&role),
        }
    }
}

/// One route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) since: Since,
    pub(crate) gate: Gate,
    pub(crate) run: Run,
}

use Role::{ClusterAdmin, Csi, OrgAdmin, ReadOnly, Regular, S3};

const OPEN: Gate = Gate::Open;
const ANYONE: Gate = Gate::Roles(&[ClusterAdmin, OrgAdmin, Csi, Regular, ReadOnly, S3]);
const READERS: Gate = Gate::Roles(&[ClusterAdmin, OrgAdmin, Csi, ReadOnly]);
const CSI_UP: Gate = Gate::Roles(&[ClusterAdmin, OrgAdmin, Csi]);
const ADMINS: Gate = Gate::Roles(&[ClusterAdmin, OrgAdmin]);
const ADMINS_READ: Gate = Gate::Roles(&[ClusterAdmin, OrgAdmin, ReadOnly]);
const CLUSTER: Gate = Gate::Roles(&[ClusterAdmin]);
const CLUSTER_READ: Gate = Gate::Roles(&[ClusterAdmin, ReadOnly]);
const CLUSTER_S3: Gate = Gate::Roles(&[ClusterAdmin, S3]);
const MOUNTERS: Gate = Gate::Roles(&[ClusterAdmin, OrgAdmin, Csi, Regular, ReadOnly]);

const V43: Since = [4, 3, 0];
const V44: Since = [4, 4, 0];
const V50: Since = [5, 0, 0];
const V51: Since = [5, 1, 0];
const V51_26: Since = [5, 1, 26];

macro_rules! routes {
    ($($method:ident $path:literal $since:ident $gate:ident $run:path;)+) => {
        /// Every route.
        pub(crate) const ROUTES: &[Route] = &[$(Route {
            method: stringify!($method), path: $path, since: $since, gate: $gate, run: $run,
        },)+];
    };
}

routes! {
    POST "/login" ALWAYS OPEN auth::login;
    POST "/login/refresh" ALWAYS OPEN auth::refresh;
    GET "/security/defaultTokensExpiry" ALWAYS ANYONE auth::expiry;
    GET "/security/tokensExpiry" ALWAYS ANYONE auth::old_expiry;
    POST "/security/defaultTokensExpiry" V44 CLUSTER auth::set_expiry;
    GET "/lockoutPolicy" ALWAYS ADMINS_READ auth::lockout_policy;
    PUT "/lockoutPolicy" ALWAYS CLUSTER auth::set_lockout_policy;
    DELETE "/lockoutPolicy" ALWAYS CLUSTER auth::reset_lockout_policy;

    GET "/users/whoami" ALWAYS ANYONE auth::whoami;
    GET "/users" ALWAYS ADMINS_READ users::list;
    POST "/users" ALWAYS ADMINS users::create;
    PUT "/users/password" ALWAYS ANYONE users::change_own_password;
    PUT "/users/{uid}/password" ALWAYS ADMINS users::set_password;
    DELETE "/users/{uid}/revoke" ALWAYS ADMINS users::revoke;
    POST "/users/{uid}/s3/resetCredentials" V51 CLUSTER s3::issued_keys::reset;
    PUT "/users/{uid}" ALWAYS ADMINS users::update;
    DELETE "/users/{uid}" ALWAYS ADMINS users::delete;

    GET "/organizations/multipleOrgsExist" ALWAYS ANYONE organizations::several;
    GET "/organizations" ALWAYS CLUSTER_READ organizations::list;
    POST "/organizations" ALWAYS CLUSTER organizations::create;
    GET "/organizations/{uid}/securityPolicy" V44 CLUSTER attachments::of_organization;
    PUT "/organizations/{uid}/securityPolicy" V44 CLUSTER attachments::set_on_organization;
    DELETE "/organizations/{uid}/securityPolicy" V44 CLUSTER attachments::clear_organization;
    POST "/organizations/{uid}/securityPolicy/attach" V44 CLUSTER attachments::attach_to_organization;
    POST "/organizations/{uid}/securityPolicy/detach" V44 CLUSTER attachments::detach_from_organization;
    PUT "/organizations/{uid}/limits" ALWAYS CLUSTER organizations::set_limits;
    DELETE "/organizations/{uid}/revoke" V44 CLUSTER organizations::revoke;
    GET "/organizations/{uid}" ALWAYS CLUSTER_READ organizations::get;
    PUT "/organizations/{uid}" ALWAYS CLUSTER organizations::rename;
    DELETE "/organizations/{uid}" ALWAYS CLUSTER organizations::delete;
    GET "/tenants" V51 CLUSTER_READ organizations::list;
    POST "/tenants" V51 CLUSTER organizations::create;
    GET "/tenants/{uid}/securityPolicy" V51 CLUSTER attachments::of_organization;
    PUT "/tenants/{uid}/securityPolicy" V51 CLUSTER attachments::set_on_organization;
    DELETE "/tenants/{uid}/securityPolicy" V51 CLUSTER attachments::clear_organization;
    POST "/tenants/{uid}/securityPolicy/attach" V51 CLUSTER attachments::attach_to_organization;
    POST "/tenants/{uid}/securityPolicy/detach" V51 CLUSTER attachments::detach_from_organization;
    PUT "/tenants/{uid}/limits" V51 CLUSTER organizations::set_limits;
    DELETE "/tenants/{uid}/revoke" V51 CLUSTER organizations::revoke;
    GET "/tenants/{uid}" V51 CLUSTER_READ organizations::get;
    PUT "/tenants/{uid}" V51 CLUSTER organizations::rename;
    DELETE "/tenants/{uid}" V51 CLUSTER organizations::delete;

    GET "/cluster" ALWAYS READERS cluster::get;
    POST "/cluster" ALWAYS CLUSTER cluster::create;
    PUT "/cluster" ALWAYS CLUSTER cluster::update;
    GET "/cluster/capacity_reduction" ALWAYS READERS cluster::capacity_reduction;
    GET "/license" ALWAYS READERS licence::get;
    POST "/license" ALWAYS CLUSTER licence::install;
    DELETE "/license" ALWAYS CLUSTER licence::reset;
    GET "/mountDefaults" ALWAYS READERS mount_defaults::get;
    PUT "/mountDefaults" ALWAYS CLUSTER mount_defaults::set;
    DELETE "/mountDefaults" ALWAYS CLUSTER mount_defaults::reset;

    POST "/containers/manageProtoContainers" ALWAYS CLUSTER containers::manage_protocols;
    POST "/containers/deactivation-check" ALWAYS CLUSTER containers::check_deactivation;
    POST "/containers/apply" ALWAYS CLUSTER containers::apply;
    POST "/containers/activate" ALWAYS CLUSTER containers::activate;
    POST "/containers/deactivate" ALWAYS CLUSTER containers::deactivate;
    POST "/containers/infos" ALWAYS CLUSTER containers::infos;
    GET "/containers/netdevs" ALWAYS READERS net_devices::all_devices;
    DELETE "/containers/lastFailureReason/{uid}" ALWAYS CLUSTER containers::acknowledge;
    GET "/containers/{uid}/resources" ALWAYS READERS containers::resources;
    GET "/containers/{uid}/netdevs" ALWAYS READERS net_devices::devices;
    POST "/containers/{uid}/netdevs" ALWAYS CLUSTER net_devices::add_device;
    DELETE "/containers/{uid}/netdevs/{netdev_uid}" ALWAYS CLUSTER net_devices::remove_device;
    POST "/containers/{uid}/apply" ALWAYS CLUSTER containers::acknowledge;
    POST "/containers/{uid}/activate" ALWAYS CLUSTER containers::activate_one;
    POST "/containers/{uid}/deactivate" ALWAYS CLUSTER containers::deactivate_one;
    GET "/containers" ALWAYS READERS containers::list;
    POST "/containers" ALWAYS CLUSTER containers::add;
    GET "/containers/{uid}" ALWAYS READERS containers::get;
    PUT "/containers/{uid}" ALWAYS CLUSTER containers::update;
    DELETE "/containers/{uid}" ALWAYS CLUSTER containers::remove;

    POST "/hosts/apply" ALWAYS CLUSTER containers::apply;
    POST "/hosts/activate" ALWAYS CLUSTER containers::activate;
    POST "/hosts/deactivate" ALWAYS CLUSTER containers::deactivate;
    POST "/hosts/infos" ALWAYS CLUSTER containers::infos;
    GET "/hosts/netdevs" ALWAYS READERS net_devices::all_devices;
    DELETE "/hosts/lastFailureReason/{uid}" ALWAYS CLUSTER containers::acknowledge;
    GET "/hosts/{uid}/resources" ALWAYS READERS containers::resources;
    GET "/hosts/{uid}/netdevs" ALWAYS READERS net_devices::devices;
    POST "/hosts/{uid}/netdevs" ALWAYS CLUSTER net_devices::add_device;
    DELETE "/hosts/{uid}/netdevs/{netdev_uid}" ALWAYS CLUSTER net_devices::remove_device;
    POST "/hosts/{uid}/apply" ALWAYS CLUSTER containers::acknowledge;
    POST "/hosts/{uid}/activate" ALWAYS CLUSTER containers::activate_one;
    POST "/hosts/{uid}/deactivate" ALWAYS CLUSTER containers::deactivate_one;
    GET "/hosts" ALWAYS READERS containers::list;
    POST "/hosts" ALWAYS CLUSTER containers::add;
    GET "/hosts/{uid}" ALWAYS READERS containers::get;
    PUT "/hosts/{uid}" ALWAYS CLUSTER containers::update;
    DELETE "/hosts/{uid}" ALWAYS CLUSTER containers::remove;

    GET "/processes" ALWAYS READERS processes::list;
    GET "/processes/{uid}" ALWAYS READERS processes::get;
    GET "/nodes" ALWAYS READERS processes::list;
    GET "/nodes/{uid}" ALWAYS READERS processes::get;

    GET "/alerts" ALWAYS READERS alerts::list;
    GET "/alerts/types" ALWAYS READERS alerts::types;
    GET "/alerts/description" ALWAYS READERS alerts::descriptions;
    PUT "/alerts/{alert_type}/mute" ALWAYS CLUSTER alerts::mute;
    PUT "/alerts/{alert_type}/unmute" ALWAYS CLUSTER alerts::unmute;
    GET "/events" ALWAYS READERS events::list;
    GET "/events/describe" ALWAYS READERS events::describe;
    GET "/events/aggregate" ALWAYS READERS events::aggregate;
    GET "/events/local" ALWAYS READERS events::local;
    POST "/events/custom" ALWAYS CLUSTER events::custom;
    GET "/dataService/features" V44 READERS cluster::data_service_features;

    GET "/tasks/limits" ALWAYS READERS tasks::limits;
    PUT "/tasks/limits" ALWAYS CLUSTER tasks::set_limits;
    GET "/tasks" ALWAYS READERS tasks::list;
    POST "/tasks/{uid}/abort" ALWAYS CLUSTER tasks::abort;
    POST "/tasks/{uid}/pause" ALWAYS CLUSTER tasks::pause;
    POST "/tasks/{uid}/resume" ALWAYS CLUSTER tasks::resume;

    GET "/fileSystemGroups" ALWAYS READERS groups::list;
    POST "/fileSystemGroups" ALWAYS CLUSTER groups::create;
    GET "/fileSystemGroups/{uid}" ALWAYS READERS groups::get;
    PUT "/fileSystemGroups/{uid}" ALWAYS CLUSTER groups::update;
    DELETE "/fileSystemGroups/{uid}" ALWAYS CLUSTER groups::delete;

    GET "/fileSystems" ALWAYS READERS filesystems::list;
    POST "/fileSystems" ALWAYS CSI_UP filesystems::create;
    POST "/fileSystems/download" ALWAYS ADMINS object_stores::download_filesystem;
    GET "/fileSystems/freeSpaceInOrg" V50 READERS filesystems::free_space;
    GET "/fileSystems/thinProvisionReserve" ALWAYS CLUSTER_READ organizations::reserves;
    PUT "/fileSystems/thinProvisionReserve/{org_uid}" ALWAYS CLUSTER organizations::set_reserve;
    DELETE "/fileSystems/thinProvisionReserve/{org_uid}" ALWAYS CLUSTER organizations::clear_reserve;
    PUT "/fileSystems/quota/{inode}" ALWAYS CSI_UP default_quotas::set;
    DELETE "/fileSystems/quota/{inode}/default" ALWAYS CSI_UP default_quotas::remove;
    POST "/fileSystems/{uid}/objectStores" ALWAYS ADMINS object_stores::attach;
    POST "/fileSystems/{uid}/objectStoreBuckets" ALWAYS ADMINS object_stores::attach;
    DELETE "/fileSystems/{uid}/objectStores/{obs_uid}" ALWAYS ADMINS object_stores::detach;
    DELETE "/fileSystems/{uid}/objectStoreBuckets/{obs_uid}" ALWAYS ADMINS object_stores::detach;
    GET "/fileSystems/{uid}/resolvePath" V43 READERS paths::resolve;
    GET "/fileSystems/{uid}/getPath" V44 READERS paths::get_path;
    GET "/fileSystems/{uid}/resolve" ALWAYS READERS paths::get_path_typed;
    GET "/fileSystems/{uid}/mountToken" ALWAYS MOUNTERS mounts::token;
    POST "/fileSystems/{uid}/mountToken" V51 MOUNTERS mounts::token_with;
    GET "/fileSystems/{uid}/securityPolicy" V44 ADMINS_READ attachments::of_filesystem;
    PUT "/fileSystems/{uid}/securityPolicy" V44 ADMINS attachments::set_on_filesystem;
    DELETE "/fileSystems/{uid}/securityPolicy" V44 ADMINS attachments::clear_filesystem;
    POST "/fileSystems/{uid}/securityPolicy/attach" V44 ADMINS attachments::attach_to_filesystem;
    POST "/fileSystems/{uid}/securityPolicy/detach" V44 ADMINS attachments::detach_from_filesystem;
    GET "/fileSystems/{uid}/quota" ALWAYS READERS quotas::list;
    GET "/fileSystems/{uid}/quota/default" ALWAYS READERS default_quotas::list;
    GET "/fileSystems/{uid}/quota/user" V51_26 READERS user_quotas::list;
    POST "/fileSystems/{uid}/quota/user" V51_26 CSI_UP user_quotas::set;
    DELETE "/fileSystems/{uid}/quota/user" V51_26 CSI_UP user_quotas::remove;
    GET "/fileSystems/{uid}/quota/{inode}" ALWAYS READERS quotas::get;
    PUT "/fileSystems/{uid}/quota/{inode}" ALWAYS CSI_UP quotas::put;
    PATCH "/fileSystems/{uid}/quota/{inode}" ALWAYS CSI_UP quotas::patch;
    DELETE "/fileSystems/{uid}/quota/{inode}" ALWAYS CSI_UP quotas::delete;
    GET "/fileSystems/{uid}" ALWAYS READERS filesystems::get;
    PUT "/fileSystems/{uid}" ALWAYS ADMINS filesystems::update;
    DELETE "/fileSystems/{uid}" ALWAYS ADMINS filesystems::delete;

    GET "/quota" ALWAYS READERS quota_batches::of_filesystem;
    GET "/quota/batch" V51 READERS quota_batches::of_inodes;

    POST "/snapshots/download" ALWAYS ADMINS object_stores::download_snapshot;
    POST "/snapshots/locatorInfo" ALWAYS ADMINS object_stores::locator_info;
    POST "/snapshots/diff/prepare" ALWAYS ADMINS snapshot_diff::prepare;
    POST "/snapshots/diff/getResults" ALWAYS ADMINS snapshot_diff::results;
    POST "/snapshots/{uid}/copy" ALWAYS CSI_UP snapshots::copy;
    POST "/snapshots/{uid}/upload" ALWAYS ADMINS object_stores::upload_snapshot;
    GET "/snapshots" ALWAYS READERS snapshots::list;
    POST "/snapshots" ALWAYS CSI_UP snapshots::create;
    POST "/snapshots/{fs_uid}/{uid}/restore" ALWAYS CSI_UP snapshots::restore;
    GET "/snapshots/{uid}" ALWAYS READERS snapshots::get;
    PUT "/snapshots/{uid}" ALWAYS CSI_UP snapshots::update;
    DELETE "/snapshots/{uid}" ALWAYS CSI_UP snapshots::delete;

    GET "/snapshotPolicy" V44 ADMINS_READ snapshot_policies::list;
    POST "/snapshotPolicy" V44 ADMINS snapshot_policies::create;
    GET "/snapshotPolicy/{uid}" V44 ADMINS_READ snapshot_policies::get;
    PUT "/snapshotPolicy/{uid}" V44 ADMINS snapshot_policies::update;
    DELETE "/snapshotPolicy/{uid}" V44 ADMINS snapshot_policies::delete;
    GET "/snapshotPolicy/{uid}/filesystems" V44 ADMINS_READ snapshot_policies::filesystems;
    POST "/snapshotPolicy/{uid}/filesystems/attach" V44 ADMINS snapshot_policies::attach;
    POST "/snapshotPolicy/{uid}/filesystems/detach" V44 ADMINS snapshot_policies::detach;
    POST "/snapshotPolicy/{uid}/duplicate" V44 ADMINS snapshot_policies::duplicate;
    POST "/snapshotPolicy/{uid}/runOnce" V44 ADMINS snapshot_policies::run_once;

    GET "/security/banner" ALWAYS OPEN login_page::banner;
    PUT "/security/banner" ALWAYS CLUSTER login_page::set_banner;
    POST "/security/banner/enable" ALWAYS CLUSTER login_page::enable_banner;
    POST "/security/banner/disable" ALWAYS CLUSTER login_page::disable_banner;
    GET "/security/caCert" ALWAYS CLUSTER_READ login_page::certificate;
    PUT "/security/caCert" ALWAYS CLUSTER login_page::set_certificate;
    DELETE "/security/caCert" ALWAYS CLUSTER login_page::remove_certificate;
    GET "/security/join/{mode}/securityPolicy" V44 CLUSTER_READ attachments::of_join;
    PUT "/security/join/{mode}/securityPolicy" V44 CLUSTER attachments::set_on_join;
    DELETE "/security/join/{mode}/securityPolicy" V44 CLUSTER attachments::clear_join;
    POST "/security/join/{mode}/securityPolicy/attach" V44 CLUSTER attachments::attach_to_join;
    POST "/security/join/{mode}/securityPolicy/detach" V44 CLUSTER attachments::detach_from_join;
    GET "/security/policies/test" V44 ADMINS_READ security::test;
    POST "/security/policies/{policy}/duplicate" V44 ADMINS security::duplicate;
    GET "/security/policies" V44 ADMINS_READ security::list;
    POST "/security/policies" V44 ADMINS security::create;
    GET "/security/policies/{policy}" V44 ADMINS_READ security::get;
    PATCH "/security/policies/{policy}" V44 ADMINS security::patch;
    DELETE "/security/policies/{policy}" V44 ADMINS security::delete;

    GET "/s3" ALWAYS CLUSTER_READ s3::service::get;
    POST "/s3" ALWAYS CLUSTER s3::service::create;
    PUT "/s3" ALWAYS CLUSTER s3::service::update;
    DELETE "/s3" ALWAYS CLUSTER s3::service::delete;
    GET "/s3/containersAreReady" ALWAYS CLUSTER_READ s3::service::containers_ready;
    POST "/s3/containers" ALWAYS CLUSTER s3::service::add_containers;
    DELETE "/s3/containers" ALWAYS CLUSTER s3::service::remove_containers;
    POST "/s3/hosts" ALWAYS CLUSTER s3::service::add_containers;
    DELETE "/s3/hosts" ALWAYS CLUSTER s3::service::remove_containers;
    GET "/s3/debug" ALWAYS CLUSTER_READ s3::debug::get;
    POST "/s3/debug" ALWAYS CLUSTER s3::debug::set;
    GET "/s3/auditWebhook" ALWAYS CLUSTER_READ s3::webhook::get;
    POST "/s3/auditWebhook/enable" ALWAYS CLUSTER s3::webhook::enable;
    POST "/s3/auditWebhook/disable" ALWAYS CLUSTER s3::webhook::disable;
    GET "/s3/buckets" ALWAYS CLUSTER_READ s3::bucket_routes::list;
    POST "/s3/buckets" ALWAYS CLUSTER s3::bucket_routes::create;
    DELETE "/s3/buckets/{bucket}" ALWAYS CLUSTER s3::bucket_routes::delete;
    PUT "/s3/buckets/{bucket}/quota" ALWAYS CLUSTER s3::bucket_routes::put_quota;
    DELETE "/s3/buckets/{bucket}/quota" ALWAYS CLUSTER s3::bucket_routes::delete_quota;
    GET "/s3/buckets/{bucket}/policy" ALWAYS CLUSTER_READ s3::bucket_policy::get;
    PUT "/s3/buckets/{bucket}/policy" ALWAYS CLUSTER s3::bucket_policy::put;
    GET "/s3/buckets/{bucket}/policyJson" ALWAYS CLUSTER_READ s3::bucket_policy::get_json;
    PUT "/s3/buckets/{bucket}/policyJson" ALWAYS CLUSTER s3::bucket_policy::put_json;
    GET "/s3/buckets/{bucket}/lifecycle/rules" ALWAYS CLUSTER_READ s3::lifecycle::list;
    POST "/s3/buckets/{bucket}/lifecycle/rules" ALWAYS CLUSTER s3::lifecycle::add;
    DELETE "/s3/buckets/{bucket}/lifecycle/rules" ALWAYS CLUSTER s3::lifecycle::reset;
    DELETE "/s3/buckets/{bucket}/lifecycle/rules/{rule}" ALWAYS CLUSTER s3::lifecycle::remove;
    GET "/s3/policies" ALWAYS CLUSTER_READ s3::policies::list;
    POST "/s3/policies" ALWAYS CLUSTER s3::policies::create;
    POST "/s3/policies/attach" ALWAYS CLUSTER s3::policies::attach;
    POST "/s3/policies/detach" ALWAYS CLUSTER s3::policies::detach;
    GET "/s3/policies/{policy}" ALWAYS CLUSTER_READ s3::policies::get;
    DELETE "/s3/policies/{policy}" ALWAYS CLUSTER s3::policies::delete;
    GET "/s3/userPolicies" ALWAYS CLUSTER_READ s3::policies::of_users;
    GET "/s3/serviceAccounts" ALWAYS ANYONE s3::service_accounts::list;
    POST "/s3/serviceAccounts" ALWAYS ANYONE s3::service_accounts::create;
    GET "/s3/serviceAccounts/{access_key}" ALWAYS ANYONE s3::service_accounts::get;
    DELETE "/s3/serviceAccounts/{access_key}" ALWAYS ANYONE s3::service_accounts::delete;
    POST "/s3/sts" ALWAYS CLUSTER_S3 s3::sts::assume_role;
    DELETE "/s3/sts/{access_key}" ALWAYS CLUSTER s3::sts::revoke;
}

/// The route of a request and what stands in its places.
pub(crate) fn find<'p>(
    release: &Release,
    method: &str,
    path: &'p str,
) -> Option<(&'static Route, Vec<(&'static str, &'p str)>)> {
    ROUTES
        .iter()
        .filter(|route| route.method == method && release.has(route.since))
        .find_map(|route| Some((route, places(route.path, path)?)))
}

fn places<'p>(pattern: &'static str, path: &'p str) -> Option<Vec<(&'static str, &'p str)>> {
    let mut found = Vec::new();
    let mut segments = path.split('/');
    for wanted in pattern.split('/') {
        let segment = segments.next()?;
        match wanted.strip_prefix('{').and_then(|name| name.strip_suffix('}')) {
            Some(name) if !segment.is_empty() => found.push((name, segment)),
            None if wanted == segment => {}
            _ => return None,
        }
    }
    segments.next().is_none().then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_route_is_hidden_behind_an_earlier_one() {
        let release: Release = "5.1.26".parse().unwrap();
        for route in ROUTES {
            let (found, _) = find(&release, route.method, route.path).unwrap();
            assert_eq!((found.method, found.path), (route.method, route.path));
        }
    }

    /// A path with its places nameless: `{uid}` and `{inode_id}` stand for the same.
    fn shape(path: &str) -> String {
        let segment = |segment: &str| if segment.starts_with('{') { "{}".to_owned() } else { segment.to_owned() };
        path.split('/').map(segment).collect::<Vec<_>>().join("/")
    }

    #[test]
    fn the_routes_and_the_contract_name_the_same_releases_and_roles() {
        let contract = crate::contract::contract().unwrap();
        let served = ["/healthcheck", "/ui/healthcheck"];
        for row in contract.routes().iter().filter(|row| !served.contains(&row.path.as_str())) {
            let head = format!("{} {}", row.method, row.path);
            let same = |route: &&Route| route.method == row.method && shape(route.path) == shape(&row.path);
            let route = ROUTES.iter().find(same).unwrap_or_else(|| panic!("{head} is in the contract only"));
            assert_eq!(route.since, row.since, "{head}");
            let roles = match route.gate {
                Gate::Open => None,
                Gate::Roles(roles) => Some(roles.iter().map(|role| serde_json::json!(role)).collect::<Vec<_>>()),
            };
            let named = row.roles.as_ref().map(|roles| roles.iter().map(|role| serde_json::json!(role)).collect());
            assert_eq!(roles, named, "{head}");
        }
        for route in ROUTES {
            let same =
                |row: &&crate::contract::Route| row.method == route.method && shape(&row.path) == shape(route.path);
            assert!(
                contract.routes().iter().any(|row| same(&row)),
                "{} {} is not in the contract",
                route.method,
                route.path
            );
        }
    }

    #[test]
    fn releases_decide_which_routes_exist() {
        for (release, method, path, exists) in [
            ("4.2.0", "GET", "/fileSystems/u/resolvePath", false),
            ("4.3.0", "GET", "/fileSystems/u/resolvePath", true),
            ("4.3.0", "GET", "/security/policies", false),
            ("4.4.22", "GET", "/security/policies", true),
            ("4.4.22", "POST", "/fileSystems/u/mountToken", false),
            ("5.1.2", "POST", "/fileSystems/u/mountToken", true),
            ("4.4.22", "GET", "/capacity", false),
            ("4.4.22", "GET", "/fileSystems/", false),
        ] {
            let found = find(&release.parse().unwrap(), method, path).is_some();
            assert_eq!(found, exists, "{release} {method} {path}");
        }
    }
}
