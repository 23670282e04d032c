//! The clock: a time that cannot be, or that is behind what was written before.

use std::path::Path;

use inlet_model::{Clock, SystemClock, Timestamp};

use super::{Finding, data_dir};

/// 2026-01-01: this program is younger.
const BIRTH: i64 = 1_767_225_600;
/// Clocks of machines that share a disk, or of a machine and its server, may differ by this.
const TOLERANCE: i64 = 300;

const HINT: &str = "set the clock, and keep it right with a time service (NTP)";

/// Looks at the clock, and at what was written into the data directory.
pub(super) fn examine(data_dir: &Path) -> Finding {
    let now = SystemClock.now();
    judge(now, data_dir::last_written(data_dir).map(|written| (written, "files in the data directory are")))
}

/// Compares the clock with that of a server, which is good to a second.
pub(super) fn compare(server: i64) -> Finding {
    let now = SystemClock.now();
    let apart = now.as_micros() / 1_000_000 - server;
    if apart.abs() <= TOLERANCE {
        return judge(now, None);
    }
    let detail = format!("it is {now} here, {} s from the server's time", apart.abs());
    Finding::warning("clock", detail, HINT)
}

fn judge(now: Timestamp, newest: Option<(i64, &str)>) -> Finding {
    let seconds = now.as_micros() / 1_000_000;
    if seconds < BIRTH {
        return Finding::wrong("clock", format!("it says {now}, which is in the past"), HINT);
    }
    match newest {
        Some((written, what)) if written > seconds + TOLERANCE => {
            let ahead = written - seconds;
            Finding::wrong("clock", format!("it says {now}, but {what} {ahead} s younger"), HINT)
        }
        _ => Finding::good("clock", format!("it says {now}")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::*;

    #[test]
    fn a_clock_in_the_past_or_behind_the_files_is_wrong() {
        let now = Timestamp::from_millis((BIRTH + 1000) * 1000);
        let status =
            |now, newest: Option<i64>| judge(now, newest.map(|written| (written, "files are"))).status;
        assert_eq!(status(now, None), Verdict::Good);
        assert_eq!(status(now, Some(BIRTH + 1000 + TOLERANCE)), Verdict::Good);
        assert_eq!(status(now, Some(BIRTH + 1001 + TOLERANCE)), Verdict::Wrong);
        assert_eq!(status(Timestamp::from_millis(0), None), Verdict::Wrong);
    }

    #[test]
    fn a_server_far_from_our_time_is_a_warning() {
        assert_eq!(compare(SystemClock.now().as_micros() / 1_000_000).status, Verdict::Good);
        assert_eq!(compare(0).status, Verdict::Warning);
    }
}
