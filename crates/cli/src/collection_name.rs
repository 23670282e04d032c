//! How a collection is named on the command line: `collection` or `space/collection`.

use std::fmt;

use inlet_model::{CollectionId, SpaceId};

use crate::errors::CommandError;

const DEFAULT_SPACE: &str = "default";

/// A collection and its space.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct CollectionName {
    /// The space.
    pub(crate) space: SpaceId,
    /// The collection.
    pub(crate) collection: CollectionId,
}

impl CollectionName {
    /// Reads a name as the user wrote it.
    pub(crate) fn parse(text: &str) -> Result<Self, CommandError> {
        let (space, collection) = text.split_once('/').unwrap_or((DEFAULT_SPACE, text));
        match (space.parse(), collection.parse()) {
            (Ok(space), Ok(collection)) => Ok(Self { space, collection }),
            (space, collection) => {
                let bad = if space.is_err() { "space" } else { "collection" };
                let cause = space.err().or(collection.err());
                let complaint =
                    CommandError::input("input.collection", format!("`{text}` does not name a collection"))
                        .hint(format!(
                            "the {bad} part is not valid; write `collection` or `space/collection`"
                        ));
                Err(match cause {
                    Some(cause) => complaint.because(cause).into(),
                    None => complaint.into(),
                })
            }
        }
    }

    /// The path of the space in the API.
    pub(crate) fn space_path(&self) -> String {
        format!("/v1/spaces/{}", self.space)
    }

    /// The path of the collection in the API. Ids need no escaping.
    pub(crate) fn path(&self) -> String {
        format!("{}/collections/{}", self.space_path(), self.collection)
    }
}

impl fmt::Display for CollectionName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.space.as_str() == DEFAULT_SPACE {
            write!(f, "{}", self.collection)
        } else {
            write!(f, "{}/{}", self.space, self.collection)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_alone_is_in_the_default_space() {
        assert_eq!(CollectionName::parse("shop").unwrap().path(), "/v1/spaces/default/collections/shop");
        let named = CollectionName::parse("eu/shop").unwrap();
        assert_eq!(
            (named.path().as_str(), named.to_string().as_str()),
            ("/v1/spaces/eu/collections/shop", "eu/shop")
        );
    }

    #[test]
    fn other_characters_are_refused_before_anything_is_done() {
        for bad in ["", "/", "a/", "/a", "a/b/c", "A b", "../x", "é"] {
            assert!(CollectionName::parse(bad).is_err(), "{bad:?}");
        }
    }
}
