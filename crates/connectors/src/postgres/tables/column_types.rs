//! What the catalogs say of types: arrays, domains, composites and ranges, down to those every server has.

use std::collections::{BTreeMap, BTreeSet};

use inlet_source::SourceError;

use super::{exactly, given, number, strange};
use crate::postgres::client::Client;
use crate::postgres::kinds::{Form, Kind, MONEY};

/// Arrays that are written without braces.
const VECTORS: [&str; 2] = ["int2vector", "oidvector"];

/// Types that make others are followed so deep.
const MAX_DEPTH: u32 = 16;

/// The types that the columns have.
#[derive(Debug, Default)]
pub(super) struct Types(BTreeMap<u32, Type>);

#[derive(Debug)]
struct Type {
    name: String,
    /// As `pg_type.typtype` says it.
    class: String,
    /// `A` for arrays.
    category: String,
    element: u32,
    base: u32,
    bound: u32,
    delimiter: u8,
    fields: Vec<(String, u32)>,
}

impl Types {
    /// Asks for these types, and for those that they are made of.
    pub(super) async fn learn(
        &mut self,
        client: &mut Client,
        mut unknown: BTreeSet<u32>,
    ) -> Result<(), SourceError> {
        for _ in 0..MAX_DEPTH {
            unknown.retain(|oid| Kind::of_builtin(*oid).is_none() && !self.0.contains_key(oid));
            if unknown.is_empty() {
                return Ok(());
            }
            let oids: Vec<String> = unknown.iter().map(u32::to_string).collect();
            // From version 14 on there are multiranges, whose ranges say which they are.
            let multirange = if client.version >= 140_000 { "OR r.rngmultitypid = t.oid" } else { "" };
            let range = if client.version >= 140_000 {
                "CASE WHEN r.rngmultitypid = t.oid THEN r.rngtypid ELSE r.rngsubtype END"
            } else {
                "r.rngsubtype"
            };
            let sql = format!(
                "SELECT t.oid, t.typname, t.typtype, t.typcategory, t.typelem, t.typbasetype, {range}, t.typdelim, \
                        (SELECT json_agg(json_build_array(a.attname, a.atttypid::bigint) ORDER BY a.attnum) \
                         FROM pg_catalog.pg_attribute a WHERE a.attrelid = t.typrelid AND t.typtype = 'c' \
                         AND a.attnum > 0 AND NOT a.attisdropped) \
                 FROM pg_catalog.pg_type t LEFT JOIN pg_catalog.pg_range r ON r.rngtypid = t.oid {multirange} \
                 WHERE t.oid = ANY ('{{{}}}'::oid[])",
                oids.join(",")
            );
            let mut next = BTreeSet::new();
            for row in client.rows(&sql).await? {
                let [oid, name, class, category, element, base, bound, delimiter, fields] = exactly(row)?;
                let fields =
                    fields.map(|text| serde_json::from_str(&text).map_err(|_| strange())).transpose()?;
                let found = Type {
                    name: given(name)?,
                    class: given(class)?,
                    category: given(category)?,
                    element: number(element)?,
                    base: number(base)?,
                    bound: bound.map_or(Ok(0), |bound| number(Some(bound)))?,
                    delimiter: given(delimiter)?.bytes().next().unwrap_or(b','),
                    fields: fields.unwrap_or_default(),
                };
                next.extend(found.parts());
                self.0.insert(number(oid)?, found);
            }
            unknown = next;
        }
        Ok(())
    }

    /// What a domain restricts.
    pub(super) fn base(&self, oid: u32) -> u32 {
        let mut oid = oid;
        for _ in 0..MAX_DEPTH {
            match self.0.get(&oid) {
                Some(found) if found.class == "d" => oid = found.base,
                _ => break,
            }
        }
        oid
    }

    /// The form in which its values can be sent other than as their text.
    pub(super) fn form(&self, oid: u32) -> Option<Form> {
        let base = self.base(oid);
        let is_enum = self.0.get(&base).is_some_and(|found| found.class == "e");
        if is_enum { Some(Form::Text) } else { Form::of_builtin(base) }
    }

    /// The kind of a type. What is not known is its text.
    pub(super) fn kind(&self, oid: u32) -> Kind {
        self.kind_within(oid, MAX_DEPTH)
    }

    fn kind_within(&self, oid: u32, depth: u32) -> Kind {
        if let Some(kind) = Kind::of_builtin(oid) {
            return kind;
        }
        let Some(found) = self.0.get(&oid) else { return Kind::Text };
        let Some(depth) = depth.checked_sub(1) else { return Kind::Text };
        let boxed = |oid: u32| Box::new(self.part(oid, depth));
        match (found.class.as_str(), found.category.as_str()) {
            ("d", _) => self.kind_within(found.base, depth),
            ("b", "A") if !VECTORS.contains(&found.name.as_str()) => {
                Kind::Array(boxed(found.element), found.delimiter)
            }
            ("b", _) if found.name == "hstore" => Kind::Hstore,
            ("c", _) => {
                let fields = found.fields.iter().map(|(name, oid)| (name.clone(), self.part(*oid, depth)));
                Kind::Composite(fields.collect())
            }
            ("r", _) => Kind::Range(boxed(found.bound)),
            ("m", _) => match self.kind_within(found.bound, depth) {
                Kind::Range(bound) => Kind::Multirange(bound),
                _ => Kind::Text,
            },
            _ => Kind::Text,
        }
    }

    /// The kind of what lies within another value. Money there is its text.
    fn part(&self, oid: u32, depth: u32) -> Kind {
        if self.base(oid) == MONEY { Kind::Text } else { self.kind_within(oid, depth) }
    }
}

impl Type {
    fn parts(&self) -> impl Iterator<Item = u32> {
        let fields = self.fields.iter().map(|(_, oid)| *oid);
        [self.element, self.base, self.bound].into_iter().filter(|oid| *oid != 0).chain(fields)
    }
}
