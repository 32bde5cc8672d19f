// Serves the built site on this computer, the way a host of static files does.

import { createReadStream, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
    '.css': 'text/css; charset=utf-8',
    '.epub': 'application/epub+zip',
    '.html': 'text/html; charset=utf-8',
    '.js': 'text/javascript; charset=utf-8',
    '.png': 'image/png',
    '.svg': 'image/svg+xml',
    '.txt': 'text/plain; charset=utf-8',
    '.woff2': 'font/woff2',
    '.xml': 'application/xml',
};

/** The folder of its host that the site was built for: the base of its page for missing addresses. */
function prefixOf(folder) {
    const base = /<base href="([^"]*)">/.exec(readFileSync(join(folder, '404.html'), 'utf8'));
    return base?.[1] ?? '/';
}

/** The file for a path, or null; no path leads out of the folder. */
function fileFor(folder, prefix, path) {
    if (!path.startsWith(prefix)) {
        return null;
    }
    const inside = normalize(`/${path.slice(prefix.length)}`).split('/').join(sep);
    let file = join(folder, inside);
    const is = (kind) => statSync(file, { throwIfNoEntry: false })?.[kind]() ?? false;
    if (is('isDirectory')) {
        file = join(file, 'index.html');
    }
    return is('isFile') ? file : null;
}

function pathOf(url) {
    try {
        return decodeURIComponent(url.split(/[?#]/)[0]);
    } catch {
        return '';
    }
}

/** Starts serving; `address` ends in `/` and is the site's first page. */
export async function serve(folder) {
    const prefix = prefixOf(folder);
    const server = createServer((request, response) => {
        const found = fileFor(folder, prefix, pathOf(request.url));
        const file = found ?? join(folder, '404.html');
        response.writeHead(found === null ? 404 : 200, {
            'content-type': TYPES[extname(file)] ?? 'application/octet-stream',
        });
        createReadStream(file).pipe(response);
    });
    await new Promise((resolve, reject) => {
        server.once('error', reject);
        server.listen(0, '127.0.0.1', resolve);
    });
    const address = `http://127.0.0.1:${server.address().port}${prefix}`;
    const close = () => {
        server.closeAllConnections();
        return new Promise((resolve) => server.close(resolve));
    };
    return { address, close };
}
