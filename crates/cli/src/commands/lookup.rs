//! Finding what a user names by its id or by its name.

use std::str::FromStr;

use serde::Deserialize;

use super::pages::Pages;
use crate::client::{Client, Query, segment};
use crate::errors::CommandError;

/// A kind of thing that has ids of its own, and names.
#[derive(Debug, Clone, Copy)]
pub(super) struct Kind {
    /// What it is called: `connector`.
    pub(super) name: &'static str,
    /// How its ids look: `con_…`.
    pub(super) ids: &'static str,
    /// The command that lists them.
    pub(super) lister: &'static str,
}

#[derive(Debug, Deserialize)]
struct Named {
    id: String,
    name: String,
}

/// The path of the item of the list at `all` that has this id, or, if it is no id, the only one that has this name.
pub(super) async fn path_of<Id: FromStr>(
    client: &Client,
    all: &str,
    text: &str,
    kind: Kind,
) -> Result<String, CommandError> {
    if text.parse::<Id>().is_ok() {
        return Ok(format!("{all}/{}", segment(text)));
    }
    let mut found = Vec::new();
    let mut pages = Pages::of_objects(client, all.to_owned(), Query::default(), None);
    while let Some(page) = pages.next::<Named>().await? {
        found.extend(page.into_iter().filter(|item| item.name == text).map(|item| item.id));
    }
    match found.as_slice() {
        [id] => Ok(format!("{all}/{}", segment(id))),
        [] => Err(CommandError::input(
            format!("{}.not_found", kind.name),
            format!("no {} is named `{text}`", kind.name),
        )
        .hint(format!("`{}` shows names and ids; an id begins with `{}`", kind.lister, kind.ids))
        .into()),
        several => {
            let message =
                format!("{} {}s are named `{text}`: {}", several.len(), kind.name, several.join(", "));
            Err(CommandError::input(format!("input.{}", kind.name), message)
                .hint("say the id of the one you mean")
                .into())
        }
    }
}
