import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { eventually } from './eventually.ts';
import type { Browser, BrowserContext, Page } from 'playwright-core';

/** For machines without a GPU and with little shared memory, and for tests that run as root. */
const ARGUMENTS = ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--no-zygote'];

/** Serious by axe's own measure; what is less is advice. */
const SERIOUS = new Set(['serious', 'critical']);

interface Violation {
  readonly id: string;
  readonly impact: string;
  readonly help: string;
  readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
}

/** The Chromium that npm brings, without a window. */
export async function launchBrowser(): Promise<Browser> {
  // Loaded here: every test file imports this package, few need a browser, and it takes 0.4 s of processor time.
  const [{ default: chromium }, { chromium: playwright }] = await Promise.all([import('@sparticuz/chromium'), import('playwright-core')]);
  // Not the package's own arguments: they switch the same-origin policy off, which the panel relies on.
  return playwright.launch({ executablePath: await chromium.executablePath(), args: ARGUMENTS, headless: true });
}

/** One person with a browser: whatever goes wrong in a page is kept, to fail the test with. */
export class Visitor {
  readonly page: Page;
  readonly context: BrowserContext;
  readonly errors: string[] = [];
  /** Answers that a test expects to be refused, by a part of their address; browsers report them as errors. */
  readonly expected: RegExp[] = [];

  private constructor(context: BrowserContext, page: Page) {
    this.context = context;
    this.page = page;
    page.on('pageerror', (error) => this.errors.push(`${page.url()}: ${error.message}`));
    page.on('console', (message) => {
      if (message.type() !== 'error') return;
      const text = `${message.text()} ${message.location().url}`;
      if (!this.expected.some((pattern) => pattern.test(text))) this.errors.push(`${page.url()}: ${text}`);
    });
  }

  static async arrive(browser: Browser, options: { readonly dark?: boolean; readonly phone?: boolean } = {}): Promise<Visitor> {
    const context = await browser.newContext({
      colorScheme: options.dark ? 'dark' : 'light',
      viewport: options.phone ? { width: 390, height: 844 } : { width: 1280, height: 860 },
      permissions: ['clipboard-read', 'clipboard-write'],
    });
    return new Visitor(context, await context.newPage());
  }

  /** Opens a page and waits until everything on it is read. */
  async open(url: string): Promise<void> {
    await this.page.goto(url);
    await this.page.getByRole('heading', { level: 1 }).waitFor();
    await eventually('the page is read', async () => (await this.page.locator('[aria-busy=true]').count()) === 0);
  }

  /** What axe finds serious on the page as it is now. */
  async seriousViolations(): Promise<string[]> {
    // Through the debugger: the page's own policy lets no script in.
    const session = await this.context.newCDPSession(this.page);
    const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
    await session.send('Runtime.evaluate', { expression: axe });
    const { result } = await session.send('Runtime.evaluate', {
      expression: `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => JSON.stringify(violations))`,
      awaitPromise: true,
      returnByValue: true,
    });
    await session.detach();
    const violations = JSON.parse(String(result.value)) as Violation[];
    return violations
      .filter(({ impact }) => SERIOUS.has(impact))
      .map(
        ({ id, nodes }) =>
          `${id}: ${[...new Set(nodes.map(({ failureSummary, html }) => `${html.slice(0, 120)} ${failureSummary.split('\n').at(-1)?.trim().slice(0, 140)}`))].slice(0, 6).join(' | ')}`,
      );
  }

  async leave(): Promise<void> {
    await this.context.close();
  }
}
