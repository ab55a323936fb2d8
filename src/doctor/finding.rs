//! What an examination found: how bad it is, and what to do about it.

use std::fmt::{self, Formatter};

use serde::{Deserialize, Serialize};

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    /// What was looked at, such as `credentials` or `dead-letters`.
    pub check: String,
    /// Of what: a queue, a server, a file; empty where there is only one.
    pub subject: String,
    /// How bad it is.
    pub severity: Severity,
    /// What was found.
    pub found: String,
    /// What to do; absent where there is nothing to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
}

/// How bad a finding is; the worst comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Scaling does not work, or messages are lost.
    Problem,
    /// It works, and worse than it could.
    Warning,
    /// It could not be looked at.
    Unknown,
    /// As it should be.
    Ok,
}

/// All findings, the worst first.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The findings.
    pub findings: Vec<Finding>,
    /// How many of them are problems.
    pub problems: usize,
    /// How many of them are warnings.
    pub warnings: usize,
}

impl Finding {
    fn new(check: &str, severity: Severity, found: impl Into<String>) -> Self {
        Self {
            check: check.to_owned(),
            subject: String::new(),
            severity,
            found: found.into(),
            remedy: None,
        }
    }

    pub(super) fn problem(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Severity::Problem, found)
    }

    pub(super) fn warning(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Severity::Warning, found)
    }

    pub(super) fn unknown(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Severity::Unknown, found)
    }

    pub(super) fn ok(check: &str, found: impl Into<String>) -> Self {
        Self::new(check, Severity::Ok, found)
    }

    #[must_use]
    pub(super) fn remedy(self, remedy: impl Into<String>) -> Self {
        Self {
            remedy: Some(remedy.into()),
            ..self
        }
    }

    #[must_use]
    pub(super) fn of(self, subject: &str) -> Self {
        Self {
            subject: subject.to_owned(),
            ..self
        }
    }
}

impl Report {
    pub(super) fn new(mut findings: Vec<Finding>) -> Self {
        findings.sort_by_key(|finding| finding.severity);
        let count = |severity| {
            let found = findings.iter();
            found.filter(|finding| finding.severity == severity).count()
        };
        Self {
            problems: count(Severity::Problem),
            warnings: count(Severity::Warning),
            findings,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        for finding in &self.findings {
            write!(formatter, "{finding}")?;
        }
        let rest = self.findings.len() - self.problems - self.warnings;
        writeln!(
            formatter,
            "\n{} problems, {} warnings, {rest} others",
            self.problems, self.warnings
        )
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, formatter: &mut Formatter<'_>) -> fmt::Result {
        let severity = match self.severity {
            Severity::Problem => "PROBLEM",
            Severity::Warning => "warning",
            Severity::Unknown => "unknown",
            Severity::Ok => "ok",
        };
        let separator = if self.subject.is_empty() { "" } else { " " };
        let Self {
            check,
            subject,
            found,
            ..
        } = self;
        writeln!(
            formatter,
            "{severity:<8} {check}{separator}{subject}: {found}"
        )?;
        for (number, line) in self
            .remedy
            .iter()
            .flat_map(|remedy| remedy.lines())
            .enumerate()
        {
            let arrow = if number == 0 { "->" } else { "  " };
            writeln!(formatter, "         {arrow} {line}")?;
        }
        Ok(())
    }
}
