//! How the types of the wire, the link and the journal are laid out in bytes: read from the code ([`source`]), written to docs/journal.md and read from it again
//! ([`page`]), compared with what they were ([`growth`]), and followed by a reader that knows nothing else ([`reader`]).

pub mod growth;
pub mod page;
pub mod reader;
pub mod source;

/// What stands in a field's place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    Bool,
    U8,
    U16,
    U32,
    U64,
    I32,
    Text,
    /// A text that is an object in JSON.
    Json,
    List(Box<Kind>),
    Optional(Box<Kind>),
    /// So many, without their number.
    Array(usize, Box<Kind>),
    /// One and then another.
    Pair(Box<Kind>, Box<Kind>),
    /// A type of that name, laid out elsewhere.
    Named(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    pub name: String,
    pub kind: Kind,
    pub told: String,
}

/// What follows the number of a variant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    One(Kind),
    /// In order; of many variants none.
    Fields(Vec<Field>),
}

/// A variant; its number is its place in the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    pub name: String,
    pub content: Content,
    pub told: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Form {
    /// The same bytes as something simpler: a number or a text with a meaning.
    Same(Kind),
    /// One after another.
    Fields(Vec<Field>),
    /// One of these: its number, then its content.
    Variants(Vec<Variant>),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    pub name: String,
    pub told: String,
    pub form: Form,
}

impl Layout {
    /// The kinds that it mentions, in order.
    fn kinds(&self) -> Vec<&Kind> {
        fn of(fields: &[Field]) -> impl Iterator<Item = &Kind> {
            fields.iter().map(|field| &field.kind)
        }
        match &self.form {
            Form::Same(kind) => vec![kind],
            Form::Fields(fields) => of(fields).collect(),
            Form::Variants(variants) => variants
                .iter()
                .flat_map(|variant| match &variant.content {
                    Content::One(kind) => vec![kind],
                    Content::Fields(fields) => of(fields).collect(),
                })
                .collect(),
        }
    }
}
