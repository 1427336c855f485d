//! A player's behaviour in a round: plans actions, adapts them to changes of the clock, claims, retries, violates
//! the protocol.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use klaxon_protocol::error::ErrorCode;
use klaxon_protocol::ids::RoundId;
use klaxon_protocol::player::{FromPlayer, Ping, React, ToPlayer};
use klaxon_protocol::time::{Millis, Span};

use super::super::actions::{Action, ActionKind, Device, RoundSeen};
use super::super::habits::Mischief;
use super::super::mischief::{self, Intrusion, intrude};
use super::super::saying::Saying;
use super::{Chore, Person, SeenRound, Wanted, local};
use crate::messages::RoundTimes;

/// A ping is sent after an answer in this last part before the close.
const CLOSE_CALL: Span = Span(1000);

impl Person {
    pub(super) fn see(&mut self, times: RoundTimes, told_at: Millis) {
        if self.seen.as_ref().is_some_and(|seen| seen.times.round >= times.round) {
            return self.move_clock(times);
        }
        let RoundTimes { round, opens_at, closes_at } = times;
        self.world.progress.round.fetch_max(u32::from(round.0), Ordering::Relaxed);
        let swarm = u32::try_from(self.world.plan.seats()).unwrap_or(u32::MAX);
        self.actions.retain(|action| action.stubborn);
        let told = RoundSeen { round, told_at, opens_at, closes_at, busy: self.hand.busy() };
        self.actions.extend(self.hand.actions(&self.world.known, self.world.plan.seed, &self.plan, &told, swarm));
        self.seen = Some(SeenRound { times, closed: false, wanted: Vec::new() });
    }

    /// Moves the planned actions when the round's times have changed.
    pub(super) fn move_clock(&mut self, times: RoundTimes) {
        let Some(seen) = self.seen.as_mut().filter(|seen| seen.times.round == times.round) else { return };
        let before = std::mem::replace(&mut seen.times, times).closes_at;
        for action in self.actions.iter_mut().filter(|action| action.round == times.round) {
            let moved = action.at.0.saturating_add(times.closes_at.0).saturating_sub(before.0);
            let least = if matches!(action.what, ActionKind::Claim(..)) { times.opens_at.0 } else { 0 };
            action.at = Millis(moved.max(least));
        }
    }

    pub(super) fn close(&mut self, round: RoundId) {
        self.actions.retain(|action| action.stubborn || action.round != round);
        if let Some(seen) = self.seen.as_mut().filter(|seen| seen.times.round == round) {
            seen.closed = true;
        }
    }

    /// Takes in a reply to a claim; nothing if it is another message.
    pub(super) fn settle(&mut self, message: &ToPlayer) {
        let Some((round, key)) = Saying::replied_to(message) else { return };
        let code = match message {
            ToPlayer::AnswerReply(reply) => reply.code,
            ToPlayer::ClaimReply(reply) => reply.code,
            _ => None,
        };
        if code == Some(ErrorCode::Unavailable) {
            return self.retry_after(Span(500));
        }
        // The claim is repeated after the pause.
        if code == Some(ErrorCode::Paused) {
            return;
        }
        // Another value can still count.
        if matches!(code, Some(ErrorCode::TooEarly | ErrorCode::BadChoice)) {
            self.seen.iter_mut().for_each(|seen| seen.wanted.retain(|wanted| wanted.saying.claimed() != (round, key)));
            return;
        }
        let wanted = self.seen.iter_mut().flat_map(|seen| &mut seen.wanted);
        wanted.filter(|wanted| wanted.saying.claimed() == (round, key)).for_each(|wanted| wanted.settled = true);
    }

    /// Sends the claims again that have no reply yet.
    pub(super) fn retry(&mut self) {
        self.retry_after(Span(0));
    }

    pub(super) fn retry_after(&mut self, wait: Span) {
        let at = self.server_now() + wait;
        let Some(seen) = self.seen.as_ref().filter(|seen| !seen.closed) else { return };
        let round = seen.times.round;
        let at = at.max(seen.times.opens_at);
        let open = seen.wanted.iter().filter(|wanted| !wanted.settled);
        self.actions.extend(open.map(|wanted| Action {
            at,
            round,
            stubborn: false,
            what: ActionKind::Claim(Device::First, wanted.saying.clone()),
        }));
    }

    pub(super) async fn perform(&mut self, action: &Action) {
        match action.what {
            ActionKind::Claim(device, ref saying) => {
                if let Some(seen) = self.seen.as_mut().filter(|seen| seen.times.round == action.round)
                    && self.alive
                {
                    if !seen.wanted.iter().any(|wanted| wanted.saying.claimed() == saying.claimed()) {
                        seen.wanted.push(Wanted { saying: saying.clone(), settled: false });
                    }
                    let closes_at = seen.times.closes_at;
                    if !self.is_in(device) {
                        // It is sent again after the next snapshot.
                        return;
                    }
                    self.claim(device, saying).await;
                    // The pong proves when the claim had been read, so the audit knows that it was on time.
                    if closes_at.since(self.server_now()) < CLOSE_CALL {
                        self.send(device, &FromPlayer::Ping(Ping { sent: local() })).await;
                    }
                }
            }
            ActionKind::React(_) if !self.is_in(Device::First) => {}
            ActionKind::React(emoji) => self.send(Device::First, &FromPlayer::React(React { emoji })).await,
            ActionKind::Drop(back) => {
                self.lose(Device::First);
                self.later(back.to_std(), Chore::Open(Device::First));
            }
            ActionKind::Mischief(mischief) => self.misbehave(mischief, action.round).await,
        }
    }

    async fn claim(&mut self, device: Device, saying: &Saying) {
        self.world.progress.claims.fetch_add(1, Ordering::Relaxed);
        self.send(device, &saying.message()).await;
    }

    async fn misbehave(&mut self, mischief: Mischief, round: RoundId) {
        let codec = self.plan.codec;
        let world = Arc::clone(&self.world);
        let form = world.form;
        let saying = self.hand.guess(&mut self.rng, round);
        let own = self.plan.number;
        match mischief {
            Mischief::ForgesToken => {
                self.intruders.spawn(intrude(world, own, codec, Intrusion::Forged, saying));
            }
            Mischief::Steals(victim) => {
                self.intruders.spawn(intrude(world, victim, codec, Intrusion::Stolen, saying));
            }
            Mischief::AnswersUnjoined => {
                self.intruders.spawn(intrude(world, own, codec, Intrusion::Unjoined, saying));
            }
            Mischief::AnswersClosed => {
                let round = RoundId(round.0.saturating_sub(1).max(1));
                self.claim(Device::First, &saying.in_round(round)).await;
            }
            Mischief::AnswersEarly => self.claim(Device::First, &saying).await,
            Mischief::AnswersWhenOut if self.alive => {}
            Mischief::AnswersWhenOut => self.claim(Device::First, &saying).await,
            Mischief::ChoosesNothing => self.claim(Device::First, &Saying::nothing(form, round)).await,
            Mischief::AnswersUnasked => self.send(Device::First, &mischief::unasked(form).message()).await,
            Mischief::ClaimsSeat(seat) => {
                self.send_bytes(Device::First, mischief::claim_for_seat(codec, &saying, seat)).await;
            }
            Mischief::Floods => {
                for _ in 0..mischief::FLOOD {
                    self.send(Device::First, &mischief::flood_message()).await;
                }
            }
            Mischief::SendsTooMuch => self.send_bytes(Device::First, mischief::too_much()).await,
            Mischief::SendsNonsense => self.send_bytes(Device::First, mischief::nonsense(codec)).await,
            Mischief::SendsUnknownType => self.send_bytes(Device::First, mischief::unknown_type(codec)).await,
        }
    }
}
