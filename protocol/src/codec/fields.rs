//! Compares JSON that could not be decoded with the message's schema: which members are null and may be left out, and
//! which field is wrong.
//!
//! Only fields in the schema are examined, so unknown fields take no time, however deeply they are nested. Each level
//! of a message is read once, and messages have at most six levels.

use serde_json::Value;

use super::raw::Raw;
use crate::claim::ClaimText;
use crate::ids::{BadText, CommandId, GameName, Name, ShowCode, ShowId};

/// A field that does not match the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The kind of text that was expected, if it is one of [`crate::ids`].
    pub wanted: Option<&'static str>,
    /// A message with the field's path, what was expected, and what was sent.
    pub told: String,
}

/// The result of comparing JSON with a schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Looked {
    /// The JSON without members that are null and may be left out.
    pub without_nulls: Vec<u8>,
    /// The first field that is wrong.
    pub fault: Option<Fault>,
    /// The first field that the schema does not have, by its path.
    pub unknown: Option<String>,
}

/// Compares JSON with a schema; none if it is not JSON.
pub fn look(schema: &Value, json: &[u8]) -> Option<Looked> {
    let raw = Raw::first_in(json)?;
    let mut walk =
        Walk { root: schema, path: String::new(), clean: Vec::with_capacity(json.len()), fault: None, unknown: None };
    walk.value(schema, raw);
    Some(Looked { without_nulls: walk.clean, fault: walk.fault, unknown: walk.unknown })
}

struct Walk<'s> {
    root: &'s Value,
    /// The path of the current value: `settings.lives`, `pack.questions[3].right`.
    path: String,
    clean: Vec<u8>,
    fault: Option<Fault>,
    unknown: Option<String>,
}

/// The schemas that apply to one value, the most specific first: a field's own, what it refers to, the variant chosen
/// by a tag.
pub(super) struct Layers<'s> {
    pub parts: Vec<&'s Value>,
    /// The names of the references that were followed.
    pub names: Vec<&'s str>,
}

impl<'s> Layers<'s> {
    pub fn of(root: &'s Value, part: &'s Value) -> Self {
        let mut layers = Self { parts: Vec::new(), names: Vec::new() };
        layers.add(root, part);
        layers
    }

    /// Adds a schema, what it refers to, and for "this or null" the part that is not null.
    pub fn add(&mut self, root: &'s Value, part: &'s Value) {
        self.parts.push(part);
        if let Some(reference) = part.get("$ref").and_then(Value::as_str)
            && let Some(target) = root.pointer(reference.trim_start_matches('#'))
        {
            self.names.extend(reference.rsplit('/').next());
            self.add(root, target);
        }
        let options = part.get("anyOf").and_then(Value::as_array).into_iter().flatten();
        for option in options.filter(|option| option.get("type").is_none_or(|name| name != "null")) {
            self.add(root, option);
        }
    }

    pub fn get(&self, keyword: &str) -> Option<&'s Value> {
        self.parts.iter().find_map(|part| part.get(keyword))
    }

    /// The names of all fields.
    pub fn names_of_fields(&self) -> impl Iterator<Item = &'s str> {
        let fields = self.parts.iter().filter_map(|part| part.get("properties")?.as_object());
        fields.flat_map(|fields| fields.keys().map(String::as_str))
    }

    pub fn field(&self, name: &str) -> Option<&'s Value> {
        self.parts.iter().find_map(|part| part.get("properties")?.get(name))
    }

    pub fn required(&self) -> impl Iterator<Item = &'s str> {
        self.parts.iter().filter_map(|part| part.get("required")?.as_array()).flatten().filter_map(Value::as_str)
    }

    /// Whether values of this type are allowed.
    pub fn allows(&self, name: &str) -> bool {
        self.parts.iter().filter_map(|part| part.get("type")).any(|types| match types {
            Value::Array(names) => names.iter().any(|known| known == name),
            known => known == name,
        })
    }

    /// The allowed words, if the schema is an enumeration.
    pub fn words(&self) -> Vec<&'s str> {
        let options = self.get("oneOf").and_then(Value::as_array).into_iter().flatten();
        options.filter_map(|option| option.get("const")?.as_str()).collect()
    }

    /// The smallest and the largest allowed number.
    fn range(&self) -> (i128, i128) {
        let limit = |keyword| {
            let limit = self.get(keyword)?;
            limit.as_i64().map(i128::from).or(limit.as_u64().map(i128::from))
        };
        let (least, most) = self.range_of_type();
        (limit("minimum").unwrap_or(least), limit("maximum").unwrap_or(most))
    }

    /// The smallest and the largest number of the type.
    pub fn range_of_type(&self) -> (i128, i128) {
        match self.get("format").and_then(Value::as_str) {
            Some("uint8") => (0, u8::MAX.into()),
            Some("uint16") => (0, u16::MAX.into()),
            Some("uint32") => (0, u32::MAX.into()),
            Some("int8") => (i8::MIN.into(), i8::MAX.into()),
            Some("int32") => (i32::MIN.into(), i32::MAX.into()),
            Some("int64") => (i64::MIN.into(), i64::MAX.into()),
            _ => (0, u64::MAX.into()),
        }
    }

    pub fn is_object(&self) -> bool {
        self.get("properties").is_some() || self.allows("object") || self.tagged(0).is_some()
    }

    /// The tag and the tagged variants of the first list of variants from this layer on.
    pub fn tagged(&self, number: usize) -> Option<(&'s str, &'s Vec<Value>)> {
        let mut lists = self.parts.iter().filter_map(|part| {
            let variants = part.get("oneOf")?.as_array()?;
            Some((tag(variants.first()?)?.0, variants))
        });
        lists.nth(number)
    }

    /// A description of what is expected.
    pub fn wanted(&self) -> String {
        let words = self.words();
        if self.is_object() {
            "an object".into()
        } else if !words.is_empty() {
            one_of(words)
        } else if self.allows("integer") {
            let (least, most) = self.range();
            let or_text = if self.allows("string") { ", or a text" } else { "" };
            format!("a whole number, {least} to {most}{or_text}")
        } else if self.allows("boolean") {
            "true or false".into()
        } else if self.allows("array") {
            "a list".into()
        } else {
            "a text".into()
        }
    }
}

/// The tag field of a variant, and its value.
pub(super) fn tag(variant: &Value) -> Option<(&str, &str)> {
    let fields = variant.get("properties")?.as_object()?;
    fields.iter().find_map(|(name, field)| Some((name.as_str(), field.get("const")?.as_str()?)))
}

pub(super) fn one_of<'w>(words: impl IntoIterator<Item = &'w str>) -> String {
    let quoted: Vec<String> = words.into_iter().map(|word| format!("\"{word}\"")).collect();
    format!("one of {}", quoted.join(", "))
}

impl<'s> Walk<'s> {
    fn value(&mut self, part: &'s Value, raw: Raw<'_>) {
        let layers = Layers::of(self.root, part);
        if layers.is_object() {
            self.object(layers, raw);
        } else if let Some(items) = layers.get("items") {
            self.list(&layers, items, raw);
        } else {
            self.plain(&layers, raw);
            self.clean.extend_from_slice(raw.bytes());
        }
    }

    fn object(&mut self, mut layers: Layers<'s>, raw: Raw<'_>) {
        let Some(members) = raw.members() else {
            self.expected(&layers.wanted(), raw);
            self.clean.extend_from_slice(raw.bytes());
            return;
        };
        self.choose(&mut layers, &members);
        self.clean.push(b'{');
        for (index, (name, value)) in members.iter().enumerate() {
            let field = layers.field(name);
            let is_required = || layers.required().any(|required| required == name);
            if value.is_null() && field.is_some() && !is_required() {
                continue;
            }
            if self.clean.last() != Some(&b'{') {
                self.clean.push(b',');
            }
            self.clean.extend(serde_json::to_vec(name).unwrap_or_default());
            self.clean.push(b':');
            match field {
                Some(field) => self.within(&format!(".{name}"), |walk| {
                    if members[..index].iter().any(|(other, _)| other == name) {
                        walk.wrong(None, "stands twice");
                    }
                    walk.value(field, *value);
                }),
                None => {
                    self.within(&format!(".{name}"), Self::not_known);
                    self.clean.extend_from_slice(value.bytes());
                }
            }
        }
        self.clean.push(b'}');
        for name in layers.required().filter(|name| members.iter().all(|(sent, _)| sent != name)) {
            self.within(&format!(".{name}"), |walk| walk.wrong(None, "is missing"));
        }
    }

    /// Adds the variants that the object's tags select.
    fn choose(&mut self, layers: &mut Layers<'s>, members: &[(String, Raw<'_>)]) {
        let mut chosen = 0;
        while let Some((name, variants)) = layers.tagged(chosen) {
            chosen += 1;
            let Some((_, value)) = members.iter().find(|(sent, _)| sent == name) else {
                self.within(&format!(".{name}"), |walk| walk.wrong(None, "is missing"));
                continue;
            };
            let word = value.read::<String>();
            match variants.iter().find(|variant| tag(variant).map(|(_, word)| word) == word.as_deref()) {
                Some(variant) => layers.add(self.root, variant),
                None => {
                    let words = one_of(variants.iter().filter_map(tag).map(|(_, word)| word));
                    self.within(&format!(".{name}"), |walk| walk.expected(&words, *value));
                }
            }
        }
    }

    fn list(&mut self, layers: &Layers<'s>, part: &'s Value, raw: Raw<'_>) {
        let Some(items) = raw.items() else {
            self.expected(&layers.wanted(), raw);
            self.clean.extend_from_slice(raw.bytes());
            return;
        };
        self.clean.push(b'[');
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.clean.push(b',');
            }
            self.within(&format!("[{index}]"), |walk| walk.value(part, item));
        }
        self.clean.push(b']');
    }

    /// Checks a number, a text, an enumeration, or a boolean.
    fn plain(&mut self, layers: &Layers<'s>, raw: Raw<'_>) {
        let words = layers.words();
        if !words.is_empty() {
            if !raw.read::<String>().is_some_and(|word| words.contains(&word.as_str())) {
                self.expected(&layers.wanted(), raw);
            }
        } else if layers.allows("string")
            && let Some(text) = raw.read::<String>()
        {
            if let Some(bad) = layers.names.iter().find_map(|name| bad_text(name, &text)) {
                self.wrong(Some(bad.what), &format!("{}, got {}", bad.problem, raw.shown()));
            }
        } else if layers.allows("integer") {
            let digits = raw.bytes().strip_prefix(b"-").unwrap_or(raw.bytes());
            let (least, most) = layers.range();
            if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
                self.expected(&layers.wanted(), raw);
            } else if !raw.read::<i128>().is_some_and(|number| (least..=most).contains(&number)) {
                self.expected(&format!("{least} to {most}"), raw);
            }
        } else if layers.allows("boolean") {
            if raw.read::<bool>().is_none() {
                self.expected(&layers.wanted(), raw);
            }
        } else {
            self.expected(&layers.wanted(), raw);
        }
    }

    fn expected(&mut self, wanted: &str, raw: Raw<'_>) {
        self.wrong(None, &format!("expected {wanted}, got {}", raw.shown()));
    }

    /// Records a fault at the current path, unless there is one already.
    fn wrong(&mut self, wanted: Option<&'static str>, problem: &str) {
        if self.fault.is_some() {
            return;
        }
        let told = match self.path.as_str() {
            "" => format!("The message: {problem}."),
            path if problem.starts_with("is ") || problem.starts_with("stands ") => format!("`{path}` {problem}."),
            path => format!("`{path}`: {problem}."),
        };
        self.fault = Some(Fault { wanted, told });
    }

    /// Notes that the schema has nothing here.
    fn not_known(&mut self) {
        if self.unknown.is_none() {
            self.unknown = Some(self.path.clone());
        }
    }

    fn within(&mut self, step: &str, look: impl FnOnce(&mut Self)) {
        let before = self.path.len();
        self.path.push_str(if before == 0 { step.trim_start_matches('.') } else { step });
        look(self);
        self.path.truncate(before);
    }
}

/// The problem of a text that should be one of [`crate::ids`].
pub(super) fn bad_text(name: &str, text: &str) -> Option<BadText> {
    match name {
        "ShowCode" => ShowCode::parse(text).err(),
        "ShowId" => text.parse::<ShowId>().err(),
        "CommandId" => CommandId::parse(text).err(),
        "Name" => Name::parse(text).err(),
        "GameName" => GameName::parse(text).err(),
        "ClaimValue" => ClaimText::parse(text).err(),
        _ => None,
    }
}
