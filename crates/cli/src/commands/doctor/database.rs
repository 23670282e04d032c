//! The database that servers share: is it reached, is it one that can be used, and do we have the key to what is in it?

use inlet_model::{SystemClock, SystemEntropy};
use inlet_store::postgres::{Examined, FoundTables, Layout, Postgres};
use inlet_store::{StoreError, StoreErrorKind};

use super::server::told;
use super::{Finding, clock};
use crate::args::EncryptionArgs;
use crate::encryption::lost_keys;
use crate::output::numbers::counted;
use crate::place;

/// The oldest server, as in `server_version_num`.
const OLDEST: u64 = 150_000;

/// Looks at the database of that URL.
pub(super) async fn examine(url: &str, encryption: &EncryptionArgs) -> Vec<Finding> {
    let database = match place::database_at(url) {
        Ok(database) => database,
        Err(error) => {
            let hint = "write it as `postgres://user:password@host:5432/database`";
            return vec![Finding::wrong("database", told(error), hint)];
        }
    };
    match database.examine().await {
        Err(error) => vec![out_of_reach(&error)],
        Ok(examined) => {
            let mut findings = judge(&examined);
            findings.push(clock::compare(examined.time));
            findings.push(key(&database, &examined, encryption).await);
            findings
        }
    }
}

fn out_of_reach(error: &StoreError) -> Finding {
    let hint = if inlet_store::postgres::is_refusal(error) {
        "the server answers, and does not let us in: see what it says, and its pg_hba.conf"
    } else {
        "check host and port, that the server runs, and the firewalls on the way"
    };
    Finding::wrong("database", in_a_line(error), hint)
}

fn judge(found: &Examined) -> Vec<Finding> {
    let version = format!("PostgreSQL {}", found.version_text);
    let version = match found.version {
        ..OLDEST => Finding::wrong("database", version, "upgrade it: 15 is the oldest that can be used"),
        _ => Finding::good("database", version),
    };
    vec![version, tables(found), connections(found)]
}

fn tables(found: &Examined) -> Finding {
    match found.tables {
        FoundTables::Missing if !found.may_make_tables => Finding::wrong(
            "tables",
            "there are none, and the role may not make any",
            "GRANT CREATE ON the first schema of the role's search path, which has to be there",
        ),
        FoundTables::Missing => Finding::good("tables", "there are none; the first start makes them"),
        FoundTables::Older(version) => {
            Finding::good("tables", format!("of version {version}; the next start brings them up to date"))
        }
        FoundTables::TooNew(version) => Finding::wrong(
            "tables",
            format!("of version {version}, which a newer inlet made"),
            "use that inlet, or a later one",
        ),
        FoundTables::Present(version, Layout::Partitioned) if !found.may_make_tables => Finding::wrong(
            "tables",
            format!("of version {version}, and the role may make no more: each new collection gets some"),
            "GRANT CREATE ON the schema of the tables",
        ),
        FoundTables::Present(version, Layout::Partitioned) => {
            Finding::good("tables", format!("of version {version}"))
        }
        FoundTables::Present(version, Layout::Shared) => {
            Finding::good("tables", format!("of version {version}, without partitions"))
        }
    }
}

fn connections(found: &Examined) -> Finding {
    let of_one = u64::from(Postgres::CONNECTIONS) + 1;
    let servers = counted(found.allowed / of_one, "server");
    let detail = format!("{} allowed, {} there: enough for {servers}", found.allowed, found.used);
    if found.allowed < of_one {
        let hint =
            "raise max_connections in postgresql.conf, or give servers a smaller --database-connections";
        return Finding::warning("connections", detail, hint);
    }
    Finding::good("connections", detail)
}

/// The key is there, and opens what is in the catalog, if there is one.
async fn key(database: &Postgres, found: &Examined, encryption: &EncryptionArgs) -> Finding {
    const CHECK: &str = "encryption";
    let vault = match place::shared_vault(encryption, &SystemEntropy) {
        Ok(vault) => vault,
        Err(error) => {
            let hint = "give all servers the same one, in INLET_ENCRYPTION_KEY or by --encryption-key-file";
            return Finding::wrong(CHECK, told(error), hint);
        }
    };
    // To open what is not of the present format would change it.
    if !matches!(found.tables, FoundTables::Present(..)) {
        return Finding::good(CHECK, "a key is given");
    }
    let lost = async {
        let catalog = database.catalog(&SystemClock, &SystemEntropy).await?;
        lost_keys(&catalog, &vault).await
    };
    match lost.await {
        Ok((lost, _)) if lost.is_empty() => Finding::good(CHECK, "the key opens all secrets"),
        Ok((lost, holders)) => {
            let names: Vec<String> = lost.iter().map(ToString::to_string).collect();
            let detail = format!(
                "connectors and webhooks with secrets under another key ({}): {holders}",
                names.join(", ")
            );
            Finding::wrong(CHECK, detail, "add that key to those that are given, or give the secrets anew")
        }
        Err(error) if error.kind() == StoreErrorKind::Unavailable => out_of_reach(&error),
        Err(error) => Finding::wrong(CHECK, in_a_line(&error), "look whether the role may read the tables"),
    }
}

/// An error with its causes.
fn in_a_line(error: &StoreError) -> String {
    let (mut line, mut cause) = (error.to_string(), std::error::Error::source(error));
    while let Some(error) = cause {
        line.push_str(&format!(": {error}"));
        cause = error.source();
    }
    line
}
