//! What the host's console shows. Changed only by messages of the server and by what the host does; no I/O.

use std::collections::{BTreeMap, VecDeque};

use klaxon_protocol::games::rundown::Setup;
use klaxon_protocol::games::trivia::{Choice, Pack, Question, QuestionId};
use klaxon_protocol::host::{Figures, FromHost, HostEvent, ToHost};
use klaxon_protocol::ids::{CommandId, ShowCode, ShowId};
use klaxon_protocol::player::{Phase, ToPlayer};
use klaxon_protocol::text::harmless;

use super::connection::Report;
use super::orders::{HELP, action_name, phase_name};
use super::prompt::Prompt;
use super::running::Running;
use super::words;

/// How many events and alerts are kept to look at.
const KEPT: usize = 20;

/// What the console knows about the show it hosts.
#[derive(Debug)]
pub struct View {
    /// Which show.
    pub show: ShowId,
    /// What players type to join it.
    pub code: ShowCode,
    /// What it is called.
    pub title: String,
    /// Where it is.
    pub phase: Phase,
    /// The question that was sent last.
    pub asked: Option<AskedQuestion>,
    /// What a rundown plays now.
    pub running: Option<Running>,
    /// The last figures.
    pub figures: Option<Figures>,
    /// Past events, the newest last.
    pub events: VecDeque<String>,
    /// Alerts, the newest last.
    pub alerts: VecDeque<String>,
    /// The outcome of the host's last action.
    pub note: Option<Note>,
    /// Why there is no connection, if there is none.
    pub lost: Option<String>,
    /// What the host is typing.
    pub prompt: Option<Prompt>,
    /// How many commands were refused.
    pub refusals: usize,
    /// The running order, if this console made the show of a file.
    pub setup: Option<Setup>,
    /// The pack of trivia, if this console made the show of one.
    pack: Option<Pack>,
    /// Unanswered commands, and their names.
    waiting: BTreeMap<CommandId, &'static str>,
    /// The number of unanswered requests.
    questions: usize,
}

/// The question that was sent last.
#[derive(Debug)]
pub struct AskedQuestion {
    /// As players see it.
    pub question: Question,
    /// The right choice, if this console knows it.
    pub right: Option<Choice>,
    /// The final counts, once revealed.
    pub counts: Option<Vec<u32>>,
    /// Whether it does not count.
    pub voided: bool,
}

/// The outcome of a host's action.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Note {
    /// It is done, or in progress.
    Fine(String),
    /// It was not done.
    Refused(String),
}

impl Note {
    /// The sentence.
    #[must_use]
    pub fn text(&self) -> &str {
        let (Self::Fine(text) | Self::Refused(text)) = self;
        text
    }
}

/// News for a host who reads lines.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum News {
    /// Something happened in the show.
    Event(String),
    /// The host must know this.
    Alert(String),
    /// The outcome of a command.
    Note(Note),
    /// An answer to a question of the host.
    Answer(Vec<String>),
    /// The show's phase has changed.
    State(String),
    /// The connection was lost or is back.
    Connection(String),
}

impl View {
    /// What is known at the start.
    #[must_use]
    pub fn new(show: ShowId, code: ShowCode, title: String, phase: Phase, pack: Option<Pack>) -> Self {
        Self {
            show,
            code,
            title: harmless(&title),
            phase,
            asked: None,
            running: None,
            figures: None,
            events: VecDeque::new(),
            alerts: VecDeque::new(),
            note: None,
            lost: None,
            prompt: None,
            refusals: 0,
            setup: None,
            pack,
            waiting: BTreeMap::new(),
            questions: 0,
        }
    }

    /// Whether everything that the host sent has been answered.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.waiting.is_empty() && self.questions == 0
    }

    /// The host sends a message.
    pub fn sent(&mut self, message: &FromHost) {
        match message {
            FromHost::Command(command) => {
                let name = action_name(&command.action);
                self.waiting.insert(command.id.clone(), name);
                self.note = Some(Note::Fine(format!("{name} ...")));
            }
            FromHost::FindPlayers(_) | FromHost::JournalTail(_) => self.questions += 1,
            _ => {}
        }
    }

    /// Something happened; what of it is news.
    pub fn report(&mut self, report: &Report) -> Vec<News> {
        match report {
            Report::Received(message) => self.receive(message),
            Report::Back { address } => {
                self.lost = None;
                vec![News::Connection(harmless(format!("the connection is back, with {address}")))]
            }
            Report::Lost { problem } | Report::Over { problem } => {
                let problem = harmless(problem);
                self.lost = Some(problem.clone());
                vec![News::Connection(format!("the connection is lost: {problem}"))]
            }
        }
    }

    /// Processes a message of the server. Returns what of it has to be shown as news.
    pub fn receive(&mut self, message: &ToHost) -> Vec<News> {
        match message {
            ToHost::Figures(figures) if figures.show == self.show => self.count(figures),
            ToHost::Event(event) if event.show == self.show => self.happen(event),
            ToHost::Alert(alert) if alert.show == self.show => {
                let text = harmless(words::alert(&alert.alert));
                keep(&mut self.alerts, text.clone());
                vec![News::Alert(text)]
            }
            ToHost::Done(done) => {
                let Some(name) = self.waiting.remove(&done.id) else { return Vec::new() };
                self.note(Note::Fine(format!("{name}: done")))
            }
            ToHost::Refused(refused) => {
                let Some(name) = self.waiting.remove(&refused.id) else { return Vec::new() };
                self.refusals += 1;
                let error = &refused.error;
                let text = format!("{name} refused ({}): {} {}", error.code, error.message, error.advice);
                self.note(Note::Refused(harmless(&text)))
            }
            ToHost::Error(error) => {
                self.questions = self.questions.saturating_sub(1);
                self.refusals += 1;
                self.note(Note::Refused(harmless(format!("{} {}", error.message, error.advice))))
            }
            ToHost::Players(found) if found.show == self.show => {
                self.questions = self.questions.saturating_sub(1);
                let mut lines: Vec<String> = found
                    .players
                    .iter()
                    .map(|player| {
                        let state = if player.alive { "in play" } else { "out" };
                        let (seat, name) = (player.seat, &player.name);
                        format!("seat {seat}: {name}, {state}, lives {}, points {}", player.lives, player.score)
                    })
                    .collect();
                if lines.is_empty() {
                    lines.push("nobody is called like that".into());
                }
                self.note = Some(Note::Fine(lines.join("; ")));
                vec![News::Answer(lines)]
            }
            ToHost::Journal(tail) if tail.show == self.show => {
                self.questions = self.questions.saturating_sub(1);
                let lines: Vec<String> = tail.lines.iter().map(harmless).collect();
                for line in &lines {
                    keep(&mut self.events, line.clone());
                }
                self.note = Some(Note::Fine(format!("{} journal records", lines.len())));
                vec![News::Answer(lines)]
            }
            ToHost::ResumeToken(token) if token.show == self.show => {
                let line = format!("seat {}: resume {}", token.seat, harmless(&token.resume));
                keep(&mut self.events, line.clone());
                vec![News::Answer(vec![line])]
            }
            ToHost::Figures(_)
            | ToHost::Event(_)
            | ToHost::Alert(_)
            | ToHost::ResumeToken(_)
            | ToHost::Players(_)
            | ToHost::Created(_)
            | ToHost::Shows(_)
            | ToHost::Journal(_)
            | ToHost::Pong(_) => Vec::new(),
        }
    }

    /// Shows what can be typed, where events are.
    pub fn help(&mut self) {
        for line in HELP {
            keep(&mut self.events, (*line).to_owned());
        }
    }

    fn note(&mut self, note: Note) -> Vec<News> {
        self.note = Some(note.clone());
        vec![News::Note(note)]
    }

    fn count(&mut self, figures: &Figures) -> Vec<News> {
        let state = |figures: &Figures| (figures.phase, figures.question, figures.paused, figures.autopilot);
        let moved = self.figures.as_ref().map(state) != Some(state(figures));
        self.phase = figures.phase;
        self.figures = Some(figures.clone());
        if moved { vec![News::State(harmless(summary(figures, self.running.as_ref())))] } else { Vec::new() }
    }

    fn happen(&mut self, event: &HostEvent) -> Vec<News> {
        match &*event.event {
            ToPlayer::Opened(_) => self.phase = Phase::Lobby,
            ToPlayer::Question(question) => {
                self.phase = Phase::Question;
                let right = self.pack.as_ref().and_then(|pack| right_choice(pack, question));
                self.asked = Some(AskedQuestion { question: question.clone(), right, counts: None, voided: false });
            }
            ToPlayer::Clock(clock) => self.new_clock(Some(clock.question), Some(clock.opens_at), Some(clock.closes_at)),
            ToPlayer::Resume(resume) => self.new_clock(resume.question, resume.opens_at, resume.closes_at),
            ToPlayer::Reveal(reveal) => {
                self.phase = Phase::Revealed;
                if let Some(asked) = self.asked(reveal.question) {
                    asked.right = Some(reveal.right);
                    asked.counts = Some(reveal.counts.clone());
                }
            }
            ToPlayer::Void(void) => {
                if let Some(asked) = self.asked(void.question) {
                    asked.voided = true;
                }
            }
            ToPlayer::End(_) => self.phase = Phase::Ended,
            _ => {}
        }
        let told = match &*event.event {
            ToPlayer::GameEvent(event) => {
                self.phase = event.phase;
                let mut running = self.running.clone().unwrap_or_default();
                let told = running.happen(&event.body, self.setup.as_ref());
                if told.is_some() {
                    self.running = Some(running);
                }
                told
            }
            _ => None,
        };
        let Some(text) = told.or_else(|| words::event(&event.event)) else { return Vec::new() };
        let text = harmless(&text);
        keep(&mut self.events, text.clone());
        vec![News::Event(text)]
    }

    /// Who is near to a prize of bingo.
    pub fn near(&mut self) -> Vec<News> {
        let numbers = self.figures.as_ref().map(|figures| &figures.answers[..]).unwrap_or_default();
        let near = self.running.clone().unwrap_or_default().near(numbers);
        let lines: Vec<String> = near.iter().map(harmless).collect();
        self.note = Some(Note::Fine(lines.join("; ")));
        vec![News::Answer(lines)]
    }

    fn asked(&mut self, question: QuestionId) -> Option<&mut AskedQuestion> {
        self.asked.as_mut().filter(|asked| asked.question.question == question)
    }

    fn new_clock(
        &mut self,
        question: Option<QuestionId>,
        opens_at: Option<klaxon_protocol::time::Millis>,
        closes_at: Option<klaxon_protocol::time::Millis>,
    ) {
        if let (Some(question), Some(opens_at), Some(closes_at)) = (question, opens_at, closes_at)
            && let Some(asked) = self.asked(question)
        {
            asked.question.opens_at = opens_at;
            asked.question.closes_at = closes_at;
        }
    }
}

/// The right choice of a question whose choices may have been mixed: known by its text.
fn right_choice(pack: &Pack, asked: &Question) -> Option<Choice> {
    let known = pack.questions.get(usize::from(asked.question.0).checked_sub(1)?)?;
    let right = known.choices.get(known.right.index())?;
    let at = asked.choices.iter().position(|choice| choice == right)?;
    (known.text == asked.text).then_some(Choice(u8::try_from(at).ok()?))
}

fn keep(lines: &mut VecDeque<String>, line: String) {
    if lines.len() == KEPT {
        lines.pop_front();
    }
    lines.push_back(line);
}

/// The figures in a line.
fn summary(figures: &Figures, running: Option<&Running>) -> String {
    let mut line = phase_name(figures.phase).to_owned();
    match (running, figures.question) {
        // How many rounds a rundown will have depends on how it goes.
        (Some(running), Some(round)) => line = format!("{line}, part {}, round {round}", running.part),
        (Some(running), None) => line = format!("{line}, part {}", running.part),
        (None, Some(question)) => line = format!("{line}, question {question} of {}", figures.total),
        (None, None) => {}
    }
    line = format!("{line}, {} joined, {} connected, {} in play", figures.joined, figures.connected, figures.alive);
    if let Some(running) = running {
        for number in running.numbers(&figures.answers) {
            line = format!("{line}, {number}");
        }
    } else if figures.question.is_some() {
        let counts: Vec<String> = figures.answers.iter().map(ToString::to_string).collect();
        line = format!("{line}, answers {}", counts.join(" "));
    }
    for (is_so, word) in [(figures.paused, "paused"), (figures.autopilot, "autopilot")] {
        if is_so {
            line = format!("{line}, {word}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::error::ErrorCode;
    use klaxon_protocol::games::trivia::{PackQuestion, Reveal};
    use klaxon_protocol::host::{Action, Done, HostCommand, Refused};

    use super::*;

    const SHOW: ShowId = ShowId(1);

    fn view() -> View {
        let right = PackQuestion::new("2 + 2?", ["4", "5"], Choice(0));
        let pack = Pack { title: "Sums".into(), questions: vec![right] };
        View::new(SHOW, ShowCode::parse("QUIZ").unwrap(), "Sums".into(), Phase::Created, Some(pack))
    }

    fn event(message: ToPlayer) -> ToHost {
        ToHost::Event(HostEvent { show: SHOW, event: Box::new(message) })
    }

    fn question() -> ToPlayer {
        ToPlayer::Question(Question { choices: vec!["5".into(), "4".into()], ..klaxon_fixtures::question(2, 1) })
    }

    fn id(text: &str) -> CommandId {
        CommandId::parse(text).unwrap()
    }

    fn next(text: &str) -> FromHost {
        FromHost::Command(HostCommand { id: id(text), show: SHOW, action: Action::Next })
    }

    #[test]
    fn the_right_choice_is_known_from_the_pack_even_if_choices_are_mixed() {
        let mut view = view();
        view.receive(&event(question()));
        assert_eq!(view.asked.as_ref().unwrap().right, Some(Choice(1)));
        assert_eq!(view.phase, Phase::Question);
    }

    #[test]
    fn without_the_pack_the_right_choice_is_known_from_the_reveal() {
        let mut view = View { pack: None, ..view() };
        view.receive(&event(question()));
        assert_eq!(view.asked.as_ref().unwrap().right, None);
        let reveal = Reveal { right: Choice(1), counts: vec![1, 2], ..klaxon_fixtures::reveal(3, 1) };
        view.receive(&event(ToPlayer::Reveal(reveal)));
        let asked = view.asked.as_ref().unwrap();
        assert_eq!((asked.right, asked.counts.as_deref()), (Some(Choice(1)), Some(&[1, 2][..])));
    }

    #[test]
    fn a_refusal_is_shown_with_what_to_do() {
        let mut view = view();
        view.sent(&next("a"));
        assert!(!view.is_settled());
        let news = view.receive(&ToHost::Refused(Refused { id: id("a"), error: ErrorCode::WrongPhase.into() }));
        let [News::Note(Note::Refused(text))] = &news[..] else { panic!("{news:?}") };
        assert!(text.contains("wrong_phase") && text.contains(ErrorCode::WrongPhase.advice()), "{text}");
        assert!(view.is_settled());
        assert_eq!(view.refusals, 1);
    }

    #[test]
    fn an_answer_that_comes_twice_is_shown_once() {
        let mut view = view();
        view.sent(&next("a"));
        let done = ToHost::Done(Done { id: id("a"), show: SHOW, again: false });
        assert_eq!(view.receive(&done), [News::Note(Note::Fine("next: done".into()))]);
        assert_eq!(view.receive(&done), []);
    }

    #[test]
    fn events_of_other_shows_are_not_ours() {
        let mut view = view();
        let other = HostEvent { show: ShowId(2), event: Box::new(question()) };
        assert_eq!(view.receive(&ToHost::Event(other)), []);
        assert!(view.asked.is_none());
    }
}
