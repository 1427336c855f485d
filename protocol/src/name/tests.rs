use proptest::prelude::*;

use super::*;

#[test]
fn names_that_people_have_are_taken_as_they_are() {
    for name in [
        "Ann",
        "O'Brien",
        "D’Arcy",
        "Jean-Luc",
        "J. R. R.",
        "Hostetler",
        "Nguyễn Thị Ánh",
        "José",
        "Łukasz",
        "Þórður",
        "Ἀχιλλεύς",
        "Иван",
        "יוֹסֵף",
        "محمد",
        "می\u{200c}خواهم",
        "علی\u{200c}رضا",
        "मुहम्मद",
        "श्री",
        "क\u{94d}\u{200d}ष",
        "தமிழ்ச்செல்வி",
        "අශ\u{dca}\u{200d}රී",
        "สมชาย ก้าวหน้า",
        "ကျော်စွာ",
        "བསྟན་འཛིན",
        "አበበ",
        "张伟",
        "葛\u{e0100}城",
        "さくら",
        "김철수",
        "👨\u{200d}👩\u{200d}👧\u{200d}👦",
        "🏳\u{fe0f}\u{200d}🌈",
        "🇩🇪🇫🇷",
        "👍🏽",
        "❤\u{fe0f}",
        "1\u{fe0f}\u{20e3}",
        "Zoë ☀",
        "🏴\u{e0067}\u{e0062}\u{e0065}\u{e006e}\u{e0067}\u{e007f}",
        "abcdefghijklmnopqrstuvwx",
    ] {
        assert_eq!(check(name).as_deref(), Ok(name), "{name}");
        assert_eq!(check_kept(name).as_deref(), Ok(name), "{name}");
    }
}

#[test]
fn a_name_shows_something() {
    for name in [
        "",
        " ",
        "\u{a0}\u{3000}",
        "\u{ad}",
        "\u{3164}",
        "\u{115f}\u{1160}",
        "\u{ffa0}",
        "\u{2800}",
        "\u{200b}",
        "\u{2060}",
        "\u{feff}",
        "\u{34f}",
        "\u{200d}",
        "\u{200c}",
        "\u{fe0f}",
        "\u{e0061}",
        "\u{180e}",
        "\u{17b5}",
        "\u{1d159}",
        "\u{301}",
        "\u{2028}",
        "\u{ad} \u{3164}",
    ] {
        assert!(check(name).is_err(), "{name:?}");
    }
    assert!(check(" ").unwrap_err().contains("blank"));
}

#[test]
fn what_shows_nothing_where_it_stands_is_taken_away() {
    for (name, kept) in [
        ("  Ann \t Lee ", "Ann Lee"),
        ("Ann\u{ad}", "Ann"),
        ("A\u{200b}n\u{2060}n\u{feff}", "Ann"),
        ("A\u{200d}nn\u{200c}", "Ann"),
        ("سارا\u{200c}", "سارا"),
        ("Ann\u{2800}Lee", "Ann Lee"),
        ("Jose\u{301}", "José"),
        ("Jose\u{34f}\u{301}", "José"),
        ("Ann\u{fe0f}", "Ann"),
        ("A\u{e0041}nn", "Ann"),
        ("Ann \u{ad} Lee", "Ann Lee"),
        ("Ann\u{2028}Lee", "Ann Lee"),
    ] {
        assert_eq!(check(name).as_deref(), Ok(kept), "{name:?}");
    }
}

#[test]
fn what_could_garble_a_screen_is_refused() {
    for c in "\0\u{7}\u{1b}\u{7f}\u{9b}\u{61c}\u{200e}\u{200f}\u{202a}\u{202b}\u{202c}\u{202d}\u{202e}\u{2066}\u{2067}\u{2068}\u{2069}\u{e000}\u{f8ff}\u{10ffff}\u{fffe}\u{fdd0}\u{378}\u{fff9}\u{600}".chars() {
        for name in [format!("a{c}b"), format!("é{c}"), format!("{c}")] {
            assert!(check(&name).is_err(), "{name:?}");
            assert!(check_cut(&name).is_err(), "{name:?}");
        }
    }
}

#[test]
fn a_letter_has_few_marks() {
    let with = |marks: &str| check(&format!("a{marks}nn"));
    assert!(with("\u{302}\u{301}\u{323}\u{31b}").is_ok());
    assert!(with("\u{302}\u{301}\u{323}\u{31b}\u{308}").is_err());
    assert!(with(&"\u{301}".repeat(23)).is_err());
    assert!(with("\u{302}\u{302}").is_err());
    assert!(with("\u{20dd}\u{20de}\u{20df}\u{20e0}\u{20e2}").is_err());
    assert!(check("\u{301}Ann").is_err() && check("Ann \u{301}Lee").is_err() && check("Ann \u{93e}").is_err());
}

#[test]
fn characters_are_counted_as_people_do_and_bytes_are_bounded() {
    assert!(check(&"é".repeat(24)).is_ok());
    assert!(check(&"e\u{301}".repeat(24)).is_ok());
    assert_eq!(check(&"é".repeat(25)).unwrap_err(), "must be 1 to 24 characters long, this one has 25");
    assert!(check(&"👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(5)).is_ok());
    assert!(check(&"👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(6)).unwrap_err().contains("128 bytes"));
    assert!(check(&"a".repeat(5000)).is_err());
}

#[test]
fn a_long_name_is_cut_between_characters() {
    assert_eq!(
        check_cut("Wolfeschlegelsteinhausenbergerdorff-Featherstone").as_deref(),
        Ok("Wolfeschlegelsteinhausen")
    );
    assert_eq!(
        check_cut(&"👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(9)).unwrap(),
        "👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(5)
    );
    assert_eq!(check_cut("Maximiliane Alexandrina Sophie").as_deref(), Ok("Maximiliane Alexandrina"));
    assert_eq!(check_cut(&"می\u{200c}".repeat(40)).unwrap().graphemes(true).count(), 24);
    assert!(check_cut(&"x".repeat(100_000)).is_ok() && check_cut(&"字".repeat(100_000)).is_ok());
    assert!(check_cut("").is_err() && check_cut("Host").is_err());
}

#[test]
fn a_number_fits_behind_every_name() {
    assert_eq!(numbered("Ann", 2), "Ann 2");
    assert_eq!(numbered("Bartholomew Featherstone", 12), "Bartholomew Featherst 12");
    let family = "👨\u{200d}👩\u{200d}👧\u{200d}👦".repeat(5);
    assert_eq!(numbered(&family, 1_000_000), family[..100].to_owned() + " 1000000");
}

/// A name that imitates the host and is padded to the maximum length: cutting it to append a number would remove the
/// padding.
#[test]
fn a_number_makes_nobody_the_host() {
    for (name, cut) in [
        ("The Real Official Host Z", "The Real Official Host"),
        ("Official Real Klaxon Bob", "Official Real Klaxon"),
        ("Klaxon Support Nicholas", "Klaxon Support"),
    ] {
        let name = check(name).unwrap();
        assert!(name.starts_with(cut));
        for number in [2, 17, 4711, 1_000_000] {
            let numbered = numbered(&name, number);
            assert!(!reserved::is_reserved(&numbered) && numbered.ends_with(&number.to_string()), "{numbered}");
        }
    }
    assert_eq!(numbered("The Real Official Host Z", 2), "Player 2");
}

/// Names that earlier versions accepted: 1 to 24 characters, without those that were refused then.
fn old_name() -> impl Strategy<Value = String> {
    let is_refused = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    proptest::collection::vec(any::<char>(), 1..=24).prop_filter_map("an old name", move |chars| {
        let text = chars.into_iter().collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ");
        (!text.is_empty() && !text.chars().any(is_refused)).then_some(text)
    })
}

/// Texts of characters that are special cases of the name rules.
fn odd_text() -> impl Strategy<Value = String> {
    let odd = "aA 'é-1#Iе字क\u{94d}ष\u{93f}ا\u{6cc}👨🏽❤\u{1f1e9}\u{1f3f4}\u{301}\u{308}\u{323}\u{20e3}\u{ad}\u{200b}\u{200c}\u{200d}\u{fe0f}\u{34f}\u{3164}\u{2800}\u{e0067}\u{e007f}\u{180b}\u{1820}\u{e0100}";
    proptest::collection::vec(proptest::sample::select(odd.chars().collect::<Vec<_>>()), 0..60)
        .prop_map(String::from_iter)
}

proptest! {
    #[test]
    fn a_name_stays_as_it_is_once_it_is_one(text in prop_oneof![odd_text(), any::<String>()]) {
        for kept in [check(&text), check_cut(&text)].into_iter().flatten() {
            prop_assert_eq!(check(&kept), Ok(kept.clone()));
            prop_assert_eq!(check_kept(&kept), Ok(kept.clone()));
            prop_assert!(kept.len() <= MOST_BYTES && characters(&kept) <= MOST_CHARACTERS);
            prop_assert!(kept.chars().any(is_visible));
            let numbered = numbered(&kept, 4711);
            prop_assert!(check_kept(&numbered).is_ok() && characters(&numbered) <= MOST_CHARACTERS, "{}", numbered);
        }
    }

    #[test]
    fn what_old_journals_hold_is_still_read(name in old_name()) {
        prop_assert_eq!(check_kept(&name), Ok(name));
    }
}
