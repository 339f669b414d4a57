//! `stowage mount`.

use std::collections::BTreeSet;

use clap::{Args, Subcommand, ValueEnum};
use stowage_client::proto as v1;

use super::connection::{Follow, Session, call};
use super::names::{NAMESPACE, NODE, PLAN, WORKLOAD, full};
use super::output::{Column, Format, many, one};

const COLUMNS: &[Column] = &[
    ("NAME", "/name"),
    ("NAMESPACE", "/namespace"),
    ("NODE", "/node"),
    ("FORM", "/form"),
    ("STATE", "/state"),
    ("MODE", "/mounts/0/mode"),
];

const DETAILS: &[Column] = &[
    ("Name", "/name"),
    ("Namespace", "/namespace"),
    ("Node", "/node"),
    ("State", "/state"),
    ("Reason", "/stateReason"),
    ("Mounts", "/mounts"),
    ("Secrets", "/secrets"),
    ("Needs", "/prerequisites"),
    ("Notices", "/notices"),
    ("Rests on", "/grants"),
    ("Paths", "/mountPaths"),
];

/// Mount plans.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Plans a mount from the grants, never wider, and has the node carry it out.
    Plan(Plan),
    /// Shows one plan.
    Get {
        /// TENANT/PROJECT/WORKLOAD/PLAN
        name: String,
    },
    /// Lists the plans of a workload.
    List {
        /// TENANT/PROJECT/WORKLOAD
        workload: String,
    },
    /// Unmounts and releases one plan.
    Release {
        /// TENANT/PROJECT/WORKLOAD/PLAN
        name: String,
        #[command(flatten)]
        follow: Follow,
    },
}

/// A plan to make.
#[derive(Debug, Args)]
pub(crate) struct Plan {
    /// TENANT/PROJECT/WORKLOAD
    workload: String,
    /// Last part of the plan's name; chosen by the host when absent.
    #[arg(long, default_value = "")]
    id: String,
    /// TENANT/PROJECT/NAMESPACE
    #[arg(long)]
    namespace: String,
    /// Node that mounts it; needed for the form node.
    #[arg(long)]
    node: Option<String>,
    /// Prefix to mount, such as shared/; again for more; the whole namespace when absent.
    #[arg(long = "prefix")]
    prefixes: Vec<String>,
    /// What the workload may do.
    #[arg(long, value_enum, default_value_t)]
    mode: Mode,
    /// Who carries it out.
    #[arg(long, value_enum, default_value_t)]
    form: Form,
    /// Several nodes write at once.
    #[arg(long)]
    multi_writer: bool,
    #[command(flatten)]
    follow: Follow,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Mode {
    /// Read and list.
    #[default]
    Ro,
    /// Read, list, write and delete.
    Rw,
}

#[derive(Debug, Clone, Copy, Default, ValueEnum)]
enum Form {
    /// The node's agent.
    #[default]
    Node,
    /// Kubernetes.
    Kubernetes,
    /// A person with a shell.
    Human,
}

pub(crate) async fn run(session: &Session, command: Command) -> anyhow::Result<()> {
    let mut mounts = session.client.mounts();
    match command {
        Command::Plan(plan) => {
            let operation = call!(mounts, create_mount_plan, request(&plan)?);
            ended(session, operation, &plan.follow).await
        }
        Command::Get { name } => {
            show(session, &call!(mounts, get_mount_plan, v1::GetMountPlanRequest { name: full(PLAN, &name)? }))
        }
        Command::List { workload } => {
            let mut request = v1::ListMountPlansRequest { parent: full(WORKLOAD, &workload)?, ..Default::default() };
            let (mut plans, mut silent) = (Vec::new(), BTreeSet::new());
            loop {
                let page = call!(mounts, list_mount_plans, request.clone());
                plans.extend(page.mount_plans);
                silent.extend(page.unreachable);
                if page.next_page_token.is_empty() {
                    break;
                }
                request.page_token = page.next_page_token;
            }
            for node in silent {
                eprintln!("{node} is not heard of: its plans are shown as they were last seen");
            }
            many(session.format, &plans, COLUMNS)
        }
        Command::Release { name, follow } => {
            let request = v1::ReleaseMountPlanRequest { name: full(PLAN, &name)?, ..Default::default() };
            let operation = call!(mounts, release_mount_plan, request);
            ended(session, operation, &follow).await
        }
    }
}

fn request(plan: &Plan) -> anyhow::Result<v1::CreateMountPlanRequest> {
    let mode = match plan.mode {
        Mode::Ro => v1::AccessMode::ReadOnly,
        Mode::Rw => v1::AccessMode::ReadWrite,
    };
    let form = match plan.form {
        Form::Node => v1::PlanForm::Node,
        Form::Kubernetes => v1::PlanForm::Kubernetes,
        Form::Human => v1::PlanForm::Human,
    };
    let prefix = |prefix: &str| v1::PrefixAccess { prefix: prefix.to_owned(), mode: mode.into() };
    let whole = [String::new()];
    let prefixes = if plan.prefixes.is_empty() { &whole[..] } else { &plan.prefixes[..] };
    let node = plan.node.as_deref().map(|node| full(NODE, node)).transpose()?;
    let mount_plan = v1::MountPlan {
        namespace: full(NAMESPACE, &plan.namespace)?,
        node: node.unwrap_or_default(),
        prefixes: prefixes.iter().map(|text| prefix(text)).collect(),
        form: form.into(),
        multi_writer: plan.multi_writer,
        ..Default::default()
    };
    Ok(v1::CreateMountPlanRequest {
        parent: full(WORKLOAD, &plan.workload)?,
        mount_plan_id: plan.id.clone(),
        mount_plan: Some(mount_plan),
        ..Default::default()
    })
}

async fn ended(session: &Session, operation: v1::Operation, follow: &Follow) -> anyhow::Result<()> {
    match session.follow(operation, follow).await? {
        Some(response) => show(session, &response.to_msg()?),
        None => Ok(()),
    }
}

/// A plan; commands and manifests are printed as they are, so that they can be piped.
fn show(session: &Session, plan: &v1::MountPlan) -> anyhow::Result<()> {
    one(session.format, plan, DETAILS)?;
    if session.format != Format::Json {
        for command in &plan.commands {
            println!("{command}");
        }
        print!("{}", plan.kubernetes_manifests);
    }
    Ok(())
}
