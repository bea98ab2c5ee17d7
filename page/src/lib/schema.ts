// A form from the OpenAPI schema of the App.

export interface Schema {
  type?: string
  description?: string
  default?: unknown
  enum?: unknown[]
  minimum?: number
  maximum?: number
  maxLength?: number
  properties?: Record<string, Schema>
  items?: Schema
  allOf?: Schema[]
  'x-kubernetes-int-or-string'?: boolean
  'x-kubernetes-validations'?: { rule: string }[]
}

export type FieldType = 'boolean' | 'integer' | 'text' | 'choice' | 'list' | 'object'

export interface Field {
  // path is dotted, as for rdd set: vm.driver.
  path: string
  type: FieldType
  description: string
  // initial is the default as a user types it.
  initial: string
  choices: string[]
  immutable: boolean
  minimum?: number
  maximum?: number
}

// Properties that are commands: a change of one is an action, and no setting. The engine is
// started and stopped on the overview.
const commands = new Set(['running', 'vm.restart', 'vm.reset', 'vm.retry'])

// fields returns the properties of a spec, sorted by path.
export function fields(spec: Schema, prefix = ''): Field[] {
  const out: Field[] = []
  for (const [name, schema] of Object.entries(spec.properties ?? {})) {
    const path = prefix + name
    if (schema.properties) out.push(...fields(schema, `${path}.`))
    else if (!commands.has(path)) out.push(field(path, schema))
  }
  return out.sort((a, b) => (a.path < b.path ? -1 : 1))
}

function field(path: string, schema: Schema): Field {
  const type = typeOf(schema)
  return {
    path,
    type,
    description: sentence(path, schema.description ?? ''),
    initial: toText(type, schema.default),
    choices: (schema.enum ?? []).map(String),
    immutable: schema['x-kubernetes-validations']?.some((v) => v.rule === 'self == oldSelf') ?? false,
    ...(schema.minimum === undefined ? {} : { minimum: schema.minimum }),
    ...(schema.maximum === undefined ? {} : { maximum: schema.maximum }),
  }
}

function typeOf(schema: Schema): FieldType {
  if (schema.enum) return 'choice'
  if (schema['x-kubernetes-int-or-string']) return 'text'
  switch (schema.type) {
    case 'boolean':
    case 'integer':
    case 'object':
      return schema.type
    case 'array':
      return 'list'
    default:
      return 'text'
  }
}

// sentence returns a description without the name of the Go field at its start.
function sentence(path: string, description: string): string {
  const text = description.replace(/\s+/g, ' ').trim()
  const name = path.slice(path.lastIndexOf('.') + 1)
  const first = /^(\w+) (is|are|has|lists|selects) (.*)$/.exec(text)
  if (first?.[1]?.toLowerCase() !== name.toLowerCase()) return text
  return first[3]!.charAt(0).toUpperCase() + first[3]!.slice(1)
}

// read returns the value at a dotted path.
export function read(object: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((value, name) => (value as Record<string, unknown> | undefined)?.[name], object)
}

// toText returns a value as the form shows it: a list has an item in each line.
export function toText(type: FieldType, value: unknown): string {
  if (value === undefined || value === null) return ''
  if (type === 'list') return (value as unknown[]).join('\n')
  if (type === 'object') return JSON.stringify(value, undefined, 2)
  return String(value)
}

// toValue returns the value of a text. Null removes the property, so that its default
// holds. It fails if the text has not the type.
export function toValue(f: Field, text: string): unknown {
  const trimmed = text.trim()
  switch (f.type) {
    case 'boolean':
      return trimmed === 'true'
    case 'integer':
      if (!trimmed) return null
      if (!/^-?\d+$/.test(trimmed)) throw new Error(`${f.path} must be a whole number`)
      return Number(trimmed)
    case 'list': {
      const items = trimmed.split('\n').map((line) => line.trim())
      // An empty list is a value of its own where the default is not empty.
      return trimmed ? items.filter(Boolean) : f.initial ? [] : null
    }
    case 'object':
      return trimmed ? parseObject(f, trimmed) : null
    default:
      return trimmed || null
  }
}

function parseObject(f: Field, text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (err) {
    throw new Error(`${f.path} must be an object in JSON, such as {"debug": true}: ${(err as Error).message}`)
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) throw new Error(`${f.path} must be an object in JSON, such as {"debug": true}`)
  return value
}

// patch returns a merge patch of the changed texts, which are by path. Of an object, it
// removes the keys that the new value does not have.
export function patch(all: Field[], changed: Map<string, string>, spec: unknown): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const f of all) {
    const text = changed.get(f.path)
    if (text === undefined) continue
    let value = toValue(f, text)
    if (f.type === 'object' && value) value = replacing(read(spec, f.path), value as Record<string, unknown>)
    const names = f.path.split('.')
    let at = out
    for (const name of names.slice(0, -1)) at = (at[name] ??= {}) as Record<string, unknown>
    at[names.at(-1)!] = value
  }
  return out
}

function replacing(before: unknown, value: Record<string, unknown>): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const key of Object.keys((before as object | undefined) ?? {})) out[key] = null
  for (const [key, v] of Object.entries(value)) {
    const old = read(before, key)
    const nested = v !== null && typeof v === 'object' && !Array.isArray(v) && old !== null && typeof old === 'object' && !Array.isArray(old)
    out[key] = nested ? replacing(old, v as Record<string, unknown>) : v
  }
  return out
}

// ofVM are the properties that only a VM uses.
const ofVM = new Set(['vm.cpus', 'vm.memory', 'vm.disk', 'vm.image', 'vm.acceleration', 'vm.mounts', 'vm.idleStop'])

// effect says what a change of a property does now, with the driver in use.
export function effect(path: string, driver: string | undefined, running: boolean): string {
  if (path === 'vm.driver' || path === 'vm.endpoint' || path === 'containerEngine.name') {
    return running ? 'stops the engine and starts the other one; its containers stop' : 'takes effect at the next start'
  }
  const isVM = driver === 'lima'
  if (ofVM.has(path)) {
    if (!isVM && driver) return `has no effect with the driver ${driver}`
    if (path === 'vm.idleStop') return 'takes effect at once'
    return running ? 'restarts the VM; its containers stop' : 'takes effect at the next start'
  }
  if (path.startsWith('containerEngine.')) {
    if (driver === 'external') return 'is refused with the driver external'
    if (!running) return 'takes effect at the next start'
    return isVM ? 'restarts the VM; its containers stop' : 'restarts the engine; its containers stop'
  }
  return 'takes effect at once'
}
