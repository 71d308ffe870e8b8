//! What holds for every command and every importer, whatever is registered.

use crate::cli::Cli;
use crate::format::Format;
use crate::import::{IMPORTERS, named};
use clap::{Command, CommandFactory, ValueEnum};
use std::collections::BTreeSet;

#[test]
fn the_command_line_is_what_the_reference_says() {
    let mut root = Cli::command().term_width(100);
    root.clone().debug_assert();
    root.build();
    let mut pages = Vec::new();
    pages_of(&mut root, &mut pages);
    insta::assert_snapshot!("reference", pages.join("\n========\n\n"));
}

/// The help of a command and of those under it. What every command takes is on the first page only.
fn pages_of(command: &mut Command, pages: &mut Vec<String>) {
    let page = command.render_long_help().to_string();
    let own = match pages.is_empty() {
        true => page.as_str(),
        false => page.split("Everywhere:").next().unwrap(),
    };
    pages.push(own.trim_end().to_owned());
    for under in command.get_subcommands_mut() {
        if under.get_name() != "help" {
            pages_of(under, pages);
        }
    }
}

/// Every command and those under it.
fn all(command: &Command) -> Vec<&Command> {
    let under = command.get_subcommands().flat_map(all);
    std::iter::once(command).chain(under).collect()
}

#[test]
fn every_command_and_argument_says_what_it_is_for() {
    let root = Cli::command();
    for command in all(&root) {
        let name = command.get_name();
        let about = command
            .get_about()
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(!about.is_empty(), "{name} has no help");
        for argument in command.get_arguments() {
            assert!(
                argument.get_help().is_some(),
                "{name} {argument} has no help"
            );
        }
    }
}

#[test]
fn importers_have_their_own_names_and_endings_and_are_in_the_help() {
    let root = Cli::command();
    let import = root.find_subcommand("import").unwrap();
    let help = import.get_long_about().unwrap().to_string();
    let (mut seen, mut endings) = (BTreeSet::new(), BTreeSet::new());
    for importer in IMPORTERS {
        let info = importer.info();
        assert!(seen.insert(info.name));
        assert!(
            help.contains(&format!("`{}`", info.name)),
            "{} is not in the help",
            info.name
        );
        assert!(!info.about.is_empty() && !info.extensions.is_empty());
        assert_eq!(named(info.name).unwrap().info().name, info.name);
        for ending in info.extensions {
            assert!(endings.insert(ending), "two importers take .{ending}");
        }
    }
    assert!(named("nothing").is_err());
}

#[test]
fn every_format_can_be_named() {
    let names: Vec<String> = Format::value_variants()
        .iter()
        .map(|format| format.to_possible_value().unwrap().get_name().to_owned())
        .collect();
    assert_eq!(names, ["table", "json", "jsonl"]);
}
