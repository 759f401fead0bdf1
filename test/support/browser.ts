import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { chromium, type Page } from 'playwright-core';
import { ensureChromium } from '../../scripts/services/chromium';

/** A headless browser with one page, in a profile of its own. */
export interface TestBrowser {
  readonly page: Page;
  close(): Promise<void>;
}

/** Milliseconds that a page may take to show what is waited for. */
const PATIENCE_MS = 20_000;

export async function openBrowser(): Promise<TestBrowser> {
  const { program, environment } = await ensureChromium();
  const browser = await chromium.launch({
    executablePath: program,
    env: { ...process.env, ...environment },
    args: ['--disable-gpu', '--disable-quic', '--disable-sync', '--disable-component-update'],
  });
  const page = await browser.newPage({
    viewport: { width: 1280, height: 800 },
    locale: 'en-US',
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
  });
  page.setDefaultTimeout(PATIENCE_MS);
  return { page, close: () => browser.close() };
}

/** A picture of the page from its top down to `height`, or of a dialog alone. */
export interface Picture {
  readonly height?: number;
  readonly dialog?: true;
}

/** Takes pictures into `folder`, `<name>.png` each. */
export function photographer(
  page: Page,
  folder: string,
): (name: string, picture?: Picture) => Promise<void> {
  return async (name, { height = 800, dialog } = {}) => {
    await mkdir(folder, { recursive: true });
    // What the pointer rests on looks different; in the middle of the top there is nothing.
    await page.mouse.move(640, 24);
    const settings = {
      path: join(folder, `${name}.png`),
      animations: 'disabled',
      caret: 'hide',
    } as const;
    if (dialog) await page.locator('dialog[open]').screenshot(settings);
    else await page.screenshot({ ...settings, clip: { x: 0, y: 0, width: 1280, height } });
  };
}
