//! Coming back with a resume token: to the show that it is of, until it is revoked, and nowhere else.
//!
//! The gateway has checked a token's signature, code and expiry; what is left for the engine is which show it is of and whether it was
//! revoked. Who may abuse it: whoever has an old token (no new show, no new seat), whoever stole one (revoked by the host, or by the
//! owner with an operator's token, at once and at all gateways). A revocation costs one record and one dismissal per gateway.

use klaxon_engine::game::Games;
use klaxon_engine::replay;
use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::host::{Action, ToHost};
use klaxon_protocol::ids::{Seat, SeatRef, ShowId};
use klaxon_protocol::link::{JoinRequest, Proof, Reissued, Seated, ToEngine, ToGateway};
use klaxon_protocol::player::{Phase, Role};
use tempfile::TempDir;

use crate::house::{House, join_request, seat, settings, snapshot};

const BY_TOKEN: Proof = Proof::Token { resumes: None, revoke: false };
const RECLAIM: Proof = Proof::Token { resumes: None, revoke: true };

fn resume(show: ShowId, issue: u32) -> Proof {
    Proof::Resume { show, issue, may_sit: false }
}

impl House {
    async fn join_by(&mut self, player: u32, proof: Proof) -> Result<Seated, ErrorCode> {
        self.try_join(JoinRequest { proof, ..join_request("LIVE", player) }).await.map_err(|error| error.code)
    }

    async fn watch_by(&mut self, player: u32, proof: Proof) -> Result<Seated, ErrorCode> {
        self.try_join(JoinRequest { proof, role: Role::Spectator, ..join_request("LIVE", player) })
            .await
            .map_err(|error| error.code)
    }

    /// Who is dismissed next, and with which code.
    async fn dismissed(&mut self) -> (SeatRef, ErrorCode) {
        self.hear(|message| match message {
            ToGateway::Dismiss { seat, code, .. } => Some((seat, code)),
            _ => None,
        })
        .await
    }

    async fn reissued(&mut self) -> Reissued {
        self.hear(|message| match message {
            ToGateway::Reissued(reissued) => Some(reissued),
            _ => None,
        })
        .await
    }
}

#[tokio::test]
async fn an_old_shows_token_shows_its_end_and_opens_nothing_in_the_next_show_of_the_code() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let old = house.lobby(settings(), 1).await;
    assert_eq!(house.join_by(1, BY_TOKEN).await.unwrap().seat, Some(seat(0)));
    house.command(old, "ban", Action::Remove { seat: Seat(0), ban: true }).await;
    assert_eq!(house.join_by(2, BY_TOKEN).await.unwrap().seat, Some(seat(1)));
    house.command(old, "end", Action::End { pay: true }).await;
    let ToHost::Created(created) = house.create("next week", settings(), 1).await else { panic!("not created") };
    let new = created.show;
    house.command(new, "open", Action::OpenLobby).await;

    // Also beside an operator's token, and for one who only watched.
    for proof in [resume(old, 0), Proof::Token { resumes: Some(old), revoke: false }] {
        let back = house.join_by(2, proof).await.unwrap();
        assert_eq!((back.show, back.seat, back.view.phase), (old, Some(seat(1)), Phase::Ended));
        assert!(snapshot(&back.view).podium.is_some());
    }
    assert_eq!(house.watch_by(3, resume(old, 0)).await.unwrap().show, old);
    assert_eq!(house.join_by(1, resume(old, 0)).await.unwrap_err(), ErrorCode::Banned);
    // One of a show that nobody remembers.
    for may_sit in [false, true] {
        let forgotten = Proof::Resume { show: ShowId(1), issue: 0, may_sit };
        assert_eq!(house.join_by(2, forgotten).await.unwrap_err(), ErrorCode::BadToken);
        assert_eq!(house.watch_by(2, forgotten).await.unwrap_err(), ErrorCode::BadToken);
    }
    let seated = house.join_by(2, BY_TOKEN).await.unwrap();
    assert_eq!((seated.show, seated.seat), (new, Some(seat(0))), "a new seat needs what a new player needs");
}

#[tokio::test]
async fn a_resume_token_alone_gives_no_new_seat_where_guests_are_refused() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    // A spectator's token.
    assert_eq!(house.watch_by(1, resume(show, 0)).await.unwrap().seat, None);
    assert_eq!(house.join_by(1, resume(show, 0)).await.unwrap_err(), ErrorCode::TokenRequired);
    assert_eq!(house.join_by(1, BY_TOKEN).await.unwrap().seat, Some(seat(0)));
    assert_eq!(house.join_by(1, resume(show, 0)).await.unwrap().seat, Some(seat(0)));
    // A guest where guests are taken may sit down after watching.
    let guest = Proof::Resume { show, issue: 0, may_sit: true };
    assert_eq!(house.join_by(2, guest).await.unwrap().seat, Some(seat(1)));
}

#[tokio::test]
async fn a_stolen_token_is_revoked_by_the_host_or_the_owner_and_stays_so_after_a_crash() {
    let data = TempDir::new().unwrap();
    let mut house = House::open(data.path()).await;
    let show = house.lobby(settings(), 1).await;
    house.join_by(1, BY_TOKEN).await.unwrap();
    house.join_by(2, Proof::NewGuest).await.unwrap();
    // A second device, or an earlier token beside an operator's, revokes nothing.
    assert_eq!(house.join_by(1, Proof::Token { resumes: Some(show), revoke: false }).await.unwrap().issue, 0);

    house.ask_for(show, "reissue", Action::ReissueToken { seat: Seat(1) });
    assert_eq!(house.dismissed().await, (seat(1), ErrorCode::TokenRevoked));
    let told = house.reissued().await;
    assert_eq!((told.seat, told.issue, told.player.as_str()), (Seat(1), 1, "player 2"));
    let again = house.command(show, "reissue", Action::ReissueToken { seat: Seat(1) }).await;
    assert!(matches!(again, ToHost::Done(done) if done.again));
    assert_eq!(house.reissued().await.issue, 1, "the host that lost the reply gets one that is as good");
    let nobody = house.command(show, "nobody", Action::ReissueToken { seat: Seat(9) }).await;
    assert!(matches!(nobody, ToHost::Refused(refused) if refused.error.code == ErrorCode::UnknownSeat));

    house.say(ToEngine::Join(JoinRequest { proof: RECLAIM, ..join_request("LIVE", 1) }));
    assert_eq!(house.dismissed().await, (seat(0), ErrorCode::TokenRevoked), "before the owner is in");
    let owner = house
        .hear(|message| match message {
            ToGateway::Seated(seated) => Some(seated),
            _ => None,
        })
        .await;
    assert_eq!((owner.seat, owner.issue), (Some(seat(0)), 1));

    house.crash().await;
    let mut house = House::open(data.path()).await;
    for player in [1, 2] {
        assert_eq!(house.join_by(player, resume(show, 0)).await.unwrap_err(), ErrorCode::TokenRevoked);
        // Nor can the thief watch, and be given a new token for it.
        assert_eq!(house.watch_by(player, resume(show, 0)).await.unwrap_err(), ErrorCode::TokenRevoked);
        assert_eq!(house.join_by(player, resume(show, 7)).await.unwrap_err(), ErrorCode::TokenRevoked);
        assert_eq!(house.join_by(player, resume(show, 1)).await.unwrap().issue, 1);
    }
    house.command(show, "end", Action::End { pay: true }).await;
    let journal = std::fs::read(data.path().join("journal").join(format!("{show}.klxj"))).unwrap();
    replay::replay(&Games::default(), &journal, |_, _| {}).unwrap();
}
