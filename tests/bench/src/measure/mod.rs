//! Every figure, in groups that share their setup.

mod calls;
mod commits;
mod create;
pub(crate) mod memory;
mod read;
mod tuning;
mod weka;

use std::future::Future;
use std::path::Path;
use std::pin::Pin;

use anyhow::{Context, Result, bail};

use crate::report::{self, Figure};
use crate::rounds::Plan;

/// What a group is measured with.
pub(crate) struct Setting {
    /// How much.
    pub(crate) plan: Plan,
    /// An empty directory on the disk of the report.
    pub(crate) scratch: std::path::PathBuf,
}

type Measuring<'a> = Pin<Box<dyn Future<Output = Result<Vec<Figure>>> + 'a>>;

struct Group {
    figures: &'static [&'static str],
    measure: for<'a> fn(&'a Setting) -> Measuring<'a>,
}

const GROUPS: [Group; 9] = [
    Group { figures: &calls::FIGURES, measure: |setting| Box::pin(calls::measure(setting)) },
    Group { figures: &commits::FIGURES, measure: |setting| Box::pin(commits::measure(setting)) },
    Group { figures: &create::FIGURES, measure: |setting| Box::pin(create::measure(setting)) },
    Group { figures: &read::FIGURES, measure: |setting| Box::pin(read::measure(setting)) },
    Group { figures: &memory::FIGURES, measure: |setting| Box::pin(memory::measure(setting)) },
    Group { figures: &tuning::FIGURES, measure: |setting| Box::pin(tuning::measure(setting)) },
    Group { figures: &weka::usage::FIGURES, measure: |setting| Box::pin(weka::usage::measure(setting)) },
    Group { figures: &weka::tls::FIGURES, measure: |setting| Box::pin(weka::tls::measure(setting)) },
    Group { figures: &weka::sts::FIGURES, measure: |setting| Box::pin(weka::sts::measure(setting)) },
];

/// Names of all figures.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    GROUPS.iter().flat_map(|group| group.figures.iter().copied())
}

/// Measures the groups that have a figure with `filter` in its name, prints the table and writes the report.
pub(crate) async fn all(report: &Path, plan: Plan, filter: Option<&str>) -> Result<()> {
    let wanted = |name: &&str| filter.is_none_or(|filter| name.contains(filter));
    if !names().any(|name| wanted(&name)) {
        bail!("no figure has {:?} in its name: see --list", filter.unwrap_or_default());
    }
    let directory = report.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    std::fs::create_dir_all(directory).with_context(|| format!("cannot make {}", directory.display()))?;
    let mut figures = Vec::new();
    for group in GROUPS.iter().filter(|group| group.figures.iter().any(wanted)) {
        eprintln!("measuring {}", group.figures.join(", "));
        let scratch = tempfile::Builder::new().prefix("scratch-").tempdir_in(directory)?;
        let setting = Setting { plan, scratch: scratch.path().to_owned() };
        figures.extend((group.measure)(&setting).await?);
    }
    println!("{}", report::table(&figures));
    report::write(report, &figures)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    #[test]
    fn no_two_figures_have_one_name() {
        let names: Vec<_> = super::names().collect();
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len());
    }
}
