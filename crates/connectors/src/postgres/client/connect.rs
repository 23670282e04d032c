//! From a host's name to a connection that is logged in.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use fallible_iterator::FallibleIterator;
use inlet_source::{ErrorKind, SourceError};
use postgres_protocol::authentication::md5_hash;
use postgres_protocol::authentication::sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256};
use postgres_protocol::message::backend::{AuthenticationSaslBody, Message};
use postgres_protocol::message::frontend;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::sync::OwnedSemaphorePermit;
use tokio_rustls::TlsConnector;

use super::refusal::Refusal;
use super::tls::{self, SslMode};
use super::{Channel, Client, lost};
use crate::postgres::config::Settings;

/// How long it may take until the connection stands.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long connections of other syncs are waited for.
const PATIENCE_FOR_OTHERS: Duration = Duration::from_secs(300);
/// How long one address of several is tried.
const PATIENCE_EACH: Duration = Duration::from_secs(10);
/// The oldest server that is read, as in `server_version_num`.
const OLDEST: u32 = 120_000;

const OPERATION: &str = "connect";

/// Connects and logs in.
pub(super) async fn connect(settings: &Settings) -> Result<Client, SourceError> {
    let permit = permit(settings).await?;
    let connecting = async {
        let (channel, is_private) = open(settings).await?;
        let mut client = Client::new(channel, settings, permit);
        log_in(&mut client, settings, is_private).await?;
        if client.version < OLDEST {
            let message = format!(
                "the server is PostgreSQL {}, and 12 is the oldest that is read",
                client.version / 10_000
            );
            return Err(SourceError::new(ErrorKind::Config, OPERATION, message).hint("upgrade the server"));
        }
        Ok(client)
    };
    let connected = tokio::time::timeout(PATIENCE.min(settings.patience), connecting).await;
    let timed_out = || {
        SourceError::new(ErrorKind::TimedOut, OPERATION, "the server does not answer")
            .hint("check `host` and `port`, and the firewalls on the way")
    };
    connected.unwrap_or_else(|_| Err(timed_out())).map_err(|error| about(error, settings))
}

/// Waits until there may be one more connection.
async fn permit(settings: &Settings) -> Result<Option<OwnedSemaphorePermit>, SourceError> {
    let Some(connections) = &settings.connections else { return Ok(None) };
    let acquiring = Arc::clone(connections).acquire_owned();
    match tokio::time::timeout(PATIENCE_FOR_OTHERS, acquiring).await {
        Ok(Ok(permit)) => Ok(Some(permit)),
        _ => Err(SourceError::new(
            ErrorKind::Unavailable,
            OPERATION,
            "all connections that there may be are in use",
        )
        .hint("wait for the syncs that run, or raise `max_connections`")),
    }
}

fn about(error: SourceError, settings: &Settings) -> SourceError {
    error.with("host", &settings.host).with("port", settings.port)
}

/// A channel to the server, and whether nobody on the way can listen.
async fn open(settings: &Settings) -> Result<(Box<dyn Channel>, bool), SourceError> {
    if settings.host.starts_with('/') {
        let path = Path::new(&settings.host).join(format!(".s.PGSQL.{}", settings.port));
        let stream = UnixStream::connect(&path).await.map_err(unreachable)?;
        return Ok((Box::new(stream), true));
    }
    let mut stream = tcp(settings).await?;
    let is_loopback = stream.peer_addr().is_ok_and(|address| address.ip().to_canonical().is_loopback());
    let Some(config) = &settings.tls else { return Ok((Box::new(stream), is_loopback)) };
    if !speaks_tls(&mut stream).await.map_err(unreachable)? {
        return match settings.ssl_mode {
            SslMode::Prefer => Ok((Box::new(stream), is_loopback)),
            _ => Err(SourceError::new(ErrorKind::Denied, OPERATION, "the server does not speak TLS")
                .hint("turn `ssl` on in the server's postgresql.conf, or set `ssl_mode` to disable")),
        };
    }
    let name = ServerName::try_from(settings.host.clone()).map_err(|error| {
        SourceError::new(ErrorKind::Config, OPERATION, "the host's name can have no certificate")
            .because(error)
    })?;
    let stream =
        TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map_err(tls::explained)?;
    Ok((Box::new(stream), true))
}

async fn tcp(settings: &Settings) -> Result<TcpStream, SourceError> {
    let found = lookup_host((settings.host.as_str(), settings.port)).await.map_err(|error| {
        SourceError::new(ErrorKind::NotFound, OPERATION, "the host's name leads nowhere")
            .hint("check `host`")
            .because(error)
    })?;
    let mut last = None;
    for address in found {
        match one(settings, address).await {
            Ok(stream) => return Ok(stream),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| SourceError::new(ErrorKind::NotFound, OPERATION, "the host has no address")))
}

async fn one(settings: &Settings, address: SocketAddr) -> Result<TcpStream, SourceError> {
    settings.egress.permits(address.ip()).map_err(|error| {
        SourceError::new(ErrorKind::Denied, OPERATION, "the host lies where sources may not connect to")
            .hint("`inlet serve --egress` says what they may")
            .because(error)
    })?;
    let connected = tokio::time::timeout(PATIENCE_EACH, TcpStream::connect(address)).await;
    let stream = connected.unwrap_or_else(|_| Err(io::ErrorKind::TimedOut.into())).map_err(unreachable)?;
    stream.set_nodelay(true).map_err(unreachable)?;
    // A server that is gone without a word would be waited for far longer.
    rustix::net::sockopt::set_socket_keepalive(&stream, true).map_err(|error| unreachable(error.into()))?;
    Ok(stream)
}

async fn speaks_tls(stream: &mut TcpStream) -> io::Result<bool> {
    let mut request = bytes::BytesMut::new();
    frontend::ssl_request(&mut request);
    stream.write_all(&request).await?;
    Ok(stream.read_u8().await? == b'S')
}

fn unreachable(error: io::Error) -> SourceError {
    let (kind, message, hint) = match error.kind() {
        io::ErrorKind::ConnectionRefused => (
            ErrorKind::Unavailable,
            "nothing listens at this port",
            "check `port`, that the server runs, and its listen_addresses",
        ),
        io::ErrorKind::NotFound => {
            (ErrorKind::NotFound, "there is no socket in this directory", "check `host` and `port`")
        }
        io::ErrorKind::PermissionDenied => {
            (ErrorKind::Denied, "the socket may not be opened", "check who may use it")
        }
        io::ErrorKind::TimedOut => {
            (ErrorKind::TimedOut, "the host does not answer", "check `host`, and the firewalls on the way")
        }
        _ => (ErrorKind::Unavailable, "the host cannot be reached", "check `host` and the network"),
    };
    SourceError::new(kind, OPERATION, message).hint(hint).because(error)
}

async fn log_in(client: &mut Client, settings: &Settings, is_private: bool) -> Result<(), SourceError> {
    let parameters = [
        ("user", settings.user.as_str()),
        ("database", settings.database.as_str()),
        ("application_name", "inlet"),
        ("client_encoding", "UTF8"),
    ];
    client.send(|out| frontend::startup_message(parameters, out)).await.map_err(in_handshake)?;
    let mut scram = None;
    loop {
        match client.message().await.map_err(in_handshake)? {
            Message::AuthenticationCleartextPassword => {
                if !is_private {
                    return Err(readable_password());
                }
                let password = password(settings)?.as_bytes();
                client.send(|out| frontend::password_message(password, out)).await.map_err(in_handshake)?;
            }
            Message::AuthenticationMd5Password(body) => {
                let hash = md5_hash(settings.user.as_bytes(), password(settings)?.as_bytes(), body.salt());
                client
                    .send(|out| frontend::password_message(hash.as_bytes(), out))
                    .await
                    .map_err(in_handshake)?;
            }
            Message::AuthenticationSasl(body) => {
                offers_scram(&body)?;
                let begun = ScramSha256::new(password(settings)?.as_bytes(), ChannelBinding::unsupported());
                let first = begun.message().to_vec();
                scram = Some(begun);
                client
                    .send(|out| frontend::sasl_initial_response(SCRAM_SHA_256, &first, out))
                    .await
                    .map_err(in_handshake)?;
            }
            Message::AuthenticationSaslContinue(body) => {
                let begun = scram.as_mut().ok_or_else(strange)?;
                begun.update(body.data()).map_err(in_handshake)?;
                let next = begun.message().to_vec();
                client.send(|out| frontend::sasl_response(&next, out)).await.map_err(in_handshake)?;
            }
            Message::AuthenticationSaslFinal(body) => {
                // The server shows here that it knows the password too.
                scram.take().ok_or_else(strange)?.finish(body.data()).map_err(in_handshake)?;
            }
            Message::ParameterStatus(body) if body.name().is_ok_and(|name| name == "server_version") => {
                client.version = body.value().map(version).unwrap_or_default();
            }
            Message::ParameterStatus(body) if body.name().is_ok_and(|name| name == "server_encoding") => {
                client.keeps_any_bytes = body.value().is_ok_and(|encoding| encoding == "SQL_ASCII");
            }
            Message::ErrorResponse(body) => return Err(Refusal::read(body.fields()).into_error(OPERATION)),
            Message::ReadyForQuery(_) => return Ok(()),
            Message::AuthenticationOk if scram.is_some() => return Err(strange()),
            Message::AuthenticationOk
            | Message::BackendKeyData(_)
            | Message::ParameterStatus(_)
            | Message::NoticeResponse(_) => {}
            _ => return Err(strange()),
        }
    }
}

fn password(settings: &Settings) -> Result<&str, SourceError> {
    settings.password.as_deref().ok_or_else(|| {
        SourceError::new(ErrorKind::Denied, OPERATION, "the server asks for a password, and there is none")
            .hint("set `password`")
    })
}

fn offers_scram(body: &AuthenticationSaslBody) -> Result<(), SourceError> {
    match body.mechanisms().any(|mechanism| Ok(mechanism == SCRAM_SHA_256)) {
        Ok(true) => Ok(()),
        _ => Err(strange()),
    }
}

fn readable_password() -> SourceError {
    let message = "the server wants the password in the clear, over a connection that others can read";
    SourceError::new(ErrorKind::Denied, OPERATION, message).hint("set `ssl_mode` to require or better")
}

fn strange() -> SourceError {
    SourceError::new(
        ErrorKind::Denied,
        OPERATION,
        "the server asks for a kind of login that is not supported",
    )
    .hint("let the role log in by scram-sha-256: see the server's pg_hba.conf")
}

/// An error before the server was ready.
fn in_handshake(error: io::Error) -> SourceError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
            let message = "what answers does not speak PostgreSQL's protocol";
            SourceError::new(ErrorKind::Config, OPERATION, message)
                .hint("check that `port` is PostgreSQL's")
                .because(error)
        }
        _ => lost(error),
    }
}

/// `15.18 (Debian …)` as 150018.
fn version(text: &str) -> u32 {
    let number = text.split(|c: char| !c.is_ascii_digit() && c != '.').next().unwrap_or_default();
    let mut parts = number.split('.').map(|part| part.parse::<u32>().unwrap_or_default());
    parts.next().unwrap_or_default().saturating_mul(10_000).saturating_add(parts.next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::version;

    #[test]
    fn versions_are_numbers() {
        for (text, number) in
            [("15.18 (Debian 15.18-0+deb12u1)", 150_018), ("18beta1", 180_000), ("9.6.24", 90_006), ("", 0)]
        {
            assert_eq!(version(text), number, "{text}");
        }
    }
}
