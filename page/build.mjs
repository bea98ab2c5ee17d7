// Builds the page into dist/. With --unit it bundles the unit tests and runs them with
// the test runner of Node.js.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import * as esbuild from 'esbuild'
import { licenses } from './licenses.mjs'

const page = dirname(fileURLToPath(import.meta.url))
process.chdir(page)
const dist = join(page, 'dist')

const options = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  logLevel: 'warning',
}

async function bundle() {
  return esbuild.build({
    ...options,
    entryPoints: { page: 'src/main.tsx', style: 'src/style/page.css', terminal: 'src/style/terminal.css' },
    outdir: dist,
    entryNames: '[name]-[hash]',
    chunkNames: '[name]-[hash]',
    splitting: true,
    minify: true,
    metafile: true,
    legalComments: 'none',
  })
}

// output returns the name of the file that an entry point became.
function output(metafile, entry) {
  const found = Object.entries(metafile.outputs).find(([, out]) => out.entryPoint === entry)
  return basename(found[0])
}

// preloads returns links to the files that a script imports at once, so that the browser
// reads all of them at the same time.
function preloads(metafile, script) {
  const out = Object.entries(metafile.outputs).find(([path]) => basename(path) === script)[1]
  const names = out.imports.filter(({ kind }) => kind === 'import-statement').map(({ path }) => basename(path))
  return names.map((name) => `<link rel="modulepreload" href="/${name}">`).join('\n')
}

async function build() {
  mkdirSync(dist, { recursive: true })
  for (const name of readdirSync(dist)) {
    if (name !== '.gitignore') rmSync(join(dist, name), { recursive: true })
  }
  const { metafile } = await bundle()
  const script = output(metafile, 'src/main.tsx')
  const html = readFileSync('src/index.html', 'utf8')
    .replace('{{script}}', script)
    .replace('{{preload}}', preloads(metafile, script))
    .replace('{{style}}', output(metafile, 'src/style/page.css'))
    .replace('{{terminal}}', output(metafile, 'src/style/terminal.css'))
  writeFileSync(join(dist, 'icon.svg'), readFileSync('src/icon.svg'))
  writeFileSync(join(dist, 'licenses.txt'), licenses(metafile, page))
  // The last file, because build.sh takes it for a complete build.
  writeFileSync(join(dist, 'index.html'), html)
  report(metafile)
}

// report prints the compressed size of each file. Files that only the terminal needs are
// loaded on demand, and do not count.
function report(metafile) {
  let total = 0
  for (const [path, out] of Object.entries(metafile.outputs)) {
    const size = gzipSync(readFileSync(path)).length
    const onDemand = Object.keys(out.inputs).some((input) => input.includes('@xterm/'))
    if (!onDemand) total += size
    console.log(`${String(size).padStart(8)}  ${basename(path)}${onDemand ? ' (on demand)' : ''}`)
  }
  console.log(`${String(total).padStart(8)}  bytes compressed, without the terminal`)
}

// unit runs the tests of the pure parts, src/**/*.test.ts.
async function unit() {
  const out = join(page, '..', '.cache', 'page', 'unit')
  rmSync(out, { recursive: true, force: true })
  const tests = readdirSync('src/lib').filter((name) => name.endsWith('.test.ts'))
  await esbuild.build({
    ...options,
    entryPoints: tests.map((name) => `src/lib/${name}`),
    outdir: out,
    platform: 'node',
    outExtension: { '.js': '.mjs' },
    sourcemap: 'inline',
  })
  const files = readdirSync(out).map((name) => join(out, name))
  const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], { stdio: 'inherit' })
  process.exit(status ?? 1)
}

if (process.argv.includes('--unit')) await unit()
else await build()
