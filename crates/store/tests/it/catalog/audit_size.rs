//! How large the audit log may grow.

use std::path::Path;
use std::sync::Arc;

use inlet_store::catalog::{AUDIT_MAX, Actor};
use inlet_store::conformance::catalog::given::Given;

use super::{look_into, open};

fn rows(path: &Path) -> u32 {
    look_into(path).query_row("SELECT count(*) FROM audit", [], |row| row.get(0)).unwrap()
}

async fn something_is_changed(given: &Given) {
    given.a_cause(Actor::Local).run(given.stored_space()).await;
}

#[tokio::test]
async fn too_many_entries_go_in_bounded_steps_the_oldest_first() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("catalog.db");
    let given = Given::new(Arc::new(open(&path)));
    something_is_changed(&given).await;
    look_into(&path)
        .execute(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?1)
             INSERT INTO audit (id, at, actor, request_id, action, fields)
             SELECT 'aud_' || i, at + i, actor, request_id, action, fields FROM audit, n",
            [AUDIT_MAX + 249],
        )
        .unwrap();
    let mut left = Vec::new();
    for _ in 0..4 {
        something_is_changed(&given).await;
        left.push(rows(&path) - AUDIT_MAX);
    }
    assert_eq!(left, [151, 52, 0, 0]);
    let oldest: String = look_into(&path)
        .query_row("SELECT id FROM audit ORDER BY rowid LIMIT 1", [], |row| row.get(0))
        .unwrap();
    assert_eq!(oldest, "aud_254");
}
