// Writes a resource as YAML, in the style of kubectl.

const plain = /^[A-Za-z_/][A-Za-z0-9_./@=+-]*( [A-Za-z0-9_./@=+-]+)*$/
const reserved = /^(true|false|null|yes|no|on|off|y|n)$/i

// yaml returns the text of a value.
export function yaml(value: unknown): string {
  return block(value, 0).replace(/^\n/, '') + '\n'
}

// block returns a value that follows its key: on the same line, or on the next ones.
function block(value: unknown, indent: number): string {
  if (Array.isArray(value)) return value.length ? list(value, indent) : ' []'
  if (value !== null && typeof value === 'object') {
    const entries = Object.entries(value).filter(([, v]) => v !== undefined)
    return entries.length ? mapping(entries, indent) : ' {}'
  }
  return ' ' + scalar(value, indent)
}

function mapping(entries: [string, unknown][], indent: number): string {
  const pad = ' '.repeat(indent)
  return entries.map(([key, v]) => `\n${pad}${scalar(key, 0)}:${block(v, Array.isArray(v) ? indent : indent + 2)}`).join('')
}

function list(values: unknown[], indent: number): string {
  const pad = ' '.repeat(indent)
  return values
    .map((v) => {
      const text = block(v, indent + 2)
      // The first key of an object is on the line of the dash.
      return `\n${pad}-${text.startsWith('\n') ? ' ' + text.slice(1).trimStart() : text}`
    })
    .join('')
}

function scalar(value: unknown, indent: number): string {
  if (typeof value !== 'string') return String(value)
  if (value.includes('\n') && !/[\x00-\x08\x0b-\x1f\x7f]/.test(value) && !/^\s|\s$/.test(value.replace(/\n$/, ''))) {
    const pad = ' '.repeat(Math.max(indent, 2))
    const lines = value.replace(/\n$/, '').split('\n')
    return `|${value.endsWith('\n') ? '' : '-'}\n` + lines.map((line) => (line ? pad + line : '')).join('\n')
  }
  if (plain.test(value) && !reserved.test(value)) return value
  return JSON.stringify(value)
}
