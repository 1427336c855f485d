//! A server that plays by other settings than those of its show: the same as a show whose setup is another than what was played.

use klaxon_protocol::journal::Command;
use serde_json::Value;

use crate::recorded::Recorded;

/// Settings by their paths, each with another value than the show has.
pub const OTHERS: &[(&str, &str)] = &[
    ("/parts/0/points", "990"),
    ("/parts/0/speed", "0"),
    ("/parts/0/streak", "0"),
    ("/parts/0/penalty", "0"),
    ("/parts/0/below_zero", "true"),
    ("/parts/0/orders", "2"),
    ("/parts/0/shuffle", "false"),
    ("/parts/0/leaderboard", "false"),
    ("/parts/0/questions/0/open_for", "600"),
    ("/parts/0/questions/1/right", "1"),
    ("/parts/0/questions/1/category", "\"Art\""),
    ("/parts/0/questions/1/explanation", "\"So it is.\""),
    ("/parts/0/questions/2/times", "3"),
    ("/parts/0/questions/2/right", "[0,2]"),
    ("/parts/0/questions/3/by", "\"all\""),
    ("/parts/0/questions/3/weights", "[2,0,3,0,2,0]"),
    ("/parts/0/questions/4/score/off", "0"),
    ("/parts/0/questions/4/least", "1"),
    ("/parts/0/questions/5/score/zero", "19000"),
    ("/parts/0/questions/6/score/places", "[500,301,300,100]"),
    ("/parts/0/questions/6/score/places", "[500,300,300]"),
    ("/parts/0/questions/8/by", "\"all\""),
    ("/parts/0/questions/9/spellings", "[\"Brasilia\"]"),
    ("/parts/0/questions/12/players", "1"),
    ("/parts/0/questions/12/each", "2"),
    ("/parts/0/questions/13/places", "[900,600,301]"),
    ("/parts/0/questions/13/right", "[1]"),
    ("/parts/0/questions/15/points", "500"),
    ("/parts/0/questions/20/most", "1600"),
    ("/parts/0/questions/22/stake", "\"points\""),
    ("/parts/1/text", "\"Tea!\""),
    ("/parts/1/for", "1001"),
    ("/parts/2/mode", "\"points\""),
    ("/parts/2/survival/least", "600"),
    ("/parts/2/keep/points", "true"),
    ("/parts/3/keep/lives", "true"),
    ("/parts/3/keep/out", "true"),
    ("/lives", "2"),
    ("/lead", "60"),
    ("/currency", "\"USD\""),
];

/// Changes a setting of the show at the beginning of its journal.
pub fn change(show: &mut Recorded, path: &str, value: &str) {
    let Command::BeginGame { show: begun, .. } = &mut show.records[0].command else { panic!("no game begins") };
    let mut setup = Value::Object(begun.setup.0.clone());
    let (object, name) = path.rsplit_once('/').unwrap();
    setup.pointer_mut(object).unwrap()[name] = serde_json::from_str(value).unwrap();
    let Value::Object(setup) = setup else { panic!("it is an object") };
    begun.setup.0 = setup;
}
