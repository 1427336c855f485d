//! A report as a single page for a browser, with a light and a dark theme; without scripts or external resources.

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::document::{Bar, Block, Cell, Column, Curve, Document, Table, TableRow, Text, Tone};

const STYLE: &str = "
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5d6772; --paper: #fff; --line: #d5dae0; --bar: #2f6fde; --good: #1a7f37; --bad: #cf222e; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ed; --soft: #97a1ad; --paper: #14171b; --line: #343a42; --bar: #6ea3ff; --good: #4ac26b; --bad: #ff7b72; } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; margin: 0; } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
.sub, figcaption, dt { color: var(--soft); } figure { margin: 0; }
dl { display: grid; grid-template-columns: repeat(auto-fit, minmax(11rem, 1fr)); gap: .75rem; } dt { font-size: .85rem; } dd { margin: 0; font-variant-numeric: tabular-nums; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; } th, td { text-align: right; padding: .25rem .5rem; border-bottom: 1px solid var(--line); } th { color: var(--soft); font-weight: 500; } .text { text-align: left; }
.plot td { border: 0; padding: 0 .5rem; font-size: .85rem; line-height: 1.4; white-space: nowrap; } .plot .bars { width: 50%; }
.bar { position: relative; height: .9em; } .bar * { position: absolute; height: 100%; background: var(--bar); } .bar .floor { background: var(--soft); } .bar .spread { height: 1px; top: 50%; background: var(--ink); }
svg { width: 100%; height: auto; } svg text { fill: var(--soft); font: 11px system-ui, sans-serif; } .curve { fill: none; stroke: var(--bar); stroke-width: 2; } .axis { stroke: var(--line); }
.good { color: var(--good); } .bad { color: var(--bad); } pre { white-space: pre-wrap; margin: .25rem 0 .5rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fit, minmax(26rem, 1fr)); gap: 1.5rem; }
";

/// The size of a curve's picture and its margins, in pixels.
const WIDE: f64 = 480.0;
const HIGH: f64 = 200.0;
const LEFT: f64 = 64.0;
const FOOT: f64 = 24.0;
const HEAD: f64 = 12.0;

/// The report as a page.
#[must_use]
pub fn page(document: &Document) -> String {
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width";
                title { (document.title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (document.title) }
                @for line in &document.subtitles { p.sub { (line) } }
                @for blocks in document.blocks.chunk_by(|one, next| one.is_plot() && next.is_plot()) {
                    div class=[(blocks.len() > 1).then_some("plots")] { @for part in blocks { (block(part)) } }
                }
            }
        }
    };
    page.into_string()
}

fn block(block: &Block) -> Markup {
    html! {
        @match block {
            Block::Facts(facts) => dl { @for (name, value) in facts { div { dt { (name) } dd { (value) } } } },
            Block::Table(table) => (self::table(table)),
            Block::Curve(curve) => (self::curve(curve)),
            Block::Note(text) => p.sub { (self::text(text)) },
        }
    }
}

fn text(text: &Text) -> Markup {
    html! {
        @for (tone, part) in &text.0 {
            @match tone {
                Tone::Plain => (part),
                Tone::Good => span.good { (part) },
                Tone::Bad => span.bad { (part) },
            }
        }
    }
}

fn table(table: &Table) -> Markup {
    let longest = table.longest_bar();
    let has_titles = table.columns.iter().any(|column| !column.title.is_empty());
    html! {
        figure {
            @if !table.caption.is_empty() { h2 { (table.caption) } }
            table class=[table.is_plot().then_some("plot")] {
                @if has_titles { tr { @for column in &table.columns { th class=[column.is_text.then_some("text")] { (column.title) } } } }
                @for row in &table.rows { (self::row(&table.columns, row, longest)) }
            }
            figcaption { (table.note) }
        }
    }
}

fn row(columns: &[Column], row: &TableRow, longest: f64) -> Markup {
    html! {
        tr {
            @for (column, cell) in columns.iter().zip(&row.cells) {
                @match cell {
                    Cell::Text(text) => td class=[column.is_text.then_some("text")] { (self::text(text)) },
                    Cell::Bar(bar) => td.bars { (self::bar(bar, longest)) },
                }
            }
        }
        @for problem in &row.problems { tr { td.text colspan=(columns.len()) { pre.bad { (problem) } } } }
    }
}

fn bar(bar: &Bar, longest: f64) -> Markup {
    let part = |value: f64| value / longest * 100.0;
    html! {
        div.bar {
            div class=[bar.is_reference.then_some("floor")] style={ "width:" (format!("{:.1}", part(bar.value))) "%" } {}
            @if let Some((low, high)) = bar.spread {
                div.spread style={ "left:" (format!("{:.1}", part(low))) "%;width:" (format!("{:.1}", part(high - low))) "%" } {}
            }
        }
    }
}

fn curve(curve: &Curve) -> Markup {
    let most = |of: fn(&(f64, f64)) -> f64| curve.points.iter().map(of).fold(f64::MIN_POSITIVE, f64::max);
    let (right, top) = (most(|point| point.0), most(|point| point.1));
    let left = curve.points.first().map_or(0.0, |point| point.0);
    let x = |value: f64| LEFT + (value - left) / (right - left).max(f64::MIN_POSITIVE) * (WIDE - LEFT);
    let y = |value: f64| HIGH - FOOT - value / top * (HIGH - FOOT - HEAD);
    let points: Vec<String> = curve.points.iter().map(|&(at, value)| format!("{:.1},{:.1}", x(at), y(value))).collect();
    let foot = HIGH - 8.0;
    html! {
        figure {
            h2 { (curve.caption) }
            svg viewBox={ "0 0 " (WIDE) " " (HIGH) } role="img" aria-label=(curve.caption) {
                @for height in [0.0, top] { line.axis x1=(LEFT) y1=(y(height)) x2=(WIDE) y2=(y(height)) {} }
                text x=(LEFT - 6.0) y=(y(top) + 4.0) text-anchor="end" { (curve.most) }
                polyline.curve points=(points.join(" ")) {}
                text x=(LEFT) y=(foot) { (curve.ends.0) }
                text x=(WIDE) y=(foot) text-anchor="end" { (curve.ends.1) }
            }
            figcaption { (curve.note) }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_wrote_is_text_and_no_markup() {
        let mut table = Table::new("<i>", "a & b", &[Column::text("who")]);
        table.rows =
            vec![TableRow { problems: vec!["<u>".into()], ..TableRow::from([Text::new(Tone::Bad, "<s>").into()]) }];
        let blocks = vec![Block::Table(table), Block::Facts(vec![("name", "\"<em>\"".into())])];
        let page = page(&Document { title: "<b>".into(), subtitles: vec!["<script>".into()], blocks });
        for tag in ["<i>", "<u>", "<s>", "<em>", "<b>", "<script"] {
            assert!(!page.contains(tag), "{tag} in {page}");
        }
        assert!(page.contains("a &amp; b") && page.contains("&quot;&lt;em&gt;&quot;") && page.contains("</html>"));
    }

    #[test]
    fn a_bar_is_as_long_as_its_value_and_a_curve_is_as_high_and_pictures_stand_beside_each_other() {
        let bar = |value, spread| Cell::Bar(Bar { value, spread, is_reference: false });
        let mut table = Table::new("bars", "", &[Column::text("")]);
        table.rows = vec![TableRow::from([bar(1.0, None)]), TableRow::from([bar(2.0, Some((1.0, 4.0)))])];
        let curve = Curve { points: vec![(1.0, 0.0), (3.0, 8.0)], ..Curve::default() };
        let blocks = vec![Block::Table(table), Block::Curve(curve), Block::Note("end".into())];
        let page = page(&Document { blocks, ..Document::default() });
        for part in ["width:25.0%", "width:50.0%", "left:25.0%;width:75.0%", "points=\"64.0,176.0 480.0,12.0\""] {
            assert!(page.contains(part), "{part} not in {page}");
        }
        assert_eq!(page.matches("class=\"plots\"").count(), 1);
    }
}
