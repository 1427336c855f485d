//! What the host's keys do.

use klaxon_protocol::host::Action;

use super::orders::{Order, parse};
use super::prompt::Prompt;
use super::view::{Note, View};

/// A key, as far as the console has a use for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Key {
    /// A character.
    Char(char),
    /// The end of what is typed.
    Enter,
    /// One character less.
    Backspace,
    /// Never mind.
    Escape,
}

/// The longest text that can be typed, in characters: the longest message to everybody.
const LONGEST: usize = 500;

/// The keys that do something at once or begin a prompt, for people.
pub const KEYS: &[(&str, &str)] = &[
    ("o", "open"),
    ("n", "next"),
    ("c", "close"),
    ("r", "reveal"),
    ("p", "pause"),
    ("v", "void"),
    ("a", "autopilot"),
    ("m", "message"),
    ("l", "lives"),
    ("e", "end"),
    (":", "order"),
    ("q", "quit"),
];

/// What a key does: an order, or a change of what is being typed.
pub fn press(view: &mut View, key: Key) -> Option<Order> {
    match view.prompt.take() {
        None => begin(view, key),
        Some(Prompt::End) => match key {
            Key::Char('y') => Some(Order::Do(Action::End { pay: true })),
            Key::Char('u') => Some(Order::Do(Action::End { pay: false })),
            Key::Escape | Key::Char('n') => None,
            _ => {
                view.prompt = Some(Prompt::End);
                None
            }
        },
        Some(Prompt::Text { asks, order, mut typed }) => {
            match key {
                Key::Escape => return None,
                Key::Enter => return finish(view, &format!("{order}{typed}")),
                Key::Char(c) if typed.chars().count() < LONGEST => typed.push(c),
                Key::Char(_) => {}
                Key::Backspace => {
                    typed.pop();
                }
            }
            view.prompt = Some(Prompt::Text { asks, order, typed });
            None
        }
    }
}

fn begin(view: &mut View, key: Key) -> Option<Order> {
    let Key::Char(key) = key else { return None };
    let figures = view.figures.as_ref();
    let action = match key {
        'o' => Action::OpenLobby,
        'n' => Action::Next,
        'c' => Action::Close,
        'r' => Action::Reveal,
        'p' if figures.is_some_and(|figures| figures.paused) => Action::Resume,
        'p' => Action::Pause,
        'a' => Action::Autopilot { on: !figures.is_some_and(|figures| figures.autopilot) },
        'q' => return Some(Order::Quit),
        _ => {
            view.prompt = match key {
                'v' => Some(Prompt::text("Why does the question not count", "void ")),
                'm' => Some(Prompt::text("To everybody", "message ")),
                'l' => Some(Prompt::text("Lives for all in play", "lives ")),
                ':' => Some(Prompt::text("Order (help: which there are)", "")),
                'e' => Some(Prompt::End),
                _ => None,
            };
            return None;
        }
    };
    Some(Order::Do(action))
}

fn finish(view: &mut View, line: &str) -> Option<Order> {
    parse(line).unwrap_or_else(|problem| {
        view.note = Some(Note::Refused(problem));
        None
    })
}

#[cfg(test)]
mod tests {
    use klaxon_protocol::ids::{ShowCode, ShowId};
    use klaxon_protocol::player::Phase;

    use super::*;

    fn view() -> View {
        View::new(ShowId(1), ShowCode::parse("QUIZ").unwrap(), "Sums".into(), Phase::Created, None)
    }

    fn type_in(view: &mut View, text: &str) -> Option<Order> {
        for c in text.chars() {
            assert_eq!(press(view, Key::Char(c)), None);
        }
        press(view, Key::Enter)
    }

    #[test]
    fn one_key_is_enough_in_a_hurry() {
        let mut view = view();
        assert_eq!(press(&mut view, Key::Char('n')), Some(Order::Do(Action::Next)));
        assert_eq!(press(&mut view, Key::Char('p')), Some(Order::Do(Action::Pause)));
        assert_eq!(press(&mut view, Key::Char('a')), Some(Order::Do(Action::Autopilot { on: true })));
        assert_eq!(press(&mut view, Key::Char('x')), None);
    }

    #[test]
    fn a_void_asks_for_its_reason() {
        let mut view = view();
        assert_eq!(type_in(&mut view, "vno mapp"), Some(Order::Do(Action::Void { reason: "no mapp".into() })));
        assert_eq!(view.prompt, None);
        assert_eq!(type_in(&mut view, "v"), None);
        assert!(matches!(&view.note, Some(Note::Refused(text)) if text.contains("reason")));
    }

    #[test]
    fn the_end_needs_a_second_key() {
        let mut view = view();
        assert_eq!(press(&mut view, Key::Char('e')), None);
        assert_eq!(press(&mut view, Key::Char('e')), None);
        assert_eq!(press(&mut view, Key::Escape), None);
        assert_eq!(view.prompt, None);
        press(&mut view, Key::Char('e'));
        assert_eq!(press(&mut view, Key::Char('u')), Some(Order::Do(Action::End { pay: false })));
    }

    #[test]
    fn typed_text_can_be_corrected_or_dropped() {
        let mut view = view();
        for key in [Key::Char('m'), Key::Char('h'), Key::Char('o'), Key::Backspace, Key::Char('i')] {
            press(&mut view, key);
        }
        assert_eq!(view.prompt.as_ref().unwrap().shown(), "To everybody: hi_");
        assert_eq!(press(&mut view, Key::Enter), Some(Order::Do(Action::Message { text: "hi".into() })));
        press(&mut view, Key::Char('m'));
        assert_eq!(press(&mut view, Key::Escape), None);
        assert_eq!(view.prompt, None);
    }
}
