//! IAM policies, and who has which: a user has one or none.
//!
//! Without a policy an S3 user may do nothing (documented). There is no route to change a policy: a client in production
//! deletes it while it is attached, makes it anew and attaches it again.

use serde_json::{Value, json};

use crate::call::Call;
use crate::envelope::{Answer, Refusal, data, nothing};
use crate::faults::Fault;
use crate::s3::S3;
use crate::s3::documents::Document;
use crate::s3::gate::ready;
use crate::state::State;
use crate::switches::{PoliciesShape, PolicyInUse};
use crate::uid::Uid;
use crate::users::Role;

/// IAM policies that a cluster can hold (documented).
const MOST_POLICIES: usize = 1024;

/// Names of the predefined policies.
const PREDEFINED: [&str; 3] = ["readonly", "readwrite", "writeonly"];

fn predefined(name: &str) -> Option<Document> {
    let actions = match name {
        "readonly" => json!([
            "s3:ListAllMyBuckets",
            "s3:ListBucket",
            "s3:ListBucketMultipartUploads",
            "s3:ListMultipartUploadParts",
            "s3:GetBucketLocation",
            "s3:GetBucketPolicy",
            "s3:GetBucketTagging",
            "s3:GetObject",
        ]),
        "writeonly" => json!(["s3:PutObject"]),
        "readwrite" => json!(["s3:*"]),
        _ => return None,
    };
    let statement = json!({ "Effect": "Allow", "Action": actions, "Resource": ["arn:aws:s3:::*"] });
    Some(Document::own(json!({ "Version": "2012-10-17", "Statement": [statement] })))
}

impl S3 {
    /// A policy by name, predefined or made.
    pub(crate) fn policy(&self, name: &str) -> Option<Document> {
        predefined(name).or_else(|| self.policies.get(name).cloned())
    }

    /// The policy of a user; `None` if none is attached or the attached one is gone.
    pub(crate) fn policy_of(&self, user: Uid) -> Option<Document> {
        self.policy(self.attached.get(&user)?)
    }
}

fn unknown(what: &str, name: &str) -> Refusal {
    Refusal::message(404, &format!("{what} {name} does not exist"))
}

/// `GET /s3/policies`
pub(crate) fn list(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let mut names: Vec<String> = PREDEFINED.map(str::to_owned).to_vec();
    names.extend(state.s3.policies.keys().cloned());
    let content = |name: &String| state.s3.policy(name).map_or(Value::Null, |document| document.shown().clone());
    let policies = match state.switches.s3_policies_shape {
        PoliciesShape::Names => json!(names),
        PoliciesShape::Objects => names.iter().map(|name| json!({ "name": name })).collect(),
        PoliciesShape::Map => names.iter().map(|name| (name.clone(), content(name))).collect(),
    };
    data(json!({ "session_id": Uid::fresh(), "policies": policies }))
}

/// `POST /s3/policies`: the content is an object from 4.2 on
pub(crate) fn create(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    call.require(&["policy_name", "policy_file_content"])?;
    let name = call.required_text("policy_name")?;
    if name.is_empty() {
        return Err(Refusal::bad("policy_name", "is empty"));
    }
    let given = call.field("policy_file_content").filter(|given| given.is_object());
    let given = given.ok_or_else(|| Refusal::bad("policy_file_content", "is not an object"))?;
    let document = Document::iam(given, &state.switches)
        .map_err(|malformed| Refusal::bad("policy_file_content", &malformed.to_string()))?;
    if state.s3.policy(&name).is_some() {
        let message = format!("Policy {name} already exists");
        return Err(Refusal::message(state.switches.duplicate_status, &message));
    }
    if state.s3.policies.len() >= MOST_POLICIES {
        return Err(Refusal::message(
            400,
            &format!("The cluster has {MOST_POLICIES} IAM policies, which is the limit"),
        ));
    }
    state.s3.policies.insert(name.clone(), document);
    data(json!({ "name": name }))
}

/// `GET /s3/policies/{policy}`
pub(crate) fn get(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = call.place("policy");
    let document = state.s3.policy(name).ok_or_else(|| unknown("Policy", name))?;
    data(json!({ "policy": { "name": name, "content": document.shown() }, "session_id": Uid::fresh() }))
}

/// `DELETE /s3/policies/{policy}`
pub(crate) fn delete(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let name = call.place("policy");
    if PREDEFINED.contains(&name) {
        return Err(Refusal::message(400, &format!("Policy {name} is predefined and cannot be removed")));
    }
    if !state.s3.policies.contains_key(name) {
        return Err(unknown("Policy", name));
    }
    let used = state.s3.attached.values().any(|attached| attached == name);
    match state.switches.policy_delete_in_use {
        PolicyInUse::Refused if used => {
            return Err(Refusal::message(400, &format!("Policy {name} is attached to a user")));
        }
        _ if state.faults.strikes(Fault::DeleteIgnored) => return nothing(),
        PolicyInUse::Detaches => state.s3.attached.retain(|_, attached| attached != name),
        PolicyInUse::Refused | PolicyInUse::Dangling => {}
    }
    state.s3.policies.remove(name);
    nothing()
}

fn user_in(state: &State, call: &Call) -> Result<Uid, Refusal> {
    let name = call.required_text("user_name")?;
    state.s3_user(&name).map(|user| user.uid).ok_or_else(|| unknown("S3 user", &name))
}

/// `POST /s3/policies/attach`: replaces the one that the user had
pub(crate) fn attach(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    call.require(&["policy_name", "user_name"])?;
    let name = call.required_text("policy_name")?;
    let user = user_in(state, call)?;
    if state.s3.policy(&name).is_none() {
        return Err(unknown("Policy", &name));
    }
    state.s3.attached.insert(user, name);
    nothing()
}

/// `POST /s3/policies/detach`
pub(crate) fn detach(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let user = user_in(state, call)?;
    state.s3.attached.remove(&user);
    nothing()
}

/// `GET /s3/userPolicies`: every S3 user with its policy; an empty name is none
pub(crate) fn of_users(state: &mut State, call: &Call) -> Answer {
    ready(state, call)?;
    let of = |uid: &Uid| state.s3.attached.get(uid).map_or("", String::as_str);
    let users = state.users.iter().filter(|user| user.role == Role::S3);
    let users: Value = users.map(|user| (user.username.clone(), json!(of(&user.uid)))).collect();
    data(json!({ "users": users }))
}
