//! What it costs: `--bench` and `--bench-file`.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use ch10_separate_processes::address::Address;
use ch10_separate_processes::bench;
use ch10_separate_processes::demo::NodeProcess;
use ch10_separate_processes::disk::DiskError;
use ch10_separate_processes::identity::Incarnation;
use ch10_separate_processes::machine::command;
use raft_kernel::{Entry, MemoryStorage, Payload};

use crate::directory::Directory;
use crate::file_disk::FileDisk;
use crate::node_file::About;

/// The lengths of the logs whose files are measured.
const LENGTHS: [u64; 5] = [0, 100, 1000, 10_000, 100_000];

/// A directory that is removed when this is dropped.
struct Scratch(PathBuf);

impl Scratch {
    /// In the working directory: the system's temporary directory may be in memory, where
    /// `fsync` costs nothing.
    fn new() -> io::Result<Self> {
        let path = PathBuf::from(format!("bench-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Scratch(path))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // Left behind, it does no harm.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Three nodes on this machine, as in chapter 10, each with a file.
///
/// # Errors
/// A node cannot be started, or ends, or `out` cannot be written to.
pub fn proposals(count: u64, out: &mut impl Write) -> io::Result<()> {
    let scratch = Scratch::new()?;
    bench::run_with(count, out, |id, begin| {
        let directory = scratch.0.join(id.to_string()).into_os_string();
        let mut arguments = vec!["--stop-at-end".into(), "--data-dir".into(), directory];
        arguments.extend(["--id".into(), id.to_string().into()]);
        arguments.extend(begin.iter().map(Into::into));
        NodeProcess::start(&arguments)
    })
}

/// Writes the file of a node `count` times for each of several lengths of its log, and prints a
/// line for each: how long the file is, and how long a write took.
///
/// # Errors
/// The file cannot be written, or `out` cannot be.
pub fn writes(count: u32, out: &mut impl Write) -> Result<(), DiskError> {
    for entries in LENGTHS {
        let scratch = Scratch::new()?;
        let disk = disk_with(entries, &scratch)?;
        let mut times = Vec::new();
        for _ in 0..count {
            let began = Instant::now();
            disk.save()?;
            times.push(began.elapsed());
        }
        times.sort_unstable();
        let bytes = fs::metadata(scratch.0.join("node/node.raft"))?.len();
        writeln!(
            out,
            "{entries} entries: {bytes} bytes, p50 {}, p99 {}",
            milliseconds(percentile(&times, 50)),
            milliseconds(percentile(&times, 99))
        )?;
    }
    Ok(())
}

fn disk_with(entries: u64, scratch: &Scratch) -> Result<FileDisk, DiskError> {
    let about = About {
        id: 1,
        incarnation: Incarnation::random(),
        cluster: None,
        listen: Address::any_port(),
        advertise: None,
        seeds: std::collections::BTreeMap::new(),
        left: false,
    };
    let log: Vec<Entry> = (1..=entries)
        .map(|index| Entry {
            term: 1,
            index,
            payload: Payload::Command(command(index)),
        })
        .collect();
    let mirror = MemoryStorage::new();
    mirror.append(&log)?;
    let directory = Directory::open(&scratch.0.join("node"))?;
    FileDisk::create(directory, about, mirror)
}

fn percentile(sorted: &[Duration], percent: usize) -> Duration {
    let place = (sorted.len() * percent).div_ceil(100).saturating_sub(1);
    sorted.get(place).copied().unwrap_or_default()
}

fn milliseconds(time: Duration) -> String {
    format!("{:.2} ms", time.as_secs_f64() * 1e3)
}
