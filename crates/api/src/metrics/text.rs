//! The two texts in which scrapers take numbers, and which of them one is sent.
//!
//! OpenMetrics is what Prometheus asks for since 2018. A scraper that does not name it (an older agent, or a person with
//! curl) gets the text format 0.0.4, as [Prometheus asks of servers](https://prometheus.io/docs/instrumenting/content_negotiation/).

use axum::http::{HeaderMap, HeaderValue, header};

/// The text format of a scrape.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TextFormat {
    /// OpenMetrics 1.0.
    OpenMetrics,
    /// Prometheus' own, version 0.0.4.
    Prometheus,
}

pub(super) const OPEN_METRICS: &str = "application/openmetrics-text";
pub(super) const PLAIN: &str = "text/plain";

impl TextFormat {
    /// The format that the caller names, else the older one.
    pub(super) fn accepted(headers: &HeaderMap) -> Self {
        let values = headers.get_all(header::ACCEPT).into_iter().filter_map(|value| value.to_str().ok());
        let mut ranges = values.flat_map(|value| value.split(','));
        if ranges.any(|range| takes(range, OPEN_METRICS)) { Self::OpenMetrics } else { Self::Prometheus }
    }

    /// The value of `Content-Type`. Since version 3 Prometheus refuses an answer whose type it does not know.
    pub(super) fn content_type(self) -> HeaderValue {
        HeaderValue::from_static(match self {
            Self::OpenMetrics => "application/openmetrics-text; version=1.0.0; charset=utf-8",
            Self::Prometheus => "text/plain; version=0.0.4; charset=utf-8",
        })
    }

    /// A text in OpenMetrics, in this format.
    pub(super) fn of(self, open_metrics: String) -> String {
        match self {
            Self::OpenMetrics => open_metrics,
            Self::Prometheus => older(&open_metrics),
        }
    }
}

/// Whether a range of an `Accept` header is this media type, and not one that the caller will not have.
fn takes(range: &str, media_type: &str) -> bool {
    let mut parts = range.split(';').map(str::trim);
    let refused = |part: &str| {
        let quality = part.strip_prefix("q=").map(str::trim);
        quality.is_some_and(|quality| quality.parse() == Ok(0.0))
    };
    parts.next().is_some_and(|name| name.eq_ignore_ascii_case(media_type)) && !parts.any(refused)
}

/// The text as version 0.0.4 has it. The samples are the same; there a family is described under the name of its
/// samples, infos are gauges, and neither units nor the end are said.
fn older(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len());
    let mut help = None;
    for line in open_metrics.lines() {
        if let Some(of_family) = line.strip_prefix("# HELP ") {
            help = of_family.split_once(' ').map(|(_, help)| help);
        } else if let Some((name, kind)) = line.strip_prefix("# TYPE ").and_then(|line| line.split_once(' '))
        {
            let (suffix, kind) = match kind {
                "counter" => ("_total", kind),
                "info" => ("_info", "gauge"),
                _ => ("", kind),
            };
            if let Some(help) = help.take() {
                text.extend(["# HELP ", name, suffix, " ", help, "\n"]);
            }
            text.extend(["# TYPE ", name, suffix, " ", kind, "\n"]);
        } else if !line.starts_with('#') {
            text.extend([line, "\n"]);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accepted(value: &'static str) -> TextFormat {
        TextFormat::accepted(&HeaderMap::from_iter([(header::ACCEPT, HeaderValue::from_static(value))]))
    }

    #[test]
    fn open_metrics_is_for_those_who_name_it() {
        // What Prometheus 3 sends.
        let prometheus = "application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.6,\
                          application/openmetrics-text;version=0.0.1;q=0.5,text/plain;version=0.0.4;q=0.3,*/*;q=0.1";
        assert_eq!(accepted(prometheus), TextFormat::OpenMetrics);
        for other in
            ["*/*", "text/plain;version=0.0.4", "application/openmetrics-text;q=0, text/plain", "", ",;"]
        {
            assert_eq!(accepted(other), TextFormat::Prometheus, "{other}");
        }
        assert_eq!(TextFormat::accepted(&HeaderMap::new()), TextFormat::Prometheus);
    }

    #[test]
    fn the_older_format_describes_a_family_by_the_name_of_its_samples() {
        let open_metrics = "# HELP a_seconds Help: more of it.\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n\
                            a_seconds_total{b=\"c # d\"} 1\n# HELP e Help.\n# TYPE e info\ne_info{f=\"g\"} 1\n\
                            # HELP h Help.\n# TYPE h histogram\nh_sum 1.0\n# EOF\n";
        let expected = "# HELP a_seconds_total Help: more of it.\n# TYPE a_seconds_total counter\n\
                        a_seconds_total{b=\"c # d\"} 1\n# HELP e_info Help.\n# TYPE e_info gauge\ne_info{f=\"g\"} 1\n\
                        # HELP h Help.\n# TYPE h histogram\nh_sum 1.0\n";
        assert_eq!(TextFormat::Prometheus.of(open_metrics.to_owned()), expected);
        assert_eq!(TextFormat::OpenMetrics.of(open_metrics.to_owned()), open_metrics);
    }
}
