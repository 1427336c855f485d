//! The paths that docs/architecture.md draws, a table row for each function on them, held against the functions' signatures.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use syn::visit::{self, Visit};
use syn::{FnArg, ImplItemFn, ItemFn, ReturnType, Signature, TraitItemFn, TypePath};

/// Types of the language and of libraries, which the drawing leaves out.
const PLAIN: [&str; 21] = [
    "Arc", "Box", "Bytes", "Driver", "Duration", "HashSet", "Instant", "Iterator", "Option", "Result", "Self",
    "String", "Vec", "bool", "str", "u16", "u32", "u64", "u8", "usize", "io",
];

/// A row of a drawn path.
#[derive(Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of the handover between threads or tasks that this is, if it is one.
    pub hop: Option<usize>,
    pub file: String,
    pub function: String,
    pub types: BTreeSet<String>,
}

/// The paths below this heading's subheadings, each with its rows.
pub fn drawn(document: &str, heading: &str) -> Vec<(String, Vec<Step>)> {
    let section = document.split(heading).nth(1).expect("the document has this heading");
    let section = section.split("\n## ").next().unwrap();
    let mut paths: Vec<(String, Vec<Step>)> = Vec::new();
    for line in section.lines() {
        if let Some(name) = line.strip_prefix("### ") {
            paths.push((name.to_owned(), Vec::new()));
        }
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [hop, place, types, _] = cells[..] else { continue };
        let Some((file, function)) = quoted(place).split_first().map(|(file, rest)| (file.clone(), rest.concat()))
        else {
            continue;
        };
        let types = quoted(types).into_iter().collect();
        let (_, steps) = paths.last_mut().expect("a row is below a path's name");
        steps.push(Step { hop: hop.parse().ok(), file, function, types });
    }
    paths
}

fn quoted(cell: &str) -> Vec<String> {
    cell.split('`').skip(1).step_by(2).map(str::to_owned).collect()
}

/// The types in the signatures of the file's functions of this name, tests left out; none if it has no such function.
pub fn types_of(file: &Path, function: &str) -> Option<BTreeSet<String>> {
    let text = fs::read_to_string(file).ok()?;
    let mut found = Functions { wanted: function, types: None };
    found.visit_file(&syn::parse_file(&text).unwrap());
    found.types
}

struct Functions<'n> {
    wanted: &'n str,
    types: Option<BTreeSet<String>>,
}

impl Functions<'_> {
    fn look(&mut self, signature: &Signature) {
        if signature.ident != self.wanted {
            return;
        }
        let mut types = Types::default();
        for input in &signature.inputs {
            if let FnArg::Typed(typed) = input {
                types.visit_type(&typed.ty);
            }
        }
        if let ReturnType::Type(_, output) = &signature.output {
            types.visit_type(output);
        }
        self.types.get_or_insert_default().extend(types.0);
    }
}

impl<'ast> Visit<'ast> for Functions<'_> {
    fn visit_item_mod(&mut self, module: &'ast syn::ItemMod) {
        if !crate::source::is_test(&module.attrs) {
            visit::visit_item_mod(self, module);
        }
    }

    fn visit_item_fn(&mut self, function: &'ast ItemFn) {
        self.look(&function.sig);
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        self.look(&function.sig);
    }

    fn visit_trait_item_fn(&mut self, function: &'ast TraitItemFn) {
        self.look(&function.sig);
    }
}

#[derive(Default)]
struct Types(BTreeSet<String>);

impl<'ast> Visit<'ast> for Types {
    fn visit_type_path(&mut self, path: &'ast TypePath) {
        if let Some(last) = path.path.segments.last() {
            let name = last.ident.to_string();
            if !PLAIN.contains(&name.as_str()) && name.len() > 1 {
                self.0.insert(name);
            }
        }
        visit::visit_type_path(self, path);
    }
}
