//! Whether the environment wants traces, and where to. The other variables are read by the exporter itself.

use crate::errors::{CommandError, Complaint};

const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const PROTOCOLS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
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
        Ok(parsed) if parsed.scheme() == "http" => Ok(Some(with_path(&url, path))),
        Ok(parsed) if parsed.scheme() == "https" => Err(CommandError::input(
            "input.otlp",
            format!("traces are sent over plain HTTP, and {name} begins with https"),
        )
        .hint("run a collector on this machine, name it by http://, and let it send the traces on")),
        Ok(_) => Err(CommandError::input("input.otlp", format!("{name} is no URL that begins with http://"))),
        Err(error) => Err(CommandError::input("input.otlp", format!("{name} is no URL")).because(error)),
    }
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
        for bad in
            ["https://secret.example", "secret.example:4318", "localhost:4318", "http://", "ftp://secret/"]
        {
            let told = of(&[(ENDPOINT, bad)]).unwrap_err();
            assert!(told.contains(ENDPOINT) && told.contains("code: input.otlp"), "{told}");
            assert!(!told.contains("secret"), "{told}");
        }
        let grpc = of(&[(ENDPOINT, "http://a:4317"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]).unwrap_err();
        assert!(grpc.contains("http/protobuf") && grpc.contains("`grpc`"), "{grpc}");
    }
}
