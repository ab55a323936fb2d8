//! The page as HTML. It works without its script, which only keeps the counts fresh and sends without leaving the page.

use maud::{DOCTYPE, Markup, html};

use super::counts::Known;
use super::sender::MESSAGES_MAX;

pub const STYLE: &str = include_str!("page.css");
pub const SCRIPT: &str = include_str!("page.js");

/// What is shown.
#[derive(Debug)]
pub struct Shown<'a> {
    pub queue_url: &'a str,
    pub messages: Known<i64>,
    pub pods: Known<Vec<String>>,
    pub average: Known<Option<f64>>,
    pub note: Option<Note>,
}

/// How the last sending went.
#[derive(Debug)]
pub enum Note {
    Done(String),
    Failed(String),
}

/// The whole page.
pub fn html(shown: &Shown<'_>) -> Markup {
    let title = queue_name(shown.queue_url);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { "Send to " (title) }
                link rel="stylesheet" href="page.css";
                link rel="icon" href="data:,";
                script src="page.js" defer {}
            }
            body { main {
                h1 { "Send to " (title) }
                (form())
                (note(shown.note.as_ref()))
                (counts(shown))
                p.small { "Each count is " strong { "not known" } " rather than zero when it cannot be read." }
            } }
        }
    }
}

fn form() -> Markup {
    html! {
        form method="post" action="./" {
            label for="number" { "Messages" }
            input #number type="number" name="number" value="10" min="1" max=(MESSAGES_MAX) required;
            button type="submit" { "Send" }
        }
    }
}

fn note(note: Option<&Note>) -> Markup {
    let (class, text) = match note {
        None => ("", ""),
        Some(Note::Done(text)) => ("done", text.as_str()),
        Some(Note::Failed(text)) => ("failed", text.as_str()),
    };
    html! { p #note .(class) role="status" { (text) } }
}

fn counts(shown: &Shown<'_>) -> Markup {
    let names = shown.pods.as_deref().unwrap_or_default();
    html! {
        dl {
            (count("messages", "Messages that wait", &shown.messages))
            (count("pods", "Pods", &shown.pods.as_ref().map(Vec::len)))
            (count("average", "Messages a pod, as the autoscaler saw them", &shown.average.as_ref().map(|average| average.unwrap_or(0.0))))
        }
        ul #names { @for name in names { li { (name) } } }
    }
}

fn count<T: ToString, E: ToString>(id: &str, what: &str, known: &Result<T, E>) -> Markup {
    let (number, reason) = match known {
        Ok(number) => (number.to_string(), String::new()),
        Err(reason) => ("not known".to_owned(), reason.to_string()),
    };
    html! {
        div {
            dt { (what) }
            dd #(id) { (number) }
            dd.reason id=(format!("{id}-reason")) { (reason) }
        }
    }
}

fn queue_name(url: &str) -> &str {
    url.rsplit('/').next().unwrap_or(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_says_why_and_nothing_becomes_markup() {
        let shown = Shown {
            queue_url: "http://localhost/000000000000/orders",
            messages: Ok(7),
            pods: Err("<b>forbidden</b>".into()),
            average: Ok(None),
            note: Some(Note::Done("Sent 7 messages.".into())),
        };
        let page = html(&shown).into_string();
        for expected in [
            "<h1>Send to orders</h1>",
            r#"<dd id="messages">7</dd>"#,
            r#"<dd id="pods">not known</dd>"#,
            "&lt;b&gt;forbidden&lt;/b&gt;",
            r#"<dd id="average">0</dd>"#,
            r#"<p class="done" id="note" role="status">Sent 7 messages.</p>"#,
        ] {
            assert!(page.contains(expected), "{expected}: {page}");
        }
    }
}
