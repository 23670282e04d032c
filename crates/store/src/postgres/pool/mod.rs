//! The connections to the server: so many at most, each opened when it is first needed.
//!
//! [`shares`] is who may have how many, [`idle`] keeps those that nobody uses, and [`outage`] knows whether the server is there at all.

mod idle;
pub(super) mod outage;
mod shares;

use std::sync::Arc;
use std::time::Duration;

use tokio::time::timeout;

use self::idle::Idle;
use self::outage::Outage;
pub(super) use self::shares::Use;
use self::shares::{Permit, Shares};
use super::address::Address;
use super::client::Client;
use crate::sql::{SqlError, SqlResult, catalog, collection};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// All connections that there may be are in use, and were for as long as one was waited for.
#[derive(Debug, thiserror::Error)]
#[error("all connections to the database that this use may have were busy for {} seconds", .0.as_secs())]
struct Busy(Duration);

/// All clones share the connections.
#[derive(Debug, Clone)]
pub(super) struct Pool {
    address: Arc<Address>,
    idle: Arc<Idle>,
    shares: Arc<Shares>,
    outage: Arc<Outage>,
}

impl Pool {
    /// So many connections to that database, none of them yet.
    pub(super) fn new(address: Address, connections: usize) -> Self {
        Self {
            address: Arc::new(address),
            idle: Arc::default(),
            shares: Arc::new(Shares::of(connections)),
            outage: Arc::default(),
        }
    }

    /// How a connection is made.
    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Does `work` with a connection, on a thread that may block. It goes on if the caller goes away.
    pub(super) async fn run<T, E, F>(&self, operation: &'static str, wanted: Use, work: F) -> StoreResult<T>
    where
        T: Send + 'static,
        E: Told,
        F: FnOnce(&mut Client) -> Result<T, E> + Send + 'static,
    {
        let permit = self.permit(wanted).await.map_err(|error| E::from(error).during(operation))?;
        let pool = self.clone();
        let done = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            pool.lend(wanted.longest_answer(), work)
        });
        match done.await {
            Ok(outcome) => outcome.map_err(|trouble| trouble.during(operation)),
            Err(error) => Err(StoreError::new(StoreErrorKind::Internal, operation).because(error)),
        }
    }

    /// Waits for the right to a connection, not for ever.
    pub(super) async fn permit(&self, wanted: Use) -> SqlResult<Permit> {
        let patience = wanted.patience();
        match timeout(patience, self.shares.permit(wanted)).await {
            Ok(Some(permit)) => Ok(permit),
            _ if self.outage.is_lost() => Err(SqlError::Lost(Busy(patience).into())),
            _ => Err(SqlError::unavailable(Busy(patience))),
        }
    }

    /// Does `work` with a connection, for which the caller holds a permit. A connection on which it panics is not used again: something may be left
    /// on it.
    pub(super) fn lend<T, E: From<SqlError>>(
        &self,
        longest_answer: Duration,
        work: impl FnOnce(&mut Client) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut client = match self.idle.take() {
            Some(client) => client,
            None => self.outage.connect(|| Client::connect(&self.address, &self.outage))?,
        };
        client.be_patient_once_it_answers(longest_answer);
        let outcome = work(&mut client);
        if !client.is_closed() {
            self.outage.answered();
            self.idle.keep(client);
        }
        outcome
    }
}

/// What goes wrong with a connection, in the store's terms.
pub(super) trait Told: From<SqlError> + Send + 'static {
    /// The same as an error of the store, while doing `operation`.
    fn during(self, operation: &'static str) -> StoreError;
}

impl Told for catalog::Trouble {
    fn during(self, operation: &'static str) -> StoreError {
        self.during(operation)
    }
}

impl Told for collection::Trouble {
    fn during(self, operation: &'static str) -> StoreError {
        self.during(operation)
    }
}
