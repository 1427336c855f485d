//! The layouts as the crate's source has them.

use std::collections::BTreeMap;
use std::path::Path;

use klaxon_protocol::player::Emoji;
use syn::parse::{Parse, ParseStream};
use syn::{Attribute, Expr, GenericArgument, Ident, Item, Lit, LitStr, Meta, PathArguments, Token, Type, UseTree};

use super::{Content, Field, Form, Kind, Layout, Variant};

/// Types of the standard library that are written like a simpler one.
const STANDARD: [(&str, Kind); 9] = [
    ("bool", Kind::Bool),
    ("u8", Kind::U8),
    ("u16", Kind::U16),
    ("u32", Kind::U32),
    ("u64", Kind::U64),
    ("i32", Kind::I32),
    ("String", Kind::Text),
    ("str", Kind::Text),
    ("NonZeroU64", Kind::U64),
];

/// Types that encode themselves, and as what.
const ENCODE_THEMSELVES: [(&str, Kind); 2] = [("Body", Kind::Json), ("ClaimText", Kind::Text)];

/// Types that are written as another one is.
const WRITTEN_AS: [(&str, &str); 1] = [("Settings", "FirstSettings")];

/// The layouts of a crate, and the names by which they are known elsewhere.
#[derive(Default)]
pub struct Source {
    /// With the file that has them.
    layouts: Vec<(String, Layout)>,
    aliases: BTreeMap<String, String>,
}

impl Source {
    /// Reads all files below a folder.
    pub fn read(folder: &Path) -> Self {
        Self::of_folders(&[folder])
    }

    /// Reads all files below these folders.
    pub fn of_folders(folders: &[&Path]) -> Self {
        let mut source = Self::default();
        source.aliases.extend(WRITTEN_AS.map(|(name, other)| (name.to_owned(), other.to_owned())));
        folders.iter().for_each(|folder| source.add(folder));
        source
    }

    fn add(&mut self, folder: &Path) {
        let mut paths: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                self.add(&path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let file = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
                for item in file.items {
                    self.add_item(&path.display().to_string(), item);
                }
            }
        }
    }

    fn add_item(&mut self, file: &str, item: Item) {
        let mut add = |name: &Ident, attrs: &[Attribute], form| {
            let layout = Layout { name: name.to_string(), told: told(attrs), form };
            self.layouts.push((file.to_owned(), layout));
        };
        match item {
            Item::Struct(item) if is_encoded(&item.attrs) => add(&item.ident, &item.attrs, form(&item.fields)),
            Item::Struct(item) => {
                let known = ENCODE_THEMSELVES.iter().find(|(name, _)| item.ident == name);
                if let Some((_, kind)) = known {
                    add(&item.ident, &item.attrs, Form::Same(kind.clone()));
                }
            }
            Item::Enum(item) if is_encoded(&item.attrs) => {
                add(&item.ident, &item.attrs, Form::Variants(item.variants.iter().map(variant).collect()));
            }
            Item::Macro(item) if item.mac.path.is_ident("number_type") || item.mac.path.is_ident("text_type") => {
                let Declared { attrs, name, kind } = item.mac.parse_body().unwrap();
                add(&name, &attrs, Form::Same(kind));
            }
            Item::Macro(item) if item.mac.path.is_ident("error_table") => {
                let ErrorTable(variants) = item.mac.parse_body().unwrap();
                let told = "Why something was refused.".to_owned();
                let layout = Layout { name: "ErrorCode".to_owned(), told, form: Form::Variants(variants) };
                self.layouts.push((file.to_owned(), layout));
            }
            Item::Use(item) => self.add_aliases(&item.tree),
            _ => {}
        }
    }

    fn add_aliases(&mut self, tree: &UseTree) {
        match tree {
            UseTree::Path(path) => self.add_aliases(&path.tree),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.add_aliases(tree)),
            UseTree::Rename(rename) => _ = self.aliases.insert(rename.rename.to_string(), rename.ident.to_string()),
            _ => {}
        }
    }

    /// The layout of a type that is named in this file; of several of that name the file's own.
    fn find(&self, file: &str, name: &str) -> (&str, Layout) {
        let name = self.aliases.get(name).map_or(name, String::as_str);
        let mut found: Vec<_> = self.layouts.iter().filter(|(_, layout)| layout.name == name).collect();
        if found.len() > 1 {
            found.retain(|(of, _)| of == file);
        }
        let [(of, layout)] = found[..] else {
            panic!(
                "{file} names {name}, whose bytes nobody has written down: it derives no Encode, or there are two of the name. If it \
                 encodes itself, say as what in protocol/tests/wire/layout/source.rs"
            )
        };
        (of, layout.clone())
    }

    /// The layout of this type in this file, and of every type that it needs, in the order in which they are mentioned.
    pub fn reachable(&self, file: &str, root: &str) -> Vec<Layout> {
        let file = self.layouts.iter().map(|(of, _)| of).find(|of| of.ends_with(file)).unwrap();
        let (mut layouts, mut next) = (vec![self.find(file, root)], 0);
        while let Some((file, layout)) = layouts.get(next).cloned() {
            for name in layout.kinds().into_iter().flat_map(named) {
                let found = self.find(file, name);
                if let Some((_, same)) = layouts.iter().find(|(_, layout)| layout.name == found.1.name) {
                    assert_eq!(*same, found.1, "two types of one name are in the same bytes");
                } else {
                    layouts.push(found);
                }
            }
            next += 1;
        }
        layouts.into_iter().map(|(_, layout)| self.with_real_names(layout)).collect()
    }

    fn with_real_names(&self, mut layout: Layout) -> Layout {
        let rename_all = |fields: &mut [Field]| fields.iter_mut().for_each(|field| self.rename(&mut field.kind));
        match &mut layout.form {
            Form::Same(kind) => self.rename(kind),
            Form::Fields(fields) => rename_all(fields),
            Form::Variants(variants) => variants.iter_mut().for_each(|variant| match &mut variant.content {
                Content::One(kind) => self.rename(kind),
                Content::Fields(fields) => rename_all(fields),
            }),
        }
        layout
    }

    fn rename(&self, kind: &mut Kind) {
        match kind {
            Kind::List(of) | Kind::Optional(of) | Kind::Array(_, of) => self.rename(of),
            Kind::Pair(first, second) => {
                self.rename(first);
                self.rename(second);
            }
            Kind::Named(name) => {
                if let Some(real) = self.aliases.get(name) {
                    name.clone_from(real);
                }
            }
            _ => {}
        }
    }
}

/// The types that are named in this one.
fn named(kind: &Kind) -> Vec<&str> {
    match kind {
        Kind::List(of) | Kind::Optional(of) | Kind::Array(_, of) => named(of),
        Kind::Pair(first, second) => [named(first), named(second)].concat(),
        Kind::Named(name) => vec![name],
        _ => Vec::new(),
    }
}

/// Whether it derives its encoding.
fn is_encoded(attrs: &[Attribute]) -> bool {
    attrs.iter().any(|attr| match &attr.meta {
        Meta::List(list) if list.path.is_ident("derive") => list.tokens.to_string().contains("Encode"),
        _ => false,
    })
}

/// The documentation, in one line.
fn told(attrs: &[Attribute]) -> String {
    let lines = attrs.iter().filter_map(|attr| match &attr.meta {
        Meta::NameValue(pair) if pair.path.is_ident("doc") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(text) => Some(text.value().trim().to_owned()),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    // The first paragraph; a link to a name is the name.
    let lines: Vec<String> = lines.take_while(|line| !line.is_empty()).collect();
    lines.join(" ").replace("[`", "`").replace("`]", "`")
}

/// The lengths of arrays, which the source names only.
const LENGTHS: [(&str, usize); 1] = [("Emoji", Emoji::ALL.len())];

/// The length of an array: a number, or `len()` of all of an enum.
fn length(of: &Expr) -> Option<usize> {
    match of {
        Expr::Lit(literal) => match &literal.lit {
            Lit::Int(number) => number.base10_parse().ok(),
            _ => None,
        },
        Expr::MethodCall(call) => match &*call.receiver {
            Expr::Path(path) => {
                let owner = &path.path.segments.first()?.ident;
                LENGTHS.iter().find(|(name, _)| owner == name).map(|(_, length)| *length)
            }
            _ => None,
        },
        _ => None,
    }
}

/// A type for which nothing is written down, such as nameless fields beside each other.
fn unknown() -> Kind {
    Kind::Named("a type without a name".to_owned())
}

fn form(fields: &syn::Fields) -> Form {
    match fields {
        syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Form::Same(kind(&fields.unnamed[0].ty)),
        syn::Fields::Named(fields) => {
            Form::Fields(fields.named.iter().filter(|field| has_bytes(field)).map(field).collect())
        }
        _ => Form::Same(unknown()),
    }
}

/// Whether a field stands in the bytes.
fn has_bytes(field: &syn::Field) -> bool {
    !matches!(&field.ty, Type::Path(path) if path.path.segments.last().is_some_and(|last| last.ident == "InJson"))
}

fn field(field: &syn::Field) -> Field {
    let name = field.ident.as_ref().unwrap().to_string();
    Field { name, kind: kind(&field.ty), told: told(&field.attrs) }
}

fn variant(variant: &syn::Variant) -> Variant {
    let content = match &variant.fields {
        syn::Fields::Unit => Content::Fields(Vec::new()),
        syn::Fields::Named(fields) => Content::Fields(fields.named.iter().map(field).collect()),
        syn::Fields::Unnamed(fields) if fields.unnamed.len() == 1 => Content::One(kind(&fields.unnamed[0].ty)),
        syn::Fields::Unnamed(_) => Content::One(unknown()),
    };
    Variant { name: variant.ident.to_string(), content, told: told(&variant.attrs) }
}

fn kind(of: &Type) -> Kind {
    let path = match of {
        Type::Path(path) => path,
        Type::Tuple(tuple) if tuple.elems.len() == 2 => {
            return Kind::Pair(Box::new(kind(&tuple.elems[0])), Box::new(kind(&tuple.elems[1])));
        }
        Type::Array(array) => {
            return length(&array.len).map_or_else(unknown, |length| Kind::Array(length, Box::new(kind(&array.elem))));
        }
        _ => return unknown(),
    };
    let last = path.path.segments.last().unwrap();
    let inner = || {
        let PathArguments::AngleBracketed(arguments) = &last.arguments else { panic!("{} of what?", last.ident) };
        let [GenericArgument::Type(inner)] = arguments.args.iter().collect::<Vec<_>>()[..] else {
            panic!("{} of what?", last.ident)
        };
        kind(inner)
    };
    let name = last.ident.to_string();
    match name.as_str() {
        "Box" | "Arc" => inner(),
        "Vec" => Kind::List(Box::new(inner())),
        "Option" => Kind::Optional(Box::new(inner())),
        _ => match STANDARD.iter().find(|(standard, _)| *standard == name) {
            Some((_, kind)) => kind.clone(),
            None => Kind::Named(name),
        },
    }
}

/// What `number_type!` and `text_type!` define.
struct Declared {
    attrs: Vec<Attribute>,
    name: Ident,
    kind: Kind,
}

impl Parse for Declared {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attrs = input.call(Attribute::parse_outer)?;
        let name = input.parse()?;
        let kind = if input.peek(syn::token::Paren) {
            let inner;
            syn::parenthesized!(inner in input);
            kind(&inner.parse()?)
        } else {
            // What follows says how a text is checked.
            input.step(|cursor| {
                let mut rest = *cursor;
                while let Some((_, next)) = rest.token_tree() {
                    rest = next;
                }
                Ok(((), rest))
            })?;
            Kind::Text
        };
        Ok(Self { attrs, name, kind })
    }
}

struct ErrorTable(Vec<Variant>);

impl Parse for ErrorTable {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let mut variants = Vec::new();
        while !input.is_empty() {
            let name: Ident = input.parse()?;
            let mut texts = Vec::new();
            while !input.peek(Token![;]) {
                input.parse::<Token![,]>()?;
                texts.push(input.parse::<LitStr>()?.value());
            }
            input.parse::<Token![;]>()?;
            let content = Content::Fields(Vec::new());
            variants.push(Variant { name: name.to_string(), content, told: texts[1].clone() });
        }
        Ok(Self(variants))
    }
}
