//! Whether the environment wants traces, where to, and whom to trust there. The other variables are read by the exporter itself.

use std::path::Path;

use crate::errors::{CommandError, Complaint};
use crate::tls::Trust;

const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
/// The files with the certificates to trust, the one for traces first.
const CERTIFICATES: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
const OUR_PROTOCOL: &str = "http/protobuf";

/// The URL that takes spans; `None` if no traces are wanted. An empty variable counts as one that is not set.
pub(super) fn endpoint(variable: impl Fn(&str) -> Option<String>) -> Result<Option<String>, Complaint> {
    let set =
        |name: &str| variable(name).map(|value| value.trim().to_owned()).filter(|value| !value.is_empty());
    let is_off = set("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
        || set("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    let (name, url, path) = match (set(TRACES_ENDPOINT), set(ENDPOINT)) {
        _ if is_off => return Ok(None),
        (Some(whole), _) => (TRACES_ENDPOINT, whole, ""),
        (None, Some(base)) => (ENDPOINT, base, "/v1/traces"),
        (None, None) => return Ok(None),
    };
    if let Some((name, protocol)) = PROTOCOLS.iter().find_map(|name| Some((name, set(name)?)))
        && protocol != OUR_PROTOCOL
    {
        let message = format!("traces are sent by {OUR_PROTOCOL}, and {name} asks for `{protocol}`");
        return Err(CommandError::input("input.otlp", message).hint(format!(
            "set {name} to {OUR_PROTOCOL} and the endpoint to the collector's port for it, usually 4318"
        )));
    }
    // The value stays unsaid: a URL may hold a password.
    match reqwest::Url::parse(&url) {
        Ok(parsed) if matches!(parsed.scheme(), "http" | "https") => Ok(Some(with_path(&url, path))),
        Ok(_) => Err(CommandError::input(
            "input.otlp",
            format!("{name} is no URL that begins with http:// or https://"),
        )),
        Err(error) => Err(CommandError::input("input.otlp", format!("{name} is no URL")).because(error)),
    }
}

/// Whom to trust at the URL that takes spans.
pub(super) fn trust(url: &str, variable: impl Fn(&str) -> Option<String>) -> Result<Trust, Complaint> {
    let file =
        CERTIFICATES.iter().find_map(|name| Some((name, variable(name).filter(|file| !file.is_empty())?)));
    Trust::at(url, file.as_ref().map(|(_, file)| Path::new(file))).map_err(|error| {
        let name = file.map_or("", |(name, _)| name);
        CommandError::input(
            "input.otlp",
            format!("the file of certificates that {name} names cannot be used"),
        )
        .because(error)
        .hint("it holds the certificate of an authority in PEM form: `-----BEGIN CERTIFICATE-----`")
    })
}

fn with_path(url: &str, path: &str) -> String {
    if path.is_empty() { url.to_owned() } else { format!("{}{path}", url.trim_end_matches('/')) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(variables: &[(&str, &str)]) -> Result<Option<String>, String> {
        let get = |name: &str| {
            variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned())
        };
        endpoint(get).map_err(|complaint| complaint.to_string())
    }

    #[test]
    fn the_endpoint_is_the_one_for_traces_else_the_base_of_all() {
        let (base, whole) = ((ENDPOINT, "http://a:4318/"), (TRACES_ENDPOINT, "http://b/spans"));
        assert_eq!(of(&[]), Ok(None));
        assert_eq!(of(&[(ENDPOINT, " ")]), Ok(None));
        assert_eq!(of(&[base]).unwrap().unwrap(), "http://a:4318/v1/traces");
        assert_eq!(of(&[base, whole]).unwrap().unwrap(), "http://b/spans");
        assert_eq!(of(&[(ENDPOINT, "https://a")]).unwrap().unwrap(), "https://a/v1/traces");
    }

    #[test]
    fn what_switches_traces_off_everywhere_does_so_here() {
        for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
            assert_eq!(of(&[(ENDPOINT, "http://a"), off]), Ok(None), "{off:?}");
        }
        assert!(of(&[(ENDPOINT, "http://a"), ("OTEL_TRACES_EXPORTER", "otlp")]).unwrap().is_some());
    }

    #[test]
    fn what_cannot_be_done_is_told_without_the_value() {
        for bad in ["secret.example:4318", "localhost:4318", "http://", "https://", "ftp://secret/"] {
            let told = of(&[(ENDPOINT, bad)]).unwrap_err();
            assert!(told.contains(ENDPOINT) && told.contains("code: input.otlp"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
        let grpc = of(&[(ENDPOINT, "http://a:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err();
        assert!(grpc.contains("http/protobuf") && grpc.contains("`grpc`"), "{grpc}");
    }

    #[test]
    fn the_file_of_certificates_is_the_one_for_traces_else_that_of_all() {
        let told = |url: &str, set: &[&str]| {
            let get = |name: &str| set.contains(&name).then(|| "/no/such/file".to_owned());
            trust(url, get).map_err(|complaint| complaint.to_string())
        };
        let [of_traces, of_all] = CERTIFICATES;
        assert!(matches!(told("https://a", &[]), Ok(Trust::System)));
        assert!(matches!(told("http://a", &[of_all]), Ok(Trust::Nobody)));
        let bad = told("https://a", &[of_all]).unwrap_err();
        assert!(bad.contains(of_all) && bad.contains("code: input.otlp"), "{bad}");
        assert!(told("https://a", &[of_all, of_traces]).unwrap_err().contains(of_traces));
    }
}
