//! The memory that a stored entry takes.

use allocation_counter::measure;
use raft_kernel::{Bytes, Entry};

use crate::cluster::{Cluster, Shape, carved, owned};
use crate::options::{Options, Scale};
use crate::table::float;

const NAME: &str = "memory";

pub(crate) fn print(options: &Options) {
    let lines = lines(options);
    let mut wanted = lines
        .iter()
        .filter(|line| options.wants(NAME, &line.name))
        .peekable();
    if wanted.peek().is_none() {
        return;
    }
    println!(
        "{NAME}: bytes that an entry takes, committed and applied, in one node with its \
         MemoryStorage; an `Entry` alone is {} bytes\n",
        size_of::<Entry>()
    );
    if options.list {
        wanted.for_each(|line| println!("  {}", line.name));
        return println!();
    }
    println!(
        "  {:<50} {:>12} {:>12} {:>12}",
        "for one entry", "all", "its command", "beside it"
    );
    for line in wanted {
        let all = line.bytes_an_entry();
        let command = float(line.payload as u64);
        println!(
            "  {:<50} {all:>12.1} {command:>12.0} {:>12.1}",
            line.name,
            all - command
        );
    }
    println!();
}

/// Makes so many commands of so many bytes.
type Commands = fn(usize, usize) -> Vec<Bytes>;

struct Line {
    name: String,
    entries: usize,
    payload: usize,
    batch: usize,
    commands: Commands,
}

impl Line {
    fn bytes_an_entry(&self) -> f64 {
        let mut cluster = Cluster::start(Shape::synchronous(1));
        let taken = measure(|| {
            let commands = (self.commands)(self.entries, self.payload);
            cluster.commit(commands.into_iter(), self.batch);
        });
        float(u64::try_from(taken.bytes_current).unwrap_or(0)) / float(self.entries as u64)
    }
}

fn lines(options: &Options) -> Vec<Line> {
    // The list of entries doubles when it is full. So many nearly fill it.
    let numbers = if options.scale == Scale::Smoke {
        [120, 130]
    } else {
        [32_760, 32_780]
    };
    let kinds: [(&str, Commands); 2] = [
        ("cut from a read buffer", carved),
        ("in memory of its own", |count, length| {
            owned(count, length).into_iter().map(Bytes::from).collect()
        }),
    ];
    let mut lines = Vec::new();
    for (kind, commands) in kinds {
        for payload in [16, 256, 4096] {
            for (entries, fill) in numbers.into_iter().zip(["nearly full", "just doubled"]) {
                let name = format!("{payload} B {kind}, {fill}");
                lines.push(Line {
                    name,
                    entries,
                    payload,
                    batch: 64,
                    commands,
                });
            }
        }
    }
    let [entries, _] = numbers;
    let name = "16 B cut from a read buffer, all in one batch".to_owned();
    lines.push(Line {
        name,
        entries,
        payload: 16,
        batch: entries,
        commands: carved,
    });
    lines
}
