//! What a rundown plays now, for its host: from the events of its parts.

use klaxon_protocol::games::bingo::{BingoEvent, Card, Dealing, Dealt, PrizeWon};
use klaxon_protocol::games::quiz::{
    AnswerKind, Asked, Choices, Corrected, Floor, PrizesPaid, QuizEvent, QuizReveal, Right,
};
use klaxon_protocol::games::rundown::{Event, LeaderLine, OfPart, PartKind, Setup};
use klaxon_protocol::player::Body;

/// What a rundown plays now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Running {
    /// The part's index in the setup, from 0.
    pub part: u8,
    /// What it is, and what happens in it.
    pub headline: String,
    /// What the host's numbers are about.
    pub counted: Counted,
}

/// What the host's numbers are about.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Counted {
    /// Nothing.
    #[default]
    Nothing,
    /// Counted answers by choice.
    Choices(Vec<String>),
    /// How many tickets are near to each prize.
    Prizes(Vec<String>),
}

/// An event of a part.
enum PartEvent {
    Rundown(Event),
    Quiz(QuizEvent),
    Bingo(BingoEvent),
}

impl PartEvent {
    fn read(body: &Body) -> Option<OfPart<Self>> {
        let part = u8::try_from(body.0.get("part")?.as_u64()?).ok()?;
        let event = (body.read().map(Self::Rundown))
            .or_else(|_| body.read().map(Self::Quiz))
            .or_else(|_| body.read().map(Self::Bingo));
        Some(OfPart { part, event: event.ok()? })
    }
}

impl Running {
    /// An event happened. Returns it as a sentence; none if it is of a kind that this console does not know. With the running order a
    /// question has its explanation, by which a host can judge answers.
    pub fn happen(&mut self, body: &Body, setup: Option<&Setup>) -> Option<String> {
        let OfPart { part, event } = PartEvent::read(body)?;
        if part != self.part {
            *self = Self { part, ..Self::default() };
        }
        let round = body.0.get("round").map(|round| format!(" (round {round})")).unwrap_or_default();
        let told = match event {
            PartEvent::Rundown(event) => match event {
                Event::Break { text, .. } => {
                    self.counted = Counted::Nothing;
                    format!("break: {text}")
                }
                Event::Clock(clock) => {
                    format!("round {} is open for {}", clock.round, clock.closes_at.since(clock.opens_at))
                }
                Event::Close { round } => format!("round {round}: time is up"),
                Event::Void { round, reason } => format!("round {round} does not count: {reason}"),
                Event::Leaders(leading) => {
                    self.counted = Counted::Nothing;
                    let line = |line: &LeaderLine| format!("{}. seat {}: {}", line.place, line.seat, line.points);
                    format!("podium: {}", list(leading.leaders.iter().take(10).map(line)))
                }
                Event::Team { seat, team: Some(team) } => format!("seat {seat} is in team {team}"),
                Event::Team { seat, team: None } => format!("seat {seat} is in no team"),
                Event::Player { seat, .. } => format!("seat {seat} is a player without a device"),
                Event::Teams { places } => format!("{} teams have their places", places.len()),
            },
            PartEvent::Quiz(event) => {
                let known = match &event {
                    QuizEvent::Question(asked) => setup.and_then(|setup| explanation(setup, part, asked.number)),
                    _ => None,
                };
                let told = self.quiz(event, &round);
                match known {
                    Some(known) => format!("{told} (you know: {known})"),
                    None => told,
                }
            }
            PartEvent::Bingo(event) => self.bingo(event, &round),
        };
        self.headline.clone_from(&told);
        Some(format!("[{part}] {told}"))
    }

    fn quiz(&mut self, event: QuizEvent, round: &str) -> String {
        match event {
            QuizEvent::Question(Asked { number, total, text, answer, .. }) => {
                let (kind, choices) = kind_and_choices(answer);
                self.counted = if choices.is_empty() { Counted::Nothing } else { Counted::Choices(choices) };
                format!("question {number} of {total}{round}, {kind}: {text}")
            }
            QuizEvent::Floor(Floor { seat: Some(seat), buzzed, .. }) => {
                format!("seat {seat} has the floor, {buzzed} buzzed: `judge right` or `judge wrong`")
            }
            QuizEvent::Floor(_) => "nobody who buzzed is left".into(),
            QuizEvent::Reveal(reveal) => self.reveal(&reveal),
            QuizEvent::Corrected(Corrected { reveal, changed }) => {
                format!("corrected: {}; something changed for {changed} players", self.reveal(&reveal))
            }
            QuizEvent::Quiz { .. } => "a quiz with prizes".into(),
            QuizEvent::Prizes(PrizesPaid { pot, paid, count, .. }) => {
                format!("prizes: {count} players won {paid} of {pot}, in minor units")
            }
            QuizEvent::Words { words } => format!("words: {}", list(words.iter().map(|word| word.word.clone()))),
        }
    }

    fn reveal(&self, QuizReveal { number, right, answered, right_answers, in_play, words, .. }: &QuizReveal) -> String {
        let choice = |index: &u8| match &self.counted {
            Counted::Choices(choices) => choices.get(usize::from(*index)).cloned().unwrap_or_default(),
            _ => index.to_string(),
        };
        let right = match right {
            None => String::new(),
            Some(Right::Choices(choices) | Right::Order(choices)) => {
                format!(", right: {}", list(choices.iter().map(choice)))
            }
            Some(Right::Number(number)) => format!(", right: {number}"),
            Some(Right::Spellings(spellings)) => format!(", right: {}", list(spellings.iter().take(1).cloned())),
        };
        let words = list(words.iter().take(10).map(|word| format!("{} {}", word.word, word.players)));
        let words = if words.is_empty() { words } else { format!("; words: {words}") };
        format!("question {number}{right}; {right_answers} of {answered} answers right, {in_play} in play{words}")
    }

    fn bingo(&mut self, event: BingoEvent, round: &str) -> String {
        match event {
            BingoEvent::Dealing(Dealing { balls, tickets, prizes, public_value, .. }) => {
                self.counted = Counted::Prizes(prizes.into_iter().map(|prize| prize.name).collect());
                let awaited = public_value.map(|value| format!("; after the dealing `public` says {value}"));
                let (balls, awaited) = (balls.count(), awaited.unwrap_or_default());
                format!("bingo with {balls} balls: dealing {tickets} tickets to each seat{awaited}")
            }
            BingoEvent::Dealt(Dealt { seats, tickets, .. }) => format!("dealt: {tickets} tickets, {seats} seats"),
            BingoEvent::PublicValue { value } => format!("the public value is {value}"),
            BingoEvent::Ball(ball) => format!("ball {}, number {}{round}", ball.ball, ball.number_of_ball),
            BingoEvent::Settled(settled) => {
                let won = list(settled.won.iter().map(|won| self.won(won)));
                let won = if won.is_empty() { "nobody won".into() } else { won };
                format!("round {}: {won}; {} false calls", settled.round, settled.false_calls)
            }
            BingoEvent::Opened(opened) => format!("bingo is over after {} balls", opened.drawn),
        }
    }

    fn won(&self, PrizeWon { prize, winners, count, .. }: &PrizeWon) -> String {
        let seats = list(winners.iter().take(3).map(|winner| format!("seat {}", winner.seat)));
        let more = if *count > 3 { format!(" and {} more", count - 3) } else { String::new() };
        format!("{} is won by {seats}{more}", self.prize(usize::from(*prize)))
    }

    fn prize(&self, index: usize) -> String {
        let name = match &self.counted {
            Counted::Prizes(names) => names.get(index).cloned(),
            Counted::Nothing | Counted::Choices(_) => None,
        };
        name.unwrap_or_else(|| format!("prize {index}"))
    }

    /// The host's numbers, each with what it is about.
    #[must_use]
    pub fn numbers(&self, numbers: &[u32]) -> Vec<String> {
        match &self.counted {
            Counted::Nothing => Vec::new(),
            Counted::Choices(choices) => {
                choices.iter().zip(numbers).map(|(choice, count)| format!("{choice}: {count}")).collect()
            }
            Counted::Prizes(names) => {
                let near = |(name, near): (&String, &[u32])| match near {
                    [0, 0, 0] => None,
                    [now, one, two] => Some(format!("{name}: {now} complete, {one} with one to go, {two} with two")),
                    _ => None,
                };
                names.iter().zip(numbers.chunks(3)).filter_map(near).collect()
            }
        }
    }

    /// Who is near to which prize; a sentence if that is not known.
    #[must_use]
    pub fn near(&self, numbers: &[u32]) -> Vec<String> {
        if !matches!(self.counted, Counted::Prizes(_)) {
            return vec!["no bingo is played, or it began before this console came: nobody is near a prize".into()];
        }
        let near = self.numbers(numbers);
        if near.is_empty() { vec!["no ticket is nearer than three numbers to a prize".into()] } else { near }
    }
}

/// What the running order explains of a question.
fn explanation(setup: &Setup, part: u8, number: u16) -> Option<&str> {
    let PartKind::Quiz(quiz) = &setup.parts.get(usize::from(part))?.kind else { return None };
    quiz.questions.get(usize::from(number).checked_sub(1)?)?.explanation.as_deref()
}

fn kind_and_choices(answer: AnswerKind) -> (&'static str, Vec<String>) {
    match answer {
        AnswerKind::Choice(Choices { choices }) => ("one choice", choices),
        AnswerKind::Choices(Choices { choices }) => ("several choices", choices),
        AnswerKind::Number { .. } => ("a number", Vec::new()),
        AnswerKind::Order { items } => ("an order", items),
        AnswerKind::Text { .. } => ("a text", Vec::new()),
        AnswerKind::Poll(Choices { choices }) => ("a poll", choices),
        AnswerKind::Words { .. } => ("words", Vec::new()),
        AnswerKind::Fastest { choices, .. } => ("the fastest", choices),
        AnswerKind::Buzzer { choices } => ("a buzzer", choices.unwrap_or_default()),
        AnswerKind::Majority(Choices { choices }) => ("the majority", choices),
        AnswerKind::Wager { .. } => ("a wager", Vec::new()),
        AnswerKind::Slide { .. } => ("a slide", Vec::new()),
    }
}

/// What a game tells its hosts alone, as a sentence.
#[must_use]
pub fn alert(body: &Body) -> String {
    let Ok(Card { card, own, drawn, complete }) = body.read::<Card>() else { return format!("the game says {body}") };
    let row = |row: &Vec<u8>| {
        row.iter()
            .map(|cell| if *cell == 0 { "--".into() } else { format!("{cell:02}") })
            .collect::<Vec<String>>()
            .join(" ")
    };
    let none_or = |list: String| if list.is_empty() { "none".into() } else { list };
    let numbers = |numbers: Option<&Vec<u8>>| none_or(list(numbers.into_iter().flatten().map(u8::to_string)));
    let ticket = |(index, rows): (usize, &Vec<Vec<u8>>)| {
        let (cells, drawn) = (rows.iter().map(row).collect::<Vec<_>>().join(" / "), numbers(drawn.get(index)));
        format!("ticket {index}: {cells}; drawn: {drawn}; complete prizes: {}", numbers(complete.get(index)))
    };
    let tickets = own.tickets.iter().enumerate().map(ticket).collect::<Vec<_>>().join(". ");
    let won = none_or(list(own.won.iter().map(|won| format!("prize {} with ticket {}", won.prize, won.ticket))));
    format!("card of seat {card}: {tickets}. Won: {won}; false calls: {}", own.false_calls)
}

fn list(items: impl Iterator<Item = String>) -> String {
    items.collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn told(running: &mut Running, body: &Value) -> Option<String> {
        running.happen(&Body::of(body), None)
    }

    #[test]
    fn a_quiz_is_told_with_its_choices_and_counts() {
        let mut running = Running::default();
        let question = json!({ "event": "question", "part": 2, "number": 3, "total": 9, "text": "Largest?", "kind": "choice",
            "choices": ["Mars", "Jupiter"], "points": 1000, "round": 7, "opens_at": 1, "closes_at": 2 });
        assert_eq!(told(&mut running, &question).unwrap(), "[2] question 3 of 9 (round 7), one choice: Largest?");
        assert_eq!(running.numbers(&[4, 5]), ["Mars: 4", "Jupiter: 5"]);
        let reveal = json!({ "event": "reveal", "part": 2, "number": 3, "round": 7, "right": { "choices": [1] }, "counts": [4, 5],
            "answered": 9, "right_answers": 5, "in_play": 5 });
        assert_eq!(
            told(&mut running, &reveal).unwrap(),
            "[2] question 3, right: Jupiter; 5 of 9 answers right, 5 in play"
        );
        let floor =
            json!({ "event": "floor", "part": 2, "number": 3, "round": 8, "seat": 5, "order": [5, 6], "buzzed": 2 });
        assert!(told(&mut running, &floor).unwrap().contains("seat 5 has the floor, 2 buzzed: `judge right`"));
        assert_eq!(
            running.near(&[1, 2, 3])[0],
            "no bingo is played, or it began before this console came: nobody is near a prize"
        );
    }

    #[test]
    fn a_host_who_made_the_show_sees_what_explains_the_answer() {
        let setup = json!({ "parts": [{ "part": "quiz", "questions": [
            { "text": "The longest bone?", "kind": "buzzer", "explanation": "The femur." },
            { "text": "The smallest?", "kind": "buzzer" },
        ] }] });
        let setup: Setup = Body::of(&setup).read_known().unwrap();
        let question = |number: u8| {
            let text = "The longest bone?";
            Body::of(
                &json!({ "event": "question", "part": 0, "number": number, "total": 2, "text": text, "kind": "buzzer", "round": 1 }),
            )
        };
        let mut running = Running::default();
        let told = running.happen(&question(1), Some(&setup)).unwrap();
        assert_eq!(told, "[0] question 1 of 2 (round 1), a buzzer: The longest bone? (you know: The femur.)");
        assert!(!running.happen(&question(2), Some(&setup)).unwrap().contains("you know"));
    }

    #[test]
    fn bingo_is_told_with_who_is_near() {
        let mut running = Running::default();
        let prizes = json!([{ "name": "Line", "pattern": "line" }, { "name": "House", "pattern": "full_house" }]);
        let dealing = json!({ "event": "dealing", "part": 0, "balls": 90, "tickets": 2, "prizes": prizes, "settings": {},
            "commitment": "00", "public_value": null });
        assert_eq!(told(&mut running, &dealing).unwrap(), "[0] bingo with 90 balls: dealing 2 tickets to each seat");
        let ball = json!({ "event": "ball", "part": 0, "ball": 37, "number_of_ball": 12, "round": 4, "opens_at": 1, "closes_at": 2 });
        assert_eq!(told(&mut running, &ball).unwrap(), "[0] ball 37, number 12 (round 4)");
        assert_eq!(running.near(&[1, 3, 12, 0, 0, 0]), ["Line: 1 complete, 3 with one to go, 12 with two"]);
        assert_eq!(running.near(&[0; 6]), ["no ticket is nearer than three numbers to a prize"]);
        let settled = json!({ "event": "settled", "part": 0, "round": 4, "false_calls": 2,
            "won": [{ "prize": 0, "winners": [{ "seat": 3, "ticket": 0 }], "count": 1, "share": 5, "one_more": 0 }] });
        assert_eq!(told(&mut running, &settled).unwrap(), "[0] round 4: Line is won by seat 3; 2 false calls");
    }

    #[test]
    fn what_the_rundown_itself_tells_is_a_sentence_and_what_is_not_known_is_none() {
        let mut running = Running::default();
        assert_eq!(
            told(&mut running, &json!({ "event": "break", "part": 1, "text": "Tea!", "for": 5 })).unwrap(),
            "[1] break: Tea!"
        );
        assert_eq!(running.headline, "break: Tea!");
        assert_eq!(
            told(&mut running, &json!({ "event": "close", "part": 1, "round": 3 })).unwrap(),
            "[1] round 3: time is up"
        );
        assert_eq!(told(&mut running, &json!({ "event": "later", "part": 1 })), None);
        assert_eq!(told(&mut running, &json!({ "lots": 1 })), None);
    }

    #[test]
    fn a_card_is_told_row_by_row() {
        let card = json!({ "card": 7, "own": { "tickets": [[[1, 16], [2, 0]]], "false_calls": 1 }, "drawn": [[16, 2]], "complete": [[0]] });
        assert_eq!(
            alert(&Body::of(&card)),
            "card of seat 7: ticket 0: 01 16 / 02 --; drawn: 16, 2; complete prizes: 0. Won: none; false calls: 1"
        );
        assert_eq!(alert(&Body::of(&json!({ "other": 1 }))), "the game says {\"other\":1}");
    }
}
