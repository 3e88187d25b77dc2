//! How many connections the system lets the process hold.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors beside connections: the store's files, mail connections, the log.
const OTHERS: u64 = 256;

/// Asks the system for room for so many connections, and answers how many there is room for: the
/// limit that a process starts with is often 1024, and without descriptors nothing else works either.
pub(crate) fn room_for(connections: usize) -> usize {
    let limit = getrlimit(Resource::Nofile);
    let wanted = raised(&limit, connections);
    let room = match setrlimit(Resource::Nofile, wanted) {
        Ok(()) => room(&wanted, connections),
        Err(_) => room(&limit, connections),
    };
    if room < connections {
        tracing::warn!(
            wanted = connections,
            room,
            "fewer connections than configured: the limit on open files is too low"
        );
    }
    room
}

/// The limit that has room for them, as far as the hard limit lets us.
fn raised(limit: &Rlimit, connections: usize) -> Rlimit {
    let wanted = u64::try_from(connections)
        .unwrap_or(u64::MAX)
        .saturating_add(OTHERS);
    let allowed = limit.maximum.map_or(wanted, |most| most.min(wanted));
    Rlimit {
        current: limit.current.map(|now| now.max(allowed)),
        maximum: limit.maximum,
    }
}

fn room(limit: &Rlimit, connections: usize) -> usize {
    let left = limit
        .current
        .map(|descriptors| descriptors.saturating_sub(OTHERS).max(1));
    let left = left.map(|left| usize::try_from(left).unwrap_or(usize::MAX));
    left.map_or(connections, |left| left.min(connections))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(current: Option<u64>, maximum: Option<u64>) -> (Option<u64>, usize) {
        let raised = raised(&Rlimit { current, maximum }, 10_000);
        (raised.current, room(&raised, 10_000))
    }

    #[test]
    fn the_limit_on_open_files_is_raised_as_far_as_it_must_and_may() {
        assert_eq!(asked(Some(1024), Some(524_288)), (Some(10_256), 10_000));
        assert_eq!(asked(Some(1024), Some(4096)), (Some(4096), 3840));
        assert_eq!(asked(Some(1024), None), (Some(10_256), 10_000));
    }

    #[test]
    fn what_is_enough_is_left_as_it_is() {
        assert_eq!(asked(Some(65_536), Some(65_536)), (Some(65_536), 10_000));
        assert_eq!(asked(None, None), (None, 10_000));
    }
}
