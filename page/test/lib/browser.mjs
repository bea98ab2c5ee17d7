// The browser of the tests: Debian's Chromium.

import assert from 'node:assert/strict'
import { existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { chromium } from 'playwright-core'

const require = createRequire(import.meta.url)
const pictures = process.env.RDD_TEST_PICTURES
const program = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'].find(existsSync)

export async function launch(args = []) {
  if (!program) throw new Error("Chromium is missing: install it, on Debian with 'apt-get install chromium'")
  return chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-dev-shm-usage', ...args] })
}

// These messages of the browser are about a daemon that does not answer, or a refusal that
// the page shows.
const expected = /ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY|WebSocket connection to|status of (4\d\d|50[34])|net::ERR_ABORTED/

// Client is a browser with a session of the page.
export class Client {
  static async open(browser, instance, options = {}) {
    const client = new Client()
    client.problems = []
    client.context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options })
    client.context.setDefaultTimeout(20_000)
    const login = new URL(await instance.loginURL())
    client.origin = login.origin
    client.page = await client.context.newPage()
    client.page.on('pageerror', (error) => client.problems.push(error.stack ?? String(error)))
    client.page.on('console', (message) => {
      if (message.type() === 'error' && !expected.test(message.text())) client.problems.push(message.text())
    })
    await client.page.goto(login.href)
    return client
  }

  // show opens a view.
  async show(...parts) {
    await this.page.goto(`${this.origin}/#/${parts.map(encodeURIComponent).join('/')}`)
    await this.page.getByRole('heading', { level: 1 }).first().waitFor()
  }

  // row returns the row of a table with this text in it.
  row(text) {
    return this.page.getByRole('row').filter({ hasText: text })
  }

  async picture(name) {
    if (!pictures) return
    mkdirSync(pictures, { recursive: true })
    await this.page.screenshot({ path: join(pictures, `${name}.png`) })
  }

  // checkProblems fails if a script failed, or the browser refused something.
  checkProblems() {
    assert.deepEqual(this.problems, [])
  }

  // axe checks the accessibility of what is shown.
  async axe(what) {
    // The policy of the page allows no scripts of others, so it is evaluated, not loaded.
    await this.page.evaluate(axeSource)
    const result = await this.page.evaluate(() => axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }))
    const found = result.violations.map((v) => `${what}: ${v.id}: ${v.help}: ${v.nodes.map((n) => `${n.target}: ${n.any.map((x) => x.message).join('; ')}`).join(' | ')}`)
    assert.deepEqual(found, [])
  }

  async close() {
    await this.context.close()
  }
}

const axeSource = (await import('node:fs')).readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8')
