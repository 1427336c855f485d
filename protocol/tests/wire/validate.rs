//! As much of JSON Schema as our schemas use. It panics at a keyword that it does not know, so nothing goes unchecked.

use serde_json::{Map, Value};

/// What is wrong with `value`, by `schema`.
pub fn problems(schema: &Value, value: &Value) -> Vec<String> {
    let mut problems = Vec::new();
    check(schema, schema, value, "", &mut problems);
    problems
}

/// The part of the schema that a `$ref` names.
pub fn resolve<'a>(root: &'a Value, reference: &str) -> &'a Value {
    root.pointer(reference.trim_start_matches('#')).unwrap_or_else(|| panic!("{reference} leads nowhere"))
}

fn is_of_type(value: &Value, name: &str) -> bool {
    match name {
        "null" => value.is_null(),
        "boolean" => value.is_boolean(),
        "integer" => value.is_i64() || value.is_u64(),
        "string" => value.is_string(),
        "array" => value.is_array(),
        "object" => value.is_object(),
        other => panic!("unknown type {other}"),
    }
}

fn fitting(root: &Value, schemas: &Value, value: &Value) -> usize {
    let fits = |schema: &&Value| {
        let mut problems = Vec::new();
        check(root, schema, value, "", &mut problems);
        problems.is_empty()
    };
    schemas.as_array().unwrap().iter().filter(fits).count()
}

fn check(root: &Value, schema: &Value, value: &Value, at: &str, problems: &mut Vec<String>) {
    if *schema == Value::Bool(true) {
        return;
    }
    let empty = Map::new();
    let object = value.as_object().unwrap_or(&empty);
    let number = value.as_i64().map(i128::from).or(value.as_u64().map(i128::from));
    let length = value.as_str().map(|text| text.chars().count() as u64);
    let limit = |rule: &Value| rule.as_i64().map(i128::from).or(rule.as_u64().map(i128::from)).unwrap();
    for (keyword, rule) in schema.as_object().unwrap() {
        let fine = match keyword.as_str() {
            "$schema" | "$defs" | "title" | "description" | "default" | "format" => true,
            "$ref" => {
                check(root, resolve(root, rule.as_str().unwrap()), value, at, problems);
                true
            }
            "type" => match rule {
                Value::Array(names) => names.iter().any(|name| is_of_type(value, name.as_str().unwrap())),
                name => is_of_type(value, name.as_str().unwrap()),
            },
            "const" => value == rule,
            "enum" => rule.as_array().unwrap().contains(value),
            "oneOf" => fitting(root, rule, value) == 1,
            "anyOf" => fitting(root, rule, value) > 0,
            "minimum" => number.is_none_or(|number| number >= limit(rule)),
            "maximum" => number.is_none_or(|number| number <= limit(rule)),
            "minLength" => length.is_none_or(|length| length >= rule.as_u64().unwrap()),
            "maxLength" => length.is_none_or(|length| length <= rule.as_u64().unwrap()),
            "pattern" => value.as_str().is_none_or(|text| matches_pattern(rule.as_str().unwrap(), text)),
            "required" => rule.as_array().unwrap().iter().all(|name| object.contains_key(name.as_str().unwrap())),
            "properties" => {
                for (name, schema) in rule.as_object().unwrap() {
                    if let Some(value) = object.get(name) {
                        check(root, schema, value, &format!("{at}/{name}"), problems);
                    }
                }
                true
            }
            "items" => {
                for (index, value) in value.as_array().into_iter().flatten().enumerate() {
                    check(root, rule, value, &format!("{at}/{index}"), problems);
                }
                true
            }
            other => panic!("keyword {other} of {schema} is not known to this test"),
        };
        if !fine {
            problems.push(format!("{at}: {value} is not {keyword} {rule}"));
        }
    }
}

/// The patterns that our schemas have: one class of ASCII characters, so many times.
fn matches_pattern(pattern: &str, text: &str) -> bool {
    match pattern {
        "^[A-Za-z0-9]{4,12}$" => (4..=12).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric()),
        "^[A-Za-z0-9_]{1,24}$" => {
            (1..=24).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
        }
        "^[0-9]{1,20}$" => (1..=20).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit()),
        other => panic!("pattern {other} is not known to this test"),
    }
}
