// Collects the licenses of all packages that are in a bundle.
import { existsSync, readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'

// packageOf returns the directory of the npm package that a source file belongs to.
function packageOf(input) {
  const match = /^(.*node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(input)
  return match?.[1]
}

// licenses returns the text of licenses.txt. It fails if a package has no license file.
export function licenses(metafile, root) {
  const used = new Set()
  for (const out of Object.values(metafile.outputs)) {
    for (const input of Object.keys(out.inputs)) {
      const dir = packageOf(input)
      if (dir) used.add(dir)
    }
  }
  const parts = [...used].sort().map((dir) => {
    const path = join(root, dir)
    const { name, version, license } = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'))
    const file = readdirSync(path).find((entry) => /^licen[cs]e/i.test(entry))
    if (!file || !existsSync(join(path, file))) throw new Error(`package ${name} has no license file: ask its authors, or replace it`)
    return `${name} ${version} (${license})\n\n${readFileSync(join(path, file), 'utf8').trim()}\n`
  })
  return 'The page of rdd contains these packages.\n\n' + parts.join(`\n${'-'.repeat(76)}\n\n`)
}
