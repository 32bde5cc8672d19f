// The browser: which one, and how it is started.
//
// The rule: it is the system's own Chromium or Chrome, and it reaches nothing but
// this computer. Nothing is downloaded.

import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import { chromium } from 'playwright-core';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome'];

const FLAGS = [
    '--disable-background-networking',
    '--disable-component-update',
    '--disable-sync',
    '--disable-quic',
    '--no-first-run',
    // A page that asks another host for something does not get it, with or without a
    // network, and the failed request is a finding.
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
];

function isProgram(path) {
    try {
        accessSync(path, constants.X_OK);
        return true;
    } catch {
        return false;
    }
}

/** The path of the browser, or null: what CHROMIUM names, else the first on PATH. */
export function find(environment = process.env) {
    const folders = (environment.PATH ?? '').split(delimiter).filter(Boolean);
    const look = (name) => (isAbsolute(name) ? [name] : folders.map((it) => join(it, name)))
        .find(isProgram);
    const names = environment.CHROMIUM ? [environment.CHROMIUM] : NAMES;
    return names.map(look).find(Boolean) ?? null;
}

export async function launch() {
    const executablePath = find();
    if (executablePath === null) {
        const wish = process.env.CHROMIUM;
        throw new Error(wish
            ? `CHROMIUM names ${wish}, which is no program; correct it or unset it`
            : `there is no ${NAMES.join(', ')} on PATH; install Chromium or Chrome `
                + '(Debian: apt-get install chromium), or let CHROMIUM name it');
    }
    // Chromium refuses to run as root with its sandbox, as containers usually do.
    const chromiumSandbox = process.getuid?.() !== 0;
    return chromium.launch({ executablePath, args: FLAGS, chromiumSandbox });
}
