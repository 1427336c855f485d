//! A crate's modules as its files declare them, without tests: what each defines, passes on and takes from others.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use syn::visit::{self, Visit};
use syn::{Attribute, Expr, Item, Lit, Meta, UseTree, Visibility};

/// A path below the crate's root: `bus::redis::Keys` is `["bus", "redis", "Keys"]`.
pub type Names = Vec<String>;

/// One file.
#[derive(Debug, Default)]
pub struct Module {
    pub file: PathBuf,
    path: Names,
    children: BTreeMap<String, usize>,
    /// Types, traits, functions and constants that are defined here.
    defines: BTreeSet<String>,
    /// Of those the types and traits.
    pub types: Vec<String>,
    /// What `pub use` passes on, by the name under which it does.
    passes_on: BTreeMap<String, Names>,
    /// `pub use path::*`.
    passes_all_of: Vec<Names>,
    /// What its code names, from the root.
    names: BTreeSet<Names>,
}

/// The modules of one target of a crate.
#[derive(Debug, Default)]
pub struct Modules(pub Vec<Module>);

impl Modules {
    /// Reads the target whose root is this file.
    pub fn read(root: &Path) -> Self {
        let mut modules = Self::default();
        modules.add(root, root.parent().unwrap(), Vec::new());
        modules
    }

    /// Reads a file, whose `mod` declarations name files in `folder`.
    fn add(&mut self, file: &Path, folder: &Path, path: Names) -> usize {
        let text = fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let parsed = syn::parse_file(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let index = self.0.len();
        self.0.push(Module { file: file.to_owned(), path: path.clone(), ..Module::default() });
        for item in &parsed.items {
            let Item::Mod(declared) = item else { continue };
            if declared.content.is_some() || is_test(&declared.attrs) {
                continue;
            }
            let name = declared.ident.to_string();
            let (file, inside) = located(folder, &name, &declared.attrs);
            let child = self.add(&file, &inside, [&path[..], std::slice::from_ref(&name)].concat());
            self.0[index].children.insert(name, child);
        }
        let mut reader = Reader { module: &mut self.0[index], depth: 0 };
        reader.visit_file(&parsed);
        index
    }

    /// The files whose definitions a file's code names, and by which paths. A file inside a module's folder may take from the module's own
    /// file, for instance the type of which it has a part of the methods: that is not counted, as both are one module.
    fn takes_from(&self, index: usize) -> BTreeMap<usize, Vec<&Names>> {
        let mut taken: BTreeMap<usize, Vec<&Names>> = BTreeMap::new();
        for names in &self.0[index].names {
            if let Some(other) =
                self.resolve(0, names, &mut BTreeSet::new()).filter(|&other| !self.is_inside(index, other))
            {
                taken.entry(other).or_default().push(names);
            }
        }
        taken
    }

    /// Whether a module is another or inside its folder.
    fn is_inside(&self, index: usize, other: usize) -> bool {
        self.0[index].path.starts_with(&self.0[other].path)
    }

    /// The file that defines what a path from `from` leads to.
    fn resolve(&self, from: usize, names: &[String], seen: &mut BTreeSet<(usize, Names)>) -> Option<usize> {
        let Some((first, rest)) = names.split_first() else { return Some(from) };
        if !seen.insert((from, names.to_vec())) {
            return None;
        }
        let module = &self.0[from];
        if let Some(&child) = module.children.get(first) {
            return self.resolve(child, rest, seen);
        }
        if module.defines.contains(first) {
            return Some(from);
        }
        if let Some(target) = module.passes_on.get(first) {
            return self.resolve(0, &[target, rest].concat(), seen);
        }
        module.passes_all_of.iter().find_map(|all| self.resolve(0, &[all, names].concat(), seen))
    }

    /// Groups of files each of which takes from all others of its group, by way of others if need be.
    pub fn circles(&self) -> Vec<Vec<usize>> {
        let direct: Vec<BTreeSet<usize>> =
            (0..self.0.len()).map(|index| self.takes_from(index).into_keys().collect()).collect();
        let reached: Vec<BTreeSet<usize>> = (0..direct.len()).map(|from| reach(&direct, from)).collect();
        let mut circles = BTreeSet::new();
        for from in 0..direct.len() {
            let circle: Vec<usize> = reached[from].iter().copied().filter(|&to| reached[to].contains(&from)).collect();
            if circle.len() > 1 {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    /// What the files of a circle take from each other: taker, giver, and the paths by which.
    pub fn ties<'m>(&'m self, circle: &[usize]) -> Vec<(&'m Path, &'m Path, String)> {
        let mut ties = Vec::new();
        for &taker in circle {
            for (giver, names) in self.takes_from(taker).into_iter().filter(|(giver, _)| circle.contains(giver)) {
                let names: Vec<String> = names.into_iter().map(|names| names.join("::")).collect();
                ties.push((&*self.0[taker].file, &*self.0[giver].file, names.join(", ")));
            }
        }
        ties
    }
}

fn reach(direct: &[BTreeSet<usize>], from: usize) -> BTreeSet<usize> {
    let (mut reached, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(next) = open.pop() {
        open.extend(direct[next].iter().copied().filter(|&to| reached.insert(to)));
    }
    reached
}

/// The file of a module, and the folder of those that it declares.
fn located(folder: &Path, name: &str, attributes: &[Attribute]) -> (PathBuf, PathBuf) {
    let named = attributes.iter().find_map(|attribute| match &attribute.meta {
        Meta::NameValue(pair) if pair.path.is_ident("path") => match &pair.value {
            Expr::Lit(literal) => match &literal.lit {
                Lit::Str(file) => Some(folder.join(file.value())),
                _ => None,
            },
            _ => None,
        },
        _ => None,
    });
    let inside = folder.join(name);
    let beside = folder.join(format!("{name}.rs"));
    let file = named.unwrap_or_else(|| if beside.exists() { beside } else { inside.join("mod.rs") });
    (file, inside)
}

pub fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| match &attribute.meta {
        Meta::List(list) if list.path.is_ident("cfg") => {
            let condition = list.tokens.to_string();
            condition == "test" || condition.starts_with("all (test") || condition.starts_with("all(test")
        }
        meta => meta.path().is_ident("test"),
    })
}

/// Notes what a file defines, passes on and names.
struct Reader<'m> {
    module: &'m mut Module,
    /// How many modules inside the file are around what is read.
    depth: usize,
}

impl Reader<'_> {
    /// The path from the root; none of another crate's.
    fn rooted(&self, names: &[String]) -> Option<Names> {
        let here = &self.module.path;
        let up = |steps: usize, rest: &[String]| {
            let kept = here.len().checked_sub(steps)?;
            Some([&here[..kept], rest].concat())
        };
        match names.first()?.as_str() {
            "crate" => Some(names[1..].to_vec()),
            "self" => up(0, &names[1..]),
            "super" => {
                let steps = names.iter().take_while(|name| *name == "super").count();
                up(steps.checked_sub(self.depth)?, &names[steps..])
            }
            first if self.module.children.contains_key(first) => up(0, names),
            _ => None,
        }
    }

    fn take(&mut self, names: &[String]) {
        let taken = self.rooted(names);
        self.module.names.extend(taken);
    }

    fn take_tree(&mut self, tree: &UseTree, before: &[String], passes_on: bool) {
        let with = |name: &syn::Ident| [before, &[name.to_string()]].concat();
        match tree {
            UseTree::Path(path) => self.take_tree(&path.tree, &with(&path.ident), passes_on),
            UseTree::Group(group) => group.items.iter().for_each(|tree| self.take_tree(tree, before, passes_on)),
            UseTree::Glob(_) if passes_on => {
                let all = self.rooted(before);
                self.module.passes_all_of.extend(all);
            }
            UseTree::Glob(_) => self.take(before),
            UseTree::Name(name) => self.leaf(&with(&name.ident), name.ident.to_string(), before, passes_on),
            UseTree::Rename(rename) => {
                self.leaf(&with(&rename.ident), rename.rename.to_string(), before, passes_on);
            }
        }
    }

    fn leaf(&mut self, names: &[String], known_as: String, before: &[String], passes_on: bool) {
        // `use path::{self}` is the module itself.
        let names = if names.len() > 1 && names.last().is_some_and(|last| last == "self") { before } else { names };
        match self.rooted(names) {
            Some(target) if passes_on => drop(self.module.passes_on.insert(known_as, target)),
            Some(target) => drop(self.module.names.insert(target)),
            // Another crate's, known by this file's name for it.
            None if passes_on => drop(self.module.defines.insert(known_as)),
            None => {}
        }
    }

    fn defines(&mut self, item: &Item) {
        let (name, is_type) = match item {
            Item::Struct(item) => (&item.ident, true),
            Item::Enum(item) => (&item.ident, true),
            Item::Trait(item) => (&item.ident, true),
            Item::Type(item) => (&item.ident, true),
            Item::Union(item) => (&item.ident, true),
            Item::Fn(item) => (&item.sig.ident, false),
            Item::Const(item) => (&item.ident, false),
            Item::Static(item) => (&item.ident, false),
            Item::Mod(item) if item.content.is_some() => (&item.ident, false),
            Item::Macro(item) => {
                let Some(name) = &item.ident else { return };
                (name, false)
            }
            _ => return,
        };
        self.module.defines.insert(name.to_string());
        if is_type {
            self.module.types.push(name.to_string());
        }
    }
}

pub fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Const(item) => &item.attrs,
        Item::Enum(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        Item::Impl(item) => &item.attrs,
        Item::Macro(item) => &item.attrs,
        Item::Mod(item) => &item.attrs,
        Item::Static(item) => &item.attrs,
        Item::Struct(item) => &item.attrs,
        Item::Trait(item) => &item.attrs,
        Item::Type(item) => &item.attrs,
        Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

impl<'ast> Visit<'ast> for Reader<'_> {
    fn visit_item(&mut self, item: &'ast Item) {
        if is_test(attributes(item)) {
            return;
        }
        self.defines(item);
        if let Item::Mod(inline) = item {
            self.depth += usize::from(inline.content.is_some());
            visit::visit_item(self, item);
            self.depth -= usize::from(inline.content.is_some());
            return;
        }
        visit::visit_item(self, item);
    }

    fn visit_item_use(&mut self, item: &'ast syn::ItemUse) {
        self.take_tree(&item.tree, &[], !matches!(item.vis, Visibility::Inherited));
    }

    fn visit_path(&mut self, path: &'ast syn::Path) {
        if path.segments.len() > 1 {
            let names: Names = path.segments.iter().map(|segment| segment.ident.to_string()).collect();
            self.take(&names);
        }
        visit::visit_path(self, path);
    }
}
