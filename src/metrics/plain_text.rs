//! OpenMetrics text -> the text format that came before it, which names a counter with its `_total`
//! and knows neither units nor infos. Pure.

/// `page` in the older format. A family's help stands right before its type.
pub(super) fn of(page: &str) -> String {
    let mut text = String::with_capacity(page.len());
    let mut help = "";
    for line in page.lines() {
        let comment = line.strip_prefix("# ").map(|rest| rest.split_once(' '));
        match comment {
            None => push(&mut text, line),
            Some(Some(("HELP", rest))) => help = rest.split_once(' ').map_or("", |help| help.1),
            Some(Some(("TYPE", rest))) => describe(&mut text, help, rest),
            // A unit is in the name already, and the end needs no mark.
            Some(_) => {}
        }
    }
    text
}

/// A family's help and type, under the name that its samples have.
fn describe(text: &mut String, help: &str, family: &str) {
    let (name, kind) = family.split_once(' ').unwrap_or((family, "untyped"));
    let (suffix, kind) = match kind {
        "counter" => ("_total", "counter"),
        "info" => ("_info", "gauge"),
        kind => ("", kind),
    };
    push(text, &format!("# HELP {name}{suffix} {help}"));
    push(text, &format!("# TYPE {name}{suffix} {kind}"));
}

fn push(text: &mut String, line: &str) {
    text.push_str(line);
    text.push('\n');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counters_and_infos_are_described_by_the_names_of_their_samples() {
        let page = "# HELP a Things.\n# TYPE a counter\na_total{x=\"1\"} 1\n\
                    # HELP b_seconds Time.\n# TYPE b_seconds gauge\n# UNIT b_seconds seconds\nb_seconds 2.5\n\
                    # HELP c It.\n# TYPE c info\nc_info{v=\"0\"} 1\n# EOF\n";
        assert_eq!(
            of(page),
            "# HELP a_total Things.\n# TYPE a_total counter\na_total{x=\"1\"} 1\n\
             # HELP b_seconds Time.\n# TYPE b_seconds gauge\nb_seconds 2.5\n\
             # HELP c_info It.\n# TYPE c_info gauge\nc_info{v=\"0\"} 1\n"
        );
    }
}
