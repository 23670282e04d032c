//! A command's way to the data: through the server that was named, or the one that holds the data directory, or, if there
//! is none, in this process. A database that servers share is worked in beside them.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderMap, Uri};
use inlet_model::{NodeRole, NodeRoles, SystemEntropy};
use inlet_source::Egress;
use inlet_store::catalog::SyncLimits;
use inlet_store::sqlite::Server;
use tokio::time::Instant;

use crate::args::{EncryptionArgs, ServerArgs};
use crate::client::{Client, Transport, key_headers};
use crate::errors::CommandError;
use crate::node::{self, Node, NodeOptions, Ownership};
use crate::place::{self, Place};
use crate::tls::Trust;

/// How long a command waits for another one, or for a server that starts or ends: a little longer than a server may take.
const PATIENCE: Duration = Duration::from_secs(12);
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// What a command needs, if there is no server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It runs syncs, and makes the data directory if it is not there.
    NewSyncs,
    /// It runs syncs of what is there.
    Syncs,
    /// It makes something, and the data directory first if that is not there.
    Making,
    /// It looks at what is there, or changes it. Syncs that an earlier process left stay as they are.
    Present,
}

impl Need {
    fn makes_data_dir(self) -> bool {
        matches!(self, Self::NewSyncs | Self::Making)
    }

    fn runs_syncs(self) -> bool {
        matches!(self, Self::NewSyncs | Self::Syncs)
    }
}

/// A way to the data.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    node: Option<Node>,
}

impl Session {
    /// Goes to the server that was named, or into the database. If neither was, finds the server of the data directory, or becomes one for a
    /// moment.
    pub(crate) async fn open(server: &ServerArgs, need: Need) -> Result<Self, CommandError> {
        match (&server.url, server.place.database.url()) {
            (Some(url), _) => Self::at(url, server.api_key.as_deref(), server.ca_file.as_deref()),
            (None, Some(url)) => Self::in_database(url, need, &server.encryption).await,
            (None, None) => Self::of(server, need).await,
        }
    }

    /// At a server anywhere.
    fn at(url: &str, key: Option<&str>, ca_file: Option<&Path>) -> Result<Self, CommandError> {
        let headers = match key.map(str::trim) {
            None => HeaderMap::new(),
            Some(key) => key_headers(key).filter(|_| !key.is_empty()).ok_or_else(|| {
                CommandError::input("input.api_key", "an API key has visible ASCII characters only")
            })?,
        };
        let address = checked(url)?;
        let trust = trust(&address, ca_file)?;
        let transport = Transport::http(&address, headers, trust)?;
        Ok(Self { client: Client::new(transport, Arc::new(SystemEntropy)), node: None })
    }

    /// Beside the servers that share a database. It runs no sync: what a sync reads may only be on the machine of a server.
    async fn in_database(url: &str, need: Need, encryption: &EncryptionArgs) -> Result<Self, CommandError> {
        if need == Need::NewSyncs {
            let message = "syncs of a database that servers share are run by those servers";
            return Err(CommandError::input("input.database_url", message)
                .hint("make a connector with `inlet connectors create`, and trigger it with `inlet syncs trigger`")
                .into());
        }
        let database = place::database_with_tables(url).await?;
        let node = Node::start(Place::Database(database), for_a_moment(false), encryption).await?;
        Ok(Self { client: node.local_client(), node: Some(node) })
    }

    async fn of(server: &ServerArgs, need: Need) -> Result<Self, CommandError> {
        let data_dir = server.place.data_dir.as_path();
        if !need.makes_data_dir() && !node::is_data_dir(data_dir) {
            let message = format!("there is no data directory at `{}`", data_dir.display());
            let complaint = CommandError::input("input.data_dir", message);
            return Err(complaint
                .hint("say where it is with --data-dir, or make one with `inlet sync`")
                .into());
        }
        let deadline = Instant::now() + PATIENCE;
        let mut wait = SHORTEST_WAIT;
        loop {
            let in_the_way = match node::take(data_dir)? {
                Ownership::Ours(dir) => return Self::here(dir, need, &server.encryption).await,
                Ownership::Server(running) => match Self::beside(&running).await {
                    Ok(session) => return Ok(session),
                    // It is just ending, or has not begun to listen.
                    Err(error) => error,
                },
                Ownership::Somebody => node::in_use(data_dir).hint("wait until it has ended").into(),
            };
            if Instant::now() >= deadline {
                return Err(in_the_way);
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(LONGEST_WAIT);
        }
    }

    async fn here(
        dir: inlet_store::sqlite::DataDir,
        need: Need,
        encryption: &EncryptionArgs,
    ) -> Result<Self, CommandError> {
        let node = Node::start(Place::Directory(dir), for_a_moment(need.runs_syncs()), encryption).await?;
        Ok(Self { client: node.local_client(), node: Some(node) })
    }

    /// Beside the server of a data directory, which must answer.
    pub(crate) async fn beside(server: &Server) -> Result<Self, CommandError> {
        let headers = key_headers(&server.token).unwrap_or_default();
        let transport = Transport::http(&server.address, headers, Trust::Nobody)?;
        let client = Client::new(transport, Arc::new(SystemEntropy));
        client.get_once("/healthz").await?;
        Ok(Self { client, node: None })
    }

    /// The client for all calls.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// Whether syncs and removals are the work of this process, and of no server.
    pub(crate) fn works_alone(&self) -> bool {
        self.node.as_ref().is_some_and(Node::is_alone)
    }

    /// Ends the node, if there is one.
    pub(crate) async fn close(self) {
        if let Some(node) = self.node {
            node.stop().await;
        }
    }
}

/// What a node is that goes with its command.
fn for_a_moment(runs_syncs: bool) -> NodeOptions {
    NodeOptions {
        // Whoever gives the command may read whatever the system lets them read.
        files_roots: vec![PathBuf::from("/")],
        egress: Egress::Any,
        history: None,
        undo_for: None,
        stall_limit: None,
        roles: NodeRoles::only(NodeRole::Worker),
        max_syncs: None,
        limits: SyncLimits::default(),
        lease: None,
        runs_syncs,
        is_server: false,
    }
}

/// The address of a server, if it is one.
fn checked(url: &str) -> Result<String, CommandError> {
    let bad = |message: String| {
        CommandError::input("input.url", message).hint("write it as `http://host:port` or `https://host`")
    };
    let uri: Uri =
        url.parse().map_err(|error| bad(format!("`{url}` is no address of a server")).because(error))?;
    match uri.scheme_str() {
        Some("http" | "https") if uri.query().is_none() => Ok(url.to_owned()),
        _ => Err(bad(format!("`{url}` is no address of a server")).into()),
    }
}

/// Whom to trust at that address.
fn trust(url: &str, ca_file: Option<&Path>) -> Result<Trust, CommandError> {
    Trust::at(url, ca_file).map_err(|error| {
        let file = ca_file.unwrap_or(Path::new("")).display();
        CommandError::input("input.ca_file", format!("`{file}` cannot be used as a file of certificates"))
            .because(error)
            .hint(
                "--ca-file takes the certificate of an authority in PEM form: `-----BEGIN CERTIFICATE-----`",
            )
            .into()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_scheme_and_a_host() {
        for good in [
            "http://127.0.0.1:8080",
            "http://[::1]:8080/",
            "http://inlet.example/behind/a/proxy",
            "https://inlet.example",
        ] {
            assert_eq!(checked(good).unwrap(), good);
        }
        for bad in [
            "",
            "localhost:8080",
            "127.0.0.1",
            "ftp://a",
            "http://",
            "http://a?b=c",
            "https://",
            "https://a?b=c",
            "http://a b",
        ] {
            assert!(checked(bad).is_err(), "{bad}");
        }
    }
}
