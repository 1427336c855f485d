//! Players against a live gateway, over loopback, in both codecs.

mod house;

use house::{Client, SHOW, house, settings};
use klaxon_protocol::codec::Codec;
use klaxon_protocol::ids::{Choice, QuestionId, Seat};
use klaxon_protocol::link::ToEngine;
use klaxon_protocol::player::{AnswerReply, ToPlayer, Verdict};

#[tokio::test]
async fn a_player_joins_answers_and_hears_the_show_in_order() {
    let mut house = house(settings());
    for (codec, seat) in Codec::ALL.into_iter().zip(0..) {
        let (mut client, welcome) = Client::join(&house, codec).await;
        assert_eq!((welcome.show, welcome.seat, welcome.protocol), (SHOW, Some(Seat(seat)), 1));
        client.answer(1, 2).await;
        let reply = AnswerReply::new(QuestionId(1), Verdict::Accepted(Choice(2)));
        assert_eq!(client.hear().await, ToPlayer::AnswerReply(reply));
        let said: Vec<ToPlayer> = (0..20).map(|number| house.engine.notice(&number.to_string())).collect();
        for notice in said {
            assert_eq!(client.hear().await, notice);
        }
        let batch =
            house.engine.wait(|said| if let ToEngine::Answers(batch) = said { Some(batch) } else { None }).await;
        assert_eq!((batch.show, batch.answers.len(), batch.answers[0].seat), (SHOW, 1, Seat(seat)));
    }
}
