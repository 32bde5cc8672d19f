//! Two traces and their diagrams, byte for byte: one by hand that has every sign, and one of
//! a run of the simulator.
//!
//! When a diagram is meant to change, `UPDATE_GOLDEN=1 cargo test -p diagram` writes the
//! files again. Look at what changed before you commit it.

use std::fs;
use std::path::PathBuf;

use diagram::{KeepAlive, Look, Place, Trace, svg, text};

fn golden(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn read(name: &str) -> String {
    let path = golden(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[track_caller]
fn is_golden(name: &str, drawn: &str) {
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(golden(name), drawn).expect("to write the file");
    }
    let expected = read(name);
    let differs = expected
        .lines()
        .zip(drawn.lines())
        .position(|(a, b)| a != b);
    assert!(
        expected == drawn,
        "{name} is drawn differently from line {} on; see the top of this test",
        differs.map_or(0, |line| line + 1)
    );
}

fn draws(name: &str, columns: usize) {
    let trace = Trace::parse(&read(&format!("{name}.trace"))).expect("a sound trace");
    let terminal = text(&trace, columns, KeepAlive::Folded);
    is_golden(&format!("{name}.txt"), &terminal);
    let look = Look {
        keep_alive: KeepAlive::Folded,
        place: Place::Page,
    };
    is_golden(&format!("{name}.svg"), &svg(&trace, &look));
}

#[test]
fn a_trace_with_every_sign_is_drawn_as_it_was() {
    draws("replication", 100);
}

#[test]
fn a_run_of_the_simulator_is_drawn_as_it_was() {
    draws("lease", 80);
}
