//! What a node is for: a process that shares its catalog with others may leave some of the work to them.
//!
//! Which task belongs to which role is said here; the engine and whoever wires a process go by it.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// A part of the work that nodes share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NodeRole {
    /// Answers requests. Whatever it is asked for it writes into the catalog, for the other roles to do.
    Api,
    /// Moves and keeps the data, and so opens the collections: runs syncs, carries out what follows from a delete (removals,
    /// purges, deletes that are taken back), and lets go of history and runs that are of no use any more.
    Worker,
    /// Does what has its time, and needs the catalog only: queues the syncs of schedules, and sends the deliveries of webhooks.
    Scheduler,
}

impl NodeRole {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Api, Self::Worker, Self::Scheduler];

    /// Its name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::Worker => "worker",
            Self::Scheduler => "scheduler",
        }
    }

    const fn bit(self) -> u8 {
        1 << self as u8
    }
}

impl fmt::Display for NodeRole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The roles of a node: one at least. As text they are separated by commas.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct NodeRoles(u8);

impl NodeRoles {
    /// All of them, as a node has that is alone.
    pub const ALL: Self = Self(NodeRole::Api.bit() | NodeRole::Worker.bit() | NodeRole::Scheduler.bit());

    /// This one alone.
    #[must_use]
    pub const fn only(role: NodeRole) -> Self {
        Self(role.bit())
    }

    /// These, and that one too.
    #[must_use]
    pub const fn and(self, role: NodeRole) -> Self {
        Self(self.0 | role.bit())
    }

    /// Whether it is one of them.
    #[must_use]
    pub const fn contains(self, role: NodeRole) -> bool {
        self.0 & role.bit() != 0
    }

    /// Each of them once, in the order of [`NodeRole::ALL`].
    pub fn iter(self) -> impl Iterator<Item = NodeRole> {
        NodeRole::ALL.into_iter().filter(move |role| self.contains(*role))
    }
}

impl Default for NodeRoles {
    fn default() -> Self {
        Self::ALL
    }
}

impl fmt::Display for NodeRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (place, role) in self.iter().enumerate() {
            f.write_str(if place == 0 { "" } else { "," })?;
            f.write_str(role.as_str())?;
        }
        Ok(())
    }
}

impl fmt::Debug for NodeRoles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Why a text does not name the roles of a node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeRolesError {
    /// There is none in it.
    #[error("a node has at least one role: `api`, `worker` or `scheduler`, or several separated by commas")]
    Empty,
    /// One of them is none.
    #[error("`{0}` is no role of a node: it is one of `api`, `worker` and `scheduler`")]
    Unknown(String),
}

impl FromStr for NodeRoles {
    type Err = NodeRolesError;

    fn from_str(text: &str) -> Result<Self, NodeRolesError> {
        if text.trim().is_empty() {
            return Err(NodeRolesError::Empty);
        }
        let roles = text.split(',').map(str::trim).try_fold(0, |roles, name| {
            let role = NodeRole::ALL.into_iter().find(|role| role.as_str() == name);
            role.map(|role| roles | role.bit()).ok_or_else(|| NodeRolesError::Unknown(name.to_owned()))
        });
        roles.map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<NodeRoles, String> {
        text.parse().map_err(|error: NodeRolesError| error.to_string())
    }

    #[test]
    fn every_set_of_roles_reads_as_it_is_written() {
        for bits in 1..=NodeRoles::ALL.0 {
            let roles = NodeRoles(bits);
            assert_eq!(parsed(&roles.to_string()), Ok(roles));
            assert!(roles.iter().all(|role| roles.contains(role)) && roles.iter().next().is_some());
        }
        assert_eq!(NodeRoles::default().to_string(), "api,worker,scheduler");
        assert_eq!(
            NodeRole::ALL.map(NodeRoles::only).map(|role| role.to_string()),
            ["api", "worker", "scheduler"]
        );
    }

    #[test]
    fn order_spaces_and_repetitions_do_not_matter() {
        let roles = NodeRoles::only(NodeRole::Api).and(NodeRole::Worker);
        for text in ["api,worker", "worker,api", " worker , api", "api,api,worker"] {
            assert_eq!(parsed(text), Ok(roles), "{text}");
        }
    }

    #[test]
    fn what_names_no_role_is_told_with_those_there_are() {
        insta::assert_snapshot!(
            ["", " ", ",", "api,", "wroker", "Api"].map(|text| parsed(text).unwrap_err()).join("\n"),
            @"
        a node has at least one role: `api`, `worker` or `scheduler`, or several separated by commas
        a node has at least one role: `api`, `worker` or `scheduler`, or several separated by commas
        `` is no role of a node: it is one of `api`, `worker` and `scheduler`
        `` is no role of a node: it is one of `api`, `worker` and `scheduler`
        `wroker` is no role of a node: it is one of `api`, `worker` and `scheduler`
        `Api` is no role of a node: it is one of `api`, `worker` and `scheduler`
        "
        );
    }
}
