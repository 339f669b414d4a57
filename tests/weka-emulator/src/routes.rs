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
    auth, cluster, filesystems, groups, mounts, organizations, paths, quotas, s3, security, snapshots, tasks, users,
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
const V51: Since = [5, 1, 0];

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
    GET "/security/tokensExpiry" ALWAYS ANYONE auth::expiry;
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
    GET "/organizations/{uid}/securityPolicy" V44 CLUSTER security::of_organization;
    PUT "/organizations/{uid}/securityPolicy" V44 CLUSTER security::set_on_organization;
    DELETE "/organizations/{uid}/securityPolicy" V44 CLUSTER security::clear_organization;
    POST "/organizations/{uid}/securityPolicy/attach" V44 CLUSTER security::attach_to_organization;
    POST "/organizations/{uid}/securityPolicy/detach" V44 CLUSTER security::detach_from_organization;
    PUT "/organizations/{uid}/limits" ALWAYS CLUSTER organizations::set_limits;
    DELETE "/organizations/{uid}/revoke" V44 CLUSTER organizations::revoke;
    GET "/organizations/{uid}" ALWAYS CLUSTER_READ organizations::get;
    PUT "/organizations/{uid}" ALWAYS CLUSTER organizations::rename;
    DELETE "/organizations/{uid}" ALWAYS CLUSTER organizations::delete;
    GET "/tenants" V51 CLUSTER_READ organizations::list;
    POST "/tenants" V51 CLUSTER organizations::create;
    GET "/tenants/{uid}" V51 CLUSTER_READ organizations::get;
    DELETE "/tenants/{uid}" V51 CLUSTER organizations::delete;

    GET "/cluster" ALWAYS READERS cluster::get;
    GET "/license" ALWAYS READERS cluster::license;
    GET "/containers" ALWAYS READERS cluster::containers;
    GET "/hosts" ALWAYS READERS cluster::containers;
    GET "/processes" ALWAYS READERS cluster::processes;
    GET "/nodes" ALWAYS READERS cluster::processes;
    GET "/alerts" ALWAYS READERS cluster::none;
    GET "/events" ALWAYS READERS cluster::none;
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
    GET "/fileSystems/{uid}/resolvePath" V43 READERS paths::resolve;
    GET "/fileSystems/{uid}/getPath" V44 READERS paths::get_path;
    GET "/fileSystems/{uid}/resolve" V43 READERS paths::get_path;
    GET "/fileSystems/{uid}/mountToken" ALWAYS MOUNTERS mounts::token;
    POST "/fileSystems/{uid}/mountToken" V51 MOUNTERS mounts::token_with;
    GET "/fileSystems/{uid}/securityPolicy" V44 ADMINS_READ security::of_filesystem;
    PUT "/fileSystems/{uid}/securityPolicy" V44 ADMINS security::set_on_filesystem;
    DELETE "/fileSystems/{uid}/securityPolicy" V44 ADMINS security::clear_filesystem;
    POST "/fileSystems/{uid}/securityPolicy/attach" V44 ADMINS security::attach_to_filesystem;
    POST "/fileSystems/{uid}/securityPolicy/detach" V44 ADMINS security::detach_from_filesystem;
    GET "/fileSystems/{uid}/quota" ALWAYS READERS quotas::list;
    GET "/fileSystems/{uid}/quota/default" ALWAYS READERS quotas::defaults;
    GET "/fileSystems/{uid}/quota/{inode}" ALWAYS READERS quotas::get;
    PUT "/fileSystems/{uid}/quota/{inode}" ALWAYS CSI_UP quotas::put;
    PATCH "/fileSystems/{uid}/quota/{inode}" ALWAYS CSI_UP quotas::patch;
    DELETE "/fileSystems/{uid}/quota/{inode}" ALWAYS CSI_UP quotas::delete;
    GET "/fileSystems/{uid}" ALWAYS READERS filesystems::get;
    PUT "/fileSystems/{uid}" ALWAYS ADMINS filesystems::update;
    DELETE "/fileSystems/{uid}" ALWAYS ADMINS filesystems::delete;

    GET "/snapshots" ALWAYS READERS snapshots::list;
    POST "/snapshots" ALWAYS CSI_UP snapshots::create;
    POST "/snapshots/{fs_uid}/{uid}/restore" ALWAYS CSI_UP snapshots::restore;
    GET "/snapshots/{uid}" ALWAYS READERS snapshots::get;
    PUT "/snapshots/{uid}" ALWAYS CSI_UP snapshots::update;
    DELETE "/snapshots/{uid}" ALWAYS CSI_UP snapshots::delete;

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
        let release: Release = "5.1.2".parse().unwrap();
        for route in ROUTES {
            let (found, _) = find(&release, route.method, route.path).unwrap();
            assert_eq!((found.method, found.path), (route.method, route.path));
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
