//! The server gives out the site and nothing else, and reloads after a change.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::time::Duration;

use crate::fixture::{Book, Said};

/// Longer than anything here takes; a test that waits for it has failed.
const PATIENCE: Duration = Duration::from_secs(60);

struct Server {
    child: Child,
    stdout: BufReader<ChildStdout>,
    port: u16,
}

impl Server {
    fn start(book: &Book) -> Self {
        let mut child = book
            .command(&["serve", "--port", "0", "--no-open"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("to start the server");
        let mut stdout = BufReader::new(child.stdout.take().expect("the server's output"));
        let mut line = String::new();
        stdout.read_line(&mut line).expect("the server's address");
        let port = line
            .split_once("http://127.0.0.1:")
            .and_then(|(_, rest)| rest.split_once('/'))
            .and_then(|(port, _)| port.parse().ok())
            .unwrap_or_else(|| panic!("no address in {line:?}"));
        Self {
            child,
            stdout,
            port,
        }
    }

    /// Opens a connection and asks for a path, sent as it is.
    fn ask(&self, path: &str) -> TcpStream {
        let mut stream =
            TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("to reach the server");
        stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
        write!(
            stream,
            "GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        )
        .expect("to ask");
        stream
    }

    fn get(&self, path: &str) -> String {
        let mut answer = Vec::new();
        self.ask(path).read_to_end(&mut answer).expect("an answer");
        String::from_utf8_lossy(&answer).into_owned()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It has ended already in the test that ends it.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn status(answer: &str) -> &str {
    answer.split(' ').nth(1).expect("a status line")
}

#[test]
fn a_page_is_html_and_a_stylesheet_is_css() {
    let book = Book::new();
    let server = Server::start(&book);
    for path in ["/", "/page.html"] {
        let page = server.get(path);
        assert_eq!(status(&page), "200", "{page}");
        assert!(
            page.contains("content-type: text/html; charset=utf-8\r\n"),
            "{page}"
        );
        assert!(page.contains("<h1 id=\"page\">"), "{page}");
    }
    let start = book.read("target/book/page.html");
    let name = start.split("css/general-").nth(1).expect("a stylesheet");
    let name = name.split('"').next().expect("a name");
    let style = server.get(&format!("/css/general-{name}"));
    assert_eq!(status(&style), "200", "{style}");
    assert!(style.contains("content-type: text/css\r\n"), "{style}");
}

#[test]
fn a_missing_page_is_404_with_the_book_around_it() {
    let book = Book::new();
    let server = Server::start(&book);
    let answer = server.get("/gone/page.html");
    assert_eq!(status(&answer), "404", "{answer}");
    assert!(answer.contains("Document not found (404)"), "{answer}");
}

#[test]
fn no_path_leads_out_of_the_site() {
    let book = Book::new();
    book.write("target/secret.txt", "the secret");
    let server = Server::start(&book);
    for path in [
        "/../secret.txt",
        "/css/../../secret.txt",
        "/%2e%2e/secret.txt",
        "/..%2fsecret.txt",
        "/%2e%2e%2fsecret.txt",
        "/..\\secret.txt",
        "//etc/passwd",
    ] {
        let answer = server.get(path);
        assert_ne!(status(&answer), "200", "{path}: {answer}");
        assert!(!answer.contains("the secret"), "{path}: {answer}");
    }
}

#[test]
fn only_a_served_page_reloads_itself() {
    let book = Book::new();
    let server = Server::start(&book);
    assert!(server.get("/page.html").contains("new EventSource("));
    assert!(!book.read("target/book/page.html").contains("EventSource"));
}

#[test]
fn a_change_of_a_page_builds_the_book_again_and_tells_the_browser() {
    let book = Book::new();
    let mut server = Server::start(&book);
    let mut events = BufReader::new(server.ask("/__builds"));
    let first = next_build(&mut events);
    book.write("book/src/page.md", "# Page\n\nA new sentence.\n");
    let second = next_build(&mut events);
    assert_ne!(first, second);
    assert!(server.get("/page.html").contains("A new sentence."));
    let mut line = String::new();
    server.stdout.read_line(&mut line).expect("a line");
    assert_eq!(line, "book/src/page.md changed, building again\n");
}

/// Reads events until one names a build.
fn next_build(events: &mut impl BufRead) -> String {
    loop {
        let mut line = String::new();
        let read = events.read_line(&mut line).expect("an event in time");
        assert_ne!(read, 0, "the stream of events has ended");
        if let Some(build) = line.strip_prefix("data: ") {
            return build.trim().to_string();
        }
    }
}

#[test]
fn a_port_that_is_asked_for_and_taken_is_a_clear_error() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let port = taken.local_addr().expect("an address").port().to_string();
    let said = Book::new().run(&["serve", "--no-open", "--port", &port]);
    assert_eq!(said.code, Some(1), "{said}");
    let message = format!("error: port {port} is taken; name another with --port");
    assert!(said.stderr.contains(&message), "{said}");
}

#[cfg(unix)]
#[test]
fn ctrl_c_ends_the_server_with_exit_code_0() {
    let book = Book::new();
    let mut server = Server::start(&book);
    // A browser that listens for builds must not hold the server up.
    let mut events = BufReader::new(server.ask("/__builds"));
    next_build(&mut events);
    let kill = Command::new("kill")
        .args(["-INT", &server.child.id().to_string()])
        .output()
        .expect("to send a signal");
    assert!(kill.status.success(), "{}", Said::from(&kill));
    let status = server.child.wait().expect("the server's end");
    assert_eq!(status.code(), Some(0));
}
