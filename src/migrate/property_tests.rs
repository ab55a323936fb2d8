//! Documents nobody would write and documents everybody writes: there and back is the same file, and
//! nothing that is not understood is lost.

use proptest::prelude::*;

use super::*;

fn settings(direction: Direction) -> MigrateSettings {
    MigrateSettings {
        direction,
        scaler_address: "sluice.keda.svc:9090".to_owned(),
    }
}

/// Writes a manifest; each choice is a byte of `choices`, so that a failure shrinks to few of them.
struct Writer<'a> {
    choices: std::slice::Iter<'a, u8>,
    text: String,
    end: &'static str,
}

impl Writer<'_> {
    /// A number below `limit`.
    fn choose(&mut self, limit: u8) -> u8 {
        self.choices.next().map_or(0, |choice| choice % limit)
    }

    fn pick<'t>(&mut self, from: &[&'t str]) -> &'t str {
        let limit = u8::try_from(from.len()).unwrap();
        from[usize::from(self.choose(limit))]
    }

    fn line(&mut self, indent: usize, text: &str) {
        let comment = self.pick(&["", "", "", " # é\ttab", "  #", " # type: aws-sqs-queue"]);
        let above = self.pick(&[
            "",
            "",
            "",
            "",
            "\n",
            "# above\n",
            "      # deeper: - [\n",
            "\t\n",
        ]);
        // A tab is no indentation, and before the first line there may be nothing but a comment.
        let above = if above == "\t\n" { "" } else { above };
        self.text += &above.replace('\n', self.end);
        self.text += &" ".repeat(indent);
        self.text += text;
        self.text += comment;
        self.text += self.end;
    }

    fn quoted(&mut self, text: &str) -> String {
        match self.choose(3) {
            0 => text.to_owned(),
            1 => format!("'{text}'"),
            _ => format!("\"{text}\""),
        }
    }

    fn document(&mut self) {
        let kind = self.pick(&["ScaledObject", "ScaledJob", "Deployment"]);
        let indent = if self.choose(4) == 0 {
            self.line(0, "kind: List");
            self.line(0, "items:");
            self.line(2, "- apiVersion: keda.sh/v1alpha1");
            4
        } else {
            self.line(0, "apiVersion: keda.sh/v1alpha1");
            0
        };
        let kind = self.quoted(kind);
        self.line(indent, &format!("kind: {kind}"));
        self.line(
            indent,
            "metadata: {name: orders, labels: &labels {a: b}, annotations: *labels}",
        );
        self.line(indent, "spec:");
        if self.choose(2) == 1 {
            let strategy = self.pick(&["default", "custom", "accurate", "eager"]);
            let strategy = self.quoted(strategy);
            self.line(indent + 2, "scalingStrategy:");
            self.line(indent + 6, &format!("strategy: {strategy}"));
        }
        self.line(indent + 2, "triggers:");
        let deeper = usize::from(self.choose(3)) * 2;
        for _ in 0..=self.choose(3) {
            self.trigger(indent + 2 + deeper);
        }
        if self.choose(2) == 1 {
            self.line(indent + 2, "unknown: [1, {x: 'y'}]");
        }
    }

    fn trigger(&mut self, indent: usize) {
        let kind = self.pick(&["aws-sqs-queue", "aws-sqs-queue", "cron", "external"]);
        let kind = self.quoted(kind);
        if self.choose(4) == 0 {
            self.line(
                indent,
                &format!("- {{ type: {kind}, metadata: {{queueURL: orders,  awsRegion: 'eu-west-1'}} , x: y}}"),
            );
            return;
        }
        let kind_first = self.choose(2) == 0;
        if kind_first {
            self.line(indent, &format!("- type: {kind}"));
        } else {
            self.line(indent, "- name: first");
        }
        let deeper = indent + 4 + usize::from(self.choose(3));
        self.line(indent + 2, "metadata:");
        let url = self.quoted("https://sqs.eu-west-1.amazonaws.com/123456789012/orders");
        self.line(deeper, &format!("queueURL: {url}"));
        let length = self.pick(&["\"5\"", "'10'", "|-\n  1"]);
        if !length.contains('\n') {
            self.line(deeper, &format!("queueLength: {length}"));
        }
        self.line(deeper, "awsRegion: eu-west-1");
        if self.choose(2) == 1 {
            self.line(deeper, "unknownKey: \"{}\"");
        }
        if !kind_first {
            self.line(indent + 2, &format!("type: {kind}"));
        }
    }
}

fn manifest(choices: &[u8]) -> String {
    let mut writer = Writer {
        choices: choices.iter(),
        text: String::new(),
        end: "\n",
    };
    writer.end = writer.pick(&["\n", "\r\n"]);
    for number in 0..=writer.choose(3) {
        if number > 0 || writer.choose(2) == 1 {
            writer.line(0, "---");
        }
        writer.document();
    }
    if writer.choose(3) == 0 {
        let length = writer.text.trim_end().len();
        writer.text.truncate(length);
    }
    writer.text
}

/// Whether all characters of `part` are in `whole`, in their order.
fn is_within(part: &str, whole: &str) -> bool {
    let mut whole = whole.chars();
    part.chars()
        .all(|wanted| whole.any(|found| found == wanted))
}

proptest! {
    #[test]
    fn there_and_back_is_the_same_file_and_nothing_is_lost(
        choices in proptest::collection::vec(any::<u8>(), 0..160),
    ) {
        let text = manifest(&choices);
        let there = rewrite("generated.yaml", &text, &settings(Direction::ToSluice));
        let there = there.map_err(|error| TestCaseError::fail(format!("{error}\n{text}")))?;
        let rest = |text: &str, name: &str| text.replace(name, "");
        prop_assert!(is_within(&rest(&text, "aws-sqs-queue"), &there.after), "{}", there.after);
        let is_left = there.after.lines().any(|line| {
            let line = line.split('#').next().unwrap_or_default();
            line.contains("type:") && line.contains("aws-sqs-queue")
        });
        prop_assert_eq!(is_left, text.contains("Deployment") && is_left, "{}", there.after);
        let back = rewrite("generated.yaml", &there.after, &settings(Direction::ToBuiltIn)).unwrap();
        prop_assert_eq!(back.after, text);
    }

    #[test]
    fn no_text_makes_it_fail_but_with_a_place(text in "[ a:\\-\n\r\t{}\\[\\],&*'\"#|>?!%<kindSpectrgsSo]{0,80}") {
        for direction in [Direction::ToSluice, Direction::ToBuiltIn] {
            match rewrite("text", &text, &settings(direction)) {
                Ok(file) => prop_assert!(!file.is_changed()),
                Err(error) => prop_assert!(error.to_string().starts_with("text:")),
            }
        }
    }

    #[test]
    fn a_manifest_that_is_cut_or_garbled_is_never_half_migrated(
        choices in proptest::collection::vec(any::<u8>(), 0..120),
        at in any::<prop::sample::Index>(),
        garbage in "[ \t\r\n:#\"'{}\\[\\]&*-]{0,3}",
    ) {
        let mut text = manifest(&choices);
        let at = at.index(text.len() + 1);
        if text.is_char_boundary(at) {
            text.insert_str(at, &garbage);
        }
        if let Ok(there) = rewrite("garbled.yaml", &text, &settings(Direction::ToSluice)) {
            let back = rewrite("garbled.yaml", &there.after, &settings(Direction::ToBuiltIn)).unwrap();
            prop_assert_eq!(back.triggers.len() >= there.triggers.len(), true);
            prop_assert_eq!(back.after, text);
        }
    }
}
