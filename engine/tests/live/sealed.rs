//! Shows whose journal is sealed: played on by an engine that has the key, left alone by one that has not.

use std::sync::Arc;

use klaxon_engine::game::Games;
use klaxon_engine::journal::{FileJournal, SealedJournal, SyncPolicy};
use klaxon_engine::replay::{ReplayError, replay};
use klaxon_engine::seal::{SealError, SealKeys, UnsealError, open_journal};
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, ToHost};
use klaxon_protocol::ids::ShowId;
use klaxon_protocol::player::Phase;
use klaxon_protocol::register::Register;
use tempfile::TempDir;

use crate::house::{House, settings};

const OLD: &str = "2c1f60b9d7a3458e9b0c6f1de27a5b48";
const NEW: &str = "e05d9a7c31b8f24660fd2e8b94c7a31f";

async fn house(data: &TempDir, secrets: &[&str]) -> House {
    let journal = FileJournal::open(&data.path().join("journal"), SyncPolicy::Always).await.unwrap();
    let keys = SealKeys::of_secrets(secrets);
    House::open_with(data.path(), SealedJournal::new(Arc::new(journal), keys)).await
}

fn file(data: &TempDir, show: ShowId) -> Vec<u8> {
    std::fs::read(data.path().join("journal").join(format!("{show}.klxj"))).unwrap()
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|window| window == text.as_bytes())
}

#[tokio::test]
async fn a_sealed_show_waits_for_an_engine_with_the_key_and_holds_up_no_other() {
    let data = TempDir::new().unwrap();
    let mut sealing = house(&data, &[OLD]).await;
    let show = sealing.lobby(settings(), 2).await;
    sealing.join(0).await;
    sealing.crash().await;
    let written = file(&data, show);
    assert!(!contains(&written, "Question 2?"), "a question that is still to come");

    for secrets in [&[][..], &[NEW]] {
        let mut other = house(&data, secrets).await;
        assert!(other.shows().await.is_empty(), "it is set aside here");
        assert_eq!(other.refused_join("LIVE", 0).await, ErrorCode::UnknownShow);
        other.ask_to_create("another", "GOOD", settings(), 1);
        let ToHost::Created(another) = other.host_hears().await else { panic!("another show is made") };
        assert_eq!(other.shows().await.len(), 1);
        assert!(contains(&file(&data, another.show), "Question 1?") == secrets.is_empty());
        other.crash().await;
        std::fs::remove_file(data.path().join("journal").join(format!("{}.klxj", another.show))).unwrap();
        assert_eq!(file(&data, show), written, "it is left as it was");
    }

    let mut rotated = house(&data, &[NEW, OLD]).await;
    assert_eq!(rotated.join(0).await.view.phase, Phase::Lobby);
    rotated.command(show, "next", Action::Next).await;
    rotated.command(show, "end", Action::End { pay: true }).await;
    rotated.stop().await;
    let written = file(&data, show);
    assert!(!contains(&written, "Question 2?"));
    let (opened, _) = open_journal(&SealKeys::of_secrets(&[OLD, NEW]), written.clone(), Register::default()).unwrap();
    assert!(contains(&opened, "Question 2?"));
    replay(&Games::default(), &opened, |_, _| {}).unwrap();
    assert!(matches!(
        replay(&Games::default(), &written, |_, _| {}).map(|_| ()),
        Err(ReplayError::Sealed { number: 0, .. })
    ));
    let of_before = open_journal(&SealKeys::of_secrets(&[NEW]), written, Register::default()).unwrap_err();
    assert!(matches!(of_before, UnsealError::Record(0, SealError::NoKey { .. })), "{of_before}");
}

#[tokio::test]
async fn a_show_that_began_without_a_key_is_sealed_from_then_on() {
    let data = TempDir::new().unwrap();
    let mut before = house(&data, &[]).await;
    let show = before.lobby(settings(), 1).await;
    before.join(0).await;
    before.crash().await;
    let mut after = house(&data, &[OLD]).await;
    after.join(1).await;
    after.crash().await;
    assert!(matches!(
        open_journal(&SealKeys::default(), file(&data, show), Register::default()),
        Err(UnsealError::Record(_, SealError::NoKey { .. }))
    ));
    let mut again = house(&data, &[OLD]).await;
    assert_eq!(again.shows().await[0].joined, 2);
    again.stop().await;
}
