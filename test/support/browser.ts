import chromium from '@sparticuz/chromium';
import puppeteer, { type Browser } from 'puppeteer-core';

/** A real browser without root or a screen, or the reason why this machine cannot run one. */
export async function openBrowser(): Promise<Browser | string> {
  try {
    return await puppeteer.launch({
      args: chromium.args,
      executablePath: await chromium.executablePath(),
      headless: 'shell',
    });
  } catch (error) {
    return `no browser runs here: ${(error as Error).message.split('\n')[0]}`;
  }
}
