//! Looks at the server's certificate, as far as the mode asks for it.

use std::sync::Arc;

use rustls::client::WebPkiServerVerifier;
use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::crypto::CryptoProvider;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::{DigitallySignedStruct, Error, SignatureScheme};

use crate::CertificateFlaw;

#[derive(Debug)]
pub(crate) struct Verifier {
    /// `None`: any certificate will do.
    issuers: Option<Arc<WebPkiServerVerifier>>,
    checks_name: bool,
    provider: Arc<CryptoProvider>,
}

impl Verifier {
    pub(crate) fn new(
        issuers: Option<Arc<WebPkiServerVerifier>>,
        checks_name: bool,
        provider: Arc<CryptoProvider>,
    ) -> Self {
        Self { issuers, checks_name, provider }
    }
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        certificate: &CertificateDer<'_>,
        chain: &[CertificateDer<'_>],
        name: &ServerName<'_>,
        ocsp: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let Some(issuers) = &self.issuers else { return Ok(ServerCertVerified::assertion()) };
        match issuers.verify_server_cert(certificate, chain, name, ocsp, now) {
            // The name is looked at last, so everything else was in order.
            Err(error)
                if !self.checks_name && CertificateFlaw::of(&error) == Some(CertificateFlaw::WrongHost) =>
            {
                Ok(ServerCertVerified::assertion())
            }
            verified => verified,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.issuers {
            Some(issuers) => issuers.verify_tls12_signature(message, certificate, signature),
            None => whoever_it_is(),
        }
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        match &self.issuers {
            Some(issuers) => issuers.verify_tls13_signature(message, certificate, signature),
            None => whoever_it_is(),
        }
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.provider.signature_verification_algorithms.supported_schemes()
    }
}

/// Where any certificate will do, that of whoever is in between will do too, and so would their signature: to look at it protects from
/// nobody. But it cannot be looked at where the certificate is one of X.509 version 1, as the manuals of databases have them made.
fn whoever_it_is() -> Result<HandshakeSignatureValid, Error> {
    Ok(HandshakeSignatureValid::assertion())
}
