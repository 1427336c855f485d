//! Every field of every message that players and hosts send: null is left out where it may be, and a wrong value is told by the field's
//! name. The fields are those of the examples and of their schemas, so a new one is tested as soon as it is there.

use klaxon_protocol::codec::{Codec, Message};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{FROM_HOST_TYPES, FromHost};
use klaxon_protocol::player::{FROM_PLAYER_TYPES, FromPlayer};
use serde::Serialize;
use serde_json::{Value, json};

use crate::examples;
use crate::schema::SCHEMAS;
use crate::validate::problems;

/// A step into a message: a field's name or an item's number.
#[derive(Clone, Debug)]
enum Step {
    Field(String),
    Item(usize),
}

/// Every place in a message, with all fields that its schema knows set to something.
fn places(message: &Value, here: &[Step], found: &mut Vec<Vec<Step>>) {
    let mut go = |step: Step, inner: &Value| {
        let place = [here, &[step]].concat();
        found.push(place.clone());
        places(inner, &place, found);
    };
    match message {
        Value::Object(fields) => fields.iter().for_each(|(name, inner)| go(Step::Field(name.clone()), inner)),
        Value::Array(items) => items.iter().enumerate().for_each(|(index, inner)| go(Step::Item(index), inner)),
        _ => {}
    }
}

fn at<'m>(message: &'m mut Value, place: &[Step]) -> &'m mut Value {
    place.iter().fold(message, |inner, step| match step {
        Step::Field(name) => &mut inner[name],
        Step::Item(index) => &mut inner[index],
    })
}

/// The place as a refusal tells it.
fn told(place: &[Step]) -> String {
    let path: String = place
        .iter()
        .map(|step| match step {
            Step::Field(name) => format!(".{name}"),
            Step::Item(index) => format!("[{index}]"),
        })
        .collect();
    path.trim_start_matches('.').to_owned()
}

fn check<T: Serialize + Message + PartialEq + std::fmt::Debug>(schema: &Value, types: &[&str], messages: &[T]) {
    let read = |message: &Value| Codec::Json.decode::<T>(message.to_string().as_bytes(), types);
    let mut left_out = 0;
    for message in messages {
        let whole = serde_json::to_value(message).unwrap();
        let mut found = Vec::new();
        places(&whole, &[], &mut found);
        // Inside of a game's own part everything is the game's.
        let is_own = |step: &Step| matches!(step, Step::Field(name) if name == "body" || name == "setup");
        found.retain(|place| !place.iter().rev().skip(1).any(is_own));
        for place in found {
            let named = format!("`{}`", told(&place));
            let mut null = whole.clone();
            *at(&mut null, &place) = Value::Null;
            let mut without = whole.clone();
            let Some((last, parent)) = place.split_last() else { continue };
            if let Step::Field(name) = last {
                at(&mut without, parent).as_object_mut().unwrap().remove(name);
            }
            let is_item = matches!(last, Step::Item(_));
            match read(&null) {
                Ok(message) => {
                    left_out += 1;
                    assert!(!is_item, "an item is not left out: {null}");
                    assert_eq!(message, read(&without).unwrap(), "{null}");
                }
                Err(refusal) => {
                    assert!(is_item || read(&without).is_err(), "{null}: {refusal}");
                    assert!(refusal.detail.starts_with(&named), "{null}: {refusal}");
                }
            }
            assert_eq!(problems(schema, &null).is_empty(), read(&null).is_ok(), "schema and reader: {null}");
            for wrong in [json!(-1), json!(1.5), json!("\u{1f600}"), json!(true), json!([{}]), json!({ "a": [] })] {
                let mut bad = whole.clone();
                *at(&mut bad, &place) = wrong;
                if let Err(refusal) = read(&bad).as_ref()
                    && refusal.code != ErrorCode::UnknownType
                {
                    let words = format!("{bad}: {refusal}");
                    // Within what is wrong there may be something that is missing.
                    let inside = format!("`{}", told(&place));
                    assert!(refusal.detail.starts_with(&inside), "{words}");
                }
            }
        }
    }
    assert!(left_out > 5, "some fields can be left out");
}

#[test]
fn every_field_that_players_send_can_be_null_if_it_can_be_left_out_and_is_named_if_it_is_wrong() {
    check(&SCHEMAS.from_player, FROM_PLAYER_TYPES, &examples::from_player());
}

#[test]
fn every_field_that_hosts_send_can_be_null_if_it_can_be_left_out_and_is_named_if_it_is_wrong() {
    check(&SCHEMAS.from_host, FROM_HOST_TYPES, &examples::from_host());
}

fn player(json: &str) -> Result<FromPlayer, String> {
    Codec::Json.decode(json.as_bytes(), FROM_PLAYER_TYPES).map_err(|refusal| refusal.to_string())
}

fn host(json: &str) -> Result<FromHost, String> {
    Codec::Json.decode(json.as_bytes(), FROM_HOST_TYPES).map_err(|refusal| refusal.to_string())
}

#[test]
fn nulls_are_left_out_beside_whatever_else_there_is() {
    let plain = player(r#"{"type":"join","show":"QUIZ42"}"#).unwrap();
    for json in [
        r#"{"type":"join","show":"QUIZ42","name":null,"role":null,"token":null,"resume":null}"#,
        r#"{ "role" : null , "mood" : { "x" : [ null ] } , "show" : "QUIZ42" , "type" : "join" }"#,
        r#"{"type":"join","show":"quiz-42","role":null,"role2":null}"#,
    ] {
        assert_eq!(player(json).as_ref(), Ok(&plain), "{json}");
    }
    let pack = r#""pack":{"title":"t","questions":[{"text":"q","choices":["a","b"],"right":0}]}"#;
    let plain = host(&format!(r#"{{"type":"create","id":"c",{pack}}}"#)).unwrap();
    for settings in [
        "null",
        "{}",
        r#"{"mode":null,"lives":null,"open_for":null,"lead":null,"barrier":null,"shuffle":null,"pot":null,
            "currency":null,"prize":null,"nobody_left":null,"autopilot":null,"seats":null}"#,
        r#"{"autopilot":{"on":null,"lobby":null,"suspense":null,"pause":null}}"#,
    ] {
        let json = format!(r#"{{"type":"create","id":"c","code":null,{pack},"settings":{settings}}}"#);
        assert_eq!(host(&json).as_ref(), Ok(&plain), "{json}");
    }
    let command = |action: &str| host(&format!(r#"{{"type":"command","id":"c","show":"7",{action}}}"#));
    assert_eq!(command(r#""action":"end","pay":null"#), command(r#""action":"end""#));
    assert_eq!(command(r#""action":"remove","seat":1,"ban":null"#), command(r#""action":"remove","seat":1"#));
}

#[test]
fn a_refusal_says_which_field_what_is_allowed_and_what_was_sent() {
    let cases = [
        (r#"{"type":"answer","question":1,"choice":null}"#, "`choice`: expected a whole number, 0 to 255, got null."),
        (r#"{"type":"answer","question":1}"#, "`choice` is missing."),
        (r#"{"type":"answer","question":65536,"choice":0}"#, "`question`: expected 0 to 65535, got 65536."),
        (r#"{"type":"answer","question":1,"choice":"2"}"#, "`choice`: expected a whole number, 0 to 255, got \"2\"."),
        (r#"{"type":"answer","question":1,"choice":1,"choice":2}"#, "`choice` stands twice."),
        (
            r#"{"type":"join","show":"QUIZ42","role":"judge"}"#,
            "`role`: expected one of \"player\", \"spectator\", got \"judge\".",
        ),
        (r#"{"type":"join","show":42}"#, "`show`: expected a text, got 42."),
        (
            r#"{"type":"claim","round":1,"value":true}"#,
            "`value`: expected a whole number, 0 to 18446744073709551615, or a text, got true.",
        ),
        (r#"{"type":"claim","value":"red","round":-1}"#, "`round`: expected 0 to 65535, got -1."),
        (
            r#"{"type":"claim","round":1,"value":"a\u001bb"}"#,
            "`value`: must not hold control characters, such as U+001B, got \"a\\u001bb\".",
        ),
        (r#"{"type":null}"#, "`type`: expected one of"),
        (r#"{}"#, "`type` is missing."),
        (r#"[]"#, "The message: expected an object, got a list."),
    ];
    for (json, wanted) in cases {
        let refusal = player(json).unwrap_err();
        assert!(refusal.starts_with("bad_message: ") && refusal.contains(wanted), "{json}: {refusal}");
    }
    let pack = r#""pack":{"title":"t","questions":[{"text":"q","choices":["a","b"],"right":0}]}"#;
    for (settings, wanted) in [
        (r#"{"lives":-1}"#, "`settings.lives`: expected 0 to 99, got -1."),
        (r#"{"open_for":4294967296}"#, "`settings.open_for`: expected 500 to 600000, got 4294967296."),
        (
            r#"{"pot":18446744073709551616}"#,
            "`settings.pot`: expected 0 to 9007199254740991, got 18446744073709551616.",
        ),
        (r#"{"pot":1.0}"#, "`settings.pot`: expected a whole number, 0 to 9007199254740991, got 1.0."),
        (
            r#"{"autopilot":{"lobby":1e99}}"#,
            "`settings.autopilot.lobby`: expected a whole number, 0 to 3600000, got 1e99.",
        ),
        (r#"{"prize":{"rule":"podium","weights":[5,null]}}"#, "`settings.prize.weights[1]`: expected a whole number"),
        (r#"{"prize":{"rule":"podium"}}"#, "`settings.prize.weights` is missing."),
        (
            r#"{"prize":{"rule":"lottery"}}"#,
            "`settings.prize.rule`: expected one of \"split\", \"podium\", got \"lottery\".",
        ),
        (r#"[]"#, "`settings`: expected an object, got a list."),
    ] {
        let refusal = host(&format!(r#"{{"type":"create","id":"c",{pack},"settings":{settings}}}"#)).unwrap_err();
        assert!(refusal.contains(wanted), "{settings}: {refusal}");
    }
    let refusal = host(r#"{"type":"command","id":"c","show":"99999999999999999999","action":"next"}"#).unwrap_err();
    assert!(refusal.contains("`show`: must be a decimal number of 64 bits"), "{refusal}");
    let refusal =
        host(&format!(r#"{{"type":"command","id":"{}","show":"7","action":"next"}}"#, "ü".repeat(33))).unwrap_err();
    assert!(refusal.contains("`id`: must be 1 to 64 bytes long"), "{refusal}");
    let refusal = host(r#"{"type":"command","id":"c","show":"7","action":"give_lives","lives":300}"#).unwrap_err();
    assert!(refusal.contains("`lives`: expected 1 to 99, got 300."), "{refusal}");
}

#[test]
fn who_types_what_can_be_no_code_is_told_that_there_is_no_such_show() {
    let refusal = player(r#"{"type":"join","show":"Q"}"#).unwrap_err();
    assert!(refusal.starts_with("unknown_show: "), "{refusal}");
    assert!(refusal.contains("`show`: must be 4 to 12 letters and digits, got \"Q\"."), "{refusal}");
    let bincode = Codec::Bincode.decode::<FromPlayer>(b"\x00\x01Q\x00\x00\x00\x00", FROM_PLAYER_TYPES).unwrap_err();
    assert_eq!(bincode.code, ErrorCode::UnknownShow);
    assert_eq!(bincode.detail, "The show code must be 4 to 12 letters and digits.");
}
