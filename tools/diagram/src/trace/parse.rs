//! Reading a trace. Whatever the text is, the answer is a trace or a reason with its line.

use super::{Change, Event, Fate, Log, NodeId, ParseError, Reason, Role, Time, Trace, What};

/// More lanes do not fit on any screen.
pub const MAX_NODES: usize = 9;
/// The highest number of a node.
pub const MAX_NODE: NodeId = 999;
/// So many lines a trace may have.
pub const MAX_LINES: usize = 20_000;
/// So many characters a line may have.
pub const MAX_LINE: usize = 4_000;

/// Times after this are no times: a diagram of them would have no meaning.
const MAX_TIME: u64 = 999_999_999;

/// The first line, with the version after it.
const FORMAT: &str = "# trace ";
const VERSION: &str = "1";

impl Trace {
    /// Reads a trace.
    ///
    /// # Errors
    ///
    /// The first line that is wrong, and why.
    pub fn parse(text: &str) -> Result<Trace, ParseError> {
        let mut reading = Reading::default();
        let mut last = 1;
        for (line, text) in (1..).zip(text.lines()) {
            last = line;
            let read = reading.line(line, text);
            read.map_err(|reason| ParseError { line, reason })?;
        }
        reading
            .finish()
            .map_err(|reason| ParseError { line: last, reason })
    }
}

/// What the lines so far have said.
#[derive(Default)]
struct Reading {
    headings: Vec<(String, String)>,
    /// Those that the heading lists.
    listed: Option<Vec<NodeId>>,
    /// Those that occur, by number.
    seen: Vec<NodeId>,
    events: Vec<Event>,
}

impl Reading {
    fn line(&mut self, number: usize, text: &str) -> Result<(), Reason> {
        check_text(number, text)?;
        let text = text.trim();
        if number == 1 {
            return check_format(text);
        }
        if let Some(said) = text.strip_prefix('#') {
            return self.heading(said);
        }
        let event = read_event(text)?;
        self.check_order(&event)?;
        match event.what {
            What::Message { from, to, .. } => {
                self.meet(from)?;
                self.meet(to)?;
            }
            What::Node { node, .. } => self.meet(node)?,
            What::Cluster(_) | What::Broken(_) => {}
        }
        self.events.push(event);
        Ok(())
    }

    fn heading(&mut self, said: &str) -> Result<(), Reason> {
        if !self.events.is_empty() {
            return Err(Reason::LateHeading);
        }
        let (name, value) = said.split_once(':').ok_or(Reason::NotAHeading)?;
        let (name, value) = (name.trim(), value.trim());
        let fits = |c: char| c.is_ascii_lowercase() || c == ' ' || c == '-';
        if name.is_empty() || value.is_empty() || !name.chars().all(fits) {
            return Err(Reason::NotAHeading);
        }
        if self.headings.iter().any(|(known, _)| known == name) {
            return Err(Reason::SaidTwice(name.to_owned()));
        }
        if name == "nodes" {
            self.listed = Some(read_nodes(value)?);
        }
        self.headings.push((name.to_owned(), value.to_owned()));
        Ok(())
    }

    fn check_order(&self, event: &Event) -> Result<(), Reason> {
        let Some(before) = self.events.last() else {
            return Ok(());
        };
        if matches!(before.what, What::Broken(_)) {
            return Err(Reason::AfterTheEnd);
        }
        if event.time < before.time {
            return Err(Reason::TimeGoesBack(before.time));
        }
        Ok(())
    }

    /// Knows the node from now on, or says why that cannot be.
    fn meet(&mut self, node: NodeId) -> Result<(), Reason> {
        if let Some(listed) = &self.listed {
            let known = listed.contains(&node);
            return known.then_some(()).ok_or(Reason::UnlistedNode(node));
        }
        if let Err(place) = self.seen.binary_search(&node) {
            if self.seen.len() == MAX_NODES {
                return Err(Reason::TooManyNodes);
            }
            self.seen.insert(place, node);
        }
        Ok(())
    }

    fn finish(self) -> Result<Trace, Reason> {
        if self.events.is_empty() {
            return Err(Reason::NoEvents);
        }
        Ok(Trace {
            headings: self.headings,
            nodes: self.listed.unwrap_or(self.seen),
            events: self.events,
        })
    }
}

/// What holds for every line.
fn check_text(number: usize, text: &str) -> Result<(), Reason> {
    if number > MAX_LINES {
        return Err(Reason::TooManyLines);
    }
    if text.chars().count() > MAX_LINE {
        return Err(Reason::LineTooLong);
    }
    // XML forbids these, and no terminal should be sent them.
    let is_shown = |c: &char| !c.is_control() && !matches!(c, '\u{fffe}' | '\u{ffff}');
    if let Some(character) = text.chars().find(|c| !is_shown(c)) {
        return Err(Reason::Unprintable(character));
    }
    if text.trim().is_empty() {
        return Err(Reason::EmptyLine);
    }
    Ok(())
}

fn check_format(text: &str) -> Result<(), Reason> {
    match text.strip_prefix(FORMAT).map(str::trim) {
        Some(VERSION) => Ok(()),
        Some(version) => Err(Reason::OtherVersion(version.to_owned())),
        None => Err(Reason::NoFormat),
    }
}

fn read_nodes(value: &str) -> Result<Vec<NodeId>, Reason> {
    let mut nodes = Vec::new();
    for word in value.split_whitespace() {
        let node = read_number(word).filter(|node| (1..=MAX_NODE).contains(node));
        match node {
            Some(node) if !nodes.contains(&node) => nodes.push(node),
            _ => return Err(Reason::NotAListOfNodes),
        }
    }
    if nodes.len() > MAX_NODES {
        return Err(Reason::TooManyNodes);
    }
    Ok(nodes)
}

fn read_event(text: &str) -> Result<Event, Reason> {
    let (time, rest) = text.split_once(' ').unwrap_or((text, ""));
    let time = read_time(time)?;
    let rest = rest.trim_start();
    let what = if let Some(words) = rest.strip_prefix("*:") {
        What::Cluster(some_words(words)?)
    } else if let Some(words) = rest.strip_prefix("!:") {
        What::Broken(some_words(words)?)
    } else {
        read_deed(time, rest)?
    };
    Ok(Event { time, what })
}

/// What a node does: `n1: …`, `n1 → n2 …` or `n1 ↛ n2 …`.
fn read_deed(time: Time, text: &str) -> Result<What, Reason> {
    let (who, rest) = text.split_once(' ').unwrap_or((text, ""));
    if let Some(node) = who.strip_suffix(':') {
        let node = read_node(node)?;
        let words = some_words(rest)?;
        let change = read_change(&words)?;
        return Ok(What::Node {
            node,
            words,
            change,
        });
    }
    let (arrow, rest) = rest.split_once(' ').ok_or(Reason::NotAnEvent)?;
    if !matches!(arrow, "→" | "↛") {
        return Err(Reason::NotAnEvent);
    }
    let (whom, rest) = rest.split_once(' ').unwrap_or((rest, ""));
    let (from, to) = (read_node(who)?, read_node(whom)?);
    if from == to {
        return Err(Reason::ToItself(from));
    }
    let (words, fate) = if arrow == "↛" {
        let words = rest.strip_suffix("(lost)").ok_or(Reason::NotSaidToBeLost)?;
        (words, Fate::Lost)
    } else {
        read_arrival(rest, time)?
    };
    Ok(What::Message {
        from,
        to,
        words: some_words(words)?,
        fate,
    })
}

/// Takes `(sent TIME)`, and `(why)` if there is one, off the end.
fn read_arrival(text: &str, time: Time) -> Result<(&str, Fate), Reason> {
    const OPENS: &str = "(sent ";
    let (words, rest) = text.rsplit_once(OPENS).ok_or(Reason::NoSendingTime)?;
    let (sent, rest) = rest.split_once(')').ok_or(Reason::NoSendingTime)?;
    let sent = read_time(sent)?;
    if sent > time {
        return Err(Reason::SentLater(sent));
    }
    let rest = rest.trim();
    if rest.is_empty() {
        return Ok((words, Fate::Arrived { sent }));
    }
    let why = rest.strip_prefix('(').and_then(|why| why.strip_suffix(')'));
    let why = some_words(why.ok_or(Reason::NoSendingTime)?)?;
    Ok((words, Fate::Unheard { sent, why }))
}

fn read_change(words: &str) -> Result<Change, Reason> {
    if let Some(rest) = words.strip_prefix("starts in term ") {
        let term = rest.split([',', ';', ' ']).next().unwrap_or_default();
        let term = read_term(term)?;
        return Ok(Change::Started { term });
    }
    if let Some(rest) = words.strip_prefix("became ") {
        return read_role(rest);
    }
    // `is cut off` is a note like any other.
    if let Some(rest) = words.strip_prefix("is ")
        && rest.contains(" at term ")
    {
        return read_role(rest);
    }
    if let Some(rest) = words.strip_prefix("log ") {
        return read_log(rest).map(Change::Log).ok_or(Reason::NotALog);
    }
    let first = words.split([',', ';', ':', ' ']).next();
    if matches!(first, Some("crashes" | "stops")) {
        return Ok(Change::Down);
    }
    Ok(Change::Nothing)
}

fn read_role(text: &str) -> Result<Change, Reason> {
    let named = text.split_once(" at term ").and_then(|(name, term)| {
        let role = Role::ALL.into_iter().find(|role| role.name() == name)?;
        Some((role, term))
    });
    let (role, term) = named.ok_or_else(|| Reason::NotARole(text.to_owned()))?;
    let term = read_term(term)?;
    Ok(Change::Became { role, term })
}

/// `1..5, commit 3` or `empty, commit 0`.
fn read_log(text: &str) -> Option<Log> {
    let (entries, commit) = text.split_once(", commit ")?;
    let entries = match entries {
        "empty" => None,
        range => {
            let (first, last) = range.split_once("..")?;
            let (first, last) = (read_number(first)?, read_number(last)?);
            (first <= last).then_some(())?;
            Some((first, last))
        }
    };
    let commit = read_number(commit)?;
    Some(Log { entries, commit })
}

fn read_term(text: &str) -> Result<u64, Reason> {
    read_number(text).ok_or_else(|| Reason::NotATerm(text.to_owned()))
}

fn read_node(text: &str) -> Result<NodeId, Reason> {
    text.strip_prefix('n')
        .and_then(read_number)
        .filter(|node| (1..=MAX_NODE).contains(node))
        .ok_or_else(|| Reason::NotANode(text.to_owned()))
}

/// `12` or `12.40`.
fn read_time(text: &str) -> Result<Time, Reason> {
    let read = || {
        let (whole, part) = text.split_once('.').unwrap_or((text, "00"));
        let part = (part.len() == 2).then_some(part)?;
        let whole = read_number(whole)?.checked_mul(100)?;
        let hundredths = whole.checked_add(read_number(part)?)?;
        (hundredths <= MAX_TIME).then_some(Time::from_hundredths(hundredths))
    };
    read().ok_or_else(|| Reason::NotATime(text.to_owned()))
}

/// Digits and nothing else: `parse` alone would take `+3`.
fn read_number(text: &str) -> Option<u64> {
    let all_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok()).flatten()
}

fn some_words(text: &str) -> Result<String, Reason> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Reason::NoWords);
    }
    Ok(text.to_owned())
}
