//! Lots, a small game: in each draw a seat has two claims, a number of 64 bits and a word. The first three who say the right word win, by
//! when their claim was read; everybody is told how far their number was off.

use std::collections::BTreeMap;
use std::sync::Arc;

use klaxon_engine::archive::{Played, PlayerResults, RoundResult, ShowResults, ShowSummary};
use klaxon_engine::game::people::{People, Sitter};
use klaxon_engine::game::{Done, Effect, Entry, Game, GameFigures, GameRules, PreCheck};
use klaxon_engine::round::{ClaimSpace, ClaimValues, Round, SeatClaim};
use klaxon_protocol::claim::{Claim, ClaimValue, Verdict};
use klaxon_protocol::error::{ErrorCode, Refusal};
use klaxon_protocol::host::{Action, AlertKind, PlayerLine};
use klaxon_protocol::ids::{ClaimKey, CommandId, GameName, PlayerId, RoundId, Seat, SeatRef, Seq, ShowCode, ShowId};
use klaxon_protocol::journal::{BegunGame, Command, CountedClaim, RulesVersion};
use klaxon_protocol::link::{Personal, View};
use klaxon_protocol::player::{Body, GameEvent, GameOwn, GameSnapshot, Mark, Phase, Role, ToPlayer};
use klaxon_protocol::time::{Millis, Span};
use serde::Deserialize;
use serde_json::json;

/// The key of a seat's number, and that of its word.
const NUMBER: ClaimKey = ClaimKey(0);
const WORD: ClaimKey = ClaimKey(1);
const CLAIMS: ClaimSpace = ClaimSpace { keys: 2, values: ClaimValues::Any };
/// How many can win a draw.
const WINNERS: usize = 3;

/// The edition whose journals name players, and that whose journals keep who they are apart.
const NAMED: RulesVersion = RulesVersion(1);
const APART: RulesVersion = RulesVersion(2);

/// How shows of it begin.
pub struct LotsRules;

/// What a host says when a show is made.
#[derive(Deserialize)]
struct Setup {
    /// The right word of each draw.
    words: Vec<String>,
    /// How long a draw is open.
    open_for: Span,
}

pub struct Lots {
    show: BegunGame,
    setup: Setup,
    people: People,
    done: Done,
    phase: Phase,
    seq: Seq,
    created_at: Millis,
    ended_at: Option<Millis>,
    draws: Vec<Draw>,
}

struct Draw {
    opens: Millis,
    closes: Millis,
    claims: BTreeMap<(Seat, ClaimKey), (ClaimValue, Millis)>,
    /// By place; none before they are known.
    winners: Option<Vec<Seat>>,
}

impl GameRules for LotsRules {
    fn newest(&self, apart: bool) -> RulesVersion {
        if apart { APART } else { NAMED }
    }

    fn begin(&self, now: Millis, rules: RulesVersion, show: &BegunGame) -> Result<Box<dyn Game>, Refusal> {
        if ![NAMED, APART].contains(&rules) {
            return Err(Refusal::because(ErrorCode::Unavailable, "Lots has two editions of its rules, 1 and 2."));
        }
        let bad = |problem: String| Refusal::because(ErrorCode::BadSettings, format!("setup: {problem}"));
        let setup: Setup = show.setup.read().map_err(bad)?;
        if setup.words.is_empty() || setup.open_for < Span(10) {
            return Err(bad("`words` has one at least, and `open_for` is 10 ms at least".into()));
        }
        let mut done = Done::default();
        done.add_create(show.id.clone());
        Ok(Box::new(Lots {
            people: People::new(show.seed, show.seats, rules == APART),
            show: show.clone(),
            setup,
            done,
            phase: Phase::Created,
            seq: Seq(0),
            created_at: now,
            ended_at: None,
            draws: Vec::new(),
        }))
    }
}

impl Lots {
    fn last(&self) -> Option<RoundId> {
        u16::try_from(self.draws.len()).ok().filter(|&draws| draws > 0).map(RoundId)
    }

    /// An event, with the phase that the show is in from here on.
    fn tell(&mut self, now: Millis, phase: Phase, round: Option<RoundId>, body: &serde_json::Value) -> GameEvent {
        self.phase = phase;
        self.seq = self.seq.next();
        GameEvent { seq: self.seq, at: now, phase, round, body: Body::of(body) }
    }

    fn reseat(&mut self, seat: Seat, sitter: Sitter) -> Result<Vec<Effect>, Refusal> {
        self.people.check_seat(seat)?;
        if !self.gives_seats() || !self.people.is_for_guests(seat) {
            return Err(ErrorCode::WrongPhase.into());
        }
        Ok(vec![self.people.reseat(seat, sitter)])
    }

    fn must_be_in(&self, phases: &[Phase]) -> Result<(), Refusal> {
        if phases.contains(&self.phase) { Ok(()) } else { Err(ErrorCode::WrongPhase.into()) }
    }

    fn apply_action(&mut self, now: Millis, action: &Action) -> Result<Vec<Effect>, Refusal> {
        let gives_seats = self.gives_seats();
        if let Some(done) = self.people.apply_action(action, gives_seats) {
            return done;
        }
        match action {
            Action::OpenLobby => {
                self.must_be_in(&[Phase::Created])?;
                (self.phase, self.seq) = (Phase::Lobby, self.seq.next());
                Ok(vec![Effect::Tell(ToPlayer::Opened(Mark { seq: self.seq, at: now }), None)])
            }
            Action::Play { body } if body.0.contains_key("draw") => self.draw(now),
            Action::Close => {
                self.must_be_in(&[Phase::Question])?;
                Ok(self.close(now))
            }
            Action::End { .. } => {
                self.must_be_in(&[Phase::Lobby, Phase::Revealed])?;
                (self.phase, self.seq, self.ended_at) = (Phase::Ended, self.seq.next(), Some(now));
                Ok(vec![Effect::Tell(ToPlayer::End(Mark { seq: self.seq, at: now }), None)])
            }
            _ => Err(Refusal::because(ErrorCode::BadArgument, "Lots has no such action.")),
        }
    }

    fn draw(&mut self, now: Millis) -> Result<Vec<Effect>, Refusal> {
        self.must_be_in(&[Phase::Lobby, Phase::Revealed])?;
        if self.draws.len() == self.setup.words.len() {
            return Err(ErrorCode::NoMoreQuestions.into());
        }
        let (opens, closes) = (now, now + self.setup.open_for);
        self.draws.push(Draw { opens, closes, claims: BTreeMap::new(), winners: None });
        let round = self.last();
        let body = json!({ "draw": round, "opens_at": opens, "closes_at": closes });
        Ok(vec![Effect::Tell(ToPlayer::GameEvent(self.tell(now, Phase::Question, round, &body)), None)])
    }

    fn close(&mut self, now: Millis) -> Vec<Effect> {
        let draw = self.draws.last_mut().expect("in this phase there is a draw");
        draw.closes = draw.closes.min(now);
        let event = self.tell(now, Phase::Closing, None, &json!({ "close": self.last() }));
        vec![Effect::Tell(ToPlayer::GameEvent(event), None)]
    }

    /// All claims are in: who won, and what each seat is told.
    fn settle(&mut self, now: Millis) -> Vec<Effect> {
        let (secret, word) = (self.secret(self.draws.len()), self.setup.words[self.draws.len() - 1].clone());
        let draw = self.draws.last_mut().expect("in this phase there is a draw");
        let says =
            |value: &ClaimValue| matches!(value, ClaimValue::Text(text) if text.as_str().eq_ignore_ascii_case(&word));
        let right = draw.claims.iter().filter(|((_, key), (value, _))| *key == WORD && says(value));
        // Of claims that were read in the same millisecond the lower seat's is first.
        let mut right: Vec<(Millis, Seat)> = right.map(|(&(seat, _), &(_, at))| (at, seat)).collect();
        right.sort_unstable();
        let winners: Vec<Seat> = right.into_iter().take(WINNERS).map(|(_, seat)| seat).collect();
        draw.winners = Some(winners.clone());
        let body = json!({ "drawn": { "word": word, "secret": secret.to_string(), "winners": winners } });
        let personal = self.personal(&winners, secret);
        vec![Effect::Tell(ToPlayer::GameEvent(self.tell(now, Phase::Revealed, None, &body)), Some(Arc::new(personal)))]
    }

    /// What the reveal means for each seat: those who get the same share one message.
    fn personal(&self, winners: &[Seat], secret: u64) -> Personal {
        let draw = self.draws.last().expect("in this phase there is a draw");
        let mut shapes: Vec<ToPlayer> = Vec::new();
        let by_seat = (0..self.people.roster.seated()).map(Seat).map(|seat| {
            let place = winners.iter().position(|&winner| winner == seat).map(|index| index + 1);
            let off = match draw.claims.get(&(seat, NUMBER)) {
                Some((ClaimValue::Bits(number), _)) => Some(number.abs_diff(secret).to_string()),
                _ => None,
            };
            let own = ToPlayer::GameOwn(GameOwn { body: Body::of(&json!({ "place": place, "off": off })) });
            let shape = shapes.iter().position(|shape| *shape == own).unwrap_or_else(|| {
                shapes.push(own);
                shapes.len() - 1
            });
            u32::try_from(shape).expect("there are no more shapes than seats")
        });
        let by_seat = by_seat.collect();
        Personal { shapes, by_seat }
    }

    /// The number of a draw: nobody outside knows the show's seed.
    fn secret(&self, draw: usize) -> u64 {
        self.show.seed.rotate_left(7 * u32::try_from(draw).unwrap_or(0)) | 1 << 63
    }

    fn won(&self, seat: Seat) -> Vec<usize> {
        let won = |draw: &Draw| draw.winners.as_ref().is_some_and(|winners| winners.contains(&seat));
        (1..).zip(&self.draws).filter(|(_, draw)| won(draw)).map(|(number, _)| number).collect()
    }
}

impl Game for Lots {
    fn apply(&mut self, now: Millis, command: &Command) -> Result<Vec<Effect>, Refusal> {
        match command {
            Command::Join { player, name, role } => {
                if self.entry(player, *role)? == Entry::New {
                    self.people.roster.seat(Sitter::known(player.clone(), name.clone()));
                }
                Ok(Vec::new())
            }
            Command::Sit { seat, guest, who } => {
                let sitter = Sitter::of(*seat, *guest, who.get());
                if self.people.has_seat(*seat) {
                    return self.reseat(*seat, sitter);
                }
                if seat.0 != self.people.roster.seated() {
                    return Err(ErrorCode::UnknownSeat.into());
                }
                self.people.roster.seat(sitter);
                Ok(Vec::new())
            }
            Command::Claims { round, claims } => {
                for CountedClaim { seat, key, value, at } in claims {
                    let claim = Claim { round: *round, key: *key, value: value.clone() };
                    if matches!(self.pre_check(self.people.held(*seat), &claim, *at), PreCheck::MayCount { .. }) {
                        let draw = self.draws.last_mut().expect("a claim that may count is in a draw");
                        draw.claims.insert((*seat, *key), (claim.value, *at));
                    }
                }
                Ok(Vec::new())
            }
            Command::Host { id, action } => {
                if self.was_done(id, action)? {
                    return Ok(Vec::new());
                }
                let effects = self.apply_action(now, action)?;
                self.done.add(id.clone(), action);
                Ok(effects)
            }
            Command::Tick if self.deadline().is_some_and(|due| due <= now) => Ok(self.close(now)),
            Command::Tick => Ok(Vec::new()),
            Command::Tally { round, .. } if self.closing() == Some(*round) => Ok(self.settle(now)),
            Command::Outage { round, .. } if self.closing() == Some(*round) => {
                self.draws.last_mut().expect("in this phase there is a draw").winners = Some(Vec::new());
                let event = self.tell(now, Phase::Revealed, None, &json!({ "void": round }));
                Ok(vec![Effect::Tell(ToPlayer::GameEvent(event), None)])
            }
            Command::Recovered { away } => {
                let mut effects = vec![Effect::Alert(AlertKind::Recovered { away: *away, closes_at: self.deadline() })];
                if self.phase == Phase::Question {
                    let draw = self.draws.last_mut().expect("in this phase there is a draw");
                    draw.closes = draw.closes + *away;
                    let body = json!({ "closes_at": draw.closes });
                    let event = self.tell(now, Phase::Question, None, &body);
                    effects.push(Effect::Tell(ToPlayer::GameEvent(event), None));
                }
                Ok(effects)
            }
            Command::Reissue { seat } => Ok(vec![self.people.revoke_tokens(*seat)?]),
            Command::Reseat { seat, player, name } => self.reseat(*seat, Sitter::known(player.clone(), name.clone())),
            Command::SeatOrigin { seat, origin } => self.people.name_origin(*seat, Some(*origin)).map(|()| Vec::new()),
            Command::SeatHasOrigin { seat, from } => {
                self.people.name_origin(*seat, from.get().map(|from| from.origin)).map(|()| Vec::new())
            }
            _ => Err(ErrorCode::WrongPhase.into()),
        }
    }

    fn deadline(&self) -> Option<Millis> {
        self.draws.last().filter(|_| self.phase == Phase::Question).map(|draw| draw.closes)
    }

    fn round(&self) -> Option<Round> {
        self.last().map(|id| Round { id, space: CLAIMS })
    }

    fn counted(&self) -> Vec<SeatClaim> {
        let claims = self.draws.last().into_iter().flat_map(|draw| &draw.claims);
        claims.map(|(&(seat, key), (value, _))| SeatClaim { seat, key, value: value.clone() }).collect()
    }

    fn closing(&self) -> Option<RoundId> {
        self.last().filter(|_| self.phase == Phase::Closing)
    }

    fn state_hash(&self) -> u64 {
        let draws: Vec<_> =
            self.draws.iter().map(|draw| (draw.opens, draw.closes, &draw.claims, &draw.winners)).collect();
        self.people.state_hash(&(self.phase, self.seq, self.ended_at, &self.done, draws))
    }

    fn phase(&self) -> Phase {
        self.phase
    }

    fn seq(&self) -> Seq {
        self.seq
    }

    fn people(&self) -> &People {
        &self.people
    }

    fn gives_seats(&self) -> bool {
        self.phase == Phase::Lobby && self.draws.is_empty()
    }

    fn entry(&self, player: &PlayerId, role: Role) -> Result<Entry, ErrorCode> {
        match self.phase {
            Phase::Created => Err(ErrorCode::UnknownShow),
            phase => self.people.entry(player, role, phase != Phase::Ended),
        }
    }

    fn pre_check(&self, by: SeatRef, claim: &Claim, at: Millis) -> PreCheck {
        let refused = |code| PreCheck::Decided(Verdict::Refused(code));
        let Some(draw) = self.draws.last().filter(|_| claim.round.0 > 0 && Some(claim.round) <= self.last()) else {
            return refused(ErrorCode::UnknownQuestion);
        };
        if by != self.people.held(by.seat) || !self.people.has_seat(by.seat) {
            return refused(ErrorCode::SeatGivenAway);
        }
        if Some(claim.round) < self.last() {
            return refused(ErrorCode::TooLate);
        }
        let is_possible =
            matches!((&claim.value, claim.key), (ClaimValue::Bits(_), NUMBER) | (ClaimValue::Text(_), WORD));
        match draw.claims.get(&(by.seat, claim.key)) {
            Some((counted, _)) if *counted == claim.value => PreCheck::Decided(Verdict::Accepted(counted.clone())),
            Some((counted, _)) => PreCheck::Decided(Verdict::AlreadyAnswered(counted.clone())),
            None if !is_possible => refused(ErrorCode::BadChoice),
            None if self.people.removed.contains(by.seat) => refused(ErrorCode::NotInPlay),
            None if at < draw.opens => refused(ErrorCode::TooEarly),
            None if at >= draw.closes || !matches!(self.phase, Phase::Question | Phase::Closing) => {
                refused(ErrorCode::TooLate)
            }
            None => PreCheck::MayCount { elapsed: at.since(draw.opens) },
        }
    }

    fn was_done(&self, id: &CommandId, action: &Action) -> Result<bool, Refusal> {
        match self.done.did(id, action) {
            Some(false) => Err(ErrorCode::IdTaken.into()),
            done => Ok(done.is_some()),
        }
    }

    fn view(&self, now: Millis) -> View {
        let draw = self.draws.last().filter(|_| self.phase == Phase::Question);
        let body = json!({
            "draw": self.last(),
            "closes_at": draw.map(|draw| draw.closes),
            "winners": self.draws.iter().map(|draw| &draw.winners).collect::<Vec<_>>(),
        });
        GameSnapshot {
            seq: self.seq,
            at: now,
            game: self.show.game.clone(),
            title: self.show.title.clone(),
            phase: self.phase,
            joined: self.people.roster.seated(),
            paused: false,
            left: None,
            body: Body::of(&body),
        }
        .into()
    }

    fn own(&self, seat: Option<Seat>) -> ToPlayer {
        let claimed = |key| Some(self.draws.last()?.claims.get(&(seat?, key))?.0.to_string());
        let won = seat.map(|seat| self.won(seat)).unwrap_or_default();
        let body = json!({ "won": won, "number": claimed(NUMBER), "word": claimed(WORD) });
        ToPlayer::GameOwn(GameOwn { body: Body::of(&body) })
    }

    fn figures(&self, now: Millis) -> GameFigures {
        let claims = self.draws.last().map_or(0, |draw| draw.claims.len());
        GameFigures {
            question: self.last(),
            total: u16::try_from(self.setup.words.len()).unwrap_or(u16::MAX),
            joined: self.people.roster.seated(),
            alive: self.people.roster.seated() - self.people.removed.count(),
            answers: vec![u32::try_from(claims).unwrap_or(u32::MAX)],
            time_left: self.deadline().map(|closes| closes.since(now)),
            paused: false,
            autopilot: false,
            next_step: None,
        }
    }

    fn find(&self, text: &str, limit: usize) -> Vec<PlayerLine> {
        let line = |seat: Seat| {
            let score = u32::try_from(self.won(seat).len()).ok()?;
            Some(PlayerLine { seat, name: self.people.roster.name(seat)?.clone(), alive: true, lives: 0, score })
        };
        self.people.roster.find(text).filter_map(line).take(limit).collect()
    }

    fn title(&self) -> &str {
        &self.show.title
    }

    fn code(&self) -> &ShowCode {
        &self.show.code
    }

    fn results(&self, show: ShowId) -> Option<ShowResults> {
        let summary = ShowSummary {
            show,
            code: self.show.code.clone(),
            title: self.show.title.clone(),
            played: Played::Game(self.show.game.clone()),
            created_at: self.created_at,
            ended_at: self.ended_at?,
            joined: self.people.roster.seated(),
            pot: 0,
            currency: "EUR".into(),
            paid: 0,
            rolled_over: 0,
        };
        let player = |seat: Seat| {
            let won = self.won(seat);
            Some(PlayerResults {
                seat,
                player: self.people.roster.kept_player(show, seat)?,
                name: self.people.roster.name(seat)?.clone(),
                alive: !self.people.removed.contains(seat),
                lives: 0,
                score: u32::try_from(won.len()).ok()?,
                right_answers: u32::try_from(won.len()).ok()?,
                out_at: None,
                place: u32::from(!won.is_empty()),
                prize: 0,
            })
        };
        let rounds = (1..).map(RoundId).zip(self.draws.iter().zip(&self.setup.words)).map(|(round, (draw, word))| {
            RoundResult { round, body: Body::of(&json!({ "word": word, "winners": draw.winners })) }
        });
        let players = (0..self.people.roster.seated()).map(Seat).filter_map(player);
        Some(ShowResults { summary, questions: Vec::new(), players: players.collect(), rounds: rounds.collect() })
    }

    fn barrier(&self) -> Span {
        self.show.barrier
    }
}

/// What the game is called.
pub fn name() -> GameName {
    GameName::parse("lots").expect("it is a name")
}
