//! The database is never in the path of a show.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};

use async_trait::async_trait;
use klaxon_engine::archive::{
    Archive, ArchiveError, HardQuestion, PlayedShow, PlayerResults, QuestionResult, RoundResult, ShowResults,
    ShowSummary, SqlArchive, Winner,
};
use klaxon_engine::journal::{FileJournal, SyncPolicy};
use klaxon_protocol::host::{Action, FindPlayers, FromHost, JournalTail};
use klaxon_protocol::ids::{PlayerId, ShowId};
use klaxon_protocol::link::ToGateway;
use klaxon_protocol::player::Phase;
use klaxon_protocol::time::Millis;

use crate::house::{House, settings};

/// An archive that counts what it is asked, whatever it is.
struct Counting {
    archive: Arc<SqlArchive>,
    asked: Arc<AtomicUsize>,
}

impl Counting {
    fn count(&self) -> &SqlArchive {
        self.asked.fetch_add(1, SeqCst);
        &self.archive
    }
}

#[async_trait]
impl Archive for Counting {
    async fn store(&self, results: &ShowResults) -> Result<(), ArchiveError> {
        self.count().store(results).await
    }

    async fn show(&self, show: ShowId) -> Result<Option<ShowSummary>, ArchiveError> {
        self.count().show(show).await
    }

    async fn questions(&self, show: ShowId) -> Result<Vec<QuestionResult>, ArchiveError> {
        self.count().questions(show).await
    }

    async fn rounds(&self, show: ShowId) -> Result<Vec<RoundResult>, ArchiveError> {
        self.count().rounds(show).await
    }

    async fn podium(&self, show: ShowId, limit: u32) -> Result<Vec<PlayerResults>, ArchiveError> {
        self.count().podium(show, limit).await
    }

    async fn history_of(&self, player: &PlayerId, limit: u32) -> Result<Vec<PlayedShow>, ArchiveError> {
        self.count().history_of(player, limit).await
    }

    async fn hardest_questions(&self, limit: u32) -> Result<Vec<HardQuestion>, ArchiveError> {
        self.count().hardest_questions(limit).await
    }

    async fn top_winners(
        &self,
        from: Millis,
        until: Millis,
        currency: &str,
        limit: u32,
    ) -> Result<Vec<Winner>, ArchiveError> {
        self.count().top_winners(from, until, currency, limit).await
    }
}

#[tokio::test]
async fn from_the_lobby_to_the_end_nothing_is_asked_of_the_database() {
    let dir = tempfile::tempdir().unwrap();
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let journal = FileJournal::open(&dir.path().join("journal"), SyncPolicy::Always).await.unwrap();
    let counting = |archive| -> Arc<dyn Archive> { Arc::new(Counting { archive, asked: counter }) };
    let mut house = House::open_around(dir.path(), journal, counting).await;
    let show = house.lobby(settings(), 2).await;
    for player in 0..3 {
        house.join(player).await;
    }
    for question in 1..=2 {
        house.command(show, &format!("next {question}"), Action::Next).await;
        house.answer(show, question, house.clock.now(), &[(0, 1), (1, 0), (2, 1)]);
        house.verdicts().await;
        // One comes back in the middle, and hosts look around.
        house.join(0).await;
        house.shows().await;
        house.host_says(FromHost::FindPlayers(FindPlayers { show, name: "Ann".into() }));
        house.host_hears().await;
        house.host_says(FromHost::JournalTail(JournalTail { show, last: 5 }));
        house.host_hears().await;
        house.command(show, &format!("close {question}"), Action::Close).await;
        house
            .hear(|message| {
                matches!(message, ToGateway::Figures(figures) if figures.phase == Phase::Closed).then_some(())
            })
            .await;
        house.command(show, &format!("reveal {question}"), Action::Reveal).await;
    }
    assert_eq!(asked.load(SeqCst), 0);
    house.command(show, "end", Action::End { pay: true }).await;
    let archive = house.stop().await;
    assert!(asked.load(SeqCst) > 0, "only then its results are stored");
    assert!(archive.show(show).await.unwrap().is_some());
}
