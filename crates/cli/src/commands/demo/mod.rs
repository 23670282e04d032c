//! `inlet demo`: a server with real sample data and its first syncs.

mod folder;
mod samples;

use std::path::Path;

use inlet_api::{Auth, new_key};
use inlet_model::NodeRoles;
use inlet_model::sync::SyncStatus;
use inlet_source::Egress;
use inlet_store::catalog::SyncLimits;
use inlet_sync::EngineOptions;
use serde::Deserialize;
use serde_json::json;

use crate::args::{DemoArgs, EncryptionArgs};
use crate::client::Client;
use crate::client::objects::{self, Page, Record};
use crate::collection_name::CollectionName;
use crate::commands::sync::follow::{self, Interrupt};
use crate::commands::sync::{connector, outcome, summary, sync_path};
use crate::errors::CommandError;
use crate::node::{Node, NodeOptions};
use crate::output::progress::Progress;
use crate::output::records::by_stream;
use crate::output::table::terminal_width;
use crate::output::{OutputFormat, print};
use crate::place::Place;
use crate::server::Server;
use crate::signals::StopRequests;
use folder::Folder;
use samples::{SAMPLES, Sample};

/// The collection that gets the sample data.
const COLLECTION: &str = "nyc";

/// Runs the command.
pub(crate) async fn run(args: &DemoArgs) -> Result<(), CommandError> {
    let mut stop = StopRequests::listen()?;
    if !args.listen.ip().is_loopback() {
        let message = format!("the demo asks for no API key, so it does not listen on {}", args.listen.ip());
        return Err(CommandError::input("input.listen", message).hint("listen on 127.0.0.1").into());
    }
    // The port first: if it is taken, nothing else has been done.
    let server = if args.no_serve { None } else { Some(Server::bind(args.listen).await?) };
    let Folder { dir, files } = folder::prepare(&args.data_dir)?;
    let options = NodeOptions {
        files_roots: vec![files.clone()],
        egress: Egress::Any,
        history: Some(EngineOptions::HISTORY),
        undo_for: Some(EngineOptions::UNDO_TIME),
        stall_limit: None,
        roles: NodeRoles::ALL,
        max_syncs: None,
        limits: SyncLimits::default(),
        lease: None,
        runs_syncs: true,
        is_server: true,
    };
    let node = Node::start(Place::Directory(dir), options, &EncryptionArgs::default()).await?;
    let client = node.local_client();
    let connectors = match bring_in(&client, &files, &mut stop).await {
        Ok(connectors) => connectors,
        Err(error) => {
            node.stop().await;
            return Err(error);
        }
    };
    match server {
        None => {
            node.stop().await;
            Ok(())
        }
        Some(server) => {
            let token = new_key(&*node.entropy);
            node.announce(&server.local_url(), &token.text)?;
            let landed: Landed = client.get(&CollectionName::parse(COLLECTION)?.path()).await?.read()?;
            print(&what_to_try(&server.url(), &args.data_dir, &connectors, landed.last_change))?;
            server.run(&node, Auth::None { local_token: Some(token.hash) }, None, &mut stop).await
        }
    }
}

/// Syncs all samples twice, and shows what landed. Gives the connectors' paths.
async fn bring_in(
    client: &Client,
    files: &Path,
    stop: &mut StopRequests,
) -> Result<Vec<String>, CommandError> {
    let into = CollectionName::parse(COLLECTION)?;
    connector::ensure_collection(client, &into).await?;
    print("The airlines, airports, planes and weather of the flights that left New York in 2013.\n\n")?;
    let mut connectors = Vec::new();
    for sample in SAMPLES {
        connectors.push(connect(client, &into, files, sample).await?);
    }
    print(&format!("First syncs, into the collection {into}:\n"))?;
    print(&sync_all(client, &connectors, "incremental", stop).await?)?;
    print("\nOnce more, everything is read again and found as it is:\n")?;
    print(&sync_all(client, &connectors, "full_refresh", stop).await?)?;
    print("\nThree of the records:\n")?;
    for stream in ["airlines", "airports", "planes"] {
        let page: Page<Record> =
            client.get(&format!("{}/records?stream={stream}&limit=1", into.path())).await?.read()?;
        print(&format!("\n{}", by_stream(&page.data, terminal_width())))?;
    }
    Ok(connectors)
}

async fn connect(
    client: &Client,
    into: &CollectionName,
    files: &Path,
    sample: &Sample,
) -> Result<String, CommandError> {
    let bad_sample = |cause: Box<dyn std::error::Error + Send + Sync>| {
        CommandError::failure("demo.sample", format!("{} cannot be used", sample.file)).because(cause)
    };
    let folder = files.to_str().ok_or_else(|| bad_sample("its directory's name is not UTF-8".into()))?;
    let plan = sample.plan(folder).map_err(|error| bad_sample(error.into()))?;
    connector::find_or_create(client, into, &plan).await
}

/// Syncs each connector, and gives one table of them all.
async fn sync_all(
    client: &Client,
    connectors: &[String],
    mode: &str,
    stop: &mut StopRequests,
) -> Result<String, CommandError> {
    let mut syncs: Vec<objects::Sync> = Vec::new();
    for (connector, sample) in connectors.iter().zip(SAMPLES) {
        let progress = Progress::start(&format!("{} ({})", sample.file, sample.what), OutputFormat::Table);
        let queued: follow::SyncId =
            client.post(&format!("{connector}/sync"), &json!({"mode": mode})).await?.read()?;
        let path = sync_path(connector, &queued.id);
        let ended = follow::to_the_end(client, &path, &progress, stop, Interrupt::Cancels).await?;
        progress.end();
        if ended.sync.status != SyncStatus::Succeeded {
            outcome(&ended)?;
        }
        syncs.push(ended.sync);
    }
    Ok(summary::of_several(&syncs, terminal_width()))
}

/// The collection, in numbers.
#[derive(Deserialize)]
struct Landed {
    last_change: u64,
}

fn what_to_try(url: &str, data_dir: &Path, connectors: &[String], last_change: u64) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "inlet".to_owned());
    let dir = data_dir.display();
    let collection = format!("{url}/v1/spaces/default/collections/{COLLECTION}");
    let airlines = connectors.first().map(String::as_str).unwrap_or_default();
    format!(
        "
It is serving now, for this machine only and without API keys. Open

  {collection}/records?stream=airlines

or try, in another terminal:

  curl '{collection}'
  curl '{collection}/records/airports/JFK'
  curl '{collection}/changes?limit=3'
  {program} records {COLLECTION} --stream planes --limit 5 --data-dir {dir}

Change a name in {dir}/files/airlines.json, sync it again, and see what changed:

  curl -X POST '{url}{airlines}/sync' -H 'Content-Type: application/json'
  {program} changes {COLLECTION} --after {last_change} --data-dir {dir}

Ctrl-C ends it.
"
    )
}
