//! The process itself, under the names that every exporter uses for it. Where the system does not tell a number, it is
//! left out.

use std::fmt;
use std::fs;

use inlet_model::Timestamp;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Unit;
use rustix::process::{Resource, getrlimit};
use rustix::time::{ClockId, clock_gettime};

use super::seconds;

/// Asks the system at each scrape.
#[derive(Debug)]
pub(super) struct Process {
    began: Timestamp,
}

impl Process {
    pub(super) fn began(began: Timestamp) -> Self {
        Self { began }
    }
}

impl Collector for Process {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut show = |name: &str, help: &str, unit: Option<&Unit>, number: &dyn Shown| {
            number.show(encoder.encode_descriptor(name, help, unit, number.kind())?)
        };
        let began = ConstGauge::new(seconds(self.began.as_micros()));
        show("process_start_time", "When the process began, since 1970.", Some(&Unit::Seconds), &began)?;
        let used = ConstCounter::new(cpu_seconds());
        show("process_cpu", "Processor time used, user and system.", Some(&Unit::Seconds), &used)?;
        if let Some(bytes) = resident_bytes() {
            let bytes = ConstGauge::new(bytes);
            show("process_resident_memory", "Memory in use.", Some(&Unit::Bytes), &bytes)?;
        }
        if let Some(files) = open_files() {
            show("process_open_fds", "Files and sockets that are open.", None, &ConstGauge::new(files))?;
        }
        if let Some(most) = getrlimit(Resource::Nofile).current {
            let most = ConstGauge::new(i64::try_from(most).unwrap_or(i64::MAX));
            show("process_max_fds", "Files and sockets that may be open.", None, &most)?;
        }
        Ok(())
    }
}

/// A number that can be shown: what the library's own trait says, in a form that can stand behind a reference.
trait Shown {
    fn kind(&self) -> prometheus_client::metrics::MetricType;
    fn show(&self, encoder: prometheus_client::encoding::MetricEncoder<'_>) -> fmt::Result;
}

impl<T: EncodeMetric> Shown for T {
    fn kind(&self) -> prometheus_client::metrics::MetricType {
        self.metric_type()
    }

    fn show(&self, encoder: prometheus_client::encoding::MetricEncoder<'_>) -> fmt::Result {
        self.encode(encoder)
    }
}

fn cpu_seconds() -> f64 {
    let used = clock_gettime(ClockId::ProcessCPUTime);
    seconds(used.tv_sec.saturating_mul(1_000_000).saturating_add(used.tv_nsec / 1000))
}

/// `VmRSS` of `/proc/self/status`, which is in units of 1024 bytes.
fn resident_bytes() -> Option<i64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: i64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn open_files() -> Option<i64> {
    // One of them is the folder that is being read.
    let open = fs::read_dir("/proc/self/fd").ok()?.count().saturating_sub(1);
    i64::try_from(open).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_processor_time_only_grows() {
        let before = cpu_seconds();
        let mut sum = 0_u64;
        while cpu_seconds() <= before {
            sum = std::hint::black_box(sum.wrapping_add(1));
        }
        assert!(before > 0.0);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_file_that_is_opened_is_counted_and_memory_is_in_use() {
        let before = open_files().unwrap();
        let files: Vec<_> = (0..20).map(|_| fs::File::open("/proc/self/status").unwrap()).collect();
        // Other tests of this process open and close theirs.
        assert!(open_files().unwrap() >= before + 10);
        drop(files);
        assert!(resident_bytes().unwrap() > 100_000);
    }
}
