import { chmodSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { opensFiles } from '../../../plugins/platform-linux/file-urls.ts'
import { linux } from './harness.ts'

/** A desktop with these programs for pages on disk and for URLs. */
function desktop(t: Test, page: string, web: string) {
  const folder = t.testdir({
    'xdg-mime': t.fixture('file', `#!/bin/sh\ncase "$3" in text/html) echo ${page};; *) echo ${web};; esac\n`),
  })
  return { root: '/', env: { PATH: `${folder}:/usr/bin:/bin` }, uid: 1000, tool: join(folder, 'xdg-mime') }
}

t.test('pages on disk are opened in the browser where it can read them', linux, async t => {
  const cases = [
    ['firefox-esr.desktop', 'firefox-esr.desktop', true],
    ['google-chrome.desktop', 'google-chrome.desktop', true],
    ['code.desktop', 'firefox.desktop', false],
    ['firefox_firefox.desktop', 'firefox_firefox.desktop', false],
    ['org.mozilla.firefox.desktop', 'org.mozilla.firefox.desktop', false],
    ['', '', false],
  ] as const
  for (const [page, web, expected] of cases) {
    const { tool, ...machine } = desktop(t, page, web)
    chmodSync(tool, 0o755)
    t.equal(await opensFiles(machine), expected, `${page} ${web}`)
  }
  t.equal(await opensFiles({ root: '/', env: { PATH: t.testdir() }, uid: 1000 }), false, 'without xdg-mime')
})
