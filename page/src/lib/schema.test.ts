import assert from 'node:assert/strict'
import { test } from 'node:test'
import { effect, fields, patch, toText, toValue, type Field, type Schema } from './schema'

const spec: Schema = {
  type: 'object',
  properties: {
    running: { type: 'boolean' },
    namespace: { type: 'string', 'x-kubernetes-validations': [{ rule: 'self == oldSelf' }] },
    vm: {
      type: 'object',
      properties: {
        cpus: { type: 'integer', default: 2, minimum: 1, maximum: 64, description: 'CPUs is the number of CPUs\nof the VM.' },
        memory: { 'x-kubernetes-int-or-string': true, default: '2Gi' },
        driver: { type: 'string', enum: ['auto', 'lima'], default: 'auto' },
        mounts: { type: 'array', items: { type: 'string' }, default: ['~'] },
        restart: { type: 'string' },
      },
    },
    containerEngine: { type: 'object', properties: { config: { type: 'object' }, dns: { type: 'array' } } },
  },
}
const all = fields(spec)
const find = (path: string): Field => all.find((f) => f.path === path)!

test('fields have the types of the schema, without commands', () => {
  assert.deepEqual(
    all.map((f) => [f.path, f.type]),
    [
      ['containerEngine.config', 'object'],
      ['containerEngine.dns', 'list'],
      ['namespace', 'text'],
      ['vm.cpus', 'integer'],
      ['vm.driver', 'choice'],
      ['vm.memory', 'text'],
      ['vm.mounts', 'list'],
    ],
  )
  assert.ok(find('namespace').immutable)
  assert.equal(find('vm.cpus').description, 'The number of CPUs of the VM.')
  assert.equal(find('vm.mounts').initial, '~')
})

test('a text becomes the value that the schema wants', () => {
  assert.equal(toValue(find('vm.cpus'), ' 4 '), 4)
  assert.equal(toValue(find('vm.cpus'), ''), null)
  assert.throws(() => toValue(find('vm.cpus'), 'four'), /vm.cpus must be a whole number/)
  assert.deepEqual(toValue(find('containerEngine.dns'), '10.0.0.1\n\n 10.0.0.2 '), ['10.0.0.1', '10.0.0.2'])
  assert.equal(toValue(find('containerEngine.dns'), ''), null)
  assert.deepEqual(toValue(find('vm.mounts'), ''), [], 'an empty list differs from the default')
  assert.deepEqual(toValue(find('containerEngine.config'), '{"debug": true}'), { debug: true })
  assert.throws(() => toValue(find('containerEngine.config'), '[1]'), /must be an object/)
  assert.throws(() => toValue(find('containerEngine.config'), '{'), /must be an object/)
})

test('a value becomes the text that a user types', () => {
  assert.equal(toText('list', ['a', 'b']), 'a\nb')
  assert.equal(toText('object', { a: 1 }), '{\n  "a": 1\n}')
  assert.equal(toText('integer', undefined), '')
})

test('a patch has only what changed, and removes keys of objects', () => {
  const changed = new Map([
    ['vm.cpus', '4'],
    ['vm.memory', ''],
    ['containerEngine.config', '{"a": {"y": 1}}'],
  ])
  const before = { containerEngine: { config: { a: { x: 1 }, b: 2 } } }
  assert.deepEqual(patch(all, changed, before), {
    vm: { cpus: 4, memory: null },
    containerEngine: { config: { a: { x: null, y: 1 }, b: null } },
  })
})

test('the effect of a change depends on driver and state', () => {
  assert.match(effect('vm.cpus', 'lima', true), /restarts the VM/)
  assert.match(effect('vm.cpus', 'lima', false), /next start/)
  assert.match(effect('vm.cpus', 'native', true), /no effect/)
  assert.match(effect('vm.idleStop', 'lima', true), /at once/)
  assert.match(effect('containerEngine.dns', 'native', true), /restarts the engine/)
  assert.match(effect('containerEngine.dns', 'external', true), /refused/)
  assert.match(effect('vm.driver', 'native', true), /stops the engine/)
})
