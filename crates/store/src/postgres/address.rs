//! Where the database is, and how a connection to it is opened.

use std::error::Error as _;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::mpsc;
use tokio::time::timeout;
use tokio_postgres::config::Host;
use tokio_postgres::{AsyncMessage, Client, Config, Connection, Error};

use super::client::Silent;
use super::hosts::one_by_one;
use super::settings;
use super::tls::{Fault, SslMode, Tls, TlsSettings, mode_of_driver, refuses_tls};
use crate::sql::{SqlError, SqlResult};
use crate::{StoreError, StoreErrorKind, StoreResult};

/// A server that has not answered within this time is not there. If several are named, it is for all of them, and each has its share …
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// … but no less than this.
const LEAST_SHARE: Duration = Duration::from_secs(1);
/// What was sent and is not acknowledged for so long never will be.
const TCP_TIMEOUT: Duration = Duration::from_secs(15);
/// A connection on which nothing comes is asked whether it is there, by the system: first after `TCP_TIMEOUT`, then so often, and …
const PROBED: Duration = Duration::from_secs(5);
/// … after so many questions without an answer it is not.
const PROBES: u32 = 3;

/// What a connection does besides what its client asks for. It has to be polled for anything to come or go.
pub(super) type Driver = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// How a connection to the database is made.
#[derive(Debug)]
pub(super) struct Address {
    /// Where it may be, in the order in which they are tried.
    hosts: Vec<Config>,
    /// Which of them was right the last time. It is tried first, so that one that is gone costs no time as long as another is there.
    right: AtomicUsize,
    /// How long each has to let us in.
    patience: Duration,
    mode: SslMode,
    tls: Tls,
}

impl Address {
    /// Reads a URL, or settings as libpq has them.
    pub(super) fn parse(text: &str) -> StoreResult<Self> {
        let unreadable = || StoreError::new(StoreErrorKind::Internal, "read the database's URL");
        let (text, ours) = settings::split(text);
        let mut config: Config = text.parse().map_err(|error| unreadable().because(error))?;
        let settings = of_tls(ours).map_err(|error| unreadable().because(error))?;
        let tls = settings.connector().map_err(|error| unreadable().because(error))?;
        let mut mode = settings.mode;
        // As with libpq: nobody can listen at a socket of this machine.
        if config.get_hosts().iter().all(|host| matches!(host, Host::Unix(_))) {
            mode = SslMode::Disable;
        }
        if config.get_application_name().is_none() {
            config.application_name("inlet");
        }
        let mut hosts = one_by_one(config);
        let count = u32::try_from(hosts.len()).unwrap_or(u32::MAX);
        let patience = (CONNECT_TIMEOUT / count).max(LEAST_SHARE);
        for host in &mut hosts {
            host.ssl_mode(mode_of_driver(mode));
            // A name may have several addresses, of which the first may be gone.
            host.connect_timeout(patience.min(CONNECT_TIMEOUT / 2)).tcp_user_timeout(TCP_TIMEOUT);
            host.keepalives_idle(TCP_TIMEOUT).keepalives_interval(PROBED).keepalives_retries(PROBES);
        }
        Ok(Self { hosts, right: AtomicUsize::new(0), patience, mode, tls })
    }

    /// Opens a connection, or gives up in time; what others [notify](https://www.postgresql.org/docs/current/sql-notify.html) it of goes to
    /// `notified`.
    pub(super) async fn open(&self, notified: Option<mpsc::Sender<String>>) -> SqlResult<(Client, Driver)> {
        let (before, from) = self.hosts.split_at(self.right.load(Ordering::Relaxed));
        let mut failure = SqlError::Lost("no host is named".into());
        for (number, host) in (before.len()..).zip(from).chain((0..).zip(before)) {
            match timeout(self.patience, self.open_at(host, notified.clone())).await {
                Ok(Ok(opened)) => {
                    self.right.store(number, Ordering::Relaxed);
                    return Ok(opened);
                }
                Ok(Err(error)) => failure = error,
                Err(_) => failure = SqlError::Lost(Silent(self.patience).into()),
            }
        }
        Err(failure)
    }

    async fn open_at(
        &self,
        host: &Config,
        notified: Option<mpsc::Sender<String>>,
    ) -> SqlResult<(Client, Driver)> {
        let opened = host.connect(self.tls.clone()).await;
        let (client, connection) = opened.map_err(|error| self.explained(error))?;
        Ok((client, Box::pin(drive(connection, notified))))
    }

    fn explained(&self, error: Error) -> SqlError {
        let fault = error.source().and_then(|cause| cause.downcast_ref::<Fault>());
        match fault {
            _ if refuses_tls(&error) => SqlError::unavailable(Fault::not_spoken(self.mode)),
            Some(fault) if fault.is_of_the_way() => SqlError::Lost(error.into()),
            _ => error.into(),
        }
    }
}

fn of_tls(ours: Vec<settings::Setting>) -> Result<TlsSettings, Fault> {
    let mut tls = TlsSettings::default();
    for (name, value) in ours {
        match name.as_str() {
            "sslmode" => {
                tls.mode = SslMode::parse(&value).ok_or_else(|| {
                    let what = "sslmode is disable, prefer, require, verify-ca or verify-full";
                    Fault::new(SslMode::default(), what)
                })?;
            }
            "sslrootcert" => tls.roots = Some(value.into()),
            "sslcert" => tls.certificate = Some(value.into()),
            _ => tls.key = Some(value.into()),
        }
    }
    Ok(tls)
}

async fn drive<S, T>(
    mut connection: Connection<S, T>,
    notified: Option<mpsc::Sender<String>>,
) -> Result<(), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
    T: AsyncRead + AsyncWrite + Unpin,
{
    while let Some(message) = poll_fn(|context| connection.poll_message(context)).await {
        if let (AsyncMessage::Notification(notification), Some(notified)) = (message?, &notified)
            && notified.send(notification.payload().to_owned()).await.is_err()
        {
            break;
        }
    }
    Ok(())
}
