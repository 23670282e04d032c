//! `inlet serve`: the server.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use inlet_api::{Auth, RateLimit, key_hash, new_key};
use inlet_model::{KeyId, NodeRoles};
use inlet_store::catalog::{ApiKey, Role};
use inlet_store::postgres::PostgresOptions;

use crate::args::{AuthArg, ServeArgs};
use crate::errors::CommandError;
use crate::node::{self, Node, NodeOptions, Ownership};
use crate::output::{print, say};
use crate::place::Place;
use crate::server::Server;
use crate::signals::StopRequests;

/// Runs the command.
pub(crate) async fn run(args: &ServeArgs) -> Result<(), CommandError> {
    let mut stop = StopRequests::listen()?;
    refuse_open_door(args)?;
    refuse_short_history(args)?;
    refuse_missing_roles(args)?;
    let files_roots = args.files_roots.iter().map(|root| existing_root(root)).collect::<Result<_, _>>()?;
    // The port first: if it is taken, nothing else has been done.
    let server = Server::bind(args.listen).await?;
    let place = match args.place.database.url() {
        Some(url) => {
            let connections = args.database_connections;
            Place::database(url, PostgresOptions { connections, lease: args.lease, ..Default::default() })?
        }
        None => Place::Directory(own(&args.place.data_dir)?),
    };
    let options = NodeOptions {
        files_roots,
        egress: args.egress.into(),
        history: Some(args.history),
        undo_for: Some(args.undo_for),
        stall_limit: Some(args.stall_limit),
        roles: args.roles,
        max_syncs: Some(args.limits.max_syncs.into()),
        limits: args.limits.shared(),
        lease: Some(args.lease),
        runs_syncs: true,
        is_server: true,
    };
    let node = tokio::select! {
        node = Node::start(place, options, &args.encryption) => node?,
        // A database may be waited for, for a long time.
        signal = stop.next() => return Err(CommandError::failure("interrupted", format!("{signal} came before the server was ready")).into()),
    };
    if !args.listen.ip().is_loopback() {
        tracing::warn!(
            "other machines may reach this address over plain HTTP: put a proxy with TLS before it"
        );
    }
    let token = new_key(&*node.entropy);
    let auth = match args.auth {
        AuthArg::None => Auth::None { local_token: Some(token.hash) },
        AuthArg::Key => {
            make_first_key(&node, args).await?;
            let environment_key = args.api_key.as_deref().map(key_hash);
            Auth::Key { environment_key, local_token: Some(token.hash) }
        }
    };
    node.announce(&server.local_url(), &token.text)?;
    print(&format!("listening on {}\n", server.url()))?;
    let rate = NonZeroU32::new(args.rate_limit).map(RateLimit::per_second);
    server.run(&node, auth, rate, &mut stop).await
}

/// Without keys only this machine may call.
fn refuse_open_door(args: &ServeArgs) -> Result<(), CommandError> {
    if args.auth == AuthArg::None && !args.listen.ip().is_loopback() {
        let message = format!(
            "without API keys the server listens on a loopback address only, not on {}",
            args.listen.ip()
        );
        let complaint = CommandError::input("input.auth", message);
        return Err(complaint.hint("leave out `--auth none`, or listen on 127.0.0.1").into());
    }
    match args.api_key.as_deref().map(str::trim) {
        Some("") => Err(CommandError::input("input.api_key", "the API key of the environment is empty")
            .hint("unset INLET_API_KEY, or set it to a long random text")
            .into()),
        Some(key) if !key.bytes().all(|byte| byte.is_ascii_graphic()) => {
            Err(CommandError::input("input.api_key", "an API key has visible ASCII characters only").into())
        }
        _ => Ok(()),
    }
}

/// To undo a sync takes the history of its changes.
fn refuse_short_history(args: &ServeArgs) -> Result<(), CommandError> {
    if args.history >= args.undo_for {
        return Ok(());
    }
    let message = "the history is kept for a shorter time than syncs can be undone";
    let complaint = CommandError::input("input.history", message);
    Err(complaint.hint("give a greater --history, or a smaller --undo-for").into())
}

/// Nobody else would do the work of a role that is left out.
fn refuse_missing_roles(args: &ServeArgs) -> Result<(), CommandError> {
    if args.place.database.url().is_some() || args.roles == NodeRoles::ALL {
        return Ok(());
    }
    let complaint = CommandError::input("input.role", "a server that is alone has every role");
    Err(complaint.hint("leave out --role, or share a database with other servers by --database-url").into())
}

fn existing_root(root: &Path) -> Result<PathBuf, CommandError> {
    let bad = |complaint: crate::errors::Complaint| CommandError::from(complaint);
    let message = format!("the files root `{}` cannot be opened", root.display());
    let canonical = root
        .canonicalize()
        .map_err(|error| bad(CommandError::input("input.files_root", message).because(error)))?;
    if canonical.is_dir() {
        return Ok(canonical);
    }
    Err(bad(CommandError::input(
        "input.files_root",
        format!("the files root `{}` is not a directory", root.display()),
    )))
}

fn own(path: &Path) -> Result<inlet_store::sqlite::DataDir, CommandError> {
    match node::take(path)? {
        Ownership::Ours(dir) => Ok(dir),
        Ownership::Server(server) => {
            let message = format!("a server has the data directory `{}` already", path.display());
            Err(CommandError::failure("data_dir.in_use", message)
                .hint(format!("it is process {} and listens on {}", server.pid, server.address))
                .into())
        }
        Ownership::Somebody => Err(node::in_use(path).hint("start the server when it has ended").into()),
    }
}

/// On the first start, unless the environment gives a key: makes one, and shows it this once.
async fn make_first_key(node: &Node, args: &ServeArgs) -> Result<(), CommandError> {
    if args.api_key.is_some() {
        return Ok(());
    }
    let key = new_key(&*node.entropy);
    let now = node.clock.now();
    let stored = ApiKey {
        id: KeyId::new(now, &*node.entropy),
        name: "admin".to_owned(),
        role: Role::Admin,
        space_id: None,
        created_at: now,
        created_by: None,
        expires_at: None,
        last_used_at: None,
    };
    if node.make_first_key(&stored, key.hash).await? {
        say(&format!(
            "This is the admin's API key. It is shown only now; keep it safe:\n\n    {}\n",
            key.text
        ));
    }
    Ok(())
}
