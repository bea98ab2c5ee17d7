import assert from 'node:assert/strict'
import { test } from 'node:test'
import { spans, stripped } from './ansi'
import { LogBuffer, find, mark } from './log'
import { yaml } from './yaml'

test('a line is split where its style changes', () => {
  assert.deepEqual(spans('plain'), [{ text: 'plain', classes: '' }])
  assert.deepEqual(spans('\x1b[1;31mred\x1b[0m \x1b[94mblue\x1b[39m end'), [
    { text: 'red', classes: 'a1 b' },
    { text: ' ', classes: '' },
    { text: 'blue', classes: 'a12' },
    { text: ' end', classes: '' },
  ])
  assert.deepEqual(spans('\x1b[38;5;196mx\x1b[m'), [{ text: 'x', classes: 'a9' }])
  assert.deepEqual(spans('\x1b[38;2;1;2;3;4mx'), [{ text: 'x', classes: 'u' }])
})

test('other sequences are left out', () => {
  assert.equal(stripped('a\x1b[2Kb\x1b]0;title\x07c\x08d'), 'abcd')
})

test('a log buffer joins chunks, and drops the oldest lines', () => {
  const buffer = new LogBuffer(2)
  buffer.push('2030-01-01T00:00:00.5Z one\r\n2030-01-01T00:00:01Z t')
  buffer.push('wo\nthree\n')
  buffer.push('four')
  assert.deepEqual(
    buffer.lines.map((l) => [l.number, l.time, l.text]),
    [
      [1, '2030-01-01T00:00:01Z', 'two'],
      [2, '', 'three'],
    ],
  )
  assert.equal(buffer.dropped, 1)
  buffer.end()
  assert.equal(buffer.lines.at(-1)?.text, 'four')
})

test('a log buffer has at most a number of characters', () => {
  const buffer = new LogBuffer(100, 10)
  buffer.push('one\ntwo\nthree\n')
  assert.deepEqual(
    buffer.lines.map((l) => l.text),
    ['two', 'three'],
  )
  buffer.push('a line of many characters\n')
  assert.equal(buffer.lines.length, 0)
  assert.equal(buffer.dropped, 4)
  buffer.push('next\n')
  assert.deepEqual(
    buffer.lines.map((l) => [l.number, l.text]),
    [[4, 'next']],
  )
})

test('a carriage return ends a line, also at the end of a chunk', () => {
  const buffer = new LogBuffer()
  for (const chunk of ['10%\r20%\r', '\n30%\r\r\n\nnext\r', 'last']) buffer.push(chunk)
  buffer.end()
  assert.deepEqual(
    buffer.lines.map((l) => l.text),
    ['10%', '20%', '30%', '', 'next', 'last'],
  )
})

test('a line is cut at 64 KB, also without an end', () => {
  const buffer = new LogBuffer()
  for (let i = 0; i < 5; i++) buffer.push('x'.repeat(30 * 1024))
  assert.deepEqual(
    buffer.lines.map((l) => l.text.length),
    [65_536, 65_536],
  )
  buffer.push(`\n${'y'.repeat(65_537)}\n`)
  assert.deepEqual(
    buffer.lines.slice(2).map((l) => l.text.length),
    [22_528, 65_536, 1],
  )
})

test('a search finds lines and parts of them', () => {
  const lines = ['A fox', 'a dog'].map((text, number) => ({ number, time: '', text }))
  assert.equal(find(lines, 'FOX', true).lines.length, 1)
  assert.deepEqual([find(lines, 'a ', false).lines.length, find(lines, 'a ', false).hits], [2, 2])
  assert.deepEqual(mark('aXbx', 'x'), [
    { text: 'a', marked: false },
    { text: 'X', marked: true },
    { text: 'b', marked: false },
    { text: 'x', marked: true },
  ])
})

test('YAML has the form of kubectl', () => {
  const object = {
    kind: 'Container',
    metadata: { labels: { 'a.b/c': 'yes', empty: '' }, list: [{ name: 'x', ports: [1, 2] }, 'z'], none: {}, empty: [] },
    text: 'two\nlines',
    number: '0123',
    missing: undefined,
  }
  const want = `kind: Container
metadata:
  labels:
    a.b/c: "yes"
    empty: ""
  list:
  - name: x
    ports:
    - 1
    - 2
  - z
  none: {}
  empty: []
text: |-
  two
  lines
number: "0123"
`
  assert.equal(yaml(object), want)
})
