//! What strace wrote down of a process and its files.

use std::collections::HashMap;
use std::path::Path;

/// Something that was done to a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Deed {
    /// When it began, in microseconds since 1970.
    pub(super) start: u64,
    /// The place of the deed before which it had ended.
    pub(super) ended: usize,
    pub(super) file: String,
    pub(super) step: Step,
}

/// What it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Step {
    Create,
    Write { at: usize, data: Vec<u8> },
    Truncate { to: usize },
    Sync,
    Remove,
}

/// The command that runs `program` and records it in `file`. The program stays our child.
pub(super) fn around(file: &Path, program: &[String]) -> Vec<String> {
    let file = file.display().to_string();
    let calls = "trace=pwrite64,ftruncate,fsync,fdatasync,openat,unlink";
    let strace = [
        "strace",
        "-D",
        "-f",
        "-q",
        "-y",
        "-ttt",
        "-xx",
        "-s",
        "1048576",
        "--seccomp-bpf",
        "-e",
        calls,
        "-o",
        &file,
    ];
    let strace = strace.map(str::to_owned);
    strace.iter().chain(program).cloned().collect()
}

/// Whether strace has written down the end of the process.
pub(super) fn is_whole(text: &str) -> bool {
    text.lines()
        .last()
        .is_some_and(|line| line.ends_with("+++"))
}

/// The deeds on a database, its log and their folder, in the order in which they began.
pub(super) fn read(text: &str, database: &str) -> Vec<Deed> {
    let mut reader = Reader {
        database: database.to_owned(),
        deeds: Vec::new(),
        pending: HashMap::new(),
    };
    text.lines().for_each(|line| reader.line(line));
    reader.deeds
}

struct Reader {
    database: String,
    deeds: Vec<Deed>,
    /// The deed that each thread began and has not ended.
    pending: HashMap<String, Option<usize>>,
}

impl Reader {
    fn line(&mut self, line: &str) {
        let Some((thread, rest)) = line.split_once(' ') else {
            return;
        };
        let Some((at, call)) = rest.trim_start().split_once(' ') else {
            return;
        };
        let start = micros(at);
        if let Some(begun) = call.strip_suffix(" <unfinished ...>") {
            let deed = self.deed(begun, start, usize::MAX);
            self.pending.insert(thread.to_owned(), deed);
        } else if call.starts_with("<... ") {
            let ended = self.deeds.len();
            if let Some(Some(deed)) = self.pending.remove(thread) {
                self.deeds[deed].ended = ended;
            }
        } else {
            let ended = self.deeds.len() + 1;
            self.deed(call, start, ended);
        }
    }

    /// Notes the deed that a call is, if it is one on our files; its place.
    fn deed(&mut self, call: &str, start: u64, ended: usize) -> Option<usize> {
        let (name, arguments) = call.split_once('(')?;
        let (file, step) = match name {
            "openat" => {
                let path = unquoted(arguments.split(", ").nth(1)?)?;
                let creates = arguments.contains("O_CREAT");
                (
                    String::from_utf8(path).ok().filter(|_| creates)?,
                    Step::Create,
                )
            }
            "unlink" => {
                let path = arguments.split(')').next()?;
                (String::from_utf8(unquoted(path)?).ok()?, Step::Remove)
            }
            _ => (opened(arguments)?, step(name, arguments)?),
        };
        let folder = Path::new(&self.database).parent()?.display().to_string();
        let log = format!("{}-wal", self.database);
        let ours = [&self.database, &log, &folder].contains(&&file);
        ours.then(|| {
            self.deeds.push(Deed {
                start,
                ended,
                file,
                step,
            });
            self.deeds.len() - 1
        })
    }
}

fn step(name: &str, arguments: &str) -> Option<Step> {
    // The file comes first, and a name of ours holds no comma.
    let (_, rest) = arguments.split_once('>')?;
    let rest = rest.trim_start_matches(", ");
    let number = |text: &str| text.split(')').next()?.trim().parse().ok();
    match name {
        "fsync" | "fdatasync" => Some(Step::Sync),
        "ftruncate" => Some(Step::Truncate { to: number(rest)? }),
        "pwrite64" => {
            let mut parts = rest.splitn(3, ", ");
            let data = unquoted(parts.next()?)?;
            let at = number(parts.nth(1)?)?;
            Some(Step::Write { at, data })
        }
        _ => None,
    }
}

/// The path of an open file, as `-y` shows it: `7</path>`.
fn opened(arguments: &str) -> Option<String> {
    let (_, rest) = arguments.split_once('<')?;
    let path = rest.split('>').next()?;
    // With -xx the path is told in hexadecimal too.
    if path.starts_with("\\x") {
        return String::from_utf8(bytes(path)?).ok();
    }
    Some(path.to_owned())
}

fn unquoted(text: &str) -> Option<Vec<u8>> {
    bytes(text.trim().strip_prefix('"')?.strip_suffix('"')?)
}

/// `\x41\x42` as bytes.
fn bytes(text: &str) -> Option<Vec<u8>> {
    let digits = text.split("\\x").skip(1);
    digits
        .map(|pair| u8::from_str_radix(pair, 16).ok())
        .collect()
}

fn micros(at: &str) -> u64 {
    let (seconds, rest) = at.split_once('.').unwrap_or((at, "0"));
    let seconds: u64 = seconds.parse().unwrap_or(0);
    seconds * 1_000_000 + rest.parse::<u64>().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deeds_are_read_whether_their_lines_are_whole_or_in_two() {
        let text = r#"7  1.000001 pwrite64(5</d/postern.db-wal>, "\x61\x62", 2, 32) = 2
8 1.000002 fsync(5</d/postern.db-wal> <unfinished ...>
7 1.000003 pwrite64(9</elsewhere>, "\x61", 1, 0) = 1
7 1.000004 ftruncate(4</d/postern.db>, 4096) = 0
8 1.000005 <... fsync resumed>)           = 0
7 1.000006 openat(AT_FDCWD</>, "\x2f\x64\x2f\x70\x6f\x73\x74\x65\x72\x6e\x2e\x64\x62\x2d\x77\x61\x6c", O_RDWR|O_CREAT|O_NOFOLLOW, 0600) = 5</d/postern.db-wal>
7 1.000007 unlink("\x2f\x64\x2f\x70\x6f\x73\x74\x65\x72\x6e\x2e\x64\x62\x2d\x77\x61\x6c") = 0
7 1.000008 fsync(6</d>) = 0"#;
        let deeds = read(text, "/d/postern.db");
        let told: Vec<_> = deeds
            .iter()
            .map(|deed| (deed.start, deed.ended, &*deed.file, deed.step.clone()))
            .collect();
        let log = "/d/postern.db-wal";
        let data = b"ab".to_vec();
        assert_eq!(
            told,
            [
                (1_000_001, 1, log, Step::Write { at: 32, data }),
                (1_000_002, 3, log, Step::Sync),
                (1_000_004, 3, "/d/postern.db", Step::Truncate { to: 4096 }),
                (1_000_006, 4, log, Step::Create),
                (1_000_007, 5, log, Step::Remove),
                (1_000_008, 6, "/d", Step::Sync),
            ]
        );
    }
}
