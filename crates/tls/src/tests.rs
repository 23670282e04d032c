//! Handshakes with servers whose certificates are old, or of nobody who is trusted.

use std::io::Cursor;
use std::sync::Arc;

use rustls::crypto::ring;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{ClientConnection, Error, ServerConfig, ServerConnection, SupportedProtocolVersion};

use crate::{CertificateFlaw, Roots, SslMode, TlsOptions};

/// One of X.509 version 1 for `localhost`, signed by itself: `openssl req -new … | openssl x509 -req -signkey …`.
const VERSION_1: &[u8] = include_bytes!("tests/version_1.crt");
const ITS_KEY: &[u8] = include_bytes!("tests/version_1.key");

fn certificate() -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(VERSION_1).unwrap()
}

fn server(version: &'static SupportedProtocolVersion) -> ServerConnection {
    let provider = ring::default_provider();
    let key =
        provider.key_provider.load_private_key(PrivateKeyDer::from_pem_slice(ITS_KEY).unwrap()).unwrap();
    let identity = SingleCertAndKey::from(CertifiedKey::new(vec![certificate()], key));
    let config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(&[version])
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(Arc::new(identity));
    ServerConnection::new(Arc::new(config)).unwrap()
}

/// What a client says of that server.
fn handshake(
    mode: SslMode,
    roots: Option<Roots>,
    version: &'static SupportedProtocolVersion,
) -> Result<(), Error> {
    let config = TlsOptions { mode, roots, identity: None }.client_config().unwrap();
    let name = ServerName::try_from("localhost").unwrap();
    let (mut client, mut server) = (ClientConnection::new(Arc::new(config), name)?, server(version));
    while client.is_handshaking() {
        let (mut there, mut back) = (Vec::new(), Vec::new());
        while client.wants_write() {
            client.write_tls(&mut there).unwrap();
        }
        server.read_tls(&mut Cursor::new(there)).unwrap();
        server.process_new_packets()?;
        while server.wants_write() {
            server.write_tls(&mut back).unwrap();
        }
        let mut back = Cursor::new(back);
        while client.read_tls(&mut back).unwrap() > 0 {
            client.process_new_packets()?;
        }
    }
    Ok(())
}

#[test]
fn a_certificate_of_version_1_is_taken_where_any_is_and_refused_by_its_name_elsewhere() {
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        for mode in [SslMode::Prefer, SslMode::Require] {
            handshake(mode, None, version).unwrap();
        }
        for mode in [SslMode::Require, SslMode::VerifyCa, SslMode::VerifyFull] {
            let roots = Roots::These(vec![certificate()]);
            let refused = handshake(mode, Some(roots), version).unwrap_err();
            assert_eq!(CertificateFlaw::of(&refused), Some(CertificateFlaw::OldVersion), "{refused:?}");
        }
    }
}

#[test]
fn a_mode_is_shown_as_it_is_written() {
    for (name, mode) in SslMode::CHOICES {
        assert_eq!((SslMode::parse(name), mode.to_string().as_str()), (Some(mode), name));
    }
    assert_eq!(SslMode::parse("allow"), None);
}
