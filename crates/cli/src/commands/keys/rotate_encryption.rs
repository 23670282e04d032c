//! `inlet keys rotate-encryption`: encrypts all secrets under a new key.
//!
//! Every step leaves a directory that can be worked with. First both keys are written down, the new one in front; then secrets are
//! sealed anew, some at a time; only when none is left under the old key is that forgotten. An interrupted rotation leaves
//! both keys, and the next one goes on with it.
//!
//! In a database the servers work on meanwhile. They are given both keys before, so that each can read what is sealed under either.

use std::path::Path;

use inlet_model::secret::{SecretOwner, Vault, VaultKey};
use inlet_model::{Entropy, SystemClock, SystemEntropy};
use inlet_store::catalog::{Renewal, renew_secrets};
use inlet_store::fault;
use inlet_store::sqlite::{DataDir, open_catalog};
use serde_json::json;

use crate::args::ApiArgs;
use crate::encryption::{KeyRing, keep};
use crate::errors::CommandError;
use crate::node::{self, Ownership};
use crate::output::{OutputFormat, print, say};
use crate::place;

/// Runs the command.
pub(super) async fn run(args: &ApiArgs) -> Result<(), CommandError> {
    match args.server.place.database.url() {
        Some(url) => in_database(url, args).await,
        None => in_directory(&args.server.place.data_dir, args).await,
    }
}

async fn in_database(url: &str, args: &ApiArgs) -> Result<(), CommandError> {
    let keys = KeyRing::given(&args.server.encryption)?;
    let [current, others @ ..] = keys.as_slice() else {
        let message = "no key was given, and a database keeps none";
        return Err(CommandError::input("input.encryption_key", message)
            .hint("give the new key and the old one, `INLET_ENCRYPTION_KEY=new,old`; the servers need both before")
            .into());
    };
    let database = place::database_with_tables(url).await?;
    let catalog = place::reached(|| database.catalog(&SystemClock, &SystemEntropy)).await?;
    let vault = Vault::new(current.clone(), others.iter().cloned());
    // What it has done by the time the database is lost is found done.
    let renewal = place::reached(|| renew_secrets(&catalog, &vault, &SystemEntropy)).await?;
    show(&renewal, current, true, args.output.output)
}

async fn in_directory(path: &Path, args: &ApiArgs) -> Result<(), CommandError> {
    if !node::is_data_dir(path) {
        let message = format!("there is no data directory at `{}`", path.display());
        return Err(CommandError::input("input.data_dir", message)
            .hint("say where it is with --data-dir")
            .into());
    }
    let dir = own(path)?;
    let entropy = SystemEntropy;
    let KeyRing { given, kept } = KeyRing::read(&dir, &args.server.encryption)?;
    let is_given = !given.is_empty();
    let keys = if is_given { [given, kept].concat() } else { with_new_key(&dir, kept, &entropy)? };
    let Some((current, others)) = keys.split_first() else {
        return Err(CommandError::failure("internal", "a ring has a key").into());
    };
    fault::point("secrets.ring");
    let vault = Vault::new(current.clone(), others.iter().cloned());
    let failed = |error| place::unusable(path, error);
    let catalog = open_catalog(&dir.catalog_path(), &SystemClock, &entropy).map_err(failed)?;
    let renewal = renew_secrets(&catalog, &vault, &entropy).await.map_err(failed)?;
    if !is_given {
        keep(&dir, std::slice::from_ref(current))?;
    }
    show(&renewal, current, is_given, args.output.output)
}

/// The directory's keys with a new one in front, written down. Those of a rotation that was interrupted have it already.
fn with_new_key(
    dir: &DataDir,
    kept: Vec<VaultKey>,
    entropy: &dyn Entropy,
) -> Result<Vec<VaultKey>, CommandError> {
    if kept.len() > 1 {
        say("going on with a rotation that was interrupted");
        return Ok(kept);
    }
    let mut keys = vec![VaultKey::generate(entropy)];
    keys.extend(kept);
    keep(dir, &keys)?;
    Ok(keys)
}

fn own(path: &Path) -> Result<DataDir, CommandError> {
    match node::take(path)? {
        Ownership::Ours(dir) => Ok(dir),
        Ownership::Server(server) => {
            let message = format!("a server has the data directory `{}`", path.display());
            Err(CommandError::failure("data_dir.in_use", message)
                .hint(format!(
                    "stop it first: it is process {} and listens on {}",
                    server.pid, server.address
                ))
                .into())
        }
        Ownership::Somebody => Err(node::in_use(path).hint("try again when it has ended").into()),
    }
}

fn show(
    renewal: &Renewal,
    current: &VaultKey,
    is_given: bool,
    output: OutputFormat,
) -> Result<(), CommandError> {
    for (owner, error) in &renewal.unreadable {
        say(&match owner {
            SecretOwner::Server => {
                format!("the masking key cannot be read: {}; it stays as it is", error.reason)
            }
            owner => format!("{owner}: {error}: {}; it stays as it is, give it anew", error.reason),
        });
    }
    let unchanged = renewal.current.saturating_sub(renewal.renewed);
    if output == OutputFormat::Json {
        let result = json!({
            "encryption_key": current.id().to_string(),
            "renewed": renewal.renewed,
            "unchanged": unchanged,
            "unreadable": renewal.unreadable.len(),
        });
        return Ok(print(&format!("{result}\n"))?);
    }
    print(&format!(
        "{} encrypted anew under the key {}, {unchanged} were already\n",
        counted(renewal.renewed),
        current.id()
    ))?;
    if is_given {
        say("the other keys are needed no more: take them out of what you give the server");
    }
    Ok(())
}

fn counted(configs: usize) -> String {
    match configs {
        1 => "the secrets of 1 config were".to_owned(),
        count => format!("the secrets of {count} configs were"),
    }
}
