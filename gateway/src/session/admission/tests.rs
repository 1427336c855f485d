//! Names and tokens of joins.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::settings::TokenKey;

const NOW: Millis = Millis(1_800_000_000_000);
const SHOW: ShowId = ShowId(7);

fn resume_token(admission: &Admission, show: &str, player: &str, name: &str) -> String {
    let (code, player) = (ShowCode::parse(show).unwrap(), PlayerId::parse(player).unwrap());
    let name = Name::parse(name).unwrap();
    admission.resume_token(Holder { code: &code, show: SHOW, player: &player, name: &name, issue: 3 }, NOW)
}

fn join(show: &str) -> Join {
    Join { show: ShowCode::parse(show).unwrap(), name: None, ..klaxon_fixtures::join() }
}

fn code(result: Result<Admitted, Refusal>) -> ErrorCode {
    result.unwrap_err().code
}

fn guests() -> Admission {
    Admission::new(Auth::Guests, None, &[1; 32], Random::of_system())
}

const SHARED: [u8; 32] = *b"c0b9e6e1a36f7d2485fb1c7703d94e5a";

fn token_of(sub: &str, seconds_left: i64) -> String {
    let exp = i64::try_from(jsonwebtoken::get_current_timestamp()).unwrap() + seconds_left;
    token_with(serde_json::json!({ "sub": sub, "exp": exp, "name": "Ann" }))
}

fn token_with(claims: serde_json::Value) -> String {
    jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &EncodingKey::from_secret(&SHARED)).unwrap()
}

fn tokens(guests_too: bool) -> Admission {
    Admission::new(
        Auth::Jwt { key: TokenKey::hs256(&SHARED).unwrap(), guests_too },
        None,
        &[1; 32],
        Random::of_system(),
    )
}

#[test]
fn every_guest_is_somebody_else() {
    let admission = guests();
    let (one, two) = (admission.admit(join("QUIZ"), NOW).unwrap(), admission.admit(join("QUIZ"), NOW).unwrap());
    assert_ne!(one.player, two.player);
}

#[test]
fn a_name_that_cannot_be_shown_is_refused() {
    let bad = Join { name: Some("a\u{202e}b".into()), ..join("QUIZ") };
    assert_eq!(code(guests().admit(bad, NOW)), ErrorCode::BadName);
}

#[test]
fn a_resume_token_brings_back_the_same_player_under_their_name() {
    let admission = guests();
    let first = admission.admit(join("QUIZ"), NOW).unwrap();
    let token = resume_token(&admission, "QUIZ", first.player.as_str(), "Ann 2");
    let again = admission.admit(Join { resume: Some(token), ..join("quiz") }, NOW).unwrap();
    assert_eq!(again.player, first.player);
    assert_eq!(again.name, Some(Name::parse("Ann 2").unwrap()));
}

#[test]
fn a_resume_token_of_another_show_another_server_or_changed_is_refused() {
    let admission = guests();
    let token = resume_token(&admission, "QUIZ", "p", "Ann");
    let resume = |admission: &Admission, show: &str, token: &str| {
        code(admission.admit(Join { resume: Some(token.to_owned()), ..join(show) }, NOW))
    };
    assert_eq!(resume(&admission, "OTHER", &token), ErrorCode::BadToken);
    assert_eq!(
        resume(&Admission::new(Auth::Guests, None, &[2; 32], Random::of_system()), "QUIZ", &token),
        ErrorCode::BadToken
    );
    let mut changed = token.into_bytes();
    let middle = changed.len() / 2;
    changed[middle] = if changed[middle] == b'A' { b'B' } else { b'A' };
    assert_eq!(resume(&admission, "QUIZ", std::str::from_utf8(&changed).unwrap()), ErrorCode::BadToken);
    assert_eq!(resume(&admission, "QUIZ", "x.y.z"), ErrorCode::BadToken);
}

#[test]
fn where_tokens_are_wanted_their_sub_is_the_player() {
    let admitted = tokens(false).admit(Join { token: Some(token_of("p-1", 600)), ..join("QUIZ") }, NOW).unwrap();
    assert_eq!(admitted.player.as_str(), "p-1");
    assert_eq!(admitted.name, Some(Name::parse("Ann").unwrap()));
    assert_eq!(code(tokens(false).admit(join("QUIZ"), NOW)), ErrorCode::TokenRequired);
    assert!(tokens(true).admit(join("QUIZ"), NOW).is_ok());
}

#[test]
fn the_name_in_a_token_is_a_proposal_for_which_no_join_is_refused() {
    let exp = jsonwebtoken::get_current_timestamp() + 600;
    let known_as = |name: serde_json::Value| {
        let token = token_with(serde_json::json!({ "sub": "p-1", "exp": exp, "name": name }));
        let admitted = tokens(false).admit(Join { token: Some(token), ..join("QUIZ") }, NOW).unwrap();
        admitted.name.map(String::from)
    };
    assert_eq!(known_as("  Jose\u{301} ".into()).as_deref(), Some("José"));
    let long = "Wolfeschlegelsteinhausenbergerdorff Hubert";
    assert_eq!(known_as(long.into()).as_deref(), Some("Wolfeschlegelsteinhausen"));
    let deep = (0..200).fold(serde_json::json!([]), |inner, _| serde_json::json!([inner]));
    for odd in [
        serde_json::json!(7),
        serde_json::json!(1e300),
        serde_json::json!(null),
        serde_json::json!(true),
        serde_json::json!(["Ann"]),
        serde_json::json!({ "first": "Ann" }),
        deep,
        "".into(),
        "\u{ad}".into(),
        "a\u{202e}b".into(),
        "Host".into(),
    ] {
        assert_eq!(known_as(odd.clone()), None, "{odd}");
    }
}

#[test]
fn a_name_that_a_player_types_is_not_cut() {
    let with = |name: &str| guests().admit(Join { name: Some(name.into()), ..join("QUIZ") }, NOW);
    for bad in ["Wolfeschlegelsteinhausenbergerdorff", "\u{ad}", "Host", "SERVER: you won", "a\u{61c}b"] {
        let refusal = with(bad).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::BadName, "{bad:?}");
        assert!(refusal.detail.len() > 10, "{refusal}");
    }
    assert_eq!(with("می\u{200c}خواهم").unwrap().name, Some(Name::parse("می\u{200c}خواهم").unwrap()));
}

#[test]
fn words_that_an_operator_reserves_are_no_names() {
    let reserved = Reserved::further("Gastgeber,होस्ट").unwrap();
    let auth = Auth::Jwt { key: TokenKey::hs256(&SHARED).unwrap(), guests_too: true };
    let admission = Admission::new(auth, Some(reserved), &[1; 32], Random::of_system());
    let with = |name: &str| admission.admit(Join { name: Some(name.into()), ..join("QUIZ") }, NOW);
    for bad in ["Gastgeber", "GASTGEBER: gewonnen!", "होस्ट 2", "Host"] {
        let refusal = with(bad).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::BadName, "{bad:?}");
        assert!(refusal.detail.contains("taken for the host"), "{refusal}");
    }
    assert!(with("Ann Gastgeber").is_ok());
    let exp = jsonwebtoken::get_current_timestamp() + 600;
    let token = token_with(serde_json::json!({ "sub": "p-1", "exp": exp, "name": "Gastgeber" }));
    assert_eq!(admission.admit(Join { token: Some(token), ..join("QUIZ") }, NOW).unwrap().name, None);
}

/// The key pair of RFC 8410's examples.
const PRIVATE: &[u8] = b"-----BEGIN PRIVATE KEY-----\n\
    MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC\n\
    -----END PRIVATE KEY-----\n";
const PUBLIC: &[u8] = b"-----BEGIN PUBLIC KEY-----\n\
    MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n\
    -----END PUBLIC KEY-----\n";

#[test]
fn a_public_key_lets_in_whom_its_private_key_signed_and_is_no_secret() {
    let admission = Admission::new(
        Auth::Jwt { key: TokenKey::ed25519_pem(PUBLIC).unwrap(), guests_too: false },
        None,
        &[1; 32],
        Random::of_system(),
    );
    let claims = serde_json::json!({ "sub": "p-1", "exp": jsonwebtoken::get_current_timestamp() + 60 });
    let signed = |algorithm, key: &EncodingKey| {
        let token = jsonwebtoken::encode(&Header::new(algorithm), &claims, key).unwrap();
        Join { token: Some(token), ..join("QUIZ") }
    };
    let right = signed(Algorithm::EdDSA, &EncodingKey::from_ed_pem(PRIVATE).unwrap());
    assert_eq!(admission.admit(right, NOW).unwrap().player.as_str(), "p-1");
    // Everybody knows the public key, and must not be able to sign with it.
    let tricked = signed(Algorithm::HS256, &EncodingKey::from_secret(PUBLIC));
    assert_eq!(code(admission.admit(tricked, NOW)), ErrorCode::BadToken);
}

/// RFC 7515, 4.1.11: what a header names there must be understood, and must be there; an empty list is never sent.
#[test]
fn a_token_whose_header_has_something_critical_is_refused() {
    let exp = jsonwebtoken::get_current_timestamp() + 600;
    let claims = URL_SAFE_NO_PAD.encode(format!(r#"{{"sub":"p-1","exp":{exp}}}"#));
    let signed = |header: &str| {
        let message = format!("{}.{claims}", URL_SAFE_NO_PAD.encode(header));
        let key = EncodingKey::from_secret(&SHARED);
        let signature = jsonwebtoken::crypto::sign(message.as_bytes(), &key, Algorithm::HS256).unwrap();
        tokens(false).admit(Join { token: Some(format!("{message}.{signature}")), ..join("QUIZ") }, NOW)
    };
    assert!(signed(r#"{"alg":"HS256"}"#).is_ok() && signed(r#"{"alg":"HS256","critical":["x"]}"#).is_ok());
    for header in [
        r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
        r#"{"alg":"HS256","crit":["b64"],"b64":true}"#,
        r#"{"alg":"HS256","crit":["urn:example:soul"],"urn:example:soul":1}"#,
        r#"{"alg":"HS256","crit":["not there"]}"#,
        r#"{"alg":"HS256","crit":["alg"]}"#,
        r#"{"alg":"HS256","crit":["exp","exp"],"exp":1}"#,
        r#"{"alg":"HS256","crit":[]}"#,
        r#"{"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","crit":"b64"}"#,
        r#"{"alg":"HS256","crit":[1]}"#,
        r#"{"crit":["x"],"alg":"HS256","crit":null}"#,
        r#"{"alg":"HS256","\u0063rit":["x"]}"#,
    ] {
        let refusal = signed(header).unwrap_err();
        assert_eq!(refusal.code, ErrorCode::BadToken, "{header}");
    }
}

#[test]
fn expired_foreign_and_needless_tokens_are_refused() {
    let with = |token: String| Join { token: Some(token), ..join("QUIZ") };
    assert_eq!(code(tokens(true).admit(with(token_of("p", -600)), NOW)), ErrorCode::BadToken);
    assert_eq!(code(tokens(true).admit(with("e30.e30.e30".into()), NOW)), ErrorCode::BadToken);
    assert_eq!(code(guests().admit(with(token_of("p", 600)), NOW)), ErrorCode::BadToken);
}

#[test]
fn a_resume_token_is_no_players_token_even_if_the_keys_are_the_same() {
    let admission = Admission::new(
        Auth::Jwt { key: TokenKey::hs256(&SHARED).unwrap(), guests_too: false },
        None,
        &SHARED,
        Random::of_system(),
    );
    let token = resume_token(&admission, "QUIZ", "p", "Ann");
    assert_eq!(code(admission.admit(Join { token: Some(token), ..join("QUIZ") }, NOW)), ErrorCode::BadToken);
    assert_eq!(
        code(admission.admit(Join { resume: Some(token_of("p", 600)), ..join("QUIZ") }, NOW)),
        ErrorCode::BadToken
    );
}

#[test]
fn anothers_resume_beside_ones_own_token_is_refused() {
    let admission = tokens(false);
    let resume = resume_token(&admission, "QUIZ", "victim", "Ann");
    let join = Join { token: Some(token_of("thief", 600)), resume: Some(resume), ..join("QUIZ") };
    assert_eq!(code(admission.admit(join, NOW)), ErrorCode::BadToken);
}

#[test]
fn a_resume_token_names_its_show_and_lasts_a_day() {
    let resume = |admission: &Admission, player: &str, later: u64| {
        let token = resume_token(admission, "QUIZ", player, "Ann");
        admission.admit(Join { resume: Some(token), ..join("QUIZ") }, Millis(NOW.0 + later))
    };
    let day = RESUME_SECONDS * 1000;
    let proof = |may_sit| Proof::Resume { show: SHOW, issue: 3, may_sit };
    assert_eq!(resume(&guests(), "guest-1", day - 1000).unwrap().proof, proof(true));
    // Only a guest where guests are taken may become a new player without a JWT.
    assert_eq!(resume(&tokens(false), "guest-1", 0).unwrap().proof, proof(false));
    assert_eq!(resume(&tokens(true), "p-1", 0).unwrap().proof, proof(false));
    for later in [day, day + 1, 365 * day] {
        assert_eq!(code(resume(&guests(), "guest-1", later)), ErrorCode::BadToken);
    }
}

#[test]
fn a_resume_token_without_a_show_an_issue_or_an_end_is_refused() {
    let admission = guests();
    let whole = serde_json::json!({
        "aud": RESUME_AUDIENCE, "sub": "guest-1", "show": "QUIZ", "name": "Ann",
        "id": "7", "issue": 0, "exp": NOW.0 / 1000 + 60,
    });
    let admit = |claims: &serde_json::Value| {
        let token = jsonwebtoken::encode(&Header::new(Algorithm::HS256), claims, &admission.sign).unwrap();
        admission.admit(Join { resume: Some(token), ..join("QUIZ") }, NOW)
    };
    assert!(admit(&whole).is_ok());
    for left_out in ["aud", "sub", "show", "name", "id", "issue", "exp"] {
        let mut claims = whole.clone();
        claims.as_object_mut().unwrap().remove(left_out);
        assert_eq!(code(admit(&claims)), ErrorCode::BadToken, "without {left_out}");
    }
}

#[test]
fn only_an_operators_token_reclaims_a_seat() {
    let show = ShowCode::parse("QUIZ").unwrap();
    let admission = tokens(true);
    let admitted = admission.reclaim(Reclaim { show: show.clone(), token: token_of("p-1", 600) }).unwrap();
    assert_eq!((admitted.player.as_str(), admitted.role), ("p-1", Role::Player));
    assert_eq!(admitted.proof, Proof::Token { resumes: None, revoke: true });
    for token in [resume_token(&admission, "QUIZ", "p-1", "Ann"), token_of("p-1", -600), "x.y.z".to_owned()] {
        assert_eq!(code(admission.reclaim(Reclaim { show: show.clone(), token })), ErrorCode::BadToken);
    }
    assert_eq!(code(guests().reclaim(Reclaim { show, token: token_of("p-1", 600) })), ErrorCode::BadToken);
}
