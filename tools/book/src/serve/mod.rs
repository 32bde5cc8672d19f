//! `cargo book serve`: the book on a local address, rebuilt while it is written.
//!
//! Only this computer can reach the server. Reloading is done by a script that the
//! server adds to a page as it sends it, so the files in the build folder are the
//! same as after `cargo book build`.

mod live;
mod watch;

use std::io::{self, ErrorKind, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::thread;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum::routing::get;
use tokio::sync::RwLock;
use tower_http::services::{ServeDir, ServeFile};

use crate::cli::ServeOptions;
use crate::finding;
use crate::site::{self, Audience};
use crate::workspace::Workspace;
use live::Builds;

const FIRST_PORT: u16 = 3000;
/// How many ports are tried when none was asked for.
const PORTS: u16 = 20;

/// Returns when Ctrl-C was pressed.
pub(crate) fn run(root: &Path, options: &ServeOptions) -> Result<()> {
    let listener = bind(options.port)?;
    let Some(folder) = rebuild(root)? else {
        bail!("there is no book to serve before the problems above are solved");
    };
    let address = format!("http://{}/", listener.local_addr()?);
    let builds = Builds::new();
    let writing = Arc::new(RwLock::new(()));
    start_watching(root, &builds, &writing)?;
    // Whoever started us may read the address from a pipe.
    println!("The book is at {address} (Ctrl-C ends it).");
    io::stdout().flush()?;
    if !options.no_open
        && let Err(error) = open::that_detached(&address)
    {
        println!("No browser could be opened ({error}); open the address yourself.");
    }
    serve(listener, &folder, builds, writing)
}

/// The asked-for port or none; without a wish, the first free one.
fn bind(port: Option<u16>) -> Result<TcpListener> {
    let on_this_computer = |port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port)));
    if let Some(port) = port {
        return match on_this_computer(port) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(
                "port {port} is taken; name another with --port, \
                 or leave --port out to take the next free one"
            ),
            bound => bound.with_context(|| format!("cannot serve at port {port}")),
        };
    }
    for port in FIRST_PORT..FIRST_PORT + PORTS {
        match on_this_computer(port) {
            Err(error) if error.kind() == ErrorKind::AddrInUse => {}
            bound => return bound.with_context(|| format!("cannot serve at port {port}")),
        }
    }
    on_this_computer(0).context("cannot find a free port")
}

/// Builds the book, whose problems are told but do not end the server. Returns the
/// site's folder, or nothing if there is no site.
fn rebuild(root: &Path) -> Result<Option<PathBuf>> {
    let workspace = Rc::new(Workspace::load(root)?);
    let site = site::build(&workspace, Audience::Local)?;
    finding::report(site.findings);
    Ok(site.written.then_some(site.folder))
}

fn start_watching(root: &Path, builds: &Builds, writing: &Arc<RwLock<()>>) -> Result<()> {
    let changes = watch::start(root).context("cannot watch the files of the book")?;
    let root = root.to_path_buf();
    let (builds, writing) = (builds.clone(), Arc::clone(writing));
    thread::spawn(move || {
        while let Some(changed) = changes.next() {
            println!("{} changed, building again", changed.display());
            let built = {
                // Requests wait, rather than find half a site.
                let _site = writing.blocking_write();
                rebuild(&root)
            };
            match built {
                Ok(Some(_)) => builds.announce(),
                Ok(None) => println!("Nothing new to see until the problems above are solved."),
                Err(error) => eprintln!("error: {error:#}"),
            }
        }
    });
    Ok(())
}

fn serve(
    listener: TcpListener,
    folder: &Path,
    builds: Builds,
    writing: Arc<RwLock<()>>,
) -> Result<()> {
    let not_found = ServeFile::new(folder.join("404.html"));
    let files = ServeDir::new(folder).not_found_service(not_found);
    let state = live::State {
        builds: builds.clone(),
        writing,
    };
    let pages = Router::new()
        .fallback_service(files)
        .layer(axum::middleware::from_fn_with_state(state, live::prepare));
    let router = Router::new()
        .route(live::PATH, get(live::stream).with_state(builds))
        .merge(pages);

    listener.set_nonblocking(true)?;
    let runtime = tokio::runtime::Runtime::new().context("cannot start the server")?;
    runtime.block_on(async move {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        tokio::select! {
            served = async { axum::serve(listener, router).await } => {
                served.context("the server failed")
            }
            interrupted = tokio::signal::ctrl_c() => {
                println!();
                interrupted.context("cannot wait for Ctrl-C")
            }
        }
    })
}
