//! The log of a sync: written with what it tells of, kept within bounds.

use inlet_model::log::{LogLevel, LogLine, NewLogLine};

use super::given::{Claim, Given, a_failure, name};
use super::items::{WHOLE, line, put};
use crate::catalog::Order;
use crate::collection::{Item, LogQuery};

/// The first lines of a log, and as many of the last, that are kept.
const KEPT: u64 = 500;

impl Given {
    async fn log(&self, claim: &Claim, query: LogQuery) -> Vec<LogLine> {
        self.store.log(claim.sync_id, query).await.unwrap()
    }

    async fn messages(&self, claim: &Claim) -> Vec<String> {
        let lines = self.log(claim, LogQuery::behind(0, 2_000)).await;
        lines.into_iter().map(|line| line.message).collect()
    }

    /// A log with so many lines, whose messages are their numbers.
    async fn logged(&self, count: u64) -> Claim {
        let sync = self.begun(self.connector(), &["s"]).await;
        for part in (1..=count).collect::<Vec<_>>().chunks(100) {
            let lines = part.iter().map(|number| Item::Log(line(&number.to_string()))).collect();
            self.commit(&sync, lines).await;
        }
        sync
    }
}

fn seqs(lines: &[LogLine]) -> Vec<u64> {
    lines.iter().map(|line| line.seq).collect()
}

/// What a run says at its beginning, in its commits and at its end is there in this order, as it was said.
pub async fn a_log_tells_a_run_from_its_beginning_to_its_end(given: Given) {
    let mut sync = given.claim(given.connector(), &["s"]);
    sync.lines = vec![line("begins")];
    given.begin(&sync).await;
    let warning = NewLogLine::new(LogLevel::Warning, "source.warning", "watch out").of(&name("s"));
    given.commit(&sync, vec![Item::Log(warning), given.records("s", WHOLE, &[put(1, "a")])]).await;
    let warned_at = given.last_now();
    sync.last_lines = vec![NewLogLine::new(LogLevel::Error, a_failure().code, "ends")];
    given.try_finish(&sync, inlet_model::sync::Outcome::Failed).await.unwrap();
    let given = given.reopened().await;
    let lines = given.log(&sync, LogQuery::behind(0, 10)).await;
    assert_eq!(seqs(&lines), [1, 2, 3]);
    let expected = LogLine {
        seq: 2,
        at: warned_at,
        level: LogLevel::Warning,
        stream: Some(name("s")),
        code: "source.warning".to_owned(),
        message: "watch out".to_owned(),
    };
    assert_eq!(lines[1], expected);
    assert_eq!((lines[0].level, lines[2].level), (LogLevel::Info, LogLevel::Error));
    assert_eq!(given.messages(&sync).await, ["begins", "watch out", "ends"]);
}

/// A beginning under one fence, and an end, are told once; each attempt begins anew.
pub async fn what_is_done_twice_is_told_once(given: Given) {
    let mut sync = given.claim(given.connector(), &["s"]);
    sync.lines = vec![line("begins")];
    sync.last_lines = vec![line("ends")];
    given.begin(&sync).await;
    given.begin(&sync).await;
    let again = given.begun_again(&sync).await;
    given.finish(&again).await;
    given.finish(&again).await;
    assert_eq!(given.messages(&sync).await, ["begins", "begins", "ends"]);
}

/// A commit that is refused has said nothing.
pub async fn a_refused_commit_leaves_no_line(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    sync.cancel.raise();
    for items in [vec![], vec![given.records("s", WHOLE, &[put(1, "a")])]] {
        let items = items.into_iter().chain([Item::Log(line("never"))]).collect();
        given.try_commit(&sync, items).await.unwrap_err();
    }
    let newer = given.begun_again(&sync).await;
    given.try_commit(&sync, vec![Item::Log(line("late"))]).await.unwrap_err();
    assert_eq!(given.messages(&newer).await, [""; 0]);
}

/// A commit of nothing but lines is no progress: an attempt that only speaks stays barren.
pub async fn lines_alone_are_no_progress(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let before = given.run(&sync).await;
    let receipt = given.commit(&sync, vec![Item::Log(line("only words"))]).await;
    assert_eq!((receipt.counts, receipt.streams), (before.counts, vec![]));
    assert_eq!(given.run(&sync).await, before);
    given
        .commit(&sync, vec![Item::Log(line("and a record")), given.records("s", WHOLE, &[put(1, "a")])])
        .await;
    assert_eq!(given.run(&sync).await.barren_attempts, 0);
}

/// A log is read in pages, in either order, and narrowed to what is grave.
pub async fn a_log_is_read_in_pages_in_either_order(given: Given) {
    let sync = given.begun(given.connector(), &["s"]).await;
    let level = |number: usize| LogLevel::ALL[number % 3];
    let lines =
        (1..=9).map(|number| Item::Log(NewLogLine::new(level(number), "test.line", number.to_string())));
    given.commit(&sync, lines.collect()).await;
    let ask = async |after, order, level, limit| {
        seqs(&given.log(&sync, LogQuery { after, order, level, limit }).await)
    };
    use LogLevel::{Error, Info, Warning};
    use Order::{NewestFirst, OldestFirst};
    assert_eq!(ask(None, OldestFirst, Info, 3).await, [1, 2, 3]);
    assert_eq!(ask(Some(7), OldestFirst, Info, 3).await, [8, 9]);
    assert_eq!(ask(None, NewestFirst, Info, 2).await, [9, 8]);
    assert_eq!(ask(Some(3), NewestFirst, Info, 9).await, [2, 1]);
    assert_eq!(ask(None, OldestFirst, Warning, 9).await, [1, 2, 4, 5, 7, 8]);
    assert_eq!(ask(Some(2), OldestFirst, Error, 9).await, [5, 8]);
}

/// Of a long log the first lines are kept and the last, and a line says how many are left out.
pub async fn of_a_long_log_the_first_and_the_last_lines_are_kept(given: Given) {
    let sync = given.logged(2 * KEPT).await;
    let whole: Vec<u64> = (1..=2 * KEPT).collect();
    assert_eq!(seqs(&given.log(&sync, LogQuery::behind(0, 2_000)).await), whole);
    let sync = given.logged(2 * KEPT + 230).await;
    let lines = given.log(&sync, LogQuery::behind(0, 2_000)).await;
    let gap = KEPT + 230;
    let expected: Vec<u64> = (1..=KEPT).chain(gap..=2 * KEPT + 230).collect();
    assert_eq!(seqs(&lines), expected);
    let of_gap = |line: &LogLine| (line.seq, line.code.clone(), line.message.starts_with("230 lines"));
    assert_eq!(of_gap(&lines[KEPT as usize]), (gap, "log.left_out".to_owned(), true));
    assert_eq!(lines[KEPT as usize + 1].message, (gap + 1).to_string());
}

/// Whoever reads a long log in pages meets the line of those that are left out once, in either order.
pub async fn pages_of_a_long_log_meet_the_gap_once(given: Given) {
    let sync = given.logged(2 * KEPT + 10).await;
    for order in [Order::OldestFirst, Order::NewestFirst] {
        let (mut after, mut read) = (None, Vec::new());
        for _ in 0..100 {
            let query = LogQuery { after, order, level: LogLevel::Info, limit: 7 * 13 };
            let page = given.log(&sync, query).await;
            let Some(last) = page.last() else { break };
            after = Some(last.seq);
            read.extend(seqs(&page));
        }
        let mut expected: Vec<u64> = (1..=KEPT).chain(KEPT + 10..=2 * KEPT + 10).collect();
        if order == Order::NewestFirst {
            expected.reverse();
        }
        assert_eq!(read, expected);
    }
    let inside = given.log(&sync, LogQuery::behind(KEPT + 4, 1)).await;
    assert_eq!((inside[0].seq, inside[0].message.starts_with("6 lines")), (KEPT + 10, true));
    let grave = LogQuery { level: LogLevel::Error, ..LogQuery::behind(0, 2_000) };
    assert_eq!(given.log(&sync, grave).await, []);
}
