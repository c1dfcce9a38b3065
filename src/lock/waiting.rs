//! Waiting: which of the tags that a registry has now may be taken, and what waits for longer.
//!
//! The decision is a pure function, [`decide`]. It takes nothing that is younger than its age: not after a push, a
//! deletion or another move, and not after a clock that goes backwards. A clock that goes forward makes everything older
//! by the same time; hocker cannot notice that.

use super::following::MAX_PENDING;
use super::{Age, Pending};
use crate::name::Tag;
use crate::oci::digest::Digest;
use crate::oci::timestamp::Timestamp;

/// A tag that the registry has now and that could be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// The tag.
    pub tag: Tag,
    /// The digest of its manifest or index.
    pub digest: Digest,
    /// What others say about its age.
    pub evidence: Evidence,
}

/// Points in time, in seconds since 1970 (UTC), from which others knew a digest. The creation time in an image is none of
/// them, because its author chooses it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Evidence {
    /// The time of an entry in a transparency log that was verified.
    pub logged: Option<i64>,
    /// The time at which Docker Hub received the tag, if the user trusts Docker Hub for that.
    pub pushed: Option<i64>,
}

/// What waits, and until when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// The tag, its digest and the time when it was first seen.
    pub pending: Pending,
    /// The time from which it may be taken.
    pub until: Timestamp,
}

/// An event that a person should know about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// The registry no longer offers what waited.
    Vanished(Pending),
    /// The tag has another digest than the one that waited. The wait begins again.
    Changed {
        /// What waited.
        before: Pending,
        /// The digest of the tag now.
        now: Digest,
    },
    /// Something was first seen in the future, so a clock was wrong. The wait begins again.
    Future(Pending),
}

/// The outcome of [`decide`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Decision {
    /// The newest candidate that is old enough.
    pub take: Option<Candidate>,
    /// The candidates that are newer and wait, the oldest version first.
    pub waiting: Vec<Waiting>,
    /// What happened since the last decision.
    pub notices: Vec<Notice>,
}

/// Decides at the time `now`, in seconds since 1970 (UTC), which of the candidates may be taken. The candidates are in
/// the order of their versions, the newest last. `pending` waited until now.
#[must_use]
pub fn decide(pending: &[Pending], candidates: &[Candidate], age: Age, now: i64) -> Decision {
    let mut decision = Decision {
        notices: lost(pending, candidates),
        ..Decision::default()
    };
    let known = |candidate: &Candidate| {
        pending
            .iter()
            .find(|known| known.tag == candidate.tag && known.digest == candidate.digest)
    };
    for candidate in candidates {
        let mut first_seen = Timestamp::of_seconds(now);
        match known(candidate) {
            Some(known) if known.first_seen.seconds() > now => {
                decision.notices.push(Notice::Future(known.clone()));
            }
            Some(known) => first_seen = known.first_seen.clone(),
            None => {}
        }
        let Evidence { logged, pushed } = candidate.evidence;
        let since = [logged, pushed, Some(first_seen.seconds())];
        let since = since
            .into_iter()
            .flatten()
            .filter(|time| *time <= now)
            .min();
        let until = since.unwrap_or(now).saturating_add(age.seconds());
        if until <= now {
            decision.take = Some(candidate.clone());
            decision.waiting.clear();
        } else {
            decision.waiting.push(Waiting {
                pending: Pending {
                    tag: candidate.tag.clone(),
                    digest: candidate.digest,
                    first_seen,
                },
                until: Timestamp::of_seconds(until),
            });
        }
    }
    // Those that wait for longest are taken first, so they are kept.
    let is_new = |waiting: &Waiting| !pending.iter().any(|known| known.tag == waiting.pending.tag);
    while decision.waiting.len() > MAX_PENDING
        && let Some(last) = decision.waiting.iter().rposition(is_new)
    {
        decision.waiting.remove(last);
    }
    decision.waiting.truncate(MAX_PENDING);
    decision
}

/// Returns what waited and is no longer offered, or with another digest.
fn lost(pending: &[Pending], candidates: &[Candidate]) -> Vec<Notice> {
    let lost = pending.iter().filter_map(|known| {
        let candidate = candidates
            .iter()
            .find(|candidate| candidate.tag == known.tag);
        match candidate {
            None => Some(Notice::Vanished(known.clone())),
            Some(candidate) if candidate.digest != known.digest => Some(Notice::Changed {
                before: known.clone(),
                now: candidate.digest,
            }),
            Some(_) => None,
        }
    });
    lost.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;

    use proptest::collection::vec;
    use proptest::prelude::*;

    const DAY: i64 = 24 * 60 * 60;
    const NOW: i64 = 1_800_000_000;

    fn digest(number: u8) -> Digest {
        format!("sha256:{}", format!("{number:02x}").repeat(32))
            .parse()
            .unwrap()
    }

    fn candidate(tag: u8, content: u8) -> Candidate {
        Candidate {
            tag: format!("1.{tag}").parse().unwrap(),
            digest: digest(content),
            evidence: Evidence::default(),
        }
    }

    fn pending(tag: u8, content: u8, first_seen: i64) -> Pending {
        let Candidate { tag, digest, .. } = candidate(tag, content);
        Pending {
            tag,
            digest,
            first_seen: Timestamp::of_seconds(first_seen),
        }
    }

    fn three_days() -> Age {
        "3d".parse().unwrap()
    }

    #[test]
    fn the_newest_that_is_old_enough_is_taken_and_newer_ones_wait() {
        let waiting = [
            pending(1, 1, NOW - 3 * DAY),
            pending(2, 2, NOW - 3 * DAY + 1),
        ];
        let candidates = [candidate(1, 1), candidate(2, 2), candidate(3, 3)];
        let decision = decide(&waiting, &candidates, three_days(), NOW);
        assert_eq!(decision.take, Some(candidate(1, 1)));
        let until: Vec<_> = decision
            .waiting
            .iter()
            .map(|waiting| (waiting.pending.tag.as_str(), waiting.until.seconds() - NOW))
            .collect();
        assert_eq!(until, [("1.2", 1), ("1.3", 3 * DAY)]);
        assert!(decision.notices.is_empty());
    }

    #[test]
    fn what_changes_or_vanishes_is_reported_and_waits_from_the_start() {
        let waiting = [pending(1, 1, NOW - 9 * DAY), pending(2, 2, NOW - 9 * DAY)];
        let decision = decide(&waiting, &[candidate(2, 3)], three_days(), NOW);
        assert_eq!(decision.take, None);
        assert_eq!(decision.waiting[0].until.seconds(), NOW + 3 * DAY);
        let [one, two] = waiting;
        let expected = [
            Notice::Vanished(one),
            Notice::Changed {
                before: two,
                now: digest(3),
            },
        ];
        assert_eq!(decision.notices, expected);
    }

    #[test]
    fn a_first_sight_in_the_future_counts_as_now() {
        let waiting = [pending(1, 1, NOW + 99 * DAY)];
        let decision = decide(&waiting, &[candidate(1, 1)], three_days(), NOW);
        assert_eq!(decision.take, None);
        assert_eq!(decision.waiting[0].until.seconds(), NOW + 3 * DAY);
        assert!(matches!(decision.notices[..], [Notice::Future(_)]));
    }

    #[test]
    fn evidence_makes_older_unless_it_is_from_the_future() {
        for (logged, pushed, is_taken) in [
            (None, None, false),
            (Some(NOW - 3 * DAY), None, true),
            (None, Some(NOW - 3 * DAY), true),
            (Some(NOW - 1), Some(NOW - 4 * DAY), true),
            (Some(NOW + 1), Some(NOW + 4 * DAY), false),
            (Some(i64::MAX), Some(i64::MIN), true),
        ] {
            let evidence = Evidence { logged, pushed };
            let candidates = [Candidate {
                evidence,
                ..candidate(1, 1)
            }];
            let decision = decide(&[], &candidates, three_days(), NOW);
            assert_eq!(decision.take.is_some(), is_taken, "{evidence:?}");
        }
    }

    #[test]
    fn without_an_age_the_newest_is_taken_at_once() {
        let candidates = [candidate(1, 1), candidate(2, 2)];
        let decision = decide(&[], &candidates, Age::NONE, NOW);
        assert_eq!(decision.take, Some(candidate(2, 2)));
        assert!(decision.waiting.is_empty());
    }

    /// What happens to a repository with a few tags, to the clock, and to the lock.
    #[derive(Clone, Debug)]
    enum Event {
        Push(u8, u8),
        Delete(u8),
        Pass(i64),
        Step(i64),
        Run,
    }

    fn event() -> impl Strategy<Value = Event> {
        prop_oneof![
            2 => (0..4u8, 0..5u8).prop_map(|(tag, content)| Event::Push(tag, content)),
            1 => (0..4u8).prop_map(Event::Delete),
            3 => (0..3 * DAY).prop_map(Event::Pass),
            1 => (-5 * DAY..5 * DAY).prop_map(Event::Step),
            4 => Just(Event::Run),
        ]
    }

    /// Since when a digest is under a tag for a watcher who looks at every run: the true time, and the time by which the
    /// clock went forward until then.
    type Watched = BTreeMap<u8, (u8, i64, i64)>;

    proptest! {
        /// Nothing younger than its age is ever taken. Only a clock that goes forward helps, by no more than its step.
        #[test]
        fn nothing_younger_than_its_age_is_taken(events in vec(event(), 0..80)) {
            let age = three_days();
            let (mut time, mut clock, mut forward) = (NOW, NOW, 0);
            let mut tags: BTreeMap<u8, u8> = BTreeMap::new();
            let mut waiting: Vec<Pending> = Vec::new();
            let mut watched = Watched::new();
            let mut taken: Option<u8> = None;
            for event in events {
                match event {
                    Event::Push(tag, content) => { tags.insert(tag, content); }
                    Event::Delete(tag) => { tags.remove(&tag); }
                    Event::Pass(seconds) => { time += seconds; clock += seconds; }
                    Event::Step(seconds) => { clock += seconds; forward += seconds.max(0); }
                    Event::Run => {
                        watched.retain(|tag, (content, ..)| tags.get(tag) == Some(content));
                        for (tag, content) in &tags {
                            watched.entry(*tag).or_insert((*content, time, forward));
                        }
                        // As the program does: the newest, and all that wait.
                        let newer = tags.iter().filter(|(tag, _)| taken.is_none_or(|taken| **tag > taken));
                        let newest = newer.clone().next_back().map(|(tag, _)| *tag);
                        let is_of_interest = |tag: u8| Some(tag) == newest
                            || waiting.iter().any(|waiting| waiting.tag == candidate(tag, 0).tag);
                        let candidates: Vec<_> = newer
                            .filter(|(tag, _)| is_of_interest(**tag))
                            .map(|(tag, content)| candidate(*tag, *content))
                            .collect();
                        let decision = decide(&waiting, &candidates, age, clock);
                        if let Some(take) = &decision.take {
                            let (tag, (content, since, before)) = watched
                                .iter()
                                .find(|(tag, _)| candidate(**tag, 0).tag == take.tag)
                                .unwrap();
                            prop_assert_eq!(digest(*content), take.digest);
                            let known = (time - since) + (forward - before);
                            prop_assert!(known >= age.seconds(), "known for {} s", known);
                            taken = Some(*tag);
                        }
                        waiting = decision.waiting.into_iter().map(|waiting| waiting.pending).collect();
                        prop_assert!(waiting.len() <= MAX_PENDING);
                    }
                }
            }
        }

        /// With a right clock and a tag that stays, the wait ends: other tags that are newer each day do not prevent it.
        #[test]
        fn what_stays_is_taken_in_the_end(days in 5..40u8) {
            let mut waiting: Vec<Pending> = Vec::new();
            let mut taken = None;
            for day in 0..days {
                let first = taken.map_or(0, |taken| taken + 1);
                let newer: Vec<_> = (first..=day).map(|tag| candidate(tag, tag)).collect();
                let of_interest: Vec<_> = newer
                    .iter()
                    .filter(|one| newer.last() == Some(one) || waiting.iter().any(|waiting| waiting.tag == one.tag))
                    .cloned()
                    .collect();
                let decision = decide(&waiting, &of_interest, three_days(), NOW + i64::from(day) * DAY);
                if let Some(take) = decision.take {
                    taken = (0..=day).find(|tag| candidate(*tag, 0).tag == take.tag);
                }
                waiting = decision.waiting.into_iter().map(|waiting| waiting.pending).collect();
            }
            prop_assert_eq!(taken, Some(days - 4));
        }

        /// However many there are, and whatever they say, there is a decision.
        #[test]
        fn there_is_a_decision_for_anything(
            known in vec((0..30u8, 0..3u8, any::<i64>()), 0..20),
            offered in vec((0..30u8, 0..3u8, any::<Option<i64>>()), 0..30),
            now in any::<i64>(),
        ) {
            let known: Vec<_> = known.into_iter().map(|(tag, content, time)| pending(tag, content, time)).collect();
            let offered: Vec<_> = offered
                .into_iter()
                .map(|(tag, content, pushed)| Candidate {
                    evidence: Evidence { logged: None, pushed },
                    ..candidate(tag, content)
                })
                .collect();
            let decision = decide(&known, &offered, three_days(), now);
            prop_assert!(decision.waiting.len() <= MAX_PENDING);
        }
    }
}
