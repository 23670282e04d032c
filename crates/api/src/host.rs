//! Without keys, only the machine's own programs may call: not a web page that its browser shows.
//!
//! A page of a stranger can send requests to a loopback address: it names itself in `Origin`. It can also point a name of
//! its own at that address (DNS rebinding), and then is of the same origin: but it cannot make `Host` say otherwise.

use std::net::{Ipv4Addr, Ipv6Addr};

use axum::http::header::{HOST, ORIGIN};
use axum::http::request::Parts;

use crate::codes::Code;
use crate::problem::Problem;

/// Refuses a request whose host is not a loopback name or address, or whose origin is another.
pub(crate) fn check(request: &Parts) -> Result<(), Problem> {
    let header = |name| request.headers.get(name).map(|value| value.to_str().unwrap_or_default());
    let authority = request.uri.authority().map(axum::http::uri::Authority::as_str);
    let host = header(HOST).or(authority).unwrap_or_default();
    if !is_loopback(host) || authority.is_some_and(|authority| !authority.eq_ignore_ascii_case(host)) {
        return Err(refused(
            "Without API keys the server answers only to `localhost` and loopback addresses.",
        ));
    }
    match header(ORIGIN) {
        Some(origin) if !is_origin_of(origin, host) => {
            Err(refused("Without API keys the server takes no requests from other web pages."))
        }
        _ => Ok(()),
    }
}

fn refused(detail: &str) -> Problem {
    let way_out = "Call it from this machine as `http://127.0.0.1`, or start it with an API key.";
    Problem::new(Code::HostRefused, format!("{detail} {way_out}"))
}

fn is_origin_of(origin: &str, host: &str) -> bool {
    origin
        .split_once("://")
        .is_some_and(|(scheme, rest)| matches!(scheme, "http" | "https") && rest.eq_ignore_ascii_case(host))
}

/// Whether `host`, with or without a port, is `localhost`, `….localhost`, `127.…` or `[::1]`.
fn is_loopback(host: &str) -> bool {
    if let Some(rest) = host.strip_prefix('[') {
        let Some((address, port)) = rest.split_once(']') else { return false };
        return address.parse::<Ipv6Addr>().is_ok_and(|address| address.is_loopback())
            && (port.is_empty() || port.strip_prefix(':').is_some_and(is_port));
    }
    let name = match host.split_once(':') {
        Some((name, port)) if is_port(port) => name,
        Some(_) => return false,
        None => host,
    };
    name.parse::<Ipv4Addr>().is_ok_and(|address| address.is_loopback())
        || name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
}

fn is_port(text: &str) -> bool {
    text.parse::<u16>().is_ok() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use axum::http::Request;

    use super::*;

    fn parts(request: axum::http::request::Builder) -> Parts {
        request.body(()).unwrap().into_parts().0
    }

    fn allowed(host: &str, origin: Option<&str>) -> bool {
        let mut request = Request::builder().uri("/v1/spaces").header(HOST, host);
        if let Some(origin) = origin {
            request = request.header(ORIGIN, origin);
        }
        check(&parts(request)).is_ok()
    }

    #[test]
    fn loopback_names_and_addresses_pass() {
        for host in
            ["localhost", "LOCALHOST:80", "a.localhost", "127.0.0.1:8080", "127.9.9.9", "[::1]", "[::1]:1"]
        {
            assert!(allowed(host, None), "{host}");
        }
    }

    #[test]
    fn every_other_host_is_refused() {
        let others = [
            "",
            "example.com",
            "localhost.example.com",
            "10.0.0.1",
            "[::2]",
            "[::1",
            "[::1]x",
            "127.0.0.1:x",
        ];
        for host in
            others.into_iter().chain(["0.0.0.0", "127.1", "2130706433", "localhost:+80", "evil:80@localhost"])
        {
            assert!(!allowed(host, None), "{host}");
        }
    }

    #[test]
    fn a_page_of_another_origin_is_refused() {
        assert!(allowed("localhost:8080", Some("http://localhost:8080")));
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:9090",
            "https://example.com",
            "file://localhost:8080",
        ] {
            assert!(!allowed("localhost:8080", Some(origin)), "{origin}");
        }
    }

    #[test]
    fn a_request_line_that_names_another_host_is_refused() {
        let request = Request::builder().uri("http://example.com/v1/spaces").header(HOST, "localhost");
        assert!(check(&parts(request)).is_err());
        assert!(check(&parts(Request::builder().uri("/v1/spaces"))).is_err(), "no host at all");
    }
}
