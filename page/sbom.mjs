// Adds the npm packages of the page to a list of modules (CycloneDX): sbom.mjs FILE. The
// list then has what is in a program: the page is embedded.
import { readFileSync, writeFileSync } from 'node:fs'

const [file] = process.argv.slice(2)
const list = JSON.parse(readFileSync(file, 'utf8'))
const { packages } = JSON.parse(readFileSync(new URL('package-lock.json', import.meta.url), 'utf8'))
const prefix = 'node_modules/'

// component returns the entry of a package of the lock file. Its integrity is a hash in
// base64.
function component([path, { version, license, integrity }]) {
  const name = path.slice(path.lastIndexOf(prefix) + prefix.length)
  const purl = `pkg:npm/${name.replace('@', '%40')}@${version}`
  const [algorithm, hash] = integrity.split('-')
  return {
    'bom-ref': purl,
    type: 'library',
    name,
    version,
    scope: 'required',
    hashes: [{ alg: algorithm.replace('sha', 'SHA-'), content: Buffer.from(hash, 'base64').toString('hex') }],
    licenses: [{ license: { id: license } }],
    purl,
  }
}

// The packages that only the build needs are marked as such in the lock file.
const bundled = Object.entries(packages).filter(([path, { dev }]) => path && !dev)
const added = bundled.map(component).sort((a, b) => (a.purl < b.purl ? -1 : 1))
const program = list.metadata.component['bom-ref']
const refs = added.map((one) => one['bom-ref'])
list.components = [...(list.components ?? []), ...added]
list.dependencies = (list.dependencies ?? []).map((one) => (one.ref === program ? { ...one, dependsOn: [...(one.dependsOn ?? []), ...refs] } : one))
list.dependencies.push(...refs.map((ref) => ({ ref })))
writeFileSync(file, JSON.stringify(list, undefined, 2) + '\n')
