// A diagram that one can step through: each of its controls does what it says.

import { PATIENCE } from './search.mjs';
import { nameOf, open } from '../views.mjs';

export async function check(browser, address, path, view, found) {
    const context = await open(browser, view);
    try {
        const page = await context.newPage();
        page.setDefaultTimeout(PATIENCE);
        await page.goto(address + path);
        const figures = page.locator('figure.stepper');
        for (let index = 0; index < await figures.count(); index += 1) {
            const tell = (fault) => {
                found(`${path}, diagram ${index + 1}`, nameOf(view), fault);
            };
            try {
                await walk(page, figures.nth(index), tell);
            } catch (error) {
                tell(error.message.split('\n')[0]);
            }
        }
    } finally {
        await context.close();
    }
}

async function walk(page, figure, tell) {
    await figure.scrollIntoViewIfNeeded();
    const says = figure.locator('.stepper-says');
    const button = (name) => figure.getByRole('button', { name, exact: true });
    const press = (name) => button(name).click();
    const last = await figure.locator('g.event').count();
    const expect = async (start, when) => {
        try {
            await says.filter({ hasText: new RegExp(`^\\s*${start}`) }).waitFor();
        } catch {
            const said = (await says.textContent()).slice(0, 40);
            throw new Error(`${when} it should say "${start}…", and says "${said}…"`);
        }
    };
    const step = (number) => `${Math.min(number, last)} of ${last}:`;
    const all = `All ${last} steps`;

    await expect(all, 'at first');
    await press('Step forward');
    await expect(step(1), 'after "Step forward"');
    await press('Step forward');
    await expect(step(2), 'after the second "Step forward"');
    const hidden = await figure.locator('.curtain').getAttribute('height');
    if (last > 2 && !(Number(hidden) > 0)) {
        tell('at the second step the whole diagram shows');
    }
    await press('Step back');
    await expect(step(1), 'after "Step back"');
    await figure.locator('.stepper-sheet').focus();
    await page.keyboard.press('ArrowRight');
    await expect(step(2), 'after the right arrow key');
    await page.keyboard.press('ArrowLeft');
    await expect(step(1), 'after the left arrow key');
    await figure.locator('input[type="range"]').fill(String(last));
    await expect(step(last), 'with the slider at its end');
    await press('Play');
    await expect(step(1), 'when it plays');
    await expect(step(2), 'when it plays on');
    await press('Pause');
    if (!await button('Play').isVisible()) {
        tell('after a pause there is no button to play on');
    }
    await press('Show all');
    await expect(all, 'after "Show all"');
    // A pointer tells what it points at; the event itself, since words may lie above.
    await figure.locator('g.event').first().dispatchEvent('pointerover');
    await expect(step(1), 'with the pointer at the first event');
}
