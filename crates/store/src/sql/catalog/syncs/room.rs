//! For which syncs there is room, where only so many may run at once.

use crate::catalog::SyncLimits;
use crate::sql::Bound;

/// The condition of a statement over `syncs AS s`, and its parameters, the first of which has the number `first`.
pub(crate) fn condition(limits: &SyncLimits, first: usize) -> (String, Vec<Bound<'_>>) {
    let mut conditions = String::new();
    let mut params = Vec::new();
    let mut bind = |value| {
        params.push(value);
        format!("?{}", first + params.len() - 1)
    };
    if let Some(most) = limits.per_space {
        let most = bind(Bound::Integer(most.get().into()));
        conditions += &format!(" AND ({RUNNING} AND r.space_id = s.space_id) < {most}");
    }
    if !limits.per_kind.is_empty() {
        let cases: Vec<String> = limits
            .per_kind
            .iter()
            .map(|(kind, most)| {
                let kind = bind(Bound::Text(kind.as_str().into()));
                format!("WHEN {kind} THEN {}", bind(Bound::Integer(most.get().into())))
            })
            .collect();
        let most = format!("CASE s.kind {} END", cases.join(" "));
        conditions += &format!(" AND ({most} IS NULL OR ({RUNNING} AND r.kind = s.kind) < {most})");
    }
    (conditions, params)
}

const RUNNING: &str = "SELECT count(*) FROM syncs AS r WHERE r.status IN ('running', 'cancelling')";
