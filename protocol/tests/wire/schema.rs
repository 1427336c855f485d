//! The JSON Schema of every message, kept in `docs/schema/`.

use std::sync::LazyLock;

use klaxon_protocol::codec::{Codec, Message};
use klaxon_protocol::games::bingo::BingoProof;
use klaxon_protocol::games::rundown;
use klaxon_protocol::host::{FromHost, ToHost};
use klaxon_protocol::player::{FromPlayer, ToPlayer};
use schemars::JsonSchema;
use schemars::generate::SchemaSettings;
use schemars::transform::{RecursiveTransform, transform_subschemas};
use serde_json::{Value, json};

use crate::examples;
use crate::kept::{self, SCHEMA};
use crate::validate::problems;

/// The schemas of the four speakers.
pub struct Schemas {
    pub from_player: Value,
    pub to_player: Value,
    pub from_host: Value,
    pub to_host: Value,
}

pub static SCHEMAS: LazyLock<Schemas> = LazyLock::new(|| Schemas {
    from_player: said::<FromPlayer>(),
    to_player: heard::<ToPlayer>(),
    from_host: said::<FromHost>(),
    to_host: heard::<ToHost>(),
});

/// What the server reads: a null is as good as nothing, wherever there may be nothing.
fn said<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(with_null));
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

/// Lets each field be null that may be left out.
fn with_null(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    let required = object.get("required").cloned().unwrap_or(json!([]));
    let Some(Value::Object(fields)) = object.get_mut("properties") else { return };
    for (name, field) in fields {
        let Some(field) = field.as_object_mut() else { continue };
        if required.as_array().is_some_and(|required| required.iter().any(|known| known == name)) {
            continue;
        }
        if let Some(kind) = field.get("type").cloned().filter(Value::is_string) {
            field.insert("type".into(), json!([kind, "null"]));
        }
        if let Some(reference) = field.remove("$ref") {
            let mut part = json!({ "$ref": reference });
            for limit in ["minimum", "maximum"] {
                if let Some(rule) = field.remove(limit) {
                    part[limit] = rule;
                }
            }
            field.insert("anyOf".into(), json!([part, { "type": "null" }]));
        }
    }
}

/// What the server writes: never a null.
fn heard<T: JsonSchema>() -> Value {
    let settings = SchemaSettings::draft2020_12().for_serialize().with_transform(RecursiveTransform(without_null));
    settings.into_generator().into_root_schema_for::<T>().to_value()
}

fn without_null(schema: &mut schemars::Schema) {
    let Some(object) = schema.as_object_mut() else { return };
    if let Some(Value::Array(types)) = object.get_mut("type") {
        types.retain(|name| name != "null");
        if let [only] = &types[..] {
            object["type"] = only.clone();
        }
    }
    if let Some(Value::Array(choices)) = object.get_mut("anyOf") {
        choices.retain(|choice| *choice != json!({ "type": "null" }));
        if let [Value::Object(only)] = &choices[..] {
            let only = only.clone();
            object.remove("anyOf");
            object.extend(only);
        }
    }
}

fn check_kept(name: &str, schema: &Value) {
    kept::check(SCHEMA, &format!("docs/schema/{name}.json"), &format!("{schema:#}\n"));
}

#[test]
fn the_schemas_are_those_of_the_types() {
    check_kept("from_player", &SCHEMAS.from_player);
    check_kept("to_player", &SCHEMAS.to_player);
    check_kept("from_host", &SCHEMAS.from_host);
    check_kept("to_host", &SCHEMAS.to_host);
    check_kept("rundown", &said::<rundown::Setup>());
}

#[test]
fn the_schema_of_proof_files_is_that_of_the_type() {
    check_kept("bingo_proof", &schemars::schema_for!(BingoProof).to_value());
}

fn all_fit<T: serde::Serialize>(schema: &Value, messages: &[T]) {
    for message in messages {
        let message = serde_json::to_value(message).unwrap();
        assert_eq!(problems(schema, &message), Vec::<String>::new(), "{message}");
    }
}

#[test]
fn every_example_fits_its_schema() {
    all_fit(&SCHEMAS.from_player, &examples::from_player());
    all_fit(&SCHEMAS.to_player, &examples::to_player());
    all_fit(&SCHEMAS.from_host, &examples::from_host());
    all_fit(&SCHEMAS.to_host, &examples::to_host());
}

#[test]
fn an_example_without_one_of_its_fields_or_with_null_there_is_refused_by_schema_and_reader_alike() {
    fn check<T: serde::Serialize + Message>(schema: &Value, messages: &[T], nulls: bool) {
        for message in messages {
            let whole = serde_json::to_value(message).unwrap();
            for field in whole.as_object().unwrap().keys() {
                let mut less = whole.clone();
                less.as_object_mut().unwrap().remove(field);
                let mut null = whole.clone();
                null[field] = Value::Null;
                for less in [Some(less), nulls.then_some(null)].into_iter().flatten() {
                    let read = Codec::Json.decode::<T>(less.to_string().as_bytes(), &[]);
                    let fits = problems(schema, &less).is_empty();
                    assert_eq!(fits, read.is_ok(), "{field} in {less}: {:?}", read.err());
                }
            }
        }
    }
    check(&SCHEMAS.from_player, &examples::from_player(), true);
    check(&SCHEMAS.to_player, &examples::to_player(), false);
    check(&SCHEMAS.from_host, &examples::from_host(), true);
    check(&SCHEMAS.to_host, &examples::to_host(), false);
}

#[test]
fn schemas_and_readers_ignore_unknown_fields_and_refuse_wrong_ones() {
    let fits = |message: &Value| {
        let fits = problems(&SCHEMAS.from_player, message).is_empty();
        assert_eq!(fits, serde_json::from_value::<FromPlayer>(message.clone()).is_ok(), "{message}");
        fits
    };
    assert!(fits(&json!({ "type": "answer", "question": 1, "choice": 2, "mood": "sure" })));
    assert!(fits(&json!({ "type": "join", "show": "QUIZ42", "name": null })));
    assert!(!fits(&json!({ "type": "answer", "question": 1, "choice": -1 })));
    assert!(!fits(&json!({ "type": "answer", "question": 1, "choice": 256 })));
    assert!(!fits(&json!({ "type": "answer", "question": 1, "choice": "2" })));
    assert!(!fits(&json!({ "type": "join", "show": "Q" })));
    assert!(!fits(&json!({ "type": "join", "show": 42 })));
    assert!(!fits(&json!({ "type": "cheat" })));
    assert!(!fits(&json!({ "question": 1, "choice": 2 })));

    let fits = |message: &Value| {
        let fits = problems(&SCHEMAS.from_host, message).is_empty();
        assert_eq!(fits, serde_json::from_value::<FromHost>(message.clone()).is_ok(), "{message}");
        fits
    };
    assert!(fits(&json!({ "type": "watch", "show": "18446744073709551615" })));
    assert!(!fits(&json!({ "type": "watch", "show": 7 })), "a show's id is a string");
    assert!(fits(&json!({ "type": "command", "id": "a", "show": "7", "action": "end" })));
    assert!(!fits(&json!({ "type": "command", "id": "a", "show": "7", "action": "dance" })));
    assert!(!fits(&json!({ "type": "command", "id": "", "show": "7", "action": "end" })));
}

#[test]
fn every_field_of_every_message_is_described() {
    fn walk(schema: &mut schemars::Schema) {
        let fields = schema.get("properties").and_then(Value::as_object).cloned().unwrap_or_default();
        for (name, field) in fields {
            let told = field.get("description").is_some() || field.get("const").is_some();
            assert!(told, "{name} in {schema:?}");
        }
        transform_subschemas(&mut walk, schema);
    }
    for schema in [&SCHEMAS.from_player, &SCHEMAS.to_player, &SCHEMAS.from_host, &SCHEMAS.to_host] {
        walk(&mut schema.clone().try_into().unwrap());
    }
    for mut schema in [
        said::<rundown::Setup>(),
        said::<rundown::HostPlay>(),
        heard::<rundown::OfPart<rundown::Event>>(),
        heard::<rundown::Overview>(),
        heard::<rundown::Own>(),
    ] {
        walk((&mut schema).try_into().unwrap());
    }
}
