//! What gateways and engines write into Redis changes only with the version of the link, and only by more messages.

use klaxon_protocol::link::VERSION;

use crate::kept::{self, GOLDEN};
use crate::layout::source::Source;
use crate::layout::{Content, Form, Layout, Variant, growth, page};

/// The layouts of the version that is named at its beginning.
const KEPT: &str = "protocol/golden/link.layouts.md";
const HEAD: &str = "Version ";

/// What entries hold: messages of gateways, and messages of engines as they are packed.
const ROOTS: [(&str, &str); 2] = [("link/to_engine.rs", "ToEngine"), ("bus/redis/entry.rs", "Packed")];

fn layouts_of_the_code() -> Vec<Layout> {
    let source = Source::of_folders(&[&kept::path("protocol/src"), &kept::path("engine/src/bus/redis")]);
    let mut layouts: Vec<Layout> = Vec::new();
    for layout in ROOTS.iter().flat_map(|(file, root)| source.reachable(file, root)) {
        match layouts.iter().find(|other| other.name == layout.name) {
            Some(same) => assert_eq!(*same, layout, "two types of one name are in the link"),
            None => layouts.push(layout),
        }
    }
    layouts
}

/// Whether programs with these layouts understand each other as they should.
///
/// # Errors
/// What would be misread, or that there is more than before in the same version.
fn check(kept: (u8, &[Layout]), now: (u8, &[Layout])) -> Result<(), String> {
    for (_, root) in ROOTS {
        growth::check(kept.1, now.1, root)
            .map_err(|problem| format!("this program would misread others: {problem}"))?;
        let has_more = growth::check(now.1, kept.1, root);
        match (has_more, now.0.checked_sub(kept.0)) {
            (_, Some(1)) | (Ok(()), Some(0)) => {}
            (Err(more), Some(0)) => {
                return Err(format!(
                    "programs of version {} can't read what is new: raise VERSION in protocol/src/link/mod.rs, and say in \
                     engine/src/bus/redis/version.rs since when there is what ({more})",
                    now.0
                ));
            }
            _ => return Err(format!("version {} is kept, and this is {}", kept.0, now.0)),
        }
    }
    Ok(())
}

fn read(page: &str) -> (u8, Vec<Layout>) {
    let (head, layouts) = page.split_once('\n').unwrap();
    (head.strip_prefix(HEAD).unwrap().parse().unwrap(), page::read(layouts))
}

#[test]
fn the_link_changes_with_its_version_only() {
    let layouts = layouts_of_the_code();
    let (version, kept) = read(&std::fs::read_to_string(kept::path(KEPT)).unwrap());
    if let Err(problem) = check((version, &kept), (VERSION, &layouts)) {
        panic!("{problem}");
    }
    kept::check(GOLDEN, KEPT, &format!("{HEAD}{VERSION}\n{}", page::written(&layouts)));
}

#[test]
fn what_grows_or_changes_inside_of_a_message_is_found() {
    let layouts = layouts_of_the_code();
    let changed = |name: &str, change: fn(&mut Vec<Variant>)| {
        let mut changed = layouts.clone();
        match &mut changed.iter_mut().find(|layout| layout.name == name).unwrap().form {
            Form::Variants(variants) => change(variants),
            other => panic!("{name} is one of several, and not {other:?}"),
        }
        let versions = [VERSION, VERSION + 1, VERSION + 2];
        versions
            .map(|version| check((VERSION, &layouts), (version, &changed)).map_err(|problem| problem[..20].to_owned()))
    };
    let same = changed("ErrorCode", |_| {});
    assert!(same[0].is_ok() && same[1].is_ok() && same[2].is_err());
    for name in ["ErrorCode", "ToGateway", "ToEngine", "Action", "ToPlayer", "AlertKind", "Proof"] {
        let grown = changed(name, |variants| {
            variants.push(Variant { name: "More".into(), content: Content::Fields(vec![]), told: String::new() })
        });
        assert_eq!(grown[0], Err("programs of version ".into()), "{name}");
        assert_eq!(grown[1], Ok(()), "{name}");
        let moved = changed(name, |variants| {
            variants.remove(0);
        });
        assert_eq!(moved[1], Err("this program would m".into()), "{name}");
    }
}
