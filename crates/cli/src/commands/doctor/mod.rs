//! `inlet doctor`: looks for what is wrong, and says what to do.

mod clock;
mod data_dir;
mod database;
mod server;

use std::path::Path;

use serde::Serialize;

use crate::args::{DoctorArgs, ServerArgs};
use crate::errors::CommandError;
use crate::output::json::JsonLines;
use crate::output::numbers::counted;
use crate::output::table::{Align, Table, terminal_width};
use crate::output::{OutputFormat, print};

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
struct Finding {
    /// What was looked at.
    check: &'static str,
    status: Verdict,
    /// What was found.
    detail: String,
    /// What to do, where there is something to do.
    hint: Option<String>,
}

/// How it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
enum Verdict {
    /// As it should be.
    Good,
    /// It works, but should be seen to.
    Warning,
    /// It does not work, or is not safe.
    Wrong,
}

impl Finding {
    fn good(check: &'static str, detail: impl Into<String>) -> Self {
        Self { check, status: Verdict::Good, detail: detail.into(), hint: None }
    }

    fn warning(check: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, status: Verdict::Warning, detail: detail.into(), hint: Some(hint.into()) }
    }

    fn wrong(check: &'static str, detail: impl Into<String>, hint: impl Into<String>) -> Self {
        Self { check, status: Verdict::Wrong, detail: detail.into(), hint: Some(hint.into()) }
    }
}

/// Runs the command.
pub(crate) async fn run(args: &DoctorArgs) -> Result<(), CommandError> {
    let findings = examine(&args.api.server).await;
    match args.api.output.output {
        OutputFormat::Json => print_lines(&findings)?,
        OutputFormat::Table => print(&report(&findings, terminal_width()))?,
    }
    let wrong = findings.iter().filter(|finding| finding.status == Verdict::Wrong).count();
    if wrong == 0 {
        return Ok(());
    }
    let things = counted(u64::try_from(wrong).unwrap_or(u64::MAX), "thing");
    let verb = if wrong == 1 { "is" } else { "are" };
    Err(CommandError::failure("doctor.found", format!("{things} {verb} wrong")).into())
}

async fn examine(server: &ServerArgs) -> Vec<Finding> {
    let mut findings = Vec::new();
    match (&server.url, server.place.database.url()) {
        (Some(url), _) => findings.extend(server::examine(server, url).await),
        (None, Some(url)) => findings.extend(database::examine(url, &server.encryption).await),
        (None, None) => findings.extend(examine_here(&server.place.data_dir).await),
    }
    findings
}

async fn examine_here(path: &Path) -> Vec<Finding> {
    let mut findings = data_dir::examine(path);
    findings.push(clock::examine(path));
    if findings.iter().all(|finding| finding.check != "directory" || finding.status != Verdict::Wrong) {
        findings.extend(server::examine_local(path).await);
    }
    findings
}

fn print_lines(findings: &[Finding]) -> Result<(), CommandError> {
    let mut lines = JsonLines::stdout();
    for finding in findings {
        let json = serde_json::to_string(finding).map_err(|error| {
            CommandError::failure("internal", "a finding could not be written").because(error)
        })?;
        lines.write(&json)?;
    }
    Ok(lines.flush()?)
}

fn report(findings: &[Finding], width: Option<usize>) -> String {
    let mut table = Table::new(["", "check", "found"].map(|name| (name, Align::Left)));
    for finding in findings {
        let mark = match finding.status {
            Verdict::Good => "ok",
            Verdict::Warning => "warning",
            Verdict::Wrong => "WRONG",
        };
        table.row([mark, finding.check, &finding.detail]);
    }
    let mut text = table.render(width.map(|_| usize::MAX));
    for finding in findings {
        if let Some(hint) = &finding.hint {
            text.push_str(&format!("{}: {hint}\n", finding.check));
        }
    }
    text
}
