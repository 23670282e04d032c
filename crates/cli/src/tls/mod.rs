//! TLS to servers elsewhere: whose certificates are trusted, and what is told when a connection cannot be.

mod flaw;
#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use reqwest::{Certificate, ClientBuilder, redirect};
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::{self, PemObject};

pub(crate) use flaw::Flaw;

/// No file of certificates is longer: that of a whole system has a quarter of a megabyte.
const MAX_FILE: u64 = 4 << 20;

/// Where a command is told which certificates to trust.
pub(crate) const CA_FILE: &str = "--ca-file or INLET_CA_FILE";

/// Makes ring the provider of the process: without one, no client can be built.
pub(crate) fn use_ring() {
    // An error says that it is done already.
    let _done = rustls::crypto::ring::default_provider().install_default();
}

/// Whose certificates are trusted.
#[derive(Debug, Clone)]
pub(crate) enum Trust {
    /// Nobody's, for plain HTTP. Reading those of the system takes time, and fails where there are none.
    Nobody,
    /// Those that the system trusts.
    System,
    /// These and no others.
    Only(Vec<Certificate>),
}

/// Why a file of certificates cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BadFile {
    #[error("it cannot be read")]
    Unreadable(#[source] io::Error),
    #[error("it has more than {MAX_FILE} bytes")]
    TooLong,
    #[error("it is not in PEM form")]
    NotPem(#[source] pem::Error),
    #[error("there is no certificate in PEM form in it")]
    Empty,
    #[error("certificate {number} in it is damaged")]
    Damaged {
        number: usize,
        #[source]
        cause: rustls::Error,
    },
}

impl Trust {
    /// Whom to trust at that URL: with a file, those in it.
    pub(crate) fn at(url: &str, file: Option<&Path>) -> Result<Self, BadFile> {
        match file {
            // A scheme is written in either case.
            _ if !url.get(..6).is_some_and(|scheme| scheme.eq_ignore_ascii_case("https:")) => {
                Ok(Self::Nobody)
            }
            None => Ok(Self::System),
            Some(file) => certificates(file).map(Self::Only),
        }
    }

    /// A client that trusts so. It follows no answer elsewhere, with what it carries.
    pub(crate) fn client(self) -> ClientBuilder {
        let client = reqwest::Client::builder().redirect(redirect::Policy::none());
        match self {
            Self::Nobody => client.tls_certs_only([]),
            Self::System => client,
            Self::Only(certificates) => client.tls_certs_only(certificates),
        }
    }
}

fn certificates(file: &Path) -> Result<Vec<Certificate>, BadFile> {
    let mut text = Vec::new();
    let opened = File::open(file).map_err(BadFile::Unreadable)?;
    opened.take(MAX_FILE + 1).read_to_end(&mut text).map_err(BadFile::Unreadable)?;
    if text.len() as u64 > MAX_FILE {
        return Err(BadFile::TooLong);
    }
    let found =
        CertificateDer::pem_slice_iter(&text).collect::<Result<Vec<_>, _>>().map_err(BadFile::NotPem)?;
    if found.is_empty() {
        return Err(BadFile::Empty);
    }
    let checked = |(index, certificate): (usize, CertificateDer<'static>)| {
        let damaged = |cause| BadFile::Damaged { number: index + 1, cause };
        RootCertStore::empty().add(certificate.clone()).map_err(damaged)?;
        // It only takes the bytes over; they are checked.
        Certificate::from_der(&certificate)
            .map_err(|error| damaged(rustls::Error::General(error.to_string())))
    };
    found.into_iter().enumerate().map(checked).collect()
}
