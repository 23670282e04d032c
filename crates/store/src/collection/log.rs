//! The log of a sync, as it is asked for.

use inlet_model::log::LogLevel;

use crate::catalog::Order;

/// Which lines of a sync's log are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogQuery {
    /// Those behind the line of this number, in the order asked for; `None`: from the first on.
    pub after: Option<u64>,
    /// In which order.
    pub order: Order,
    /// Lines that are less grave are left out.
    pub level: LogLevel,
    /// At most so many.
    pub limit: usize,
}

impl LogQuery {
    /// All lines behind the one of this number, oldest first.
    #[must_use]
    pub fn behind(after: u64, limit: usize) -> Self {
        Self { after: Some(after), order: Order::OldestFirst, level: LogLevel::Info, limit }
    }
}
