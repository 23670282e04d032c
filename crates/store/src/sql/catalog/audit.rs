//! The audit log, written by the transactions that have the changes.

use std::ops::Deref;

use async_trait::async_trait;

use super::SqlCatalog;
use super::page::Listing;
use crate::StoreResult;
use crate::catalog::{AUDIT_KEPT, AUDIT_MAX, Action, Audit, AuditEntry, AuditQuery, Cause, Page, Target};
use crate::sql::catalog::Trouble;
use crate::sql::{Columns, Dialect, Json, Session, SqlResult, Text, WithSession, params};

const SELECT: &str =
    "SELECT id, at, actor, request_id, action, space_id, collection_id, connector_id, sync_id,
                             key_id, webhook_id, fields FROM audit";

/// Old entries that one write removes at most.
const FORGOTTEN_PER_WRITE: u32 = 100;

/// A transaction that changes something, and in whose name it does.
pub(super) struct Write<'tx> {
    tx: &'tx dyn Session,
    cause: Option<Cause>,
}

impl<'tx> Write<'tx> {
    pub(super) fn new(tx: &'tx dyn Session, cause: Option<Cause>) -> Self {
        Self { tx, cause }
    }

    /// Writes down what this transaction did, if somebody asked for it.
    pub(super) fn audit(&self, action: Action, target: Target) -> Result<(), Trouble> {
        self.audit_fields(action, target, Vec::new())
    }

    /// The same for an update: with the settings that it changed, as JSON Pointers.
    pub(super) fn audit_fields(
        &self,
        action: Action,
        target: Target,
        fields: Vec<String>,
    ) -> Result<(), Trouble> {
        let Some(cause) = &self.cause else { return Ok(()) };
        let entry = cause.entry(action, target, fields);
        insert(self.tx, &entry)?;
        forget_some(self.tx, &entry)
    }
}

impl<'tx> Deref for Write<'tx> {
    type Target = dyn Session + 'tx;

    fn deref(&self) -> &(dyn Session + 'tx) {
        self.tx
    }
}

impl WithSession for Write<'_> {
    fn session(&self) -> &dyn Session {
        self.tx
    }
}

#[async_trait]
impl Audit for SqlCatalog {
    async fn audit_list(&self, query: AuditQuery) -> StoreResult<Page<AuditEntry>> {
        self.read_rows("read the audit log", move |db| list(db, query)).await
    }
}

/// The table is bounded, so a filter may look at all of it.
fn list(db: &dyn Session, query: AuditQuery) -> Result<Page<AuditEntry>, Trouble> {
    let listing = Listing::of(query.page)
        .timed_by("at")
        .only_if("space_id = ?", query.space_id.map(|space_id| space_id.as_str().to_owned()))
        .only_if("actor = ?", query.actor.map(|actor| actor.to_string()))
        .only_if("action = ?", query.action.map(|action| action.as_str().to_owned()));
    Ok(listing.read(db, SELECT, entry_from, |entry| (entry.at, entry.id.to_string()))?)
}

fn insert(tx: &dyn Session, entry: &AuditEntry) -> Result<(), Trouble> {
    let Target { space_id, collection_id, connector_id, sync_id, key_id, webhook_id } = &entry.target;
    tx.execute(
        "INSERT INTO audit (id, at, actor, request_id, action, space_id, collection_id, connector_id,
         sync_id, key_id, webhook_id, fields) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
        params![
            Text(entry.id),
            entry.at.as_micros(),
            Text(entry.actor),
            entry.request_id,
            entry.action.as_str(),
            space_id.as_ref().map(|id| id.as_str()),
            collection_id.as_ref().map(|id| id.as_str()),
            connector_id.map(Text),
            sync_id.map(Text),
            key_id.map(Text),
            webhook_id.map(Text),
            Json(&entry.fields),
        ],
    )?;
    Ok(())
}

/// Removes some entries that are too old, or too many, as seen from the newest.
fn forget_some(tx: &dyn Session, newest: &AuditEntry) -> Result<(), Trouble> {
    let kept = i64::try_from(AUDIT_KEPT.as_micros()).unwrap_or(i64::MAX);
    // Numbers are given out one after the other, and only the lowest are ever removed.
    let number = match tx.dialect() {
        Dialect::Sqlite => "rowid",
        Dialect::Postgres => "number",
    };
    tx.execute(
        &format!("DELETE FROM audit WHERE {number} IN (SELECT {number} FROM audit WHERE at < ?1 ORDER BY at LIMIT ?2)"),
        params![newest.at.as_micros().saturating_sub(kept), FORGOTTEN_PER_WRITE],
    )?;
    tx.execute(
        &format!(
            "DELETE FROM audit WHERE {number} IN (SELECT {number} FROM audit
             WHERE {number} <= (SELECT max({number}) FROM audit) - ?1 ORDER BY {number} LIMIT ?2)"
        ),
        params![AUDIT_MAX, FORGOTTEN_PER_WRITE],
    )?;
    Ok(())
}

fn entry_from(columns: &mut Columns<'_>) -> SqlResult<AuditEntry> {
    Ok(AuditEntry {
        id: columns.text()?,
        at: columns.time()?,
        actor: columns.text()?,
        request_id: columns.plain()?,
        action: columns.text()?,
        target: Target {
            space_id: columns.optional_text()?,
            collection_id: columns.optional_text()?,
            connector_id: columns.optional_text()?,
            sync_id: columns.optional_text()?,
            key_id: columns.optional_text()?,
            webhook_id: columns.optional_text()?,
        },
        fields: columns.json()?,
    })
}
