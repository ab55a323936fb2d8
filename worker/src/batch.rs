//! What a batch request and its answer mean, entry by entry. Pure: no SQS, no clock.

/// Entries that one SQS batch request may hold.
pub const ENTRIES_MAX: usize = 10;

/// What SQS answered to one batch request.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reply {
    pub accepted: Vec<String>,
    pub rejected: Vec<Rejection>,
}

/// An entry that SQS did not carry out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    pub id: String,
    pub code: String,
    pub is_sender_fault: bool,
}

/// What became of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    Accepted,
    /// Sending it again cannot help.
    Refused {
        code: String,
    },
    /// Not carried out as far as we know, and worth sending again.
    Unsettled {
        code: String,
    },
}

/// The name of the entry at this position, unique within its request.
pub fn entry_id(position: usize) -> String {
    position.to_string()
}

/// The verdict on each of `entries` entries, in their order. An entry that the reply does not name is unsettled: not
/// knowing that it was carried out is not the same as knowing.
pub fn verdicts(entries: usize, reply: &Reply) -> Vec<Verdict> {
    (0..entries)
        .map(|position| verdict(&entry_id(position), reply))
        .collect()
}

fn verdict(id: &str, reply: &Reply) -> Verdict {
    if reply.accepted.iter().any(|accepted| accepted == id) {
        return Verdict::Accepted;
    }
    match reply.rejected.iter().find(|rejection| rejection.id == id) {
        Some(rejection) if is_final(rejection) => Verdict::Refused {
            code: rejection.code.clone(),
        },
        Some(rejection) => Verdict::Unsettled {
            code: rejection.code.clone(),
        },
        None => Verdict::Unsettled {
            code: "no answer".into(),
        },
    }
}

/// SQS blames the sender for throttling too, but that passes.
fn is_final(rejection: &Rejection) -> bool {
    rejection.is_sender_fault && !rejection.code.contains("Throttl")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rejection(position: usize, code: &str, is_sender_fault: bool) -> Rejection {
        Rejection {
            id: entry_id(position),
            code: code.into(),
            is_sender_fault,
        }
    }

    #[test]
    fn each_entry_gets_its_own_verdict_in_order() {
        let reply = Reply {
            accepted: vec![entry_id(2), entry_id(0)],
            rejected: vec![
                rejection(3, "ReceiptHandleIsInvalid", true),
                rejection(1, "InternalError", false),
            ],
        };
        assert_eq!(
            verdicts(4, &reply),
            [
                Verdict::Accepted,
                Verdict::Unsettled {
                    code: "InternalError".into()
                },
                Verdict::Accepted,
                Verdict::Refused {
                    code: "ReceiptHandleIsInvalid".into()
                },
            ]
        );
    }

    #[test]
    fn an_entry_that_the_reply_does_not_name_is_unsettled() {
        assert_eq!(
            verdicts(1, &Reply::default()),
            [Verdict::Unsettled {
                code: "no answer".into()
            }]
        );
    }

    #[test]
    fn a_reply_about_other_entries_changes_nothing() {
        let reply = Reply {
            accepted: vec!["7".into()],
            rejected: vec![rejection(8, "Gone", true)],
        };
        assert_eq!(verdicts(1, &reply), verdicts(1, &Reply::default()));
    }

    #[test]
    fn throttling_passes_although_it_is_called_the_senders_fault() {
        let reply = Reply {
            accepted: vec![],
            rejected: vec![rejection(0, "RequestThrottled", true)],
        };
        assert_eq!(
            verdicts(1, &reply),
            [Verdict::Unsettled {
                code: "RequestThrottled".into()
            }]
        );
    }

    #[test]
    fn a_full_batch_has_ten_different_names() {
        let names: std::collections::HashSet<_> = (0..ENTRIES_MAX).map(entry_id).collect();
        assert_eq!(names.len(), ENTRIES_MAX);
    }
}
