//! Grants.

use stowage_domain::{Action, Actions, Grant, Prefix, Principal, UnixMillis};
use stowage_proto::v1::{self, grantee::Who};

use super::{names, needed, time, unknown_value};
use crate::refusal::Refusal;

/// A grant of the contract, with its state at `now`.
pub(crate) fn to(grant: &Grant, now: UnixMillis, etag: String) -> v1::Grant {
    let state = match (grant.revoked_at, grant.active_at(now)) {
        (Some(_), _) => v1::GrantState::Revoked,
        (None, true) => v1::GrantState::Active,
        (None, false) => v1::GrantState::Expired,
    };
    v1::Grant {
        name: grant.name.to_string(),
        uid: grant.uid.clone(),
        grantee: Some(grantee_to(&grant.principal)),
        prefix: grant.prefix.as_str().to_owned(),
        actions: grant.actions.iter().map(|action| action_to(*action).into()).collect(),
        expire_time: grant.expires_at.map(time::to),
        state: state.into(),
        grantor: grant.grantor.clone(),
        create_time: Some(time::to(grant.created_at)),
        revoke_time: grant.revoked_at.map(time::to),
        etag,
    }
}

fn grantee_to(principal: &Principal) -> v1::Grantee {
    let who = match principal {
        Principal::User(id) => Who::User(id.clone()),
        Principal::Group(id) => Who::Group(id.clone()),
        Principal::Service(id) => Who::Service(id.clone()),
        Principal::Workload(name) => Who::Workload(name.to_string()),
        Principal::Project(name) => Who::Project(name.to_string()),
    };
    v1::Grantee { who: Some(who) }
}

/// Who a grant is for.
pub(crate) fn grantee_from(grantee: Option<v1::Grantee>) -> Result<Principal, Refusal> {
    let who = grantee.and_then(|grantee| grantee.who).ok_or_else(|| needed("grant.grantee"))?;
    let actor = |kind: &str, id: String| {
        Principal::parse_actor(&format!("grant.grantee.{kind}"), &format!("{kind}:{id}")).map_err(Refusal::from)
    };
    match who {
        Who::User(id) => actor("user", id),
        Who::Group(id) => actor("group", id),
        Who::Service(id) => actor("service", id),
        Who::Workload(name) => names::read("grant.grantee.workload", &name).map(Principal::Workload),
        Who::Project(name) => names::read("grant.grantee.project", &name).map(Principal::Project),
    }
}

pub(crate) const fn action_to(action: Action) -> v1::Action {
    match action {
        Action::Read => v1::Action::Read,
        Action::Write => v1::Action::Write,
        Action::List => v1::Action::List,
        Action::Delete => v1::Action::Delete,
        Action::Admin => v1::Action::Admin,
    }
}

/// What a grant allows.
pub(crate) fn actions_from(numbers: &[i32]) -> Result<Actions, Refusal> {
    actions_at("grant.actions", numbers)
}

/// The actions that stand at `field`; at least one.
pub(crate) fn actions_at(field: &str, numbers: &[i32]) -> Result<Actions, Refusal> {
    if numbers.is_empty() {
        return Err(needed(field));
    }
    let one = |(index, number): (usize, &i32)| match v1::Action::try_from(*number) {
        Ok(v1::Action::Read) => Ok(Action::Read),
        Ok(v1::Action::Write) => Ok(Action::Write),
        Ok(v1::Action::List) => Ok(Action::List),
        Ok(v1::Action::Delete) => Ok(Action::Delete),
        Ok(v1::Action::Admin) => Ok(Action::Admin),
        Ok(v1::Action::Unspecified) | Err(_) => Err(unknown_value(&format!("{field}[{index}]"), *number)),
    };
    numbers.iter().enumerate().map(one).collect()
}

/// The directory that a grant is for.
pub(crate) fn prefix_from(text: &str) -> Result<Prefix, Refusal> {
    Ok(Prefix::parse("grant.prefix", text)?)
}

#[cfg(test)]
mod tests {
    use stowage_domain::GrantName;

    use super::*;

    fn grant() -> Grant {
        Grant {
            name: GrantName::parse("tenants/t/projects/p/namespaces/n/grants/g").unwrap(),
            uid: "u".to_owned(),
            principal: Principal::User("ada".to_owned()),
            prefix: Prefix::parse("f", "datasets/").unwrap(),
            actions: [Action::Read, Action::List].into(),
            expires_at: Some(UnixMillis(1000)),
            revoked_at: None,
            grantor: "bob".to_owned(),
            created_at: UnixMillis(1),
        }
    }

    #[test]
    fn a_grant_reads_back() {
        let message = to(&grant(), UnixMillis(5), "e".to_owned());
        assert_eq!(grantee_from(message.grantee.clone()).unwrap(), grant().principal);
        assert_eq!(actions_from(&message.actions).unwrap(), grant().actions);
        assert_eq!(prefix_from(&message.prefix).unwrap(), grant().prefix);
        assert_eq!(message.state(), v1::GrantState::Active);
    }

    #[test]
    fn the_state_follows_the_clock_and_the_revocation() {
        assert_eq!(to(&grant(), UnixMillis(1000), String::new()).state(), v1::GrantState::Expired);
        let revoked = Grant { revoked_at: Some(UnixMillis(3)), ..grant() };
        assert_eq!(to(&revoked, UnixMillis(5), String::new()).state(), v1::GrantState::Revoked);
    }

    #[test]
    fn a_missing_grantee_or_action_is_named() {
        assert_eq!(grantee_from(None).unwrap_err(), needed("grant.grantee"));
        assert_eq!(actions_from(&[]).unwrap_err(), needed("grant.actions"));
        assert_eq!(actions_from(&[1, 0]).unwrap_err(), unknown_value("grant.actions[1]", 0));
    }
}
