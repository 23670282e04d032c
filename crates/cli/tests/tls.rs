//! `https://`: whom a command trusts, and what it says of a connection that cannot be.

use rcgen::{BasicConstraints, IsCa};

use super::harness::tls::{Authority, Issued, TlsFront};
use super::harness::{Home, Ran, Server, json};

/// A server behind TLS, and a folder that knows only the authority's certificate, `ca.pem`.
struct Secured {
    away: Home,
    home: Home,
    server: Server,
    authority: Authority,
}

impl Secured {
    fn new() -> Self {
        let (home, away, authority) = (Home::new(), Home::new(), Authority::new());
        away.write("ca.pem", authority.pem());
        let mut command = home.command(["serve", "--listen", "127.0.0.1:0", "--files-root", "."]);
        command.env("INLET_API_KEY", "the-key-of-this-test");
        Self { away, server: Server::of(command), home, authority }
    }

    fn front(&self, issued: &Issued) -> TlsFront {
        TlsFront::start(self.server.address(), issued)
    }

    /// Runs a command against that address, with what the system is said to trust.
    fn ask(&self, url: &str, line: &str, system: &str) -> Ran {
        let mut command = self.away.command(line.split(' '));
        command.env("INLET_URL", url).env("INLET_API_KEY", "the-key-of-this-test");
        command.env("SSL_CERT_FILE", self.away.join(system));
        Ran::from(command.output().unwrap())
    }
}

#[test]
fn a_server_is_trusted_by_the_file_of_its_authority_or_by_the_systems() {
    let secured = Secured::new();
    let front = secured.front(&secured.authority.issue("localhost"));
    secured.away.write("other.pem", Authority::new().pem());
    let by_file = secured.ask(front.url(), "spaces list --output json --ca-file ca.pem", "other.pem");
    assert_eq!(by_file.code, Some(0), "{by_file}");
    assert_eq!(json(&by_file.stdout)["id"], "default");
    let by_system = secured.ask(front.url(), "spaces list", "ca.pem");
    assert_eq!(by_system.code, Some(0), "{by_system}");
    let mut command = secured.away.command(["doctor", "--url", front.url(), "--output", "json"]);
    command.env("INLET_API_KEY", "the-key-of-this-test").env("INLET_CA_FILE", "ca.pem");
    let by_variable = Ran::from(command.output().unwrap());
    assert_eq!(by_variable.code, Some(0), "{by_variable}");
}

#[test]
fn a_sync_is_brought_in_over_tls() {
    let secured = Secured::new();
    let path = secured.home.write("orders.csv", "id\n1\n");
    let front = secured.front(&secured.authority.issue("localhost"));
    let line = format!("sync {} --into shop --key id", path.display());
    let ran = secured.ask(front.url(), &line, "ca.pem");
    assert_eq!(ran.code, Some(0), "{ran}");
    assert_eq!(secured.home.inlet_well("records shop --output json").lines().count(), 1);
}

#[test]
fn what_is_wrong_with_a_certificate_is_told_with_a_hint() {
    let secured = Secured::new();
    let authority = &secured.authority;
    secured.away.write("empty.pem", "");
    let told = |issued: &Issued, system: &str, code: &str, hint: &str| {
        let front = secured.front(issued);
        let ran = secured.ask(front.url(), "spaces list", system);
        assert_eq!(ran.code, Some(1), "{ran}");
        assert!(ran.stderr.contains(&format!("code: {code}\n")), "{code}: {ran}");
        assert!(ran.stderr.contains(hint), "{hint}: {ran}");
    };
    let good = authority.issue("localhost");
    told(&Authority::named("Another").issue("localhost"), "ca.pem", "tls.unknown_issuer", "--ca-file");
    told(&Authority::new().issue("localhost"), "ca.pem", "tls.unknown_issuer", "--ca-file");
    told(&authority.issue("inlet.example"), "ca.pem", "tls.wrong_host", "use a name");
    told(&authority.issue_valid("localhost", 2000..2001), "ca.pem", "tls.expired", "renewed");
    told(&authority.issue_valid("localhost", 3000..3001), "ca.pem", "tls.not_yet_valid", "clock");
    told(&good, "empty.pem", "tls.no_roots", "ca-certificates");
}

#[test]
fn a_certificate_that_signed_itself_is_trusted_if_it_is_named_and_of_no_authority() {
    let secured = Secured::new();
    let ask = |is_ca: IsCa| {
        let (issued, pem) = Authority::self_signed(is_ca);
        secured.away.write("own.pem", &pem);
        secured.ask(secured.front(&issued).url(), "spaces list --ca-file own.pem", "ca.pem")
    };
    let plain = ask(IsCa::ExplicitNoCa);
    assert_eq!(plain.code, Some(0), "{plain}");
    let authority = ask(IsCa::Ca(BasicConstraints::Unconstrained));
    assert_eq!(authority.code, Some(1), "{authority}");
    assert!(authority.stderr.contains("code: tls.bad_certificate"), "{authority}");
    assert!(authority.stderr.contains("CA:FALSE"), "{authority}");
}

#[test]
fn the_wrong_scheme_is_told_with_the_right_one() {
    let secured = Secured::new();
    let front = secured.front(&secured.authority.issue("localhost"));
    let plain_to_tls = secured.ask(&format!("http://{}", front.address()), "spaces list", "ca.pem");
    assert_eq!(plain_to_tls.code, Some(1), "{plain_to_tls}");
    assert!(
        plain_to_tls.stderr.contains("code: server.not_http\nhint: begin the address with https://"),
        "{plain_to_tls}"
    );
    let tls_to_plain = secured.ask(&secured.server.url().replace("http:", "https:"), "spaces list", "ca.pem");
    assert_eq!(tls_to_plain.code, Some(1), "{tls_to_plain}");
    assert!(
        tls_to_plain.stderr.contains("code: tls.not_spoken\nhint: begin the address with http://"),
        "{tls_to_plain}"
    );
}

#[test]
fn a_file_that_holds_no_certificate_is_refused() {
    let home = Home::new();
    home.write("ca.pem", "nothing");
    for file in ["ca.pem", "absent.pem", "."] {
        let ran = home.inlet(&format!("spaces list --url https://localhost:1 --ca-file {file}"));
        assert_eq!(ran.code, Some(2), "{ran}");
        assert!(ran.stderr.contains("code: input.ca_file"), "{ran}");
    }
}
