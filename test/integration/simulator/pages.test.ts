import type { Browser, Page } from 'puppeteer-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { totp } from '#simulator/login/totp.ts';
import type { Simulator } from '#simulator/server.ts';
import { openBrowser } from '#test/support/browser.ts';
import { apiOf, control, LIMIT_ORDER, startTestSimulator } from './kit.ts';

const opened = await openBrowser();
const reason = typeof opened === 'string' ? ` (skipped: ${opened})` : '';

describe.skipIf(reason !== '')(`in a real browser${reason}`, () => {
  const browser = opened as Browser;
  let simulator: Simulator;
  let page: Page;
  const errors: string[] = [];

  beforeAll(async () => {
    simulator = await startTestSimulator();
    page = await browser.newPage();
    page.on('pageerror', (error) => errors.push(String(error)));
    page.on('console', (message) => {
      if (message.type() === 'error') errors.push(message.text());
    });
  });
  afterAll(async () => {
    await browser.close();
    await simulator?.close();
  });

  const text = (selector: string) => page.$eval(selector, (element) => element.textContent ?? '');
  const press = (label: string) => page.locator(`::-p-text(${label})`).click();
  const soon = { timeout: 10_000 };

  test('the page at / shows the clock, orders and faults, and its buttons arm and clear faults', async () => {
    const api = await apiOf(simulator);
    await api('POST', '/orders/regular', { ...LIMIT_ORDER, tag: 'seenonpage' });
    await page.goto(simulator.url);
    await expect.poll(() => text('#orders'), soon).toContain('seenonpage');
    expect(await text('#facts')).toContain('18/11/2026');
    expect(await text('#connections')).toBe('Nobody is connected.');
    await press('Stall the feed 20 s');
    await expect.poll(() => text('#faults'), soon).toContain('feed_stall');
    expect(await control(simulator, 'GET', 'faults')).toMatchObject([{ kind: 'feed_stall', seconds: 20 }]);
    await press('Clear all faults');
    await expect.poll(() => text('#faults'), soon).toBe('No faults.');
    await press('Hold closed');
    await expect.poll(() => simulator.box.market.clock.market, soon).toBe('closed');
    await press('Hold open');
    await expect.poll(() => simulator.box.market.clock.market, soon).toBe('open');
    expect(errors).toEqual([]);
  });

  test('every button of a fault arms the fault that it carries', async () => {
    await page.goto(simulator.url);
    const labels = await page.$$eval('#fault-buttons button[data-body]', (buttons) =>
      buttons.map((button) => ({
        label: button.textContent ?? '',
        body: JSON.parse(button.getAttribute('data-body') ?? '') as object,
      })),
    );
    expect(labels.length).toBeGreaterThan(5);
    for (const { label, body } of labels) {
      await control(simulator, 'DELETE', 'faults');
      await press(label);
      await expect.poll(() => control(simulator, 'GET', 'faults'), soon).toMatchObject([body]);
    }
    await press('Reset everything');
    await expect.poll(() => control(simulator, 'GET', 'faults'), soon).toEqual([]);
    expect(errors).toEqual([]);
  });

  test('the page says so when the simulator does not answer, and recovers', async () => {
    await page.setOfflineMode(true);
    await expect.poll(() => text('#problem'), soon).toContain('does not answer');
    await page.setOfflineMode(false);
    await expect.poll(() => text('#problem'), soon).toBe('');
  });

  test('a person logs in on the form and lands with a request_token; a wrong code says so', async () => {
    await page.goto(`${simulator.url}/connect/login?v=3&api_key=simkey`);
    const login = async (code: string) => {
      await page.locator('input[name=user_id]').fill('SIM001');
      await page.locator('input[name=password]').fill('simpass');
      await page.locator('input[name=totp]').fill(code);
      await Promise.all([page.waitForNavigation(), page.locator('button').click()]);
    };
    const right = totp('JBSWY3DPEHPK3PXP', Date.now());
    await login(right === '000000' ? '111111' : '000000');
    expect(await text('[role=alert]')).toContain('Invalid TOTP');
    await login(totp('JBSWY3DPEHPK3PXP', Date.now()));
    const url = new URL(page.url());
    expect(url.searchParams.get('status')).toBe('success');
    expect(await text('#request_token')).toBe(url.searchParams.get('request_token'));
  });
});
