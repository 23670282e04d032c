//! TLS in front of a server that speaks none, with certificates of an authority that was made for the test.

use std::net::{SocketAddr, TcpListener as Listener};
use std::sync::Arc;

use rcgen::{BasicConstraints, Certificate, CertificateParams, DnType, IsCa, Issuer, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;

/// Makes ring the provider of this test's process.
pub(crate) fn use_ring() {
    let _done = rustls::crypto::ring::default_provider().install_default();
}

/// Issues certificates.
pub(crate) struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

/// A certificate with its key.
pub(crate) struct Issued {
    certificate: CertificateDer<'static>,
    key: PrivateKeyDer<'static>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        Self::named("Authority of this test")
    }

    pub(crate) fn named(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let certificate: Certificate = params.self_signed(&key).unwrap();
        Self { issuer: Issuer::new(params, key), pem: certificate.pem() }
    }

    /// Its own certificate.
    pub(crate) fn pem(&self) -> &str {
        &self.pem
    }

    /// A certificate for `localhost` that has signed itself, as that of an authority or not. Gives its PEM form too.
    pub(crate) fn self_signed(is_ca: IsCa) -> (Issued, String) {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = is_ca;
        let key = KeyPair::generate().unwrap();
        let certificate = params.self_signed(&key).unwrap();
        let pem = certificate.pem();
        (Issued { certificate: certificate.into(), key: key.into() }, pem)
    }

    /// A certificate for the server of that name.
    pub(crate) fn issue(&self, name: &str) -> Issued {
        self.issue_valid(name, 2000..4000)
    }

    /// The same, valid from the beginning of a year to that of another.
    pub(crate) fn issue_valid(&self, name: &str, years: std::ops::Range<i32>) -> Issued {
        let mut params = CertificateParams::new([name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Issued { certificate: certificate.into(), key: key.into() }
    }
}

/// Takes TLS connections for a server, until the process ends.
pub(crate) struct TlsFront {
    address: SocketAddr,
    url: String,
}

impl TlsFront {
    /// Passes on what comes to the server at `target`.
    pub(crate) fn start(target: SocketAddr, issued: &Issued) -> Self {
        use_ring();
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![issued.certificate.clone()], issued.key.clone_key())
            .unwrap();
        let listener = Listener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        std::thread::spawn(move || {
            runtime.block_on(pass_on(listener, TlsAcceptor::from(Arc::new(config)), target))
        });
        Self { address, url: format!("https://localhost:{}", address.port()) }
    }

    /// `https://localhost:port`
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}

async fn pass_on(listener: Listener, acceptor: TlsAcceptor, target: SocketAddr) {
    let listener = TcpListener::from_std(listener).unwrap();
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let acceptor = acceptor.clone();
        tokio::spawn(async move {
            // Who is refused has been told so, and who hangs up has what it wanted.
            let Ok(mut outer) = acceptor.accept(stream).await else { return };
            let mut inner = TcpStream::connect(target).await.unwrap();
            let _ended = tokio::io::copy_bidirectional(&mut outer, &mut inner).await;
        });
    }
}
