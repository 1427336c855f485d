//! Everything in a file's content that does not match its schema, told at once.
//!
//! What does not match is taken out, or replaced by something that does, so that the rest can be read and checked for its meaning, too.

use serde_json::{Map, Value};

use super::fields::{Layers, bad_text, one_of, tag};

/// How far a name may be from a known one to be taken for a misspelling of it: 0 to 1, where 1 is equal.
const ALIKE: f64 = 0.6;
/// Longer names are no misspelling of a known one, in bytes.
const LONGEST_NAME: usize = 64;
/// How many characters of a text a message shows.
const SHOWN: usize = 40;
/// How many misfits are told; further ones are only counted, for a file can have half a million.
const MOST_MISFITS: usize = 1_000;

/// A value that does not match the schema.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    /// Where it is: `parts[0].questions[3].right`.
    pub path: String,
    /// Path and problem, as a line.
    pub told: String,
    /// Nothing that stands at this path now, or below it, is what was meant: what is wrong with that means nothing.
    pub replaced: String,
    /// The field that it is, and the one that may have been meant.
    pub fields: Vec<String>,
}

/// What did not match.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Misfits {
    /// In the order of the file: 1,000 at most.
    pub told: Vec<Misfit>,
    /// How many more there are.
    pub left_out: usize,
}

/// Reads a text where a length of time is expected, as milliseconds.
pub type ReadTime = fn(&str) -> Option<u32>;

/// Makes a value match a schema, and tells everything that did not. Lengths of time become milliseconds, nulls that may be left out are left
/// out.
pub fn mend(schema: &Value, value: &mut Value, read_time: ReadTime) -> Misfits {
    let mut mending = Mending { root: schema, path: String::new(), read_time, misfits: Misfits::default() };
    mending.value(schema, value);
    mending.misfits
}

struct Mending<'s> {
    root: &'s Value,
    path: String,
    read_time: ReadTime,
    misfits: Misfits,
}

impl<'s> Mending<'s> {
    /// Makes the value match; returns false if it must be taken out or replaced for that.
    fn value(&mut self, part: &'s Value, value: &mut Value) -> bool {
        let layers = Layers::of(self.root, part);
        match value {
            Value::Object(fields) if layers.is_object() => self.object(layers, fields),
            Value::Array(items) if !layers.is_object() && layers.get("items").is_some() => {
                if let Some(part) = layers.get("items") {
                    self.list(part, items);
                }
                true
            }
            _ if layers.is_object() || layers.get("items").is_some() => self.expected(&layers.wanted(), value),
            _ => self.plain(&layers, value),
        }
    }

    /// What is wrong in an item beyond repair takes the whole item along, for an item can't be left out.
    fn list(&mut self, part: &'s Value, items: &mut [Value]) {
        for (index, item) in items.iter_mut().enumerate() {
            self.within(&format!("[{index}]"), |mending| {
                let told = mending.misfits.told.len();
                if !mending.value(part, item) {
                    *item = least(mending.root, part);
                    mending.misfits.told[told..]
                        .iter_mut()
                        .for_each(|misfit| misfit.replaced.clone_from(&mending.path));
                }
            });
        }
    }

    fn object(&mut self, mut layers: Layers<'s>, fields: &mut Map<String, Value>) -> bool {
        if !self.choose(&mut layers, fields) {
            return false;
        }
        let known: Vec<&str> = layers.names_of_fields().collect();
        let mut meant = Vec::new();
        let mut fits = true;
        for name in fields.keys().cloned().collect::<Vec<_>>() {
            let is_required = layers.required().any(|required| required == name);
            let Some(part) = layers.field(&name) else {
                fields.remove(&name);
                let free = known.iter().copied().filter(|known| !fields.contains_key(*known));
                let nearest = nearest(&name, free);
                meant.extend(nearest);
                self.within(&format!(".{name}"), |mending| mending.not_known(nearest, &known));
                continue;
            };
            let Some(value) = fields.get_mut(&name) else { continue };
            let is_fine = (value.is_null() && !is_required)
                || self.within(&format!(".{name}"), |mending| mending.value(part, value));
            if value.is_null() || !is_fine {
                fields.remove(&name);
                fits &= is_fine || !is_required;
            }
        }
        for name in layers.required().filter(|name| !fields.contains_key(*name)) {
            let at = self.at(name);
            let was_told = meant.contains(&name) || self.misfits.told.iter().any(|misfit| misfit.path.starts_with(&at));
            if !was_told {
                self.within(&format!(".{name}"), |mending| mending.wrong("is missing", None));
            }
            fits = false;
        }
        if fits {
            return true;
        }
        // At the top there is nothing around it that could be left out.
        for name in layers.required() {
            if let Some(part) = layers.field(name).filter(|_| self.path.is_empty()) {
                fields.entry(name).or_insert_with(|| least(self.root, part));
            }
        }
        self.path.is_empty()
    }

    /// Adds the variants that the object's tags select.
    fn choose(&mut self, layers: &mut Layers<'s>, fields: &Map<String, Value>) -> bool {
        let mut chosen = 0;
        while let Some((name, variants)) = layers.tagged(chosen) {
            chosen += 1;
            let words: Vec<&str> = variants.iter().filter_map(tag).map(|(_, word)| word).collect();
            let found = fields.get(name).and_then(Value::as_str);
            if let Some(variant) = variants.iter().find(|variant| tag(variant).map(|(_, word)| word) == found) {
                layers.add(self.root, variant);
                continue;
            }
            self.within(&format!(".{name}"), |mending| match fields.get(name) {
                None => mending.wrong(&format!("is missing: {}", one_of(words)), None),
                Some(value) => _ = mending.expected_word(&words, value),
            });
            return false;
        }
        true
    }

    /// A number, a text, an enumeration, or a boolean.
    fn plain(&mut self, layers: &Layers<'s>, value: &mut Value) -> bool {
        let words = layers.words();
        if !words.is_empty() {
            return value.as_str().is_some_and(|word| words.contains(&word)) || self.expected_word(&words, value);
        }
        if let Some(allowed) = layers.get("enum").and_then(Value::as_array) {
            let wanted: Vec<String> = allowed.iter().map(Value::to_string).collect();
            return allowed.contains(value) || self.expected(&wanted.join(" or "), value);
        }
        if layers.names.contains(&"Span") {
            if let Some(time) = value.as_str().and_then(self.read_time) {
                *value = time.into();
            }
            let is_time = value.as_u64().is_some_and(|time| u32::try_from(time).is_ok());
            return is_time || self.expected("milliseconds, or a time such as \"10s\", \"1.5s\" or \"2min\"", value);
        }
        match value {
            Value::String(text) if layers.allows("string") => {
                match layers.names.iter().find_map(|name| bad_text(name, text)) {
                    None => true,
                    Some(bad) => {
                        let shown = shown(value);
                        self.wrong(&format!("{}, got {shown}", bad.problem), None);
                        false
                    }
                }
            }
            Value::Bool(_) if layers.allows("boolean") => true,
            Value::Number(number) if layers.allows("integer") => {
                let number = number.as_i64().map(i128::from).or(number.as_u64().map(i128::from));
                let (least, most) = layers.range_of_type();
                // Narrower limits are the setting's own, and told with it.
                number.is_some_and(|number| (least..=most).contains(&number)) || self.expected(&layers.wanted(), value)
            }
            _ => self.expected(&layers.wanted(), value),
        }
    }

    fn expected(&mut self, wanted: &str, value: &Value) -> bool {
        self.wrong(&format!("expected {wanted}, got {}", shown(value)), None);
        false
    }

    fn expected_word(&mut self, words: &[&str], value: &Value) -> bool {
        let nearest = value.as_str().and_then(|text| nearest(text, words.iter().copied()));
        let meant = nearest.map(|word| format!("; is \"{word}\" meant?")).unwrap_or_default();
        self.wrong(&format!("expected {}, got {}{meant}", one_of(words.iter().copied()), shown(value)), None);
        false
    }

    fn not_known(&mut self, nearest: Option<&str>, known: &[&str]) {
        let told = match nearest {
            Some(nearest) => format!("is not known here; is `{nearest}` meant?"),
            None => format!("is not known here; there is {}", known.join(", ")),
        };
        self.wrong(&told, nearest);
    }

    fn wrong(&mut self, problem: &str, meant: Option<&str>) {
        if self.misfits.told.len() == MOST_MISFITS {
            self.misfits.left_out += 1;
            return;
        }
        let path = self.path.clone();
        let told = match path.as_str() {
            "" => problem.to_owned(),
            path if problem.starts_with("is ") => format!("{path} {problem}"),
            path => format!("{path}: {problem}"),
        };
        let name = path.rsplit('.').next().and_then(|last| last.split('[').next());
        let fields = name.into_iter().chain(meant).map(str::to_owned).collect();
        self.misfits.told.push(Misfit { replaced: path.clone(), path, told, fields });
    }

    fn at(&self, name: &str) -> String {
        if self.path.is_empty() { name.to_owned() } else { format!("{}.{name}", self.path) }
    }

    fn within<R>(&mut self, step: &str, look: impl FnOnce(&mut Self) -> R) -> R {
        let before = self.path.len();
        self.path.push_str(if before == 0 { step.trim_start_matches('.') } else { step });
        let done = look(self);
        self.path.truncate(before);
        done
    }
}

/// The smallest value that matches a schema.
fn least(root: &Value, part: &Value) -> Value {
    let mut layers = Layers::of(root, part);
    let mut fields = Map::new();
    let mut chosen = 0;
    while let Some((name, variants)) = layers.tagged(chosen) {
        chosen += 1;
        let Some(first) = variants.first() else { continue };
        fields.insert(name.to_owned(), tag(first).map_or(Value::Null, |(_, word)| word.into()));
        layers.add(root, first);
    }
    if layers.is_object() {
        for name in layers.required() {
            if let Some(part) = layers.field(name) {
                fields.entry(name).or_insert_with(|| least(root, part));
            }
        }
        return Value::Object(fields);
    }
    if let Some(first) = layers.get("enum").and_then(|allowed| allowed.get(0)) {
        return first.clone();
    }
    match layers.words().first() {
        Some(&word) => word.into(),
        None if layers.get("items").is_some() => Value::Array(Vec::new()),
        None if layers.allows("integer") => 0.into(),
        None if layers.allows("boolean") => false.into(),
        None => "?".into(),
    }
}

/// The known word that is most like this one, if one is like it.
fn nearest<'w>(word: &str, known: impl Iterator<Item = &'w str>) -> Option<&'w str> {
    if word.len() > LONGEST_NAME {
        return None;
    }
    let alike = known.map(|known| (strsim::normalized_damerau_levenshtein(&word.to_lowercase(), known), known));
    alike.filter(|(alike, _)| *alike >= ALIKE).max_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, known)| known)
}

/// The value as a message quotes it.
fn shown(value: &Value) -> String {
    match value {
        Value::Object(_) => "a table".into(),
        Value::Array(_) => "a list".into(),
        other => {
            let text = other.to_string();
            match text.char_indices().nth(SHOWN) {
                Some((end, _)) => format!("{}…", &text[..end]),
                None => text,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn schema() -> Value {
        json!({
            "type": "object",
            "required": ["name", "items"],
            "properties": {
                "name": { "type": "string" },
                "wait": { "$ref": "#/$defs/Span" },
                "items": { "type": "array", "items": { "$ref": "#/$defs/Item" } },
            },
            "$defs": {
                "Span": { "type": "integer", "format": "uint32" },
                "Item": {
                    "type": "object",
                    "required": ["size"],
                    "properties": { "size": { "type": "integer", "format": "uint8" }, "note": { "type": ["string", "null"] } },
                    "oneOf": [
                        { "properties": { "kind": { "type": "string", "const": "ball" } }, "required": ["kind"] },
                        { "properties": { "kind": { "type": "string", "const": "line" }, "ends": { "type": "integer" } }, "required": ["kind", "ends"] },
                    ],
                },
            },
        })
    }

    fn mended(mut value: Value) -> (Value, Vec<(String, String)>) {
        let read_time =
            |text: &str| text.strip_suffix('s').and_then(|text| text.parse::<u32>().ok()).map(|time| time * 1000);
        let misfits = mend(&schema(), &mut value, read_time);
        assert_eq!(mend(&schema(), &mut value, read_time), Misfits::default(), "{value} matches now");
        (value, misfits.told.into_iter().map(|misfit| (misfit.told, misfit.replaced)).collect())
    }

    #[test]
    fn what_matches_stays_but_for_times_and_nulls() {
        let item = json!({ "kind": "line", "size": 1, "ends": 2 });
        let with_null = json!({ "kind": "line", "size": 1, "ends": 2, "note": null });
        let (value, told) = mended(json!({ "name": "n", "wait": "3s", "items": [with_null] }));
        assert_eq!((value, told), (json!({ "name": "n", "wait": 3000, "items": [item] }), vec![]));
    }

    #[test]
    fn what_can_be_left_out_is_left_out_and_an_item_without_what_it_needs_is_replaced() {
        let items = json!([{ "kind": "ball", "size": 1, "note": 5 }, { "kind": "lime", "size": 1 }, { "kind": "ball", "size": 256 }, 7]);
        let (value, told) = mended(json!({ "nmae": "n", "wait": "soon", "items": items }));
        let least = json!({ "kind": "ball", "size": 0 });
        assert_eq!(value, json!({ "name": "?", "items": [{ "kind": "ball", "size": 1 }, least, least, least] }));
        let (told, replaced): (Vec<String>, Vec<String>) = told.into_iter().unzip();
        let expected = [
            "items[0].note: expected a text, got 5",
            "items[1].kind: expected one of \"ball\", \"line\", got \"lime\"; is \"line\" meant?",
            "items[2].size: expected a whole number, 0 to 255, got 256",
            "items[3]: expected an object, got 7",
            "nmae is not known here; is `name` meant?",
            "wait: expected milliseconds, or a time such as \"10s\", \"1.5s\" or \"2min\", got \"soon\"",
        ];
        assert_eq!(told, expected);
        assert_eq!(replaced, ["items[0].note", "items[1]", "items[2]", "items[3]", "nmae", "wait"]);
    }

    #[test]
    fn a_flood_of_misfits_is_counted_and_not_kept() {
        let mut value = json!({ "name": "n", "items": vec![7; 5000] });
        let misfits = mend(&schema(), &mut value, |_| None);
        assert_eq!((misfits.told.len(), misfits.left_out), (MOST_MISFITS, 4000));
        let mut value = json!({ "name": "n", "items": [], "x".repeat(1_000_000): 1 });
        assert!(mend(&schema(), &mut value, |_| None).told[0].told.contains("is not known here; there is "));
    }
}
