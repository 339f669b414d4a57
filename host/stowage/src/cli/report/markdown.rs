//! The report as Markdown: a head, the counts, what needs doing first, then every row.

use std::fmt::Write as _;

use super::{Report, Row};

/// The whole text, ending in a line break.
pub(crate) fn markdown(report: &Report) -> String {
    let mut text = String::new();
    let of = &report.of;
    let _ = writeln!(text, "# {} of {}\n", title(report.report), escaped(&of.provider));
    for (key, value) in [
        ("Plugin", &of.plugin),
        ("Plugin digest", &of.plugin_digest),
        ("Backend release", &of.release),
        ("Backend identity", &of.instance),
        ("Date", &report.date),
    ] {
        let _ = writeln!(text, "- {key}: {}", escaped(value));
    }
    let counts: Vec<String> = report.counts.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let _ = writeln!(text, "- Rows: {} ({})", report.rows.len(), counts.join(", "));
    let todo: Vec<&Row> = report.rows.iter().filter(|row| !row.remedy.is_empty()).collect();
    if !todo.is_empty() {
        let _ = writeln!(text, "\n## What to do\n");
        for row in todo {
            let _ = writeln!(text, "- **{}** ({}): {}", escaped(&row.check), row.outcome, escaped(&row.remedy));
        }
    }
    let _ = writeln!(text, "\n## Rows\n");
    let _ = writeln!(text, "| outcome | check | asked | seen | follows | what to do |");
    let _ = writeln!(text, "|---|---|---|---|---|---|");
    for row in &report.rows {
        let cells =
            [&row.outcome, &row.check, &row.asked, &row.seen, &row.follows, &row.remedy].map(|cell| escaped(cell));
        let _ = writeln!(text, "| {} |", cells.join(" | "));
    }
    text
}

fn title(report: &str) -> String {
    let mut letters = report.chars();
    letters.next().map(|first| first.to_uppercase().chain(letters).collect()).unwrap_or_default()
}

/// Text from a backend neither ends a cell nor a line, nor becomes a link, code or markup.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '|' | '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' => {
                out.push('\\');
                out.push(c);
            }
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::Subject;
    use super::*;

    fn report() -> Report {
        let of = Subject {
            provider: "providers/weka".into(),
            plugin: "plugins/weka 0.1.0".into(),
            plugin_digest: "sha256:00".into(),
            release: "4.4.22".into(),
            instance: "wekacb2".into(),
        };
        let row = |outcome: &str, check: &str, seen: &str, remedy: &str| Row {
            outcome: outcome.into(),
            check: check.into(),
            asked: "GET /api/v2/s3".into(),
            seen: seen.into(),
            follows: "object access is off".into(),
            remedy: remedy.into(),
        };
        let rows = vec![
            row("PASS", "release", "4.4.22", ""),
            row("FAIL", "s3.status", "inactive | `rm -rf` [x](y)\n<b>", "start S3 on a backend"),
            row("PASS", "role", "ClusterAdmin", ""),
        ];
        Report::new("preflight", of, "2026-01-31T10:00:00Z".into(), rows)
    }

    #[test]
    fn a_report_has_a_head_the_counts_what_to_do_and_every_row() {
        insta::assert_snapshot!(markdown(&report()), @r"
        # Preflight of providers/weka

        - Plugin: plugins/weka 0.1.0
        - Plugin digest: sha256:00
        - Backend release: 4.4.22
        - Backend identity: wekacb2
        - Date: 2026-01-31T10:00:00Z
        - Rows: 3 (1 FAIL, 2 PASS)

        ## What to do

        - **s3.status** (FAIL): start S3 on a backend

        ## Rows

        | outcome | check | asked | seen | follows | what to do |
        |---|---|---|---|---|---|
        | PASS | release | GET /api/v2/s3 | 4.4.22 | object access is off |  |
        | FAIL | s3.status | GET /api/v2/s3 | inactive \| \`rm -rf\` \[x\](y) \<b\> | object access is off | start S3 on a backend |
        | PASS | role | GET /api/v2/s3 | ClusterAdmin | object access is off |  |
        ");
    }

    #[test]
    fn the_same_report_as_json_holds_the_same() {
        insta::assert_snapshot!(serde_json::to_string(&report()).unwrap(), @r#"{"report":"preflight","of":{"provider":"providers/weka","plugin":"plugins/weka 0.1.0","plugin_digest":"sha256:00","release":"4.4.22","instance":"wekacb2"},"date":"2026-01-31T10:00:00Z","counts":{"FAIL":1,"PASS":2},"rows":[{"outcome":"PASS","check":"release","asked":"GET /api/v2/s3","seen":"4.4.22","follows":"object access is off","remedy":""},{"outcome":"FAIL","check":"s3.status","asked":"GET /api/v2/s3","seen":"inactive | `rm -rf` [x](y)\n<b>","follows":"object access is off","remedy":"start S3 on a backend"},{"outcome":"PASS","check":"role","asked":"GET /api/v2/s3","seen":"ClusterAdmin","follows":"object access is off","remedy":""}]}"#);
    }
}
