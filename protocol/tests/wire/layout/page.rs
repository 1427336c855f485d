//! The layouts as docs/journal.md has them: written, and read back.

use std::fmt::Write;

use super::{Content, Field, Form, Kind, Layout, Variant};

const PLAIN: [(&str, Kind); 8] = [
    ("bool", Kind::Bool),
    ("u8", Kind::U8),
    ("u16", Kind::U16),
    ("u32", Kind::U32),
    ("u64", Kind::U64),
    ("i32", Kind::I32),
    ("text", Kind::Text),
    ("JSON", Kind::Json),
];

/// A chapter for each layout.
pub fn written(layouts: &[Layout]) -> String {
    let mut page = String::new();
    for Layout { name, told, form } in layouts {
        let _ = write!(page, "\n#### {name}\n\n");
        match form {
            Form::Same(kind) => {
                let _ = writeln!(page, "{}. {told}", in_words(kind));
            }
            Form::Fields(fields) => {
                let _ = writeln!(page, "{told}\n\n{}", list(fields, "").trim_end());
            }
            Form::Variants(variants) => {
                let _ = writeln!(page, "{told}\n");
                for (number, Variant { name, content, told }) in variants.iter().enumerate() {
                    let (kind, fields) = match content {
                        Content::One(kind) => (format!(": {}", in_words(kind)), String::new()),
                        Content::Fields(fields) => (String::new(), list(fields, "  ")),
                    };
                    let _ = writeln!(page, "- {number} `{name}`{kind}. {told}");
                    page += &fields;
                }
            }
        }
    }
    page
}

fn list(fields: &[Field], indent: &str) -> String {
    fields.iter().fold(String::new(), |mut lines, Field { name, kind, told }| {
        let line = format!("{indent}- `{name}`: {}. {told}", in_words(kind));
        let _ = writeln!(lines, "{}", line.trim_end());
        lines
    })
}

fn in_words(kind: &Kind) -> String {
    match kind {
        Kind::List(of) => format!("list of {}", in_words(of)),
        Kind::Optional(of) => format!("optional {}", in_words(of)),
        Kind::Array(count, of) => format!("{count} times {}", in_words(of)),
        Kind::Pair(first, second) => format!("pair of {} and {}", in_words(first), in_words(second)),
        Kind::Named(name) => format!("[{name}](#{})", name.to_lowercase()),
        plain => PLAIN.iter().find(|(_, kind)| kind == plain).unwrap().0.to_owned(),
    }
}

/// The layouts of a page.
pub fn read(page: &str) -> Vec<Layout> {
    page.split("\n#### ").skip(1).map(|chapter| read_chapter(chapter.split("\n### ").next().unwrap())).collect()
}

fn read_chapter(chapter: &str) -> Layout {
    let mut lines = chapter.lines().filter(|line| !line.is_empty());
    let (name, first) = (lines.next().unwrap().to_owned(), lines.next().unwrap());
    let (mut fields, mut variants) = (Vec::new(), Vec::<Variant>::new());
    for line in lines {
        if let Some(line) = line.strip_prefix("  - ") {
            let Some(Variant { content: Content::Fields(fields), .. }) = variants.last_mut() else {
                panic!("{name}: this field belongs to nothing: {line}")
            };
            fields.push(read_field(line));
        } else if let Some(line) = line.strip_prefix("- `") {
            fields.push(read_field(&format!("`{line}")));
        } else {
            let (number, line) = line.strip_prefix("- ").and_then(|line| line.split_once(" `")).unwrap();
            assert_eq!(number.parse(), Ok(variants.len()), "{name}: the numbers go up from 0 without holes");
            let (variant, rest) = line.split_once('`').unwrap();
            let (content, told) = match rest.strip_prefix(": ") {
                Some(rest) => {
                    let (kind, told) = rest.split_once(". ").unwrap();
                    (Content::One(read_kind(kind)), told)
                }
                None => (Content::Fields(Vec::new()), rest.strip_prefix(". ").unwrap()),
            };
            variants.push(Variant { name: variant.to_owned(), content, told: told.to_owned() });
        }
    }
    let (form, told) = match (fields.is_empty(), variants.is_empty()) {
        (false, true) => (Form::Fields(fields), first),
        (true, false) => (Form::Variants(variants), first),
        (true, true) => {
            let (kind, told) = first.split_once(". ").unwrap();
            (Form::Same(read_kind(kind)), told)
        }
        (false, false) => panic!("{name} has both fields and variants"),
    };
    Layout { name, told: told.to_owned(), form }
}

fn read_field(line: &str) -> Field {
    let (name, rest) = line.strip_prefix('`').and_then(|line| line.split_once("`: ")).unwrap();
    // Fields of what engines write among themselves may be without a word.
    let (kind, told) = rest.split_once(". ").unwrap_or((rest.strip_suffix('.').unwrap(), ""));
    Field { name: name.to_owned(), kind: read_kind(kind), told: told.to_owned() }
}

fn read_kind(words: &str) -> Kind {
    if let Some(of) = words.strip_prefix("list of ") {
        return Kind::List(Box::new(read_kind(of)));
    }
    if let Some(of) = words.strip_prefix("optional ") {
        return Kind::Optional(Box::new(read_kind(of)));
    }
    if let Some((first, second)) = words.strip_prefix("pair of ").and_then(|pair| pair.split_once(" and ")) {
        return Kind::Pair(Box::new(read_kind(first)), Box::new(read_kind(second)));
    }
    if let Some((count, of)) = words.split_once(" times ") {
        return Kind::Array(count.parse().unwrap(), Box::new(read_kind(of)));
    }
    match PLAIN.iter().find(|(plain, _)| *plain == words) {
        Some((_, kind)) => kind.clone(),
        None => Kind::Named(words.strip_prefix('[').and_then(|words| words.split_once(']')).unwrap().0.to_owned()),
    }
}
