//! What an operator can get wrong is refused, with what is wrong.

use std::net::TcpListener;

use klaxon_protocol::journal::MAGIC;

use crate::server::{Server, get, klaxon};

/// Runs the program, which must fail; its exit code and what it says.
#[track_caller]
fn refused(words: &[&str]) -> (Option<i32>, String) {
    let output = klaxon(words).output().unwrap();
    assert!(!output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_second_server_with_the_same_data_is_refused_and_the_first_goes_on() {
    let dir = tempfile::tempdir().unwrap();
    let server = Server::start(&dir.path().join("data"));
    let data = server.data.to_str().unwrap();
    let words = ["serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", data];
    let (code, message) = refused(&words);
    assert_eq!(code, Some(1), "{message}");
    assert!(message.contains(&format!("error: the journal {data}/journal is in use by another process")), "{message}");
    assert!(get(server.addresses.players, "/readyz", "").starts_with("HTTP/1.1 200 "));
    assert!(server.data.join("addresses.json").exists());
    server.stop();
}

#[test]
fn a_port_that_is_taken_is_named_with_its_option() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    for (key, other) in [("listen", "admin-listen"), ("admin-listen", "listen")] {
        let (key_flag, other_flag) = (format!("--{key}={address}"), format!("--{other}=127.0.0.1:0"));
        let (code, message) = refused(&["serve", &key_flag, &other_flag, "--data-dir", data.to_str().unwrap()]);
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains(&format!("error: {key}: \"{address}\" (from the flag --{key})")), "{message}");
    }
}

#[test]
fn a_wrong_value_is_named_with_its_option() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let file = dir.path().join("file");
    std::fs::write(&file, "").unwrap();
    let inside_a_file = file.join("data");
    for (words, key) in [
        (["--heartbeat", "soon", "--data-dir", data.to_str().unwrap()], "heartbeat"),
        (["--sync", "sometimes", "--data-dir", data.to_str().unwrap()], "sync"),
        (["--shards", "1", "--data-dir", inside_a_file.to_str().unwrap()], "data-dir"),
    ] {
        let listen = ["serve", "--listen=127.0.0.1:0", "--admin-listen=127.0.0.1:0"];
        let (code, message) = refused(&[&listen[..], &words[..]].concat());
        assert_eq!(code, Some(2), "{message}");
        assert!(message.contains(&format!("error: {key}: ")), "{message}");
    }
}

#[test]
fn a_damaged_journal_sets_its_show_aside_and_keeps_no_other_down() {
    let dir = tempfile::tempdir().unwrap();
    let data = dir.path().join("data");
    let server = Server::start(&data);
    server.host_of_new_show("DAMAGE");
    let journal = server.journal();
    server.stop();
    let mut bytes = std::fs::read(&journal).unwrap();
    // In the head of the first record, which has others behind it.
    bytes[MAGIC.len()] ^= 1;
    std::fs::write(&journal, &bytes).unwrap();

    let server = Server::start(&data);
    assert!(server.metrics().contains("klaxon_shows_set_aside 1\n"), "{}", server.metrics());
    server.host_of_new_show("OTHER");
    server.stop();
    assert_eq!(std::fs::read(&journal).unwrap(), bytes, "what is damaged is left as it is");

    std::fs::rename(&journal, dir.path().join("aside.klxj")).unwrap();
    let server = Server::start(&data);
    assert!(server.metrics().contains("klaxon_shows_set_aside 0\n"), "{}", server.metrics());
    server.stop();
}

#[test]
fn a_pack_is_checked_and_the_bundled_one_is_fine() {
    let output = klaxon(&["pack", "check", "bundled"]).output().unwrap();
    assert!(output.status.success());
    let message = String::from_utf8(output.stdout).unwrap();
    assert!(message.ends_with(" questions, ready to be played\n"), "{message}");

    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("bad.toml");
    std::fs::write(&file, "title = \"Bad\"\n[[questions]]\ntext = \"?\"\nchoices = [\"a\", \"b\"]\nright = \"c\"\n")
        .unwrap();
    let (code, message) = refused(&["pack", "check", file.to_str().unwrap()]);
    assert_eq!(code, Some(1));
    assert!(message.contains("bad.toml:5: question 1: `right` is \"c\""), "{message}");
}

#[test]
fn an_import_takes_the_texts_names_what_it_drops_and_skips_what_is_bad_with_skip_bad() {
    let dir = tempfile::tempdir().unwrap();
    let sheet = dir.path().join("quiz.csv");
    let rows = "1,Which?,a,b,2,http://x\n2,What?,a,b,9,\n3,Who?,a,b,A,\n";
    std::fs::write(
        &sheet,
        format!("Template,,,,,\nQuestion #,\"Question\nText\",Answer 1,Answer 2,Correct,Picture\n{rows}"),
    )
    .unwrap();
    let to = dir.path().join("pack.toml");
    let words = ["pack", "import", sheet.to_str().unwrap(), "--to", to.to_str().unwrap()];
    let (code, message) = refused(&words);
    assert_eq!(code, Some(1));
    assert!(message.contains("quiz.csv:5: question 2: the correct answer is number 9") && !to.exists(), "{message}");

    let output = klaxon(&[&words[..], &["--skip-bad"]].concat()).output().unwrap();
    assert!(output.status.success());
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(message.contains("quiz.csv:5: question 2: the correct answer is number 9"), "{message}");
    assert!(message.contains("column \"Picture\" (F) is not imported"), "{message}");
    assert!(String::from_utf8(output.stdout).unwrap().starts_with("\"quiz\": 2 questions, written to "));
    let pack = std::fs::read_to_string(&to).unwrap();
    assert!(
        pack.contains("text = \"Which?\"") && pack.contains("text = \"Who?\"") && !pack.contains("What?"),
        "{pack}"
    );
}

#[test]
fn a_pack_with_several_right_answers_is_for_a_quiz_and_no_trivia() {
    let dir = tempfile::tempdir().unwrap();
    let sheet = dir.path().join("quiz.csv");
    std::fs::write(&sheet, "Question,Answer 1,Answer 2,Answer 3,Correct\nWhich?,a,b,c,\"1,3\"\nWhat?,a,b,,B\n")
        .unwrap();
    let sheet = sheet.to_str().unwrap();
    let output = klaxon(&["pack", "check", sheet]).output().unwrap();
    assert!(output.status.success());
    let message = String::from_utf8(output.stdout).unwrap();
    assert_eq!(message, "\"quiz\" (1 choice, 1 choices): 2 questions, ready to be played in a quiz\n");
    let (code, message) = refused(&["pack", "check", sheet, "--trivia"]);
    assert_eq!(code, Some(1));
    assert!(message.contains("quiz.csv:2: question 1: 2 correct answers (\"a\", \"c\")"), "{message}");
    assert!(message.contains("ask it in a quiz"), "{message}");

    for to in ["pack.toml", "pack.json"] {
        let to = dir.path().join(to);
        let output = klaxon(&["pack", "import", sheet, "--to", to.to_str().unwrap()]).output().unwrap();
        assert!(output.status.success());
        let output = klaxon(&["pack", "show", to.to_str().unwrap()]).output().unwrap();
        let shown: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!((&shown["part"], &shown["questions"][0]["right"]), (&"quiz".into(), &serde_json::json!([0, 2])));
    }
}
