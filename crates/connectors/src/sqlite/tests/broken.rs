//! Databases that are damaged, or not quite what they should be.

use inlet_source::messages;

use super::*;

/// How a read of `t` ends: the stream's failure, or that of the whole read.
async fn ending(sandbox: &Sandbox) -> String {
    let subject = Subject {
        source: sandbox.source(),
        streams: vec![Subject::stream(&name("t"), &[])],
        inbox: None,
        records: 0,
        rejected: 0,
    };
    let (out, mut receiver) = messages(1 << 24);
    let request = subject.request(&Collection::default(), SyncMode::Incremental, 1 << 20);
    match subject.source.read(request, out).await {
        Ok(()) => {
            let mut taken = Vec::new();
            while let Some(next) = receiver.next().await {
                taken.push(next.message);
            }
            assert!(!told(&taken).iter().any(|text| text.starts_with("complete")), "{:?}", told(&taken));
            failure(&taken)
        }
        Err(error) => format!("{}: {error}", error.kind().code()),
    }
}

#[tokio::test]
async fn a_damaged_page_fails_the_stream_and_completes_nothing() {
    let sandbox = Sandbox::with(
        "PRAGMA page_size = 4096; CREATE TABLE t (id INTEGER PRIMARY KEY, v);
         WITH RECURSIVE n(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n LIMIT 2000) INSERT INTO t SELECT n, printf('%.40c', 'x') FROM n;",
    );
    let mut bytes = std::fs::read(sandbox.path("a.db")).unwrap();
    bytes[8 * 4096..9 * 4096].fill(0xaa);
    std::fs::write(sandbox.path("a.db"), bytes).unwrap();
    assert_eq!(sandbox.source().discover().await.unwrap().len(), 1, "a table that is damaged is still there");
    let ending = ending(&sandbox).await;
    assert!(ending.starts_with("source.format") && ending.contains("damaged"), "{ending}");
}

#[tokio::test]
async fn a_file_that_was_cut_off_fails() {
    let sandbox = Sandbox::with(
        "CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, zeroblob(100000));",
    );
    let file = std::fs::File::options().write(true).open(sandbox.path("a.db")).unwrap();
    file.set_len(5000).unwrap();
    let source = sandbox.source();
    let error = source.check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Format, "{error}");
}

#[tokio::test]
async fn a_write_that_was_broken_off_is_not_mended_and_not_overlooked() {
    let sandbox =
        Sandbox::with("CREATE TABLE t (id INTEGER PRIMARY KEY, v); INSERT INTO t VALUES (1, 'good');");
    let program = sandbox.program();
    program
        .execute_batch("PRAGMA cache_size = 1; BEGIN; UPDATE t SET v = 'half'; PRAGMA cache_spill = 1;")
        .unwrap();
    // Enough that pages are written before the commit.
    program
        .execute_batch(
            "WITH RECURSIVE n(n) AS (SELECT 2 UNION ALL SELECT n + 1 FROM n LIMIT 500) INSERT INTO t SELECT n, zeroblob(1000) FROM n;",
        )
        .unwrap();
    // What a crash would leave.
    for file in ["a.db", "a.db-journal"] {
        std::fs::copy(sandbox.path(file), sandbox.path(&file.replace("a.", "b."))).unwrap();
    }
    program.execute_batch("ROLLBACK").unwrap();
    drop(program);
    for file in ["b.db", "b.db-journal"] {
        std::fs::rename(sandbox.path(file), sandbox.path(&file.replace("b.", "a."))).unwrap();
    }
    let error = sandbox.source().check().await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.to_failure().hint.unwrap().contains("open it once"), "{error}");
    assert_eq!(sandbox.files(), ["a.db", "a.db-journal"]);
    sandbox.write("SELECT * FROM t");
    assert_eq!(data(&sandbox.read().await), [r#"{"id":1,"v":"good"}"#]);
}

#[tokio::test]
async fn a_log_that_was_left_behind_is_read() {
    let sandbox = Sandbox::new();
    let program = sandbox.program();
    program
        .execute_batch(
            "PRAGMA journal_mode = WAL; CREATE TABLE t (id INTEGER PRIMARY KEY); INSERT INTO t VALUES (1);",
        )
        .unwrap();
    for file in ["a.db", "a.db-wal"] {
        std::fs::copy(sandbox.path(file), sandbox.path(&file.replace("a.", "b."))).unwrap();
    }
    drop(program);
    for file in ["b.db", "b.db-wal"] {
        std::fs::rename(sandbox.path(file), sandbox.path(&file.replace("b.", "a."))).unwrap();
    }
    assert_eq!(sandbox.read().await.records().len(), 1);
}

#[tokio::test]
async fn what_is_no_table_is_said_to_be_none() {
    let sandbox = Sandbox::with("CREATE TABLE other (a)");
    assert!(ending(&sandbox).await.contains("there is no table or view `t`"));
    sandbox.write("CREATE VIRTUAL TABLE t USING fts5(text)");
    assert!(ending(&sandbox).await.contains("there is no table or view `t`"));
    sandbox.write("DROP TABLE t; CREATE VIEW t AS SELECT * FROM gone");
    assert!(ending(&sandbox).await.contains("no such table: main.gone"));
}

/// The schema is the work of a stranger: what it calls must do no harm.
#[tokio::test]
async fn a_schema_that_means_harm_reads_nothing() {
    let sandbox = Sandbox::with(
        "CREATE TABLE s (a); INSERT INTO s VALUES (1);
         CREATE VIEW t AS SELECT load_extension('/tmp/evil') FROM s;",
    );
    let ending = ending(&sandbox).await;
    assert!(ending.starts_with("source.config"), "{ending}");
}

#[tokio::test]
async fn an_empty_file_is_a_database_without_tables() {
    let sandbox = Sandbox::new();
    std::fs::write(sandbox.path("a.db"), "").unwrap();
    sandbox.source().check().await.unwrap();
    assert_eq!(sandbox.source().discover().await.unwrap(), []);
}
