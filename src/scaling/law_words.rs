//! What the law says of its answer, in words. It decides nothing.

use std::fmt;

use super::{Estimate, LawAnswer, LawTerm, MessageTime, NoisyGroups};

impl fmt::Display for LawTerm {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Empty => "for an empty queue",
            Self::Learning => "as a try, while hardly anything is known of the work",
            Self::TargetWait => "so that no message waits too long",
            Self::NoisyGroups => {
                "so that no message of a quiet group waits too long, while noisy groups wait their turn"
            }
            Self::Busy => "because messages wait and these replicas are busy",
            Self::TakenOver => "because these were found at work at the start, minutes ago",
            Self::Stalled => "and no more, because work fails or nothing gets done",
            Self::Ineffective => "and no more, because more got no more done",
            Self::FifoGroups => "because no more groups can be worked on at once",
        })
    }
}

impl fmt::Display for LawAnswer {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Estimate {
            message,
            arrivals_per_second,
            concurrency,
            ..
        } = self.estimate;
        let horizon = self.horizon.as_secs_f64();
        if let Some(MessageTime {
            seconds,
            is_at_most,
            ..
        }) = message
        {
            let at_most = if is_at_most { "at most " } else { "" };
            write!(formatter, "a message takes {at_most}{seconds:.3} s, ")?;
        }
        write!(
            formatter,
            "{arrivals_per_second:.2} arrive per second, a replica works on {concurrency:.1} at once, \
             the backlog has to be gone in {horizon:.0} s"
        )?;
        match self.estimate.noisy {
            Some(NoisyGroups {
                groups, visible, ..
            }) => write!(
                formatter,
                ", but for {visible:.0} messages of {groups:.0} noisy groups"
            ),
            None => Ok(()),
        }
    }
}
