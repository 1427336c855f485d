//! Which setups make a show.

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::journal::{BegunGame, RulesVersion};
use klaxon_protocol::player::Body;
use serde_json::{Value, json};

use super::super::RundownRules;
use super::play::{START, begun};
use crate::game::GameRules;

/// What is changed in a setup.
type Change = fn(&mut Value);

fn setup() -> Value {
    json!({ "parts": [{ "part": "break", "text": "Tea!" }] })
}

fn refusal(setup: Value) -> String {
    let refusal = RundownRules.begin(START, RulesVersion(1), &begun(setup, 9)).err().expect("it makes no show");
    assert_eq!(refusal.code, ErrorCode::BadSettings);
    refusal.detail
}

#[test]
fn all_that_is_wrong_with_a_setup_is_told_at_once() {
    let wrong = json!({
        "parts": [{ "part": "break", "text": "", "for": 9_000_000 }, { "part": "break", "text": "\u{202e}" }],
        "script": { "lobby": 3_600_001 },
        "currency": "euro",
    });
    let told = refusal(wrong);
    for problem in ["parts[0].text", "parts[0].for", "parts[1].text", "script.lobby", "currency"] {
        assert!(told.contains(problem), "{problem}: {told}");
    }
    assert!(refusal(json!({ "parts": [] })).contains("parts: 1 to 100, not 0"));
    let many: Vec<Value> = vec![json!({ "part": "break", "text": "Tea!" }); 101];
    assert!(refusal(json!({ "parts": many })).contains("parts: 1 to 100, not 101"));
    assert!(RundownRules.begin(START, RulesVersion(1), &begun(setup(), 9)).is_ok());
}

#[test]
fn what_is_not_known_in_a_setup_is_refused_by_its_name() {
    let changes: [(Change, &str); 7] = [
        (|setup| setup["colour"] = json!(1), "`colour` is not known"),
        (|setup| setup["parts"][0]["tune"] = json!(1), "`parts[0].tune` is not known"),
        (|setup| setup["parts"][0]["keep"] = json!({ "hats": true }), "`parts[0].keep.hats` is not known"),
        (|setup| setup["script"] = json!({ "speed": 2 }), "`script.speed` is not known"),
        (|setup| setup["parts"][0]["part"] = json!("chess"), "`parts[0].part`: expected"),
        (|setup| setup["lives"] = json!(-1), "`lives`: expected 0 to 99"),
        (|setup| _ = setup.as_object_mut().unwrap().remove("parts"), "`parts` is missing"),
    ];
    for (change, told) in changes {
        let mut setup = setup();
        change(&mut setup);
        let detail = refusal(setup);
        assert!(detail.contains(told), "{detail}");
    }
}

#[test]
fn a_journal_of_another_edition_is_not_played() {
    for edition in [RulesVersion(0), RulesVersion(2)] {
        let refusal = RundownRules.begin(START, edition, &begun(setup(), 9)).err().unwrap();
        assert_eq!(refusal.code, ErrorCode::Unavailable);
    }
    assert_eq!(RundownRules.newest(true), RulesVersion(1));
    assert_ne!(RundownRules.newest(false), RulesVersion(1), "there is no edition whose journals name players");
}

#[test]
fn no_host_knows_a_seed() {
    let seeded = |seed: Value| {
        let mut setup = setup();
        setup["parts"][0]["seed"] = seed;
        Body::of(&setup)
    };
    let seed = "ab".repeat(32);
    let refused = RundownRules.prepare(&seeded(json!(seed)), &mut || [1; 32]).unwrap_err();
    assert!(refused.detail.contains("parts[0].seed: the server draws it"));
    // A part that draws nothing gets none; one in a journal would be no show of ours.
    let plain = Body::of(&setup());
    assert_eq!(RundownRules.prepare(&plain, &mut || panic!("nothing is drawn")), Ok(plain.clone()));
    let show = BegunGame { setup: seeded(json!(seed)), ..begun(setup(), 9) };
    assert!(RundownRules.begin(START, RulesVersion(1), &show).is_err());
    // What the server added does not make it another show.
    assert_eq!(RundownRules.as_sent(&seeded(json!(seed))), plain);
}
