//! A file of YAML as a tree of which every node knows where it stands in the text. The one file here
//! that knows how YAML is parsed.

use std::{collections::HashMap, ops::Range};

use granit_parser::{Event, Marker, Parser, ScalarStyle, Span, StructureStyle};

use super::Place;

/// A node, and the bytes of the text that it is written with, without its tag and its anchor.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) value: Value,
    pub(crate) bytes: Range<usize>,
    pub(crate) place: Place,
    /// Which anchor of the file it has, if it has one.
    pub(crate) anchor: Option<usize>,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Scalar {
        text: String,
        quote: Quote,
    },
    Sequence(Vec<Node>),
    Mapping {
        entries: Vec<Entry>,
        style: Style,
    },
    /// The node with this anchor once more.
    Alias(usize),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entry {
    pub(crate) key: Node,
    pub(crate) value: Node,
}

/// How a scalar is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Quote {
    None,
    Single,
    Double,
    /// In lines of its own, after `|` or `>`.
    Block,
}

/// How a mapping is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Style {
    /// An entry a line.
    Block,
    /// In braces.
    Flow,
}

/// Text that is no YAML, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NoYaml {
    pub(crate) place: Place,
    pub(crate) fault: String,
}

/// The documents of a file. Nesting is limited to 255 levels by the parser.
#[derive(Debug, PartialEq)]
pub(crate) struct Documents {
    pub(crate) roots: Vec<Node>,
    /// The nodes by their anchors: copies, which is what an alias means.
    pub(crate) anchored: HashMap<usize, Node>,
    /// How many nodes there are in all.
    pub(crate) nodes: usize,
}

/// Reads all documents of `text`.
pub(crate) fn parse(text: &str) -> Result<Documents, NoYaml> {
    let options = granit_parser::options! { emit_comments: false };
    let mut builder = Builder::default();
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, span) = event.map_err(|error| NoYaml {
            place: place(*error.marker()),
            fault: error.info(),
        })?;
        builder.take(event, span);
    }
    Ok(builder.documents)
}

fn place(marker: Marker) -> Place {
    Place {
        line: marker.line(),
        column: marker.col() + 1,
    }
}

/// A collection that has begun, and the children it has so far.
struct Open {
    node: Node,
    children: Vec<Node>,
}

struct Builder {
    open: Vec<Open>,
    documents: Documents,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            open: Vec::new(),
            documents: Documents {
                roots: Vec::new(),
                anchored: HashMap::new(),
                nodes: 0,
            },
        }
    }
}

impl Builder {
    fn take(&mut self, event: Event<'_>, span: Span) {
        match event {
            Event::Scalar(text, style, anchor, _) => {
                let value = Value::Scalar {
                    text: text.into_owned(),
                    quote: quote(style),
                };
                self.add(node(value, span, anchor));
            }
            Event::Alias(anchor) => self.add(node(Value::Alias(anchor), span, 0)),
            Event::SequenceStart(_, anchor, _) => {
                self.begin(node(Value::Sequence(Vec::new()), span, anchor));
            }
            Event::MappingStart(style, anchor, _) => {
                let value = Value::Mapping {
                    entries: Vec::new(),
                    style: match style {
                        StructureStyle::Block => Style::Block,
                        StructureStyle::Flow => Style::Flow,
                    },
                };
                self.begin(node(value, span, anchor));
            }
            Event::SequenceEnd | Event::MappingEnd => self.end(span),
            _ => {}
        }
    }

    fn begin(&mut self, node: Node) {
        self.open.push(Open {
            node,
            children: Vec::new(),
        });
    }

    fn end(&mut self, span: Span) {
        let Some(Open { mut node, children }) = self.open.pop() else {
            return;
        };
        // An empty collection in block style ends where it begins.
        let last = children.last().map_or(0, |child| child.bytes.end);
        node.bytes.end = last.max(span.end.byte_offset().unwrap_or(0));
        match &mut node.value {
            Value::Sequence(items) => *items = children,
            Value::Mapping { entries, .. } => *entries = pairs(children),
            Value::Scalar { .. } | Value::Alias(_) => {}
        }
        self.add(node);
    }

    fn add(&mut self, node: Node) {
        self.documents.nodes += 1;
        if let Some(anchor) = node.anchor {
            self.documents.anchored.insert(anchor, node.clone());
        }
        match self.open.last_mut() {
            Some(parent) => parent.children.push(node),
            None => self.documents.roots.push(node),
        }
    }
}

fn node(value: Value, span: Span, anchor: usize) -> Node {
    Node {
        value,
        // Text that is parsed from memory always has offsets.
        bytes: span.byte_range().unwrap_or_default(),
        place: place(span.start),
        anchor: (anchor != 0).then_some(anchor),
    }
}

fn pairs(children: Vec<Node>) -> Vec<Entry> {
    let mut entries = Vec::with_capacity(children.len() / 2);
    let mut children = children.into_iter();
    while let (Some(key), Some(value)) = (children.next(), children.next()) {
        entries.push(Entry { key, value });
    }
    entries
}

fn quote(style: ScalarStyle) -> Quote {
    match style {
        ScalarStyle::SingleQuoted => Quote::Single,
        ScalarStyle::DoubleQuoted => Quote::Double,
        ScalarStyle::Literal | ScalarStyle::Folded => Quote::Block,
        ScalarStyle::Plain => Quote::None,
    }
}

impl Node {
    /// The text of a scalar.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Scalar { text, .. } => Some(text),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_node_knows_the_bytes_it_is_written_with() {
        let text = "# é\r\na: &x \"b\"\r\nc: {d: 'e', f: *x} # g\r\n";
        let documents = parse(text).unwrap();
        let Value::Mapping { entries, style } = &documents.roots[0].value else {
            panic!("{documents:?}");
        };
        assert_eq!(*style, Style::Block);
        let written = |node: &Node| &text[node.bytes.clone()];
        let values: Vec<_> = entries.iter().map(|entry| written(&entry.value)).collect();
        assert_eq!(values, ["\"b\"", "{d: 'e', f: *x}"]);
        assert_eq!(
            (entries[1].key.place.line, entries[1].key.place.column),
            (3, 1)
        );
        assert_eq!(documents.nodes, 9);
    }

    #[test]
    fn what_is_no_yaml_is_said_with_its_place() {
        let NoYaml { place, fault } = parse("a: b\nc: [d\ne: f\n").unwrap_err();
        assert!(place.line >= 2 && !fault.is_empty(), "{place:?} {fault}");
    }
}
