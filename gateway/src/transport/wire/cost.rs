//! What it costs to read an answer from the bytes of its frame, and what it would with tungstenite and serde alone.
//!
//! `cargo test --release -p klaxon-gateway --lib wire::cost -- --ignored --nocapture` prints it.

use std::hint::black_box;
use std::time::Instant;

use klaxon_protocol::codec::Codec;
use klaxon_protocol::games::trivia::{Answer, Choice, QuestionId};
use klaxon_protocol::player::{FROM_PLAYER_TYPES, FromPlayer};

use super::fuzz::Reference;
use super::tests::{binary, text};
use super::{Inbound, Wire};
use crate::settings::GatewaySettings;

const ROUNDS: usize = 15;
const ANSWERS: u32 = 100_000;

/// Nanoseconds an answer, over one round. Each time the frame is new, as if read.
fn round(frame: &[u8], mut read: impl FnMut(&mut [u8])) -> f64 {
    let mut buffer = frame.to_vec();
    let began = Instant::now();
    for _ in 0..ANSWERS {
        buffer.copy_from_slice(black_box(frame));
        read(&mut buffer);
    }
    began.elapsed().as_secs_f64() * 1e9 / f64::from(ANSWERS)
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

#[test]
#[ignore = "a measurement"]
fn what_an_answer_costs_to_read() {
    for codec in Codec::ALL {
        let answer = FromPlayer::Answer(Answer { question: QuestionId(7), choice: Choice(2) });
        let message = codec.encode(&answer);
        let frame = match codec {
            Codec::Json => text(str::from_utf8(&message).unwrap()),
            Codec::Bincode => binary(&message),
        };
        let (mut wire, mut reference, mut write) =
            (Wire::new(GatewaySettings::LARGEST_MESSAGE), Reference::new(), Vec::new());
        let (mut before, mut now) = (Vec::new(), Vec::new());
        let (mut frames_before, mut frames_now) = (Vec::new(), Vec::new());
        for _ in 0..ROUNDS {
            frames_before.push(round(&frame, |read| drop(black_box(reference.message(read, &mut Vec::new())))));
            frames_now.push(round(&frame, |mut read| drop(black_box(wire.take(&mut read, &mut write)))));
            before.push(round(&frame, |read| {
                let message = reference.message(read, &mut Vec::new()).unwrap();
                let said = codec.decode::<FromPlayer>(&message.into_data(), FROM_PLAYER_TYPES);
                assert_eq!(black_box(said).as_ref(), Ok(&answer));
            }));
            now.push(round(&frame, |mut read| {
                let said = match wire.take(&mut read, &mut write) {
                    Ok(Some(Inbound::Text(text))) => FromPlayer::decode(codec, text.as_bytes()),
                    Ok(Some(Inbound::Binary(bytes))) => FromPlayer::decode(codec, &bytes),
                    other => panic!("{other:?}"),
                };
                assert_eq!(black_box(said).as_ref(), Ok(&answer));
            }));
        }
        let [frames_before, frames_now, before, now] = [frames_before, frames_now, before, now].map(median);
        println!(
            "{codec:?}, {} bytes: {before:.0} ns with tungstenite and serde alone ({frames_before:.0} of them for the frame), \
             {now:.0} ns now ({frames_now:.0}): {:.2} of it",
            frame.len(),
            now / before,
        );
    }
}
