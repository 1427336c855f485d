//! The bytes and connections of players who violate the protocol.

use std::sync::Arc;
use std::time::Duration;

use klaxon_protocol::claim::ClaimForm;
use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::{RoundId, Seat};
use klaxon_protocol::player::{Emoji, FromPlayer, Join, React, Role, ToPlayer};
use tokio::time::timeout;

use super::connection::{PlayerConnection, Received};
use super::saying::Saying;
use super::world::World;
use crate::evidence::PlayerNumber;

/// The number of messages of a flood.
pub const FLOOD: usize = 100;
/// The size of a message that is too large, in bytes.
const TOO_MUCH: usize = 8192;

/// A claim with another seat's number. Only JSON can contain such an additional field.
pub fn claim_for_seat(codec: Codec, saying: &Saying, seat: Seat) -> Vec<u8> {
    let mut bytes = codec.encode(&saying.message());
    if codec == Codec::Json && bytes.pop().is_some() {
        bytes.extend(format!(r#","seat":{seat}}}"#).bytes());
    }
    bytes
}

/// A message that is too large.
pub fn too_much() -> Vec<u8> {
    vec![b'x'; TOO_MUCH]
}

/// Bytes that can't be decoded.
pub fn nonsense(codec: Codec) -> Vec<u8> {
    match codec {
        Codec::Json => br#"{"type":"answer","question":"#.to_vec(),
        // An answer that is cut before its choice.
        Codec::Bincode => vec![1, 1],
    }
}

/// A message of an unknown type.
pub fn unknown_type(codec: Codec) -> Vec<u8> {
    match codec {
        Codec::Json => br#"{"type":"win","prize":1000000}"#.to_vec(),
        Codec::Bincode => vec![200],
    }
}

/// One message of a flood.
pub fn flood_message() -> FromPlayer {
    FromPlayer::React(React { emoji: Emoji::Fire })
}

/// The token with one character changed: in the middle, where all bits are significant.
pub fn forge(token: &str) -> String {
    let mut characters: Vec<char> = token.chars().collect();
    let middle = characters.len() / 2;
    if let Some(character) = characters.get_mut(middle) {
        *character = if *character == 'A' { 'B' } else { 'A' };
    }
    characters.into_iter().collect()
}

/// How an intruder joins.
#[derive(Debug, Clone, Copy)]
pub enum Intrusion {
    /// With a forged token.
    Forged,
    /// With the player's valid token.
    Stolen,
    /// Not at all.
    Unjoined,
}

/// Connects as `victim` and tries to answer for that player. The server takes the owner of a stolen token for the
/// player, so the connection is logged as the victim's.
pub async fn intrude(world: Arc<World>, victim: PlayerNumber, codec: Codec, how: Intrusion, saying: Saying) {
    let token = world.token_of(victim);
    // At another gateway than the victim, if there is one.
    let gateway = world.gateways.beside(world.gateways.first_for(world.plan.seed, victim));
    let page = || world.ledger.open(victim, gateway, codec, false);
    let (address, patience) = (world.gateways.address(gateway), world.gateways.patience());
    let Ok(mut connection) = PlayerConnection::open(address, patience, codec, page).await else { return };
    let resume = match (how, token) {
        (Intrusion::Unjoined, _) => None,
        (_, None) => return,
        (Intrusion::Forged, Some(token)) => Some(forge(&token)),
        (Intrusion::Stolen, Some(token)) => Some(token),
    };
    if let Some(resume) = resume {
        let join = Join { show: world.code.clone(), name: None, role: Role::Player, token: None, resume: Some(resume) };
        if connection.send(&FromPlayer::Join(join)).await.is_err() {
            return;
        }
        // The intruder answers after the server's reply, even if that is an error.
        let welcome = |message: &ToPlayer| matches!(message, ToPlayer::Welcome(_) | ToPlayer::Error(_));
        listen(&mut connection, Duration::from_secs(2), welcome).await;
    }
    if connection.send(&saying.message()).await.is_err() {
        return;
    }
    let reply = |message: &ToPlayer| Saying::replied_to(message).is_some();
    listen(&mut connection, Duration::from_secs(1), reply).await;
    connection.close().await;
}

/// Receives until `enough` returns true, the time is over, or the connection is closed.
async fn listen(connection: &mut PlayerConnection, at_most: Duration, enough: impl Fn(&ToPlayer) -> bool) {
    let listening = async {
        loop {
            match connection.receive().await {
                Received::Message(message) if enough(&message) => return,
                Received::Message(_) | Received::Unreadable => {}
                Received::Closed => return,
            }
        }
    };
    // A timeout is no failure.
    let _ = timeout(at_most, listening).await;
}

/// A claim in a round that never begins.
pub const fn unasked(form: ClaimForm) -> Saying {
    Saying::of(form, RoundId(u16::MAX), 0)
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::error::ErrorCode;
    use klaxon_protocol::player::{FROM_PLAYER_TYPES, LARGEST_MESSAGE};

    use super::*;

    #[test]
    fn mischief_is_what_it_says() {
        for codec in Codec::ALL {
            let read = |bytes: &[u8]| codec.decode::<FromPlayer>(bytes, FROM_PLAYER_TYPES);
            assert_eq!(read(&nonsense(codec)).unwrap_err().code, ErrorCode::BadMessage);
            assert!(read(&unknown_type(codec)).is_err());
            for form in [ClaimForm::Answer, ClaimForm::Claim] {
                let saying = Saying::of(form, RoundId(3), 1);
                assert_eq!(read(&claim_for_seat(codec, &saying, Seat(9))), Ok(saying.message()));
            }
        }
        assert!(too_much().len() > LARGEST_MESSAGE);
    }

    #[test]
    fn a_forged_token_differs_in_one_character() {
        for token in ["AAAA", "BBBBB", "x"] {
            let forged = forge(token);
            assert_eq!(forged.len(), token.len());
            assert_eq!(forged.chars().zip(token.chars()).filter(|(a, b)| a != b).count(), 1);
        }
    }
}
