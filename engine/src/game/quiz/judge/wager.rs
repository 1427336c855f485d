//! Stakes on a question.

use klaxon_protocol::games::quiz::Stake;

use super::Mark;

/// What a seat with these points stakes by claiming this value; none if it can't.
pub fn stake(how: Stake, most: u32, points: i64, said: u64) -> Option<u32> {
    let have = u32::try_from(points.max(0)).unwrap_or(u32::MAX);
    let limit = have.min(most);
    match how {
        Stake::Points => u32::try_from(said).ok().filter(|stake| *stake <= limit),
        Stake::DoubleOrQuit => match said {
            0 => Some(0),
            1 => Some(limit),
            _ => None,
        },
    }
}

/// What a seat with these points has staked by claiming this value: no more than it has at the close, if the host took points from it since.
pub fn staked(how: Stake, most: u32, points: i64, said: u64) -> u32 {
    let limit = u32::try_from(points.max(0)).unwrap_or(u32::MAX).min(most);
    match how {
        Stake::Points => u32::try_from(said).unwrap_or(u32::MAX).min(limit),
        Stake::DoubleOrQuit if said == 1 => limit,
        Stake::DoubleOrQuit => 0,
    }
}

/// What a stake wins or loses: it is won by a right answer, and lost by any other, and by none.
pub fn outcome(stake: u32, mark: Mark) -> i64 {
    if mark.is_right() { i64::from(stake) } else { -i64::from(stake) }
}
