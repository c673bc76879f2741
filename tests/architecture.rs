//! What ARCHITECTURE.md says of folders and dependencies, as tests that fail on any other arrow.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Who may know whom. Whatever is not here is forbidden, tests included.
const ARROWS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("journal", &["cluster"]),
    // A PostgreSQL server for tests.
    ("cluster", &[]),
    // What the bench compares with knows nothing of us.
    ("baseline", &[]),
    ("projections", &["cluster", "domain", "journal"]),
    ("sagas", &["cluster", "domain", "journal"]),
    ("gateways", &["domain", "sagas"]),
    ("api", &["cluster", "domain", "journal", "projections"]),
    ("reservoir", &["api", "domain", "gateways", "journal", "projections", "sagas"]),
    // The stories know the program by its command line and HTTP alone; the bench compares with the bare journal.
    ("stories", &["cluster", "journal"]),
];

const MOST_LINES: usize = 450;
const ENGINE: &[&str] = &["domain", "journal", "projections", "sagas", "gateways", "api"];
const BUSINESSES: &[&str] = &["car-rental", "phone-shop", "coffee-shop", "cinema", "library"];
/// How many requirements each of the five businesses has.
const REQUIREMENTS: &[(&str, usize)] = &[("CAR", 9), ("PHO", 9), ("COF", 5), ("CIN", 8), ("LIB", 10)];
/// Parts of paths that only one machine has.
const MACHINES: &[&str] = &["/home/", "/root/", "/Users/", "/tmp/wt", "/work/"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

fn members() -> Vec<Value> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    metadata["packages"].as_array().unwrap().clone()
}

#[test]
fn dependencies_go_one_way() {
    let members = members();
    let names: BTreeSet<&str> = members.iter().map(|member| member["name"].as_str().unwrap()).collect();
    for member in &members {
        let name = member["name"].as_str().unwrap();
        let allowed = ARROWS.iter().find(|(from, _)| *from == name).unwrap_or_else(|| panic!("`{name}` is new here")).1;
        for dependency in member["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            assert!(!names.contains(to) || allowed.contains(&to), "`{name}` must not depend on `{to}`");
        }
    }
}

#[test]
fn the_domain_reaches_no_clock_no_disk_and_no_network() {
    for member in members().iter().filter(|member| member["name"] == "domain") {
        // Its tests run inside cqrs-es's framework, which wants a runtime.
        for dependency in member["dependencies"].as_array().unwrap().iter().filter(|one| one["kind"].is_null()) {
            let name = dependency["name"].as_str().unwrap();
            assert!(!["tokio", "rusqlite", "reqwest", "axum", "tracing", "rand"].contains(&name), "domain → {name}");
        }
    }
}

/// Every file of the project that a person wrote, as (path from the root, text).
fn files(extensions: &[&str]) -> Vec<(String, String)> {
    let (root, mut found) = (root(), Vec::new());
    let mut folders = vec![root.clone()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", ".git", "data"].contains(&name.as_str()) {
                    folders.push(path);
                }
            } else if extensions.contains(&path.extension().unwrap_or_default().to_string_lossy().as_ref()) {
                let relative = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                found.push((relative, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    assert!(!found.is_empty(), "no files in {}", root.display());
    found
}

fn is_test(path: &str) -> bool {
    ["/tests/", "/tests.rs", "/testing.rs", "/golden.rs", "/interleavings/"].iter().any(|part| path.contains(part))
        || path.starts_with("tests/")
}

/// The lines that are neither comments nor tests, numbered from 1.
fn code(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let tests = text.find("#[cfg(test)]\nmod tests {").unwrap_or(text.len());
    let lines = text[..tests].lines().enumerate().map(|(index, line)| (index + 1, line));
    lines.filter(|(_, line)| !line.trim_start().starts_with("//"))
}

#[test]
fn files_fit_in_a_head() {
    for (path, text) in files(&["rs"]) {
        let lines = text.lines().count();
        assert!(lines <= MOST_LINES, "{path} has {lines} lines");
    }
}

#[test]
fn nothing_is_left_to_be_done() {
    for (path, text) in files(&["rs"]) {
        for (line, code) in code(&text).filter(|_| !is_test(&path)) {
            assert!(!code.contains("todo!(") && !code.contains("unimplemented!("), "{path}:{line}: {code}");
        }
    }
}

#[test]
fn the_engine_knows_no_business_by_name() {
    for (path, text) in files(&["rs"]) {
        let folder = path.split('/').next().unwrap();
        if !ENGINE.contains(&folder) || is_test(&path) || path == "domain/src/policy/presets.rs" {
            continue;
        }
        // An example in the OpenAPI document decides nothing.
        for (line, code) in code(&text).filter(|(_, code)| !code.contains("example")) {
            for business in BUSINESSES {
                assert!(!code.contains(&format!("\"{business}\"")), "{path}:{line}: {code}");
            }
        }
    }
}

#[test]
fn no_file_names_a_machines_folders() {
    for (path, text) in files(&["rs", "toml", "md", "sql", "yml", "yaml", "txt", "sh"]) {
        if path == "tests/architecture.rs" {
            continue;
        }
        for (index, line) in text.lines().enumerate() {
            for machine in MACHINES {
                assert!(!line.contains(machine), "{path}:{}: {line}", index + 1);
            }
        }
    }
}

#[test]
fn unsafe_code_is_forbidden_everywhere() {
    for member in members() {
        let manifest = fs::read_to_string(member["manifest_path"].as_str().unwrap()).unwrap();
        assert!(manifest.contains("[lints]\nworkspace = true"), "{} has lints of its own", member["name"]);
    }
    let workspace = fs::read_to_string(root().join("Cargo.toml")).unwrap();
    assert!(workspace.contains("unsafe_code = \"forbid\""));
}

/// The stories that a text names in backticks.
fn stories_in(text: &str) -> BTreeSet<String> {
    text.split('`').filter(|word| word.ends_with(".rs") && !word.contains('/')).map(str::to_owned).collect()
}

#[test]
fn every_requirement_leads_to_its_stories() {
    let document = fs::read_to_string(root().join("docs/requirements.md")).unwrap();
    let stories = root().join("tests/stories");
    for story in stories_in(&document) {
        assert!(stories.join(&story).is_file(), "docs/requirements.md names {story}, which is not there");
    }
    let claims: Vec<(String, String)> = fs::read_dir(&stories)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let text = fs::read_to_string(&path).unwrap();
            (path.file_name().unwrap().to_string_lossy().into_owned(), text.lines().next().unwrap().to_owned())
        })
        .collect();
    for (business, count) in REQUIREMENTS {
        for id in (1..=*count).map(|number| format!("{business}-{number}")) {
            let mut rows = document.lines().filter(|line| line.starts_with(&format!("| {id} |")));
            let row =
                stories_in(rows.next().unwrap_or_else(|| panic!("docs/requirements.md does not say where {id} is")));
            assert_eq!(rows.next(), None, "{id} is there twice");
            let of_the_id =
                |line: &str| line.split(|c: char| !c.is_ascii_alphanumeric() && c != '-').any(|word| word == id);
            let claimed: BTreeSet<String> =
                claims.iter().filter(|(_, line)| of_the_id(line)).map(|(story, _)| story.clone()).collect();
            assert_eq!(row, claimed, "the row of {id}, and the stories that begin with it");
            assert!(!row.is_empty(), "no story tells {id}");
        }
    }
}
