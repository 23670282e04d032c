//! The server: is there one, does it answer, and does it take our key?

use std::path::Path;

use inlet_store::sqlite::Server;

use super::{Finding, clock};
use crate::args::ServerArgs;
use crate::client::{CallError, Client};
use crate::errors::CommandError;
use crate::node::{self, Ownership};
use crate::session::{Need, Session};
use crate::tls;

/// Looks at the server at `url`, which those arguments name.
pub(super) async fn examine(server: &ServerArgs, url: &str) -> Vec<Finding> {
    match Session::open(server, Need::Present).await {
        Err(error) => vec![Finding::wrong("server", told(error), "check --url, --api-key and --ca-file")],
        Ok(session) => {
            let mut findings = ask(session.client(), url, server.api_key.is_some()).await;
            if let Ok(Some(time)) = session.client().server_time().await {
                findings.push(clock::compare(time));
            }
            findings
        }
    }
}

/// Looks at the server that works in the data directory, if there is one.
pub(super) async fn examine_local(data_dir: &Path) -> Vec<Finding> {
    match node::take(data_dir) {
        // Given back at once.
        Ok(Ownership::Ours(_)) => vec![Finding::good("server", "no server works in the data directory")],
        Ok(Ownership::Somebody) => {
            vec![Finding::good("server", "another command works in the data directory")]
        }
        Ok(Ownership::Server(server)) => local(&server).await,
        Err(error) => {
            vec![Finding::wrong("server", told(error), "run inlet as the user who owns the directory")]
        }
    }
}

async fn local(server: &Server) -> Vec<Finding> {
    match Session::beside(server).await {
        Ok(session) => ask(session.client(), &server.address, true).await,
        Err(error) => {
            let detail =
                format!("process {} announced a server at {}: {}", server.pid, server.address, told(error));
            vec![Finding::wrong("server", detail, "if the process hangs, end it and start the server again")]
        }
    }
}

async fn ask(client: &Client, address: &str, has_key: bool) -> Vec<Finding> {
    if let Err(error) = client.get("/readyz").await {
        let hint = match &error {
            CallError::Unsafe { flaw, .. } => flaw.hint(tls::CA_FILE),
            _ => "start it with `inlet serve`, or look into its log".to_owned(),
        };
        return vec![Finding::wrong("server", format!("{address}: {}", told(error.into())), hint)];
    }
    let server = Finding::good("server", format!("{address} is ready"));
    let key = match client.get("/v1/spaces?limit=1").await {
        Ok(_) if has_key => Finding::good("key", "the server takes it"),
        Ok(_) => Finding::good("key", "the server asks for none"),
        Err(CallError::Problem(problem)) if problem.status == axum::http::StatusCode::UNAUTHORIZED => {
            let hint = "give a key that is valid there with --api-key or INLET_API_KEY; on the server's machine `inlet keys create` makes one";
            Finding::wrong("key", problem.detail, hint)
        }
        Err(error) => Finding::wrong("key", told(error.into()), "look into the server's log"),
    };
    vec![server, key]
}

/// An error in one line.
pub(super) fn told(error: CommandError) -> String {
    match error {
        CommandError::Complaint(complaint) => complaint.in_a_line(),
        CommandError::OutputClosed => String::new(),
    }
}
