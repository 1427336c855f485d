//! Whether layouts read all that others wrote: the same bytes, with more variants behind the ones that there were.

use std::collections::BTreeSet;

use super::{Content, Field, Form, Kind, Layout, Variant};

/// What a reader of `new` would misread in bytes of `old`, from this type on. Names don't matter, for they are not in the bytes.
///
/// # Errors
/// The first difference, by its place.
pub fn check(old: &[Layout], new: &[Layout], root: &str) -> Result<(), String> {
    Growth { old, new, seen: BTreeSet::new() }.named(root, root)
}

struct Growth<'a> {
    old: &'a [Layout],
    new: &'a [Layout],
    /// Pairs that were compared, or are.
    seen: BTreeSet<(&'a str, &'a str)>,
}

impl<'a> Growth<'a> {
    fn named(&mut self, old: &'a str, new: &'a str) -> Result<(), String> {
        if !self.seen.insert((old, new)) {
            return Ok(());
        }
        let find = |layouts: &'a [Layout], name| layouts.iter().find(|layout| layout.name == name);
        let (Some(old), Some(new)) = (find(self.old, old), find(self.new, new)) else {
            return Err(format!("{old} or {new} is not laid out"));
        };
        let grown = match (&old.form, &new.form) {
            (Form::Same(old), Form::Same(new)) => self.kind(old, new),
            (Form::Fields(old), Form::Fields(new)) => self.fields(old, new),
            (Form::Variants(old), Form::Variants(new)) => self.variants(old, new),
            _ => Err("it is of another form".to_owned()),
        };
        grown.map_err(|problem| format!("{}: {problem}", old.name))
    }

    fn kind(&mut self, old: &'a Kind, new: &'a Kind) -> Result<(), String> {
        match (old, new) {
            (Kind::List(old), Kind::List(new)) | (Kind::Optional(old), Kind::Optional(new)) => self.kind(old, new),
            (Kind::Array(old_count, old), Kind::Array(count, new)) if old_count == count => self.kind(old, new),
            (Kind::Pair(old, old_second), Kind::Pair(new, new_second)) => {
                self.kind(old, new)?;
                self.kind(old_second, new_second)
            }
            (Kind::Named(old), Kind::Named(new)) => self.named(old, new),
            _ if old == new => Ok(()),
            _ => Err(format!("{old:?} became {new:?}")),
        }
    }

    /// A field that stands apart has no bytes, so it may come and go.
    fn fields(&mut self, old: &'a [Field], new: &'a [Field]) -> Result<(), String> {
        let (old, new) = (with_bytes(old), with_bytes(new));
        if old.len() != new.len() {
            return Err(format!(
                "{} fields became {}; a message that needs another field is a new one",
                old.len(),
                new.len()
            ));
        }
        old.into_iter().zip(new).try_for_each(|(old, new)| {
            self.kind(&old.kind, &new.kind).map_err(|problem| format!("{}: {problem}", old.name))
        })
    }

    fn variants(&mut self, old: &'a [Variant], new: &'a [Variant]) -> Result<(), String> {
        if old.len() > new.len() {
            return Err(format!("{} variants became {}", old.len(), new.len()));
        }
        (0..).zip(old.iter().zip(new)).try_for_each(|(number, (old, new))| {
            let grown = match (&old.content, &new.content) {
                (Content::One(old), Content::One(new)) => self.kind(old, new),
                (Content::Fields(old), Content::Fields(new)) => self.fields(old, new),
                (Content::One(old), Content::Fields(new)) => match with_bytes(new)[..] {
                    [new] => self.kind(old, &new.kind),
                    _ => Err("it has another content".to_owned()),
                },
                _ => Err("it has another content".to_owned()),
            };
            grown.map_err(|problem| format!("variant {number}, {}: {problem}", old.name))
        })
    }
}

fn with_bytes(fields: &[Field]) -> Vec<&Field> {
    fields.iter().filter(|field| field.kind != Kind::Nothing).collect()
}
