import { accessSync, constants } from 'node:fs'
import { type Browser, chromium } from 'playwright-core'
import type { Test } from './sandbox.ts'

const usual =
  process.platform === 'darwin' ? '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome' : '/usr/bin/chromium'
/** What CHROMIUM names, Debian's Chromium, or a Mac's Chrome. */
const program = process.env['CHROMIUM'] || usual

/** Why there is no browser here; false when there is one. */
export const noBrowser: string | false = found() ? false : `there is no ${program}`

/** A headless browser that connects only to the pages under test, with more environment. Closed after the test. */
export async function openBrowser(t: Test, env: Readonly<Record<string, string>> = {}): Promise<Browser> {
  const browser = await chromium.launch({
    executablePath: program,
    env: { ...process.env, ...env },
    args: [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
  t.teardown(() => browser.close())
  return browser
}

function found(): boolean {
  try {
    accessSync(program, constants.X_OK)
    return true
  } catch {
    return false
  }
}
