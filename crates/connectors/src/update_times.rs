//! How columns are called that say when their row was last written.

const NAMES: &[&str] = &[
    "updated_at",
    "updated_on",
    "updated",
    "update_time",
    "updatedat",
    "last_updated",
    "last_update",
    "modified_at",
    "modified_on",
    "modified",
    "last_modified",
    "modifiedat",
    "changed_at",
];

/// Whether a column of this name most likely says when its row was last written.
pub(crate) fn is_update_time(column: &str) -> bool {
    NAMES.iter().any(|name| column.eq_ignore_ascii_case(name))
}
