//! The words of a file's code: those of its names and of its texts. Comments and tests are left out.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use syn::buffer::{Cursor, TokenBuffer};
use syn::visit::{self, Visit};
use syn::{Attribute, ImplItemFn, Item, Lit, Macro, MetaList};

use crate::source::{attributes, is_test};

/// How a word may end.
const ENDINGS: [&str; 5] = ["", "s", "n", "ed", "ing"];

/// The names and texts of a Rust file's code that have one of these words.
pub fn named_in(file: &Path, words: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    let mut reader = Reader::default();
    reader.visit_file(&syn::parse_file(&text).unwrap());
    having(reader.0, words)
}

/// The lines of a Redis script's code that have one of these words.
pub fn named_in_script(file: &Path, words: &[&str]) -> Vec<String> {
    let text = fs::read_to_string(file).unwrap();
    having(text.lines().map(|line| line.split("--").next().unwrap().trim().to_owned()), words)
}

fn having(texts: impl IntoIterator<Item = String>, words: &[&str]) -> Vec<String> {
    let is_word = |part: &String| {
        words.iter().any(|word| part.strip_prefix(word).is_some_and(|ending| ENDINGS.contains(&ending)))
    };
    texts.into_iter().filter(|text| parts(text).iter().any(is_word)).collect()
}

/// What a name or a text is made of, in small letters: `QuestionId`, `question_ids`, `QUESTION_2` and "a question" all have `question`.
fn parts(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = ' ';
    let mut rest = text.chars().peekable();
    while let Some(letter) = rest.next() {
        let ends_capitals = before.is_uppercase() && rest.peek().is_some_and(|next| next.is_lowercase());
        let begins = letter.is_uppercase() && (before.is_lowercase() || ends_capitals);
        if begins || !letter.is_alphabetic() {
            parts.push(String::new());
        }
        if letter.is_alphabetic() {
            parts.last_mut().unwrap().extend(letter.to_lowercase());
        }
        before = letter;
    }
    parts
}

/// Notes the names and texts of a file.
#[derive(Default)]
struct Reader(BTreeSet<String>);

impl Reader {
    fn literal(&mut self, literal: &Lit) {
        match literal {
            Lit::Str(text) => drop(self.0.insert(text.value())),
            Lit::ByteStr(bytes) => drop(self.0.insert(String::from_utf8_lossy(&bytes.value()).into_owned())),
            _ => {}
        }
    }

    /// What stands in a macro's brackets.
    fn tokens(&mut self, mut at: Cursor<'_>) {
        while !at.eof() {
            if let Some((name, rest)) = at.ident() {
                self.0.insert(name.to_string());
                at = rest;
            } else if let Some((literal, rest)) = at.literal() {
                self.literal(&Lit::new(literal));
                at = rest;
            } else if let Some((inside, _, _, rest)) = at.any_group() {
                if !is_comment(inside) {
                    self.tokens(inside);
                }
                at = rest;
            } else if let Some((_, rest)) = at.token_tree() {
                at = rest;
            }
        }
    }
}

/// Whether it is what a doc comment in a macro becomes: `doc = "the comment"`, in brackets.
fn is_comment(inside: Cursor<'_>) -> bool {
    inside
        .ident()
        .is_some_and(|(name, rest)| name == "doc" && rest.punct().is_some_and(|(sign, _)| sign.as_char() == '='))
}

impl<'ast> Visit<'ast> for Reader {
    fn visit_item(&mut self, item: &'ast Item) {
        if !is_test(attributes(item)) {
            visit::visit_item(self, item);
        }
    }

    fn visit_impl_item_fn(&mut self, function: &'ast ImplItemFn) {
        if !is_test(&function.attrs) {
            visit::visit_impl_item_fn(self, function);
        }
    }

    fn visit_attribute(&mut self, attribute: &'ast Attribute) {
        if !attribute.path().is_ident("doc") {
            visit::visit_attribute(self, attribute);
        }
    }

    fn visit_ident(&mut self, name: &'ast syn::Ident) {
        self.0.insert(name.to_string());
    }

    fn visit_lit(&mut self, literal: &'ast Lit) {
        self.literal(literal);
    }

    fn visit_macro(&mut self, called: &'ast Macro) {
        self.tokens(TokenBuffer::new2(called.tokens.clone()).begin());
        visit::visit_macro(self, called);
    }

    fn visit_meta_list(&mut self, list: &'ast MetaList) {
        self.tokens(TokenBuffer::new2(list.tokens.clone()).begin());
        visit::visit_meta_list(self, list);
    }
}
