//! A command's way to the data: through the server that holds the data directory, or, if there is none, in this process.

use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderMap;
use inlet_store::sqlite::Server;
use tokio::time::Instant;

use crate::args::{DataDirArgs, EncryptionArgs};
use crate::client::{Client, Transport, key_headers};
use crate::errors::CommandError;
use crate::node::{self, Node, NodeOptions, Ownership};

/// How long a command waits for another one, or for a server that starts or ends: a little longer than a server may take.
const PATIENCE: Duration = Duration::from_secs(12);
const SHORTEST_WAIT: Duration = Duration::from_millis(10);
const LONGEST_WAIT: Duration = Duration::from_millis(200);

/// What a command needs of a node of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// It runs syncs. The data directory is made if it is not there.
    Syncs,
    /// It only looks: syncs that an earlier process left stay as they are.
    Reading,
}

/// A way to the data.
#[derive(Debug)]
pub(crate) struct Session {
    client: Client,
    node: Option<Node>,
}

impl Session {
    /// Finds the server of this data directory, or becomes one for a moment.
    pub(crate) async fn open(args: &DataDirArgs, need: Need) -> Result<Self, CommandError> {
        let data_dir = args.data_dir.as_path();
        if need == Need::Reading && !node::is_data_dir(data_dir) {
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
                Ownership::Ours(dir) => return Self::here(dir, need, &args.encryption).await,
                Ownership::Server(server) => match Self::beside(&server).await {
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
        // Whoever gives the command may read whatever the system lets them read.
        let options = NodeOptions { files_roots: vec![PathBuf::from("/")], runs_syncs: need == Need::Syncs };
        let node = Node::start(dir, options, encryption).await?;
        let client = Client::new(Transport::in_process(node.local_router(), HeaderMap::new()));
        Ok(Self { client, node: Some(node) })
    }

    async fn beside(server: &Server) -> Result<Self, CommandError> {
        let headers = key_headers(&server.token).unwrap_or_default();
        let client = Client::new(Transport::http(&server.address, headers)?);
        client.get("/healthz").await?;
        Ok(Self { client, node: None })
    }

    /// The client for all calls.
    pub(crate) fn client(&self) -> &Client {
        &self.client
    }

    /// The node, if the data are in this process.
    pub(crate) fn node(&self) -> Option<&Node> {
        self.node.as_ref()
    }

    /// Ends the node, if there is one.
    pub(crate) async fn close(self) {
        if let Some(node) = self.node {
            node.stop().await;
        }
    }
}
