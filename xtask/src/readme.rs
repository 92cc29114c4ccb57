//! The shell examples of the documents, executed.
//!
//! A block marked `sh` is run by `bash -eu` in the folder of the workspace, with
//! the command `ocisign` at hand; a block marked `text` right behind it is what
//! it prints, exactly. Blocks that set up or call this program are not run.

use std::fs;

use crate::Result;
use crate::shell::{cargo, command, root, run};

const DOCUMENTS: [&str; 4] = ["README.md", "docs/cli.md", "docs/emulator.md", "vectors/README.md"];
const NOT_RUN: [&str; 4] = ["cargo xtask", "cargo install", "git clone", "pip install"];

/// Run them all.
pub(crate) fn run_all() -> Result {
    let packages = ["--package", "ocisign-cli", "--package", "ocisign-emulator"];
    run(cargo().args(["build", "--quiet"]).args(packages))?;
    let path = std::env::var("PATH").unwrap_or_default();
    let path = format!("{}:{path}", root().join("target/debug").display());
    let mut count = 0;
    for document in DOCUMENTS {
        for (script, expected) in examples(&fs::read_to_string(root().join(document))?) {
            if NOT_RUN.iter().any(|start| script.trim_start().starts_with(start)) {
                continue;
            }
            let output = command("bash").args(["-euc", &script]).env("PATH", &path).output()?;
            let printed = String::from_utf8_lossy(&output.stdout);
            if !output.status.success() {
                let errors = String::from_utf8_lossy(&output.stderr);
                return Err(format!("{document}: this fails:\n{script}\n{errors}").into());
            }
            if expected.as_ref().is_some_and(|expected| *expected != printed) {
                return Err(format!("{document}:\n{script}\nprints:\n{printed}").into());
            }
            count += 1;
        }
    }
    println!("{count} examples of {} run as they say", DOCUMENTS.join(", "));
    if count == 0 { Err("no document has an example".into()) } else { Ok(()) }
}

/// Each script, and what it prints where the document says so.
fn examples(text: &str) -> Vec<(String, Option<String>)> {
    let mut examples: Vec<(String, Option<String>)> = Vec::new();
    let mut block: Option<(String, String)> = None;
    let mut after_script = false;
    for line in text.lines() {
        match (&mut block, line.strip_prefix("```")) {
            (None, Some(language)) => block = Some((language.to_owned(), String::new())),
            (None, None) => after_script &= line.is_empty(),
            (Some((_, content)), None) => {
                content.push_str(line);
                content.push('\n');
            }
            (Some((language, content)), Some(_)) => {
                let content = std::mem::take(content);
                match language.as_str() {
                    "sh" => examples.push((content, None)),
                    "text" if after_script => {
                        if let Some(example) = examples.last_mut() {
                            example.1 = Some(content);
                        }
                    }
                    _ => {}
                }
                after_script = language == "sh";
                block = None;
            }
        }
    }
    examples
}

#[cfg(test)]
mod tests {
    use super::examples;

    #[test]
    fn a_script_is_found_with_what_it_prints() {
        let text = "a\n```sh\necho b\n```\n\n```text\nb\n```\n```rust\nc\n```\n```sh\nd\n```\ne\n```text\nf\n```\n";
        let found = examples(text);
        assert_eq!(found, [("echo b\n".into(), Some("b\n".into())), ("d\n".into(), None)]);
    }
}
