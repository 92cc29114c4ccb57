//! What a code means: the tables of docs/errors.md, of which `errors.md` here is a copy, because
//! a package holds nothing from outside of its folder.

use super::status;

/// All that is known of a code or a reason, a line each.
pub(crate) fn explain(code: &str) -> Option<String> {
    let mut lines: Vec<String> = Vec::new();
    let mut section = "";
    let mut columns: Vec<String> = Vec::new();
    for line in ERRORS.lines() {
        if let Some(title) = line.strip_prefix("## ") {
            section = title;
            columns.clear();
        }
        let cells = cells(line);
        if cells.len() < 3 || cells.iter().all(|cell| cell.starts_with("---")) {
            continue;
        }
        if columns.is_empty() {
            columns = cells;
            continue;
        }
        let named = cells.first().is_some_and(|first| {
            let mut names = first.split(", ").map(|name| name.trim_matches('`'));
            names.any(|name| name.eq_ignore_ascii_case(code))
        });
        if !named || !matches!(columns.first().map(String::as_str), Some("code" | "reason")) {
            continue;
        }
        if !lines.is_empty() {
            lines.push(String::new());
        }
        lines.push(format!("{} ({})", cells[0].replace('`', ""), section.to_lowercase()));
        for (column, cell) in columns.iter().zip(&cells).skip(1) {
            lines.push(format!("  {column}: {}", plain(cell)));
        }
        if let Some(anchor) = cells.iter().find_map(|cell| anchor(cell)) {
            lines.extend(below(anchor));
        }
    }
    if let Some(meaning) = status::meaning(code) {
        lines.push(meaning);
    }
    (!lines.is_empty()).then(|| lines.join("\n") + "\n")
}

/// The rows of the section that a link points to.
fn below(anchor: &str) -> Vec<String> {
    let is_it = |title: &str| title.to_lowercase().replace(' ', "-") == anchor;
    let lines = ERRORS.lines().skip_while(|line| !line.strip_prefix("## ").is_some_and(is_it));
    let rows = lines.skip(1).take_while(|line| !line.starts_with("## ")).map(cells);
    rows.filter(|cells| cells.len() >= 2)
        .skip(2)
        .map(|cells| {
            let rest: Vec<String> =
                cells[1..].iter().filter(|cell| !cell.is_empty()).map(|cell| plain(cell)).collect();
            let rest = rest.join("; ");
            let colon = if rest.is_empty() { "" } else { ": " };
            format!("  - {}{colon}{rest}", plain(&cells[0]))
        })
        .collect()
}

/// The cells of a row, or none.
fn cells(line: &str) -> Vec<String> {
    match line
        .strip_prefix("| ")
        .or_else(|| line.strip_prefix('|'))
        .and_then(|row| row.strip_suffix('|'))
    {
        Some(row) => row.split('|').map(|cell| cell.trim().to_owned()).collect(),
        None => Vec::new(),
    }
}

fn anchor(cell: &str) -> Option<&str> {
    cell.split_once("](#")?.1.split(')').next()
}

/// Without the marks of Markdown.
fn plain(cell: &str) -> String {
    let mut out = String::new();
    let mut rest = cell;
    while let Some((before, link)) = rest.split_once('[') {
        let Some((text, after)) = link.split_once("](") else { break };
        out.push_str(before);
        out.push_str(text);
        rest = after.split_once(')').map_or("", |(_, after)| after);
    }
    out.push_str(rest);
    out.replace('`', "")
}

const ERRORS: &str = include_str!("errors.md");

#[cfg(test)]
mod tests {
    use super::{ERRORS, explain};

    #[test]
    fn the_copy_is_that_of_the_documents() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/errors.md");
        let document = std::fs::read_to_string(path).unwrap();
        assert!(ERRORS == document, "do: cp docs/errors.md cli/src/explain/errors.md");
    }

    #[test]
    fn every_code_and_reason_of_the_tables_is_explained() {
        let mut count = 0;
        for line in ERRORS.lines().filter(|line| line.starts_with("| `")) {
            let code = line.split('`').nth(1).unwrap();
            if code.chars().all(|c| c.is_ascii_uppercase() || c == '_') && !line.contains("` says")
            {
                assert!(explain(code).unwrap().contains("what it means: "), "{code}");
                count += 1;
            }
        }
        assert!(count > 40, "{count}");
    }
}
